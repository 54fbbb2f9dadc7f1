//! Prometheus metrics that tell the truth about an LLM gateway: the metric families, the guards that
//! record them, and the meter that reads responses as they pass. It knows no web framework.
//!
//! Applications add an adapter (`brightstaff-metrics-axum`, `brightstaff-metrics-actix`) and meet this
//! crate in two places: they register [`Metrics`], and they say when they call a provider. A call is a
//! value: however it ends, dropping it records the truth:
//!
//! ```
//! use brightstaff_metrics_core::{Metrics, labels::ErrorClass};
//! use http_body_util::{BodyExt, Full};
//! use prometheus::{Encoder, Registry, TextEncoder};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new();
//! let metrics = Metrics::builder()
//!     .version("1.4.0")
//!     .git_sha("abc123")
//!     .upstreams([("openai", "gpt-4o")])
//!     .register(&registry)?;
//!
//! // A call that finds nobody, and one that is answered. A real client's response is wrapped alike.
//! metrics.upstream("openai", "gpt-4o").start().fail(ErrorClass::Connect);
//!
//! let response = r#"{"object":"chat.completion","model":"gpt-4o","choices":[],
//!                  "usage":{"prompt_tokens":9,"completion_tokens":12}}"#;
//! let response = http::Response::builder()
//!     .header("content-type", "application/json")
//!     .body(Full::<bytes::Bytes>::from(response))?;
//! let call = metrics.upstream("openai", "gpt-4o").start();
//! let response = call.observe(response);
//! response.into_body().collect().await?; // the gateway passes the body on to its client
//!
//! let mut text = String::new();
//! TextEncoder::new().encode_utf8(&registry.gather(), &mut text)?;
//! assert!(text.contains(
//!     r#"brightstaff_llm_tokens_total{kind="completion",model="gpt-4o",provider="openai"} 12"#
//! ));
//! assert!(text.contains(r#"error_class="connect""#));
//! # Ok(())
//! # }
//! ```
//!
//! # What is measured
//!
//! [`catalogue`] declares every family. Durations are seconds; where they start and end stands in
//! each family's help. Labels whose values are ours are closed enums in [`labels`]; the open ones
//! (`handler`, `provider`, `model`, `selected_model`) are bounded by caps, so that nobody outside
//! the gateway can make more than so many series.
//!
//! # Features
//!
//! - `compression` (default): responses in `gzip`, `deflate`, `br` and `zstd` are read, too. The instants of
//!   a `zstd` stream are not: its decoder hands out text later than it passes, so such a call has no time to
//!   first token, and none per output token.
//! - `reqwest-0_13`, `hyper-util-0_1`: [`labels::ErrorClass`] from the errors of these clients.
//! - `tokio-1`: [`UpstreamCall::within`], a time-out for a call.
//! - `otlp`: [`otlp`], which writes the series as OpenTelemetry's protocol takes them, and beside them, if asked for
//!   ([`Builder::gen_ai_view`]), those of its conventions for generative AI.
//! - `testing`: [`Metrics::render`], the series as text, and a [`Clock`] to turn by hand, for the tests of gateways.
//!
//! # Versions
//!
//! What is in the public API: prometheus 0.14, `http` 1, `http-body` 1, `bytes` 1 and `futures-core` 0.3;
//! and by their features, reqwest 0.13, hyper-util 0.1 and tokio 1.
//!
//! # Guarantees
//!
//! Recording never fails and never panics. It waits for nobody, but for the moment in which a series is made,
//! or a [held](UpstreamCall::hold) call let go: handles are resolved once, tables only grow, and a scrape reads
//! them without stopping anyone.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod adapter;
mod body;
mod buckets;
pub mod catalogue;
mod clock;
#[cfg(feature = "otlp")]
mod conventions;
mod error;
mod families;
mod head;
pub mod labels;
mod listener;
pub mod meter;
mod metrics;
mod progress;
#[doc(hidden)]
pub mod reference;
mod request;
mod routing;
mod series;
mod trace;
mod upstream;

pub use prometheus;

#[cfg(feature = "otlp")]
pub use self::metrics::otlp;
#[cfg(feature = "tokio-1")]
pub use self::upstream::TimedOut;
pub use self::{
    body::{ObservedBody, ObservedStream},
    buckets::BucketSet,
    clock::Clock,
    error::RegisterError,
    head::Head,
    listener::{EndListener, EndedCall, EndedRequest, Listener, RequestEnd},
    metrics::{Builder, Metrics, exposition},
    request::{HandlerName, UpgradeMark, UpgradedRequest, handler},
    routing::{Routing, RoutingService, SessionCache},
    trace::TraceContext,
    upstream::{HeldCall, NoUpstream, Opening, Upstream, UpstreamCall, UpstreamObserved},
};
