//! Prometheus metrics that tell the truth about an LLM gateway on [actix-web]: a thin middleware over
//! [`brightstaff_metrics_core`].
//!
//! Adding it takes four lines:
//!
//! ```
//! use actix_web::{App, test, web};
//! use brightstaff_metrics_actix::{Metrics, MetricsMiddleware}; // one
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = prometheus::Registry::new(); // two
//! let metrics = Metrics::builder().register(&registry)?; // three
//! let app = App::new()
//!     .wrap(MetricsMiddleware::new(metrics.clone())) // four
//!     .route("/v1/chat/completions", web::post().to(|| async { "a response" }));
//!
//! # let app = test::init_service(app).await;
//! # let request = test::TestRequest::post().uri("/v1/chat/completions").to_request();
//! # test::call_and_read_body(&app, request).await;
//! # let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather())?;
//! # assert!(text.contains(
//! #     r#"brightstaff_http_requests_total{handler="llm_chat",method="POST",status_class="2xx"} 1"#
//! # ));
//! # Ok(())
//! # }
//! ```
//!
//! `HttpServer` makes an `App` for each of its workers: register the metrics once, outside of its
//! closure, and clone them into it.
//!
//! A request is in flight, and its duration runs, until the body of its response ends: at its end by
//! HTTP's own rules, with an error, or because the client went away. It is counted exactly once. The
//! families and what a sample of each is stand in [`brightstaff_metrics_core::catalogue`].
//!
//! # Calls to providers
//!
//! A handler says when it calls a provider, and hands the response on as it comes. It may do so from a
//! spawned task as well; nothing travels by thread or task. [`relay`] makes actix's answer of that of a
//! client on `http` 1, such as reqwest; with the feature `awc-3`, `observe_awc` of one of actix's own:
//!
//! ```
//! use actix_web::{HttpResponse, http::StatusCode, web};
//! use brightstaff_metrics_actix::{ErrorClass, Metrics, NoUpstream, relay};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # async fn send() -> Result<http::Response<Body>, std::io::Error> { Err(std::io::ErrorKind::NotConnected.into()) }
//!
//! async fn chat(metrics: web::Data<Metrics>) -> HttpResponse {
//!     let call = metrics.upstream("openai", "gpt-4o").start();
//!     match send().await {
//!         Ok(answer) => relay(call.observe(answer)),
//!         Err(error) => {
//!             call.fail(ErrorClass::of(&error)); // of any client
//!             let mut answer = HttpResponse::new(StatusCode::BAD_GATEWAY);
//!             answer.extensions_mut().insert(NoUpstream);
//!             answer
//!         }
//!     }
//! }
//! # let _ = actix_web::App::new().route("/", web::post().to(chat));
//! ```
//!
//! What reqwest gives is handed on as `relay(call.observe(answer.into()))`. A provider that hangs is bounded by
//! `UpstreamCall::within` (feature `tokio-1`), or by the client's own settings: `timeout` either way.
//!
//! OpenAI and what speaks its API tell the tokens of a *stream* only where the request asks for them:
//! `"stream_options": {"include_usage": true}`. A gateway that wants them puts that into what it sends, as the
//! example `gateway.rs` does; otherwise `brightstaff_llm_tokens_usage_missing_total` counts the stream.
//!
//! **Traces.** A request with a `traceparent` that is sampled becomes the exemplar of the buckets that it falls into. Of
//! a call the handler says so, by the headers that it has at hand, or with the span that the gateway made for the call
//! (`TraceContext::new`): `metrics.upstream("openai", "gpt-4o").start().in_trace(trace_context(request.headers()))`, see
//! [`trace_context`]. A scrape in OpenMetrics shows them.
//!
//! Where handlers say nothing, [`MetricsMiddleware::implicit`] measures the responses of the well-known
//! endpoints. A call whose response the handler passes on by `observe` always wins over that: the response is
//! marked. A response that the handler makes anew, after a call failed or after it read one by itself, is
//! to be marked [`NoUpstream`], or it is measured as well.
//!
//! # Which handler
//!
//! The label `handler` is never the raw path of a request. It is the first of these that is known:
//!
//! 1. [`HandlerName`] in the request's extensions, [`MetricsMiddleware::handler`],
//!    [`MetricsMiddleware::handler_fn`];
//! 2. the well-known endpoints of LLM gateways
//!    ([`well_known`](brightstaff_metrics_core::handler::well_known)), by the path as the client sent
//!    it, or by the resource's template; with another method than theirs once it is refused with 404 or 405;
//! 3. `cors_preflight`;
//! 4. the template of actix's resource, its scopes included (`/v1/files/{id}`);
//! 5. the prefix of the scope that the middleware wraps, where that is all there is and no parameter is
//!    in it;
//! 6. [`MetricsMiddleware::fallback`], or else `not_found`, which becomes `unmatched` where it is answered with less
//!    than 400, by a default service for example.
//!
//! All but the template, and what is named by it, is certain when a request arrives. Which resource it goes to, actix
//! knows only once guards have spoken: until its head, a request is *in flight* under the template of the route that
//! such paths took before, or else of the first that its path fits; from then on under its own, and everything else is
//! recorded there alone. A request that ends without a head, or with an `Err` of a middleware, keeps the first name.
//!
//! What the application names or leaves out by a template goes by the first that the path fits. At the head, where
//! another was taken, [`handler`](MetricsMiddleware::handler) is asked again, and so is a closure of
//! [`handler_fn`](MetricsMiddleware::handler_fn) that asked for the template. What
//! [`skip`](MetricsMiddleware::skip) and [`llm_endpoint`](MetricsMiddleware::llm_endpoint) said at the arrival stands:
//! where guards tell resources apart, a request on one of them may be skipped, or measured as a call, as those on
//! another.
//!
//! Each worker knows the first 256 routes again that it sees at paths without escapes (`%20`), which costs no
//! allocation. Other requests are named as truly, and cost what actix takes to match a path once more: the first on
//! each route, those on further routes, those by the second pattern of a resource, those that no resource takes (a
//! guard may have turned them away), and those whose template the application asks for at the arrival. A template of up
//! to 512 bytes is kept; a longer one is `other`, counted in
//! `brightstaff_metrics_label_overflow_total{label="handler"}`.
//!
//! # Where the middleware goes
//!
//! **On the app, wrapped last** (`App::wrap`): actix knows the template there already, and the
//! middleware covers default services, answers with 405, and all scopes.
//!
//! | the middleware wraps | template | unmatched paths | notes |
//! | --- | --- | --- | --- |
//! | `App` | yes, whole, if nested too | measured | wherever in the chain `wrap` stands |
//! | `Scope` | yes, whole | as its default service: the prefix | |
//! | `Resource` | yes, whole | not measured | the 405 of that resource is measured |
//!
//! - A resource that a guard turns away keeps its template, though a default service answers.
//! - A template is told as it was written, patterns included: `/v1/files/{id:\d+}`.
//! - `NormalizePath` wants to be outside: paths are read as they stand when they arrive here.
//! - Of several of these on the way of one request the outermost measures it, and the first with
//!   [`implicit`](MetricsMiddleware::implicit) its call; the others do nothing. One for other [`Metrics`] records there
//!   as well.
//! - [`Condition`](actix_web::middleware::Condition) switches it on and off:
//!   `.wrap(Condition::new(enabled, MetricsMiddleware::new(metrics)))`. Switched off, it costs nothing, and its series
//!   stay as they are.
//!
//! Among other middleware, with the last wrapped outermost:
//!
//! ```
//! use actix_web::{App, middleware::NormalizePath, web};
//! use brightstaff_metrics_actix::{Metrics, MetricsMiddleware};
//!
//! # let metrics = Metrics::unregistered();
//! let app = App::new()
//!     // .wrap(Cors::permissive())
//!     .wrap(MetricsMiddleware::new(metrics))
//!     // .wrap(Compress::default())
//!     .wrap(NormalizePath::trim())
//!     .route("/v1/models", web::get().to(|| async { "[]" }));
//! # let _ = app;
//! ```
//!
//! - **Compression outside**: implicit calls then read plain bytes. The other way round works as well
//!   (the core decodes), at the cost of decoding what was just encoded.
//! - **CORS inside**: it answers preflights by itself.
//! - **Errors.** What a handler or an extractor returns as an `Err` is a response like any other. What a
//!   middleware inside of this one returns as an `Err` becomes a response only outside of all of them:
//!   it is counted by its `ResponseError::status_code`, and the request ends there, as its body is
//!   written by the server. So an `Err` has a status, and is no `status_class="error"`.
//! - **A panic** in a handler or a body is `status_class="error"`, or keeps the class of the status that
//!   was sent; never a cancel. Actix closes the connection, and the worker lives on.
//! - **A body that breaks** after its status, by an error, a panic, or fewer bytes than were declared, is counted
//!   in `brightstaff_http_requests_interrupted_total`, whether it came from a provider or not.
//! - **A body that is replaced** by a middleware outside (`ErrorHandlers`) was never asked for: the request ends
//!   there with the status that it had here, and is no cancel.
//! - **What the gateway itself answers** on an LLM endpoint, the 429 of a rate limiter or the 504 of a time-out, is no
//!   answer of a provider. With [`implicit`](MetricsMiddleware::implicit), put such middleware between two of these:
//!   the outer one without `implicit` measures every request, the inner one with it the calls alone. Or let it mark
//!   its responses [`NoUpstream`].
//!
//! ```
//! use actix_web::{App, HttpResponse, dev::ServiceRequest, middleware::{Next, from_fn}, web};
//! use brightstaff_metrics_actix::{Metrics, MetricsMiddleware};
//!
//! # let metrics = Metrics::unregistered();
//! let app = App::new()
//!     .route("/v1/messages", web::post().to(|| async { "from the provider" }))
//!     .wrap(MetricsMiddleware::new(metrics.clone()).implicit("anthropic"))
//!     .wrap(from_fn(async |request: ServiceRequest, _: Next<_>| {
//!         let answer = HttpResponse::TooManyRequests().finish(); // if it is too many
//!         Ok(request.into_response(answer))
//!     }))
//!     .wrap(MetricsMiddleware::new(metrics));
//! # let _ = app;
//! ```
//!
//! - **Web sockets** (`actix_ws`, `actix-web-actors`) are counted by their 101, and in flight until what they send ends,
//!   which actix has as the body of the 101: with the closing of the `Session`, and as a cancel where the client left
//!   before that (at once with the setting [below](#clients-that-hang-up)). A socket is no call to a provider: what passes
//!   in it is not read. A 101 without a body ends there.
//! - **Requests that actix cannot read** are answered with 400 before any middleware, and not measured.
//!
//! # Clients that hang up
//!
//! Actix takes a connection that the client closed for half-closed, and lets a handler run on for
//! nobody: the request is in flight until it is answered, and is no cancel before its headers. Switch
//! that off, and with `tcp_nodelay` Nagle's algorithm, by which a stream of many small events comes in
//! lumps:
//!
//! ```no_run
//! use actix_web::{App, HttpServer};
//! use brightstaff_metrics_actix::{Metrics, MetricsMiddleware};
//!
//! # #[actix_web::main]
//! # async fn main() -> std::io::Result<()> {
//! # let metrics = Metrics::unregistered();
//! HttpServer::new(move || App::new().wrap(MetricsMiddleware::new(metrics.clone())))
//!     .h1_allow_half_closed(false)
//!     .tcp_nodelay(true)
//!     .bind("127.0.0.1:12000")?
//!     .run()
//!     .await
//! # }
//! ```
//!
//! Where a request's body breaks off, the extractor that reads it answers, most often with 400, whether the client
//! is still there or not: the request is counted by that status, and is no cancel.
//!
//! Over HTTP/2 a client that is gone, by a reset or with its whole connection, is noticed when the server next writes,
//! whatever is set: actix gives each stream a task of its own, which looks for nothing else meanwhile, and neither
//! `keep_alive` nor `client_disconnect_timeout` ends it. So a request is in flight, and its call with it, for as long
//! as its provider is *silent*: bound that. `UpstreamCall::within` bounds the wait for the head, and reqwest's
//! `ClientBuilder::read_timeout` that for the head and for each piece of the body; of awc's answers,
//! `ClientResponse::timeout` bounds the body as a whole. A body that ends so is an error: the call is `stream`,
//! and the request interrupted.
//!
//! # Where the metrics are scraped
//!
//! `brightstaff-exporter` (without its default features) serves the registry on a port of its own, as the example
//! `gateway.rs` does, or answers at any path of the gateway:
//!
//! ```
//! use actix_web::{App, HttpRequest, HttpResponse, body::SizedStream, http::StatusCode, web};
//! use brightstaff_exporter::{Exporter, MetricsHandler};
//!
//! async fn scrape(scrapes: web::Data<MetricsHandler>, request: HttpRequest) -> HttpResponse {
//!     let headers = request.headers().iter();
//!     let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
//!     let scraped = scrapes.respond(headers).await;
//!     let status = StatusCode::from_u16(scraped.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
//!     let mut response = HttpResponse::build(status);
//!     for header in scraped.headers() {
//!         response.append_header(header);
//!     }
//!     response.body(SizedStream::new(scraped.content_length(), scraped.into_body()))
//! }
//!
//! # #[actix_web::main]
//! # async fn main() {
//! # let registry = prometheus::Registry::new();
//! // Outside of the closure of `HttpServer::new`; inside, `skip("/internal/metrics")` on the middleware.
//! let scrapes = web::Data::new(Exporter::new(registry).metrics_handler());
//! let app = App::new().app_data(scrapes).route("/internal/metrics", web::get().to(scrape));
//! # let app = actix_web::test::init_service(app).await;
//! # let request = actix_web::test::TestRequest::with_uri("/internal/metrics").to_request();
//! # assert!(actix_web::test::call_service(&app, request).await.status().is_success());
//! # }
//! ```
//!
//! # Access logs
//!
//! A [`Listener`](brightstaff_metrics_core::Listener) in the extensions of a request, put there before the middleware, hears of
//! its end with what was recorded: handler, status, how it ended, durations, bytes. A handler hands it on to its calls,
//! `metrics.upstream("openai", "gpt-4o").start().with_listener(listener)`, so that it hears of their tokens, too. See
//! [`EndListener`](brightstaff_metrics_core::EndListener).
//!
//! # Features
//!
//! - `awc-3`: `observe_awc` and `awc_error_class`, for gateways that call their providers with awc.
//! - `reqwest-0_13`, `hyper-util-0_1`: [`ErrorClass`] by `From` for the errors of these clients, where
//!   [`ErrorClass::of`] knows them by what they say.
//! - `tokio-1`: `UpstreamCall::within`, a time-out for a call.
//! - `testing`: for the tests of gateways, `Metrics::render` and a clock to turn by hand.
//!
//! # Versions
//!
//! What is in the public API: actix-web 4 (from 4.14 on, the first that tells the template of the resource that
//! guards chose), `http` 1, `http-body` 1 and `bytes` 1 ([`relay`]); awc 3 and `futures-core` 0.3 by
//! the feature `awc-3`; and what is in that of [`brightstaff_metrics_core`], prometheus 0.14 first of all.
//!
//! [actix-web]: https://docs.rs/actix-web/4

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "awc-3")]
mod awc;
mod body;
mod future;
mod middleware;
mod provisional;
mod relay;
mod request_head;
mod routes;
mod service;
mod settings;
mod trace;

pub use brightstaff_metrics_core::{
    self, HandlerName, Metrics, NoUpstream, TraceContext, labels::ErrorClass, prometheus,
};

#[cfg(feature = "awc-3")]
pub use self::awc::{awc_error_class, observe_awc};
pub use self::{
    body::ObservedBody, future::ResponseFuture, middleware::MetricsMiddleware, relay::relay,
    request_head::RequestHead, service::MetricsService, trace::trace_context,
};
