//! Serves a [`prometheus::Registry`] to Prometheus: `GET /metrics` on `:9092`, beside the gateway's own
//! port.
//!
//! ```
//! use brightstaff_exporter::Exporter;
//! use prometheus::{IntCounter, Registry};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new();
//! let counter = IntCounter::new("answers_total", "Answers given.")?;
//! registry.register(Box::new(counter.clone()))?;
//! counter.inc_by(42);
//!
//! // An application writes `Exporter::from_env(registry)?`, which reads METRICS_BIND_ADDRESS.
//! let exporter = Exporter::new(registry).bind_address(([127, 0, 0, 1], 0)).bind().await?;
//! let address = exporter.local_addr();
//! tokio::spawn(exporter.serve());
//!
//! # use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! let mut stream = tokio::net::TcpStream::connect(address).await?;
//! stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await?;
//! let mut response = String::new();
//! stream.read_to_string(&mut response).await?;
//! assert!(response.contains("content-type: text/plain; version=0.0.4; charset=utf-8"));
//! assert!(response.contains("answers_total 42"));
//! # Ok(())
//! # }
//! ```
//!
//! # What is served
//!
//! - `GET /metrics`: the text exposition format, version 0.0.4, or `OpenMetrics` 1.0 or Prometheus' protobuf where
//!   `Accept` prefers it, compressed with gzip where that is asked for. The registry is encoded on a thread of its own, once at a time for all who wait.
//! - `GET /healthz`: `ok`, as soon as the endpoint serves.
//! - `GET /`: with the feature `page` a live page, which reads `/metrics` every 2 s and shows what happens without
//!   Prometheus and Grafana; without it, or with `Exporter::page(false)`, links to the two.
//!
//! `HEAD` works wherever `GET` does; any other method is answered by 405 with `Allow`, any other path
//! by 404.
//!
//! Where a server exists already, [`Exporter::router`] has the three, and [`Exporter::metrics_handler`] the first alone,
//! for any path of axum or any other server.
//!
//! What scrapers may take has limits: see [`Exporter`], and nothing that they do stops the program that they scrape.
//!
//! # Features
//!
//! - `web-config` (part of `cli`): TLS, passwords, response headers and a rate in the form of exporter-toolkit's web
//!   configuration, and bearer tokens: `Exporter::web_config`, `Exporter::bearer_tokens`.
//! - `otlp` (part of `cli`): pushes a registry over OTLP: `otlp::Otlp`.
//! - `page` (default): the live page at `/`; no dependency comes with it.
//! - `cli` (default): the binary of the same name, a gateway that needs no code, and what that alone
//!   depends on. Libraries and applications write `default-features = false`, and are spared it.

mod error;
mod exporter;
mod exposition;
mod limits;
mod metrics_handler;
#[cfg(feature = "otlp")]
pub mod otlp;
#[cfg(feature = "page")]
mod page;
mod priority;
mod routes;
mod server;
#[doc(hidden)]
pub mod socket;
#[cfg(feature = "web-config")]
mod web_config;

#[cfg(feature = "web-config")]
pub use self::web_config::WebConfigError;
pub use self::{
    error::BindError,
    exporter::{Bound, DEFAULT_BIND_ADDRESS, Exporter, METRICS_BIND_ADDRESS},
    metrics_handler::{MetricsBody, MetricsHandler, MetricsResponse},
};
