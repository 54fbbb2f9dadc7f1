//! The commands of the stack, and their options.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Start Prometheus and Grafana, wait until both are healthy, and say what Prometheus sees
    Up {
        #[command(flatten)]
        place: Place,
        /// Run the `prometheus` and `grafana` found on the path instead of containers
        #[arg(long)]
        native: bool,
        /// Take what gateways push over OTLP, by an OpenTelemetry Collector, instead of scraping them
        #[arg(long)]
        otlp: bool,
        /// Seconds to wait until both are healthy
        #[arg(long, default_value_t = 180)]
        timeout: u64,
    },
    /// Stop what `up` started; the recorded data stays
    Down {
        #[command(flatten)]
        place: Place,
        /// Remove the recorded data too
        #[arg(long)]
        volumes: bool,
    },
    /// Tell whether both run, and what Prometheus sees
    Status {
        #[command(flatten)]
        place: Place,
    },
    /// Show what they say
    Logs {
        #[command(flatten)]
        place: Place,
        /// Go on as they say more
        #[arg(long, short)]
        follow: bool,
    },
    /// Open the dashboard in the browser
    Open {
        #[command(flatten)]
        place: Place,
    },
}

/// Where things are.
#[derive(Args, Clone)]
pub(crate) struct Place {
    /// Where logs, rewritten files and native data are kept
    #[arg(long, default_value = "target/grafana")]
    pub(super) dir: PathBuf,
    /// Prometheus' port
    #[arg(long, env = "PROMETHEUS_PORT", default_value_t = 9090)]
    pub(super) prometheus_port: u16,
    /// Grafana's port
    #[arg(long, env = "GRAFANA_PORT", default_value_t = 3000)]
    pub(super) grafana_port: u16,
    /// The port that takes OTLP
    #[arg(long, env = "OTLP_PORT", default_value_t = 4318)]
    pub(super) otlp_port: u16,
}
