//! A listener in the extensions of a request hears of its end.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::sync::{Arc, Mutex};

use axum::{
    Extension, Router,
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::post,
};
use brightstaff_metrics_axum::{
    ErrorClass, Metrics, MetricsLayer, NoUpstream,
    brightstaff_metrics_core::{EndListener, EndedCall, EndedRequest, Listener},
};
use http::StatusCode;
use http_body_util::BodyExt;
use tower::ServiceExt;

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl EndListener for Heard {
    fn call_ended(&self, call: &EndedCall<'_>) {
        let told = format!("{} {} {}", call.provider, call.model, call.error_class);
        self.0.lock().unwrap().push(told);
    }

    fn request_ended(&self, request: &EndedRequest<'_>) {
        self.0.lock().unwrap().push(format!(
            "{} {:?} {} {}",
            request.handler, request.status, request.end, request.bytes
        ));
    }
}

/// What is heard of a request to this gateway, behind a middleware that listens.
async fn heard(gateway: Router) -> Vec<String> {
    let heard = Arc::<Heard>::default();
    let listener = Listener::from(Arc::clone(&heard));
    let listen = move |mut request: Request, next: Next| {
        request.extensions_mut().insert(listener.clone());
        next.run(request)
    };
    let gateway = gateway.layer(from_fn(listen));
    let request = Request::post("/v1/chat/completions").body(Body::empty());
    let response = gateway.oneshot(request.unwrap()).await.unwrap();
    response.into_body().collect().await.unwrap();
    std::mem::take(&mut *heard.0.lock().unwrap())
}

const CHAT: &str = "/v1/chat/completions";

fn json() -> Response {
    let body = r#"{"object":"chat.completion","model":"m"}"#;
    ([("content-type", "application/json")], body).into_response()
}

#[tokio::test]
async fn requests_and_calls_are_heard() {
    let metrics = Metrics::unregistered();
    let upstream = metrics.upstream("openai", "gpt-4o");
    let failing = async move |Extension(listener): Extension<Listener>| {
        let call = upstream.start().with_listener(listener);
        call.fail(ErrorClass::Connect);
        (StatusCode::BAD_GATEWAY, Extension(NoUpstream))
    };
    let explicit = Router::new()
        .route(CHAT, post(failing))
        .layer(MetricsLayer::new(metrics.clone()));
    assert_eq!(
        heard(explicit).await,
        ["other other connect", "llm_chat Some(502) complete 0"]
    );

    let implicit = Router::new()
        .route(CHAT, post(async || json()))
        .layer(MetricsLayer::new(metrics.clone()).implicit("openai"));
    let expected = ["openai m none", "llm_chat Some(200) complete 40"];
    assert_eq!(heard(implicit).await, expected);

    // The call is measured further in than the request.
    let nested = Router::new()
        .route(CHAT, post(async || json()))
        .layer(MetricsLayer::new(metrics.clone()).implicit("openai"))
        .layer(MetricsLayer::new(metrics));
    assert_eq!(heard(nested).await, expected);
}
