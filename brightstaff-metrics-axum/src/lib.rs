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
//!     .route("/v1/chat/completions", post(|| async { "a response" }))
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
//! A request is in flight, and its duration runs, until the body of its response ends: at its end by
//! HTTP's own rules, with an error, or because the client went away. It is counted exactly once. The
//! families and what a sample of each is stand in [`brightstaff_metrics_core::catalogue`].
//!
//! # Calls to providers
//!
//! A handler says when it calls a provider, and hands the response on as it comes. It may do so from a
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
//!         Ok(response) => call.observe(response).into_response(),
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
//! - What reqwest gives is handed on as `call.observe(response.into())`. Where it is read as a response of reqwest (by
//!   `json()`, or by an SDK above it), the feature `reqwest-0_13` has `call.observe_reqwest(response)`.
//! - `ErrorClass::of` takes any client's error, with all its sources.
//! - **A provider that hangs** wants a time-out of its own: the client's, or `call.within(limit, send())` of the feature
//!   `tokio-1`. Either is `timeout`. A `TimeoutLayer` around the handler only drops it, as a client that hangs up does,
//!   and nobody can tell the two apart from within: `cancelled`.
//! - **SDKs** that take a middleware or a client of the caller's are observed below, and those that do not are told of by
//!   hand: the example `sdk` shows both.
//! - **Usage in streams** is there where the request asks for it (`stream_options.include_usage` of OpenAI's Chat
//!   Completions, and of most APIs like it): the example `axum-gateway` does.
//!
//! - **Traces.** A request with a `traceparent` that is sampled becomes the exemplar of the buckets that it falls into. Of
//!   a call the handler says so, by the headers that it has at hand (axum's extractor of them is `HeaderMap`), or with the
//!   span that the gateway made for the call (`TraceContext::new`):
//!   `metrics.upstream("openai", "gpt-4o").start().in_trace(TraceContext::of(&headers))`, see [`TraceContext`]. A scrape in
//!   OpenMetrics shows them.
//!
//! Where handlers say nothing, [`MetricsLayer::implicit`] measures the responses of the well-known endpoints. A call
//! whose response the handler passes on by `observe` always wins over that: where some layer measures so, the response
//! is marked. One that the handler makes anew gets the mark by `call.mark()`, and after a call that failed
//! [`NoUpstream`], or it is measured as well.
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
//!    it, or by the route's template; with another method than theirs once it is refused with 404 or 405;
//! 3. `cors_preflight`;
//! 4. the template of axum's route, nested prefixes included (`/v1/files/{id}`);
//! 5. the prefix that a service is nested at, where that is all there is;
//! 6. [`MetricsLayer::fallback`];
//! 7. `not_found`, and `unmatched` from a status below 400 on: files that a `fallback_service` serves, above all. To have
//!    them under a name of their own, nest them (`nest_service("/assets", …)`, see below), or name what is left by
//!    `fallback("files")`, which then covers files that are missing, too.
//!
//! A template may have 512 bytes, any other name 128; what is longer is `other`, and counted in
//! `brightstaff_metrics_label_overflow_total`.
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
//!   are `not_found` or `unmatched` there. Name them, `handler("/files/{*path}", "files")`, or nest the service after
//!   the layer, in a layer of its own: `.layer(metrics.clone()).nest_service("/files",
//!   metrics.layer(files))`.
//! - Around the whole router, only well-known endpoints and what [`MetricsLayer`] names are told apart.
//! - Nesting strips the prefix from the path that inner layers see. The layer looks at the original.
//! - Of several layers of the same [`Metrics`] the outermost measures a request, and one further in what that does not:
//!   implicit calls (see below). A layer of other `Metrics` measures by itself.
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
//! - **CORS inside**: it answers preflights by itself, which are `cors_preflight`. It may stand outside, too, also in one
//!   `ServiceBuilder`; then they are not measured.
//! - **Compression outside**: implicit calls then read plain bytes. The other way round works as well
//!   (the core decodes), at the cost of decoding what was just encoded.
//! - **A rate limiter, and implicit calls**: the gateway's own 429, 500 and 504 are no provider's. So let
//!   [`implicit`](MetricsLayer::implicit) be said by a second layer, inside of those that answer by themselves:
//!
//! ```
//! # use axum::{Router, routing::post};
//! # use brightstaff_metrics_axum::{Metrics, MetricsLayer};
//! # use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};
//! # let metrics = Metrics::unregistered();
//! # let minute = std::time::Duration::from_secs(60);
//! let app: Router = Router::new()
//!     .route("/v1/chat/completions", post(|| async { "forwarded" }))
//!     .layer(MetricsLayer::new(metrics.clone()).implicit("openai")) // calls
//!     .layer(TimeoutLayer::with_status_code(http::StatusCode::GATEWAY_TIMEOUT, minute))
//!     .layer(CatchPanicLayer::new())
//!     .layer(MetricsLayer::new(metrics)); // requests
//! # let _ = app;
//! ```
//!
//! - **Layers that replace bodies** (a page for each 404, the 304 of an `ETag`) may stand outside: a body that nobody ever
//!   asked for is no cancel. Neither is the response of which a test reads the status alone. What cannot be told from
//!   them is a client that leaves after the head was made and before a first frame was asked for, which servers do at
//!   once over HTTP/1, and over HTTP/2 when the client's window lets them send.
//! - **Conditional layers**: `option_layer` wants one type of body both ways, `option_layer(layer.map(|layer|
//!   (MapResponseLayer::new(IntoResponse::into_response), layer)))` with tower's `MapResponseLayer`. Simpler is a layer
//!   that is always there, of `Metrics::unregistered()` where nobody scrapes, or an `if` around `Router::layer`.
//!
//! # What ends a response
//!
//! - Its body, by HTTP's rules. One that errs, panics or is shorter than it declared is counted in
//!   `http_requests_interrupted_total`, as well as by its status; no cancel.
//! - **Server-sent events** last as long as their stream.
//! - **Web sockets** are counted by their 101, a 1xx, and end there, unless the handler says more. What passes later is no
//!   HTTP any more, and on a connection that the handler takes over from the server, in a task of its own: it knows how
//!   long that lasts, and the layer does not. An [`UpgradedRequest`] tells it: see below.
//!
//! # Web sockets
//!
//! The request of a web socket is in flight, and its duration runs, for as long as the handler holds an
//! [`UpgradedRequest`] whose [mark](UpgradeMark) the response has:
//!
//! ```
//! use axum::{
//!     Extension, Router,
//!     extract::ws::{WebSocket, WebSocketUpgrade},
//!     response::IntoResponse,
//!     routing::any,
//! };
//! use brightstaff_metrics_axum::{Metrics, MetricsLayer, UpgradedRequest};
//!
//! async fn realtime(upgrade: WebSocketUpgrade) -> impl IntoResponse {
//!     let upgraded = UpgradedRequest::new();
//!     let mark = Extension(upgraded.mark());
//!     let response = upgrade.on_upgrade(async |mut socket| match echo(&mut socket).await {
//!         Ok(()) => upgraded.complete(),
//!         Err(_) => upgraded.fail(),
//!     });
//!     (mark, response)
//! }
//!
//! async fn echo(socket: &mut WebSocket) -> Result<(), axum::Error> {
//!     while let Some(message) = socket.recv().await {
//!         socket.send(message?).await?;
//!     }
//!     Ok(())
//! }
//!
//! let app: Router = Router::new()
//!     .route("/v1/realtime", any(realtime))
//!     .layer(MetricsLayer::new(Metrics::unregistered()));
//! # let _ = app;
//! ```
//!
//! - Both sides closed: [`complete`](UpgradedRequest::complete). It broke:
//!   [`fail`](UpgradedRequest::fail), which is counted in `http_requests_interrupted_total`. Dropped, by an upgrade that
//!   never came since the client left, by a task that is aborted, or because nobody said anything: a cancel. A panic in
//!   the handler's task is told from both.
//! - The same holds for CONNECT, whose 2xx has no body, over HTTP/2 as well ([RFC 8441]).
//! - A socket is no call to a provider: what passes in it is not read, and `llm_*` knows nothing of it.
//!
//! [RFC 8441]: https://www.rfc-editor.org/rfc/rfc8441
//!
//! # Without axum
//!
//! With `default-features = false` the crate does not depend on axum, and [`MetricsLayer`] works on any
//! `tower::Service<http::Request<_>>` whose responses have bodies of `Bytes`. Handlers are named by
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
//! # Access logs
//!
//! A [`Listener`](brightstaff_metrics_core::Listener) in the extensions of a request, put there before the layer, hears of
//! its end with what was recorded: handler, status, how it ended, durations, bytes. A handler hands it on to its calls,
//! `metrics.upstream("openai", "gpt-4o").start().with_listener(listener)`, so that it hears of their tokens, too. See
//! [`EndListener`](brightstaff_metrics_core::EndListener).
//!
//! # Features
//!
//! - `matched-path` (default): handler names from axum's templates.
//! - `reqwest-0_13`: `UpstreamCall::observe_reqwest`, and `ErrorClass::from(&reqwest::Error)`.
//! - `hyper-util-0_1`: `ErrorClass` from the errors of hyper-util's client.
//! - `tokio-1`: `UpstreamCall::within`.
//! - `testing`: `Metrics::render`, the series as text, and a clock that a test turns by hand, `Builder::clock`.
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
    self, HandlerName, Head, Metrics, NoUpstream, ObservedBody, TraceContext, UpgradeMark,
    UpgradedRequest, Upstream, UpstreamCall, labels::ErrorClass, meter::Usage, prometheus,
};

pub use self::{
    future::ResponseFuture, layer::MetricsLayer, request_head::RequestHead, service::MetricsService,
};
