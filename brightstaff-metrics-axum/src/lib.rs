//! Prometheus metrics that tell the truth about an LLM gateway on [axum], or on any
//! [`tower::Service`] that answers HTTP: a thin layer over [`brightstaff_metrics_core`].
//!
//! Adding it takes four lines:
//!
//! ```
//! use axum::{Router, body::Body, routing::post};
//! use brightstaff_metrics_axum::{Metrics, MetricsLayer}; // one
//! # use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = prometheus::Registry::new(); // two
//! let metrics = Metrics::builder().register(&registry)?; // three
//! let app = Router::new()
//!     .route("/v1/chat/completions", post(|| async { "an answer" }))
//!     .layer(MetricsLayer::new(metrics.clone())); // four
//!
//! # let request = http::Request::post("/v1/chat/completions").body(Body::empty())?;
//! # let answer = app.oneshot(request).await?;
//! # axum::body::to_bytes(answer.into_body(), 100).await?;
//! # let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather())?;
//! # assert!(text.contains(
//! #     r#"brightstaff_http_requests_total{handler="llm_chat",method="POST",status_class="2xx"} 1"#
//! # ));
//! # Ok(())
//! # }
//! ```
//!
//! A request is in flight, and its duration runs, until the body of its answer ends: at its end by
//! HTTP's own rules, with an error, or because the client went away. It is counted exactly once. The
//! families and what a sample of each is stand in [`brightstaff_metrics_core::catalogue`].
//!
//! # Calls to providers
//!
//! A handler says when it calls a provider, and hands the answer on as it comes. It may do so from a
//! spawned task as well; nothing travels by thread or task:
//!
//! ```
//! use axum::{Extension, extract::State, http::StatusCode, response::{IntoResponse, Response}};
//! use brightstaff_metrics_axum::{ErrorClass, Metrics, NoUpstream};
//! # type Body = axum::body::Body;
//! # async fn send() -> Result<http::Response<Body>, std::io::Error> { Err(std::io::ErrorKind::NotConnected.into()) }
//!
//! async fn chat(State(metrics): State<Metrics>) -> Response {
//!     let call = metrics.upstream("openai", "gpt-4o").start();
//!     match send().await {
//!         Ok(answer) => call.observe(answer).into_response(),
//!         Err(error) => {
//!             call.fail(ErrorClass::of(&error));
//!             (StatusCode::BAD_GATEWAY, Extension(NoUpstream)).into_response()
//!         }
//!     }
//! }
//! # let _: axum::Router = axum::Router::new()
//! #     .route("/", axum::routing::post(chat))
//! #     .with_state(Metrics::unregistered());
//! ```
//!
//! What reqwest gives is handed on as `call.observe(answer.into())`, and with the feature `reqwest-0_13` its
//! errors are classes: `call.fail(ErrorClass::from(&error))`; with `hyper-util-0_1` those of hyper-util's
//! client.
//!
//! Where handlers say nothing, [`MetricsLayer::implicit`] measures the answers of the well-known
//! endpoints. A call whose answer the handler passes on by `observe` always wins over that: the answer is
//! marked. An answer that the handler makes anew, after a call failed or after it read one by itself, is
//! to be marked [`NoUpstream`], or it is measured as well.
//!
//! # Which handler
//!
//! The label `handler` is resolved once, when the request arrives, and is never its raw path. The
//! first of these that is known:
//!
//! 1. [`HandlerName`] in the request's extensions, [`MetricsLayer::handler`],
//!    [`MetricsLayer::handler_fn`];
//! 2. the well-known endpoints of LLM gateways
//!    ([`well_known`](brightstaff_metrics_core::handler::well_known)), by the path as the client sent
//!    it, or by the route's template;
//! 3. `cors_preflight`;
//! 4. the template of axum's route, nested prefixes included (`/v1/files/{id}`);
//! 5. the prefix that a service is nested at, where that is all there is;
//! 6. [`MetricsLayer::fallback`], or else `not_found`.
//!
//! # Where the layer goes
//!
//! **Inside the router, as its last layer** (`Router::layer`): axum knows the template by then, and
//! the layer covers fallbacks, answers with 405, and all routes added before it, nested ones too.
//!
//! | the layer is added by | template | unmatched paths | notes |
//! | --- | --- | --- | --- |
//! | `Router::layer` | yes, whole, if nested too | measured | `nest_service`: see below |
//! | `Router::route_layer` | yes | not measured | |
//! | `MethodRouter::layer` | yes | not measured | the 405 of that route is measured |
//! | `layer` of a nested router | yes, whole | as its own fallback: the prefix; else not measured | |
//! | around a service in `nest_service` | its own router's, or the prefix | the prefix | |
//! | around the whole `Router` | **no** | measured | costs none of axum's boxing |
//!
//! - axum tells a layer outside of `nest_service` nothing of what it matched, so that such requests
//!   are `not_found` there. Name them, `handler("/files/{*path}", "files")`, or nest the service after
//!   the layer, in a layer of its own: `.layer(metrics.clone()).nest_service("/files",
//!   metrics.layer(files))`.
//! - Around the whole router, only well-known endpoints and what [`MetricsLayer`] names are told apart.
//! - Nesting strips the prefix from the path that inner layers see. The layer looks at the original.
//! - Of several layers on the way of one request the outermost measures it; the others do nothing.
//!
//! Among other layers, with the last added outermost:
//!
//! ```
//! use axum::{Router, routing::get};
//! use brightstaff_metrics_axum::{Metrics, MetricsLayer};
//! use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer, timeout::TimeoutLayer};
//!
//! # let metrics = Metrics::unregistered();
//! let app: Router = Router::new()
//!     .route("/v1/models", get(|| async { "[]" }))
//!     .layer(TimeoutLayer::with_status_code(
//!         http::StatusCode::GATEWAY_TIMEOUT,
//!         std::time::Duration::from_secs(60),
//!     ))
//!     .layer(CatchPanicLayer::new())
//!     .layer(CorsLayer::permissive())
//!     .layer(MetricsLayer::new(metrics));
//!     // .layer(CompressionLayer::new())
//! # let _ = app;
//! ```
//!
//! - **Time-outs inside**: their 408 or 504 is counted as such. Outside, the layer only sees its request
//!   dropped, as if the client had gone away.
//! - **Catch-panic inside**: its 500 is counted as 5xx, which the client got. Outside, a panic is
//!   `status_class="error"`; never a cancel.
//! - **CORS inside**: it answers preflights by itself.
//! - **Compression outside**: implicit calls then read plain bytes. The other way round works as well
//!   (the core decodes), at the cost of decoding what was just encoded.
//!
//! # Without axum
//!
//! With `default-features = false` the crate does not depend on axum, and [`MetricsLayer`] works on any
//! `tower::Service<http::Request<_>>` whose answers have bodies of `Bytes`. Handlers are named by
//! [`MetricsLayer::handler`], a closure, or a [`HandlerName`] that an outer service inserts. The example
//! `hyper` shows it.
//!
//! # `TCP_NODELAY`
//!
//! `axum::serve` leaves Nagle's algorithm on: a stream of many small events then comes in lumps, and
//! takes 44 ms where it could take less than one. Switch it off:
//!
//! ```no_run
//! use axum::serve::ListenerExt;
//!
//! # async fn serve(app: axum::Router) -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:12000").await?;
//! let listener = listener.tap_io(|tcp| {
//!     let _ = tcp.set_nodelay(true);
//! });
//! axum::serve(listener, app).await
//! # }
//! ```
//!
//! # Features
//!
//! - `matched-path` (default): handler names from axum's templates.
//!
//! # Versions
//!
//! What is in the public API: axum 0.8 (by its feature), tower-layer 0.3 and tower-service 0.3 (so tower
//! 0.4 and 0.5), `http` 1, `http-body` 1, `bytes` 1, and what is in that of [`brightstaff_metrics_core`],
//! prometheus 0.14 first of all.
//!
//! [axum]: https://docs.rs/axum/0.8
//! [`tower::Service`]: https://docs.rs/tower/0.5/tower/trait.Service.html

#![cfg_attr(docsrs, feature(doc_cfg))]

mod future;
mod layer;
mod request_head;
mod service;
mod settings;

pub use brightstaff_metrics_core::{
    self, HandlerName, Head, Metrics, NoUpstream, ObservedBody, Upstream, UpstreamCall,
    labels::ErrorClass, meter::Usage, prometheus,
};

pub use self::{
    future::ResponseFuture, layer::MetricsLayer, request_head::RequestHead, service::MetricsService,
};
