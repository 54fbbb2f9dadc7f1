//! Options that are addresses to listen on, and whom to blame for one that is none; and who may scrape there.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use brightstaff_exporter::{DEFAULT_BIND_ADDRESS, Exporter, METRICS_BIND_ADDRESS};
use clap::{
    ArgMatches, Args, Command, Error, FromArgMatches, builder::BoolishValueParser,
    parser::ValueSource,
};
use prometheus::Registry;

use crate::usage::UsageError;

const BIND_ADDRESS: &str = "BIND_ADDRESS";
const DEFAULT_GATEWAY: &str = "127.0.0.1:12000";

/// The address in the text of this option or variable, which is not repeated where it is none: it may be
/// what belongs in another one, and a secret.
pub(crate) fn parse(from: &str, text: &str, example: &str) -> Result<SocketAddr, UsageError> {
    text.parse().map_err(|_| {
        UsageError::new(format_args!(
            "{from}: is no address to listen on: write IP:PORT, for example {example}"
        ))
    })
}

/// Where a gateway listens: the options that `serve` and `demo` share.
#[derive(Debug)]
pub(crate) struct Listen {
    pub(crate) gateway: Given,
    pub(crate) metrics: Given,
}

/// A text, and the option or the variable that it came from.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) from: String,
    pub(crate) text: String,
}

/// Who may scrape, and how many at a time.
#[derive(Args, Debug)]
pub(crate) struct Scrapers {
    /// TLS, users and response headers of the metrics port, as exporters of Prometheus read them.
    #[arg(
        id = "web.config.file",
        long = "web.config.file",
        env = "WEB_CONFIG_FILE",
        value_name = "FILE"
    )]
    web_config: Option<PathBuf>,

    /// Bearer tokens that may scrape, one a line.
    #[arg(long, env = "METRICS_TOKEN_FILE", value_name = "FILE")]
    metrics_token_file: Option<PathBuf>,

    /// How many scrapes may be answered at a time, 0 for any number; more are answered by 503.
    #[arg(
        id = "web.max-requests",
        long = "web.max-requests",
        env = "WEB_MAX_REQUESTS",
        value_name = "COUNT",
        default_value_t = 40
    )]
    max_requests: usize,

    /// Serve no live page at / of the metrics port.
    #[arg(long, env = "METRICS_NO_PAGE", value_parser = BoolishValueParser::new())]
    no_page: bool,
}

impl Scrapers {
    /// The exporter, kept to this.
    pub(crate) fn limit(&self, exporter: Exporter) -> Result<Exporter, UsageError> {
        let mut exporter = exporter.max_requests(self.max_requests);
        #[cfg(feature = "page")]
        {
            exporter = exporter.page(!self.no_page);
        }
        if let Some(path) = &self.web_config {
            exporter = exporter
                .web_config(path)
                .map_err(|error| UsageError::new(format_args!("--web.config.file: {error}")))?;
        }
        if let Some(path) = &self.metrics_token_file {
            exporter = exporter
                .bearer_token_file(path)
                .map_err(|error| UsageError::new(format_args!("--metrics-token-file: {error}")))?;
        }
        Ok(exporter)
    }

    /// Whether the live page is served.
    pub(crate) fn has_page(&self) -> bool {
        cfg!(feature = "page") && !self.no_page
    }
}

/// Where metrics are served and, if it is, the live page, in lines for those who start it: of a port that listens on
/// all addresses, at one where a browser finds it.
pub(crate) fn served(scheme: &str, address: SocketAddr, page: bool) -> String {
    let mut lines = format!("metrics listening on {scheme}://{address}/metrics");
    if page {
        let mut here = address;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => here.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => here.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        lines.push_str(&format!("\npage {scheme}://{here}/"));
    }
    lines
}

#[derive(Args, Debug)]
struct Options {
    /// Where the gateway takes requests.
    #[arg(long, env = BIND_ADDRESS, hide_env_values = true, value_name = "IP:PORT",
          default_value = DEFAULT_GATEWAY)]
    bind: String,

    /// Where metrics are served.
    #[arg(long, env = METRICS_BIND_ADDRESS, hide_env_values = true, value_name = "IP:PORT",
          default_value_t = DEFAULT_BIND_ADDRESS.to_string())]
    metrics_bind: String,
}

impl Listen {
    pub(crate) fn gateway(&self) -> Result<SocketAddr, UsageError> {
        let Given { from, text } = &self.gateway;
        parse(from, text, DEFAULT_GATEWAY)
    }

    /// What serves metrics there.
    pub(crate) fn exporter(&self, registry: Registry) -> Result<Exporter, UsageError> {
        let Given { from, text } = &self.metrics;
        // Before the library, which repeats what is no address.
        parse(from, text, &DEFAULT_BIND_ADDRESS.to_string())?;
        let exporter = Exporter::new(registry);
        exporter.bind_to(from, text).map_err(UsageError::new)
    }
}

impl Given {
    /// Of an option and a variable, the one that was read, or both where it was neither.
    fn new(text: String, source: Option<ValueSource>, option: &str, variable: &str) -> Self {
        let from = match source {
            Some(ValueSource::CommandLine) => option.to_owned(),
            Some(ValueSource::EnvVariable) => variable.to_owned(),
            _ => format!("{option} or {variable}"),
        };
        Self { from, text }
    }
}

// By hand, since what clap derives sees the values and not where they came from.
impl FromArgMatches for Listen {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let options = Options::from_arg_matches(matches)?;
        let source = |id| matches.value_source(id);
        Ok(Self {
            gateway: Given::new(options.bind, source("bind"), "--bind", BIND_ADDRESS),
            metrics: Given::new(
                options.metrics_bind,
                source("metrics_bind"),
                "--metrics-bind",
                METRICS_BIND_ADDRESS,
            ),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Listen {
    fn augment_args(command: Command) -> Command {
        Options::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Options::augment_args_for_update(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_where_a_browser_finds_it() {
        for (address, page) in [
            ("0.0.0.0:9092", "http://127.0.0.1:9092/"),
            ("[::]:9092", "http://[::1]:9092/"),
            ("192.0.2.1:80", "http://192.0.2.1:80/"),
        ] {
            let metrics = format!("metrics listening on http://{address}/metrics");
            let address = address.parse().unwrap();
            assert_eq!(
                served("http", address, true),
                format!("{metrics}\npage {page}")
            );
            assert_eq!(served("http", address, false), metrics);
        }
    }
}
