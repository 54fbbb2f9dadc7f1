use std::{fs::File, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::load::Load;
use crate::{
    address::Listen,
    config::{Config, duration},
    usage::UsageError,
};

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Demo {
    /// How long requests are made.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration::parse)]
    pub(crate) duration: Duration,

    /// How many requests are made a second.
    #[arg(long, value_name = "NUMBER", default_value = "20", value_parser = rate)]
    pub(crate) rate: f64,

    /// Decides which requests are made, in which order, and how they end.
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    pub(crate) seed: u64,

    #[command(flatten)]
    pub(crate) listen: Listen,

    /// Send the requests to this proxy before the gateway, and not straight to it. What the proxy answers by
    /// itself never arrives, and shows as a difference: Envoy refuses methods that it does not know.
    #[arg(long, value_name = "IP:PORT", value_parser = proxy)]
    pub(crate) via: Option<SocketAddr>,

    /// Count samples in native histograms, too; with "only", leave the classic ones out of protobuf.
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) native_histograms: Option<NativeHistograms>,

    /// Show every series at the end, and not only those that differ.
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// Write down what happened, and what was measured, as JSON. The file is empty until then, and every
    /// request is kept in memory for it.
    #[arg(long, value_name = "FILE")]
    pub(crate) truth_json: Option<PathBuf>,

    /// Serve the metrics for so long after the end.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) hold: Option<Duration>,
}

/// What protobuf tells of histograms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NativeHistograms {
    /// Classic and native buckets.
    Both,
    /// Native buckets alone.
    Only,
}

impl Demo {
    /// Has the configuration say what these options say.
    pub(super) fn configure(&self, config: &mut Config) {
        let native = self.native_histograms;
        config.metrics.native_histograms = native.is_some();
        config.metrics.classic_histograms = native != Some(NativeHistograms::Only);
    }

    pub(super) fn load(&self) -> Load {
        Load {
            rate: self.rate,
            lasts: self.duration,
            seed: self.seed,
            via: self.via,
            keep: self.truth_json.is_some(),
        }
    }

    /// The file of `--truth-json`, empty.
    pub(super) fn truth_file(&self) -> Result<Option<File>, UsageError> {
        let Some(path) = &self.truth_json else {
            return Ok(None);
        };
        File::create(path).map(Some).map_err(|error| {
            let path = path.display();
            UsageError::new(format_args!(
                "--truth-json {path}: {error}: name a file that can be written"
            ))
        })
    }
}

const HELP: &str = "\
Simulated OpenAI and Anthropic answer, stream, refuse, break off and stall as planned; clients ask,
retry a session, and hang up. At the end a table sets what they know beside what the metrics say:
counts must be equal, and each mean must lie between what the provider and what the client saw.
OTEL_EXPORTER_OTLP_ENDPOINT has the metrics pushed over OTLP, too, as OpenTelemetry's other variables say.
Exits with 1 where anything differs.";

fn proxy(text: &str) -> Result<SocketAddr, String> {
    let refuse = |_| "is no address: write IP:PORT, such as 127.0.0.1:10000".to_owned();
    text.parse().map_err(refuse)
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok();
    // Slower is a request a day, faster is none that is paced.
    rate.filter(|rate| (0.00001..=10_000.0).contains(rate))
        .ok_or_else(|| "is no rate: write requests a second, such as 20 or 0.2".to_owned())
}
