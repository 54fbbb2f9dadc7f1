use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;
use axum::http::Uri;
use clap::Args;
use url::Url;

use super::{
    client::{Credentials, Target, Tls},
    text,
};
use crate::{config::duration, usage::UsageError};

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Top {
    /// Where the metrics are; without a path at /metrics.
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:9092/metrics")]
    url: String,

    /// How long it is from one scrape to the next.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = interval)]
    pub(super) interval: Duration,

    /// Print one table of two scrapes, and stop; so it is, too, where the output is no terminal.
    #[arg(long)]
    pub(super) once: bool,

    /// The same as one line of JSON.
    #[arg(long)]
    pub(super) json: bool,

    /// Send the bearer token that stands in the first line of this file.
    #[arg(long, value_name = "FILE", conflicts_with = "user")]
    bearer_token_file: Option<PathBuf>,

    /// Authenticate as this user, with the password of --password-file.
    #[arg(long, value_name = "NAME", requires = "password_file")]
    user: Option<String>,

    /// The password stands in the first line of this file.
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,

    /// Trust these certificates (PEM), and not those that the system trusts.
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,

    /// Show this certificate (PEM) to a port that asks for one.
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// The key (PEM) of --cert.
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
}

const HELP: &str = "\
Shows what the live page shows: providers and models over the last five minutes, or as far back as is known.
Of a gateway that is younger all is known, of an older one what happens from now on.
Keys: q quits, arrows scroll and choose the column to sort by, s is the next column, r turns the order round.
Exits with 1 where --once, --json or a pipe finds no metrics, with 2 where an option cannot be.
NO_COLOR turns colours off; a terminal that can do nothing (TERM=dumb) gets table after table.";

/// What scrapes are too often, and too seldom for a window of five minutes.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
const MAX_INTERVAL: Duration = Duration::from_secs(60);

fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration::parse(text)?;
    if (MIN_INTERVAL..=MAX_INTERVAL).contains(&interval) {
        Ok(interval)
    } else {
        Err("must be between 1s and 1m".to_owned())
    }
}

impl Top {
    /// What is scraped, and how it is shown.
    pub(super) fn target(&self) -> Result<(Target, String)> {
        let url = url(&self.url)?;
        let tls = Tls {
            authority: self.cacert.as_deref(),
            identity: self.cert.as_deref().zip(self.key.as_deref()),
        };
        let given: [(&str, Option<&Path>); 2] = [
            ("--cacert", self.cacert.as_deref()),
            ("--cert", self.cert.as_deref()),
        ];
        for (option, file) in given {
            if file.is_some() && url.scheme() == "http" {
                return Err(UsageError::new(format_args!(
                    "{option}: has no effect, since the URL is not https"
                ))
                .into());
            }
        }
        let credentials = match (&self.bearer_token_file, &self.user, &self.password_file) {
            (Some(file), ..) => Some(Credentials::Bearer(file.clone())),
            (None, Some(user), Some(password)) => Some(Credentials::Basic {
                user: user.clone(),
                password: password.clone(),
            }),
            _ => None,
        };
        let uri = url.as_str().parse::<Uri>();
        let uri = uri.map_err(|_| UsageError::new("URL: cannot be asked over HTTP"))?;
        // A query may hold a secret.
        let [scheme, host] = [url.scheme(), url.host_str().unwrap_or_default()];
        let port = url
            .port()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        let shown = text::shown(&format!("{scheme}://{host}{port}{}", url.path()));
        Ok((Target::new(uri, credentials, &tls)?, shown))
    }
}

/// The URL in this text, which is not repeated where it is none: there may be a password in it.
fn url(text: &str) -> Result<Url, UsageError> {
    let example = "write for example http://127.0.0.1:9092/metrics";
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let url = Url::parse(&with_scheme);
    let mut url = url.map_err(|error| UsageError::new(format_args!("URL: {error}: {example}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UsageError::new(format_args!(
            "URL: is neither http nor https: {example}"
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UsageError::new(
            "URL: a password in it shows in lists of processes: write --user NAME --password-file FILE",
        ));
    }
    if matches!(url.path(), "" | "/") {
        url.set_path("/metrics");
    }
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_path_is_that_of_the_metrics() {
        for (text, expected) in [
            ("http://127.0.0.1:9092", "http://127.0.0.1:9092/metrics"),
            ("localhost:9092", "http://localhost:9092/metrics"),
            ("https://[::1]:9092/", "https://[::1]:9092/metrics"),
            (
                "http://h/internal/metrics?a=b#c",
                "http://h/internal/metrics?a=b",
            ),
        ] {
            assert_eq!(url(text).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn what_is_no_url_is_not_repeated() {
        for text in [
            "http://user:secret@h/",
            "http://secret@h/",
            "ftp://secret",
            "http://secret:port",
        ] {
            let fault = url(text).unwrap_err().to_string();
            assert!(
                fault.starts_with("URL: ") && !fault.contains("secret"),
                "{fault}"
            );
        }
    }
}
