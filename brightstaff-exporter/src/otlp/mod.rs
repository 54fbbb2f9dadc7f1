//! Pushes a [`prometheus::Registry`] over OTLP, OpenTelemetry's protocol, to a collector or a backend: for sidecars that
//! nobody scrapes, and services that take metrics only so. Where a Prometheus can scrape, that is the simpler way.
//!
//! ```
//! use std::time::Duration;
//!
//! use brightstaff_exporter::otlp::{Otlp, Push};
//! use brightstaff_metrics_core::Metrics;
//! use prometheus::Registry;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new();
//! let metrics = Metrics::builder().register(&registry)?;
//!
//! // Pushes where OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_METRICS_ENDPOINT says so.
//! let pushing = Otlp::from_env(&registry)?.map(Push::start).transpose()?;
//!
//! // Serve until it is time to stop. Then the last numbers have five seconds to arrive.
//! if let Some(pushing) = pushing {
//!     pushing.shutdown(Duration::from_secs(5)).await;
//! }
//! # drop(metrics);
//! # Ok(())
//! # }
//! ```
//!
//! Series have the names under which they are scraped, and their labels as attributes. The transport is
//! `http/protobuf`, HTTP/1.1 with or without TLS, through the proxy that `HTTP_PROXY` or `HTTPS_PROXY` names.
//!
//! # Environment variables
//!
//! They mean what OpenTelemetry's specification says. One that is empty is not set; a value that cannot be used is told
//! in the log and left out, but for those of an endpoint, and for files that cannot be read, which are errors. Where two
//! are named, the first counts.
//!
//! | variable | meaning | default |
//! | --- | --- | --- |
#![doc = include_str!("variables.md")]
//!
//! # Exports
//!
//! One at a time, on a thread of its own with a lower priority. An export that waits for another try when the next one is
//! due gives way to it. `brightstaff_otlp_exports_total`, in the registry itself, counts each once, when it ends:
//!
//! - [`ok`](ExportOutcome::Ok): any 2xx, but for a web page. A warning beside it goes to the log.
//! - [`rejected`](ExportOutcome::Rejected): any other status but the four below, a web page, or a partial success that left
//!   out data points: the log says why. Nothing of it is sent again, since it would be refused again.
//! - [`failed`](ExportOutcome::Failed): 429, 502, 503 and 504, no connection, or no whole response in time, and so again
//!   after every wait until the export's time was over, a newer one took its place, or the program ended; or a body of
//!   more than 64 MiB.
//!
//! Between two tries it waits for 1 s, 2 s, 4 s ... up to 30 s, of which up to a half is left out at random, or for as
//! long as `Retry-After` says, up to 5 minutes. These waits go on from one export to the next. Of a response 4 MiB are
//! read at most, and one that is longer counts by its status.
//!
//! Cumulative numbers survive whatever an export runs into. With [`Temporality::Delta`] the next export begins where the
//! last one ended that was acknowledged: where a backend took one whose response did not come back, it is told the same
//! samples again, and counts them twice.

mod client;
mod content;
mod endpoint;
mod error;
mod message;
mod outcomes;
mod pairs;
mod push;
mod random;
mod retry;
mod said;
mod settings;
mod verdict;
mod work;

pub use brightstaff_metrics_core::{
    labels::ExportOutcome,
    otlp::{GenAi, HistogramAggregation, Temporality},
};

pub use self::{
    error::OtlpError,
    push::{Push, Pushing},
    settings::Otlp,
};
