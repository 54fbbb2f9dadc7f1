//! What is recorded where the middleware stands among others.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/recorded.rs"]
mod recorded;

use std::{
    future::{Ready, ready},
    time::Duration,
};

use actix_web::{
    App, Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::{ErrorHandlerResponse, ErrorHandlers, Next, from_fn},
    test::{TestRequest, init_service, read_body},
    web,
};
use brightstaff_metrics_actix::{ErrorClass, NoUpstream};
use recorded::Recorded;

const CHAT: &str = "/v1/chat/completions";

/// Sends one chat request to an app, and tells the status of its response, which is read to the end.
macro_rules! ask {
    ($app:expr) => {{
        let app = init_service($app).await;
        let request = TestRequest::post().uri(CHAT).to_request();
        let answer = app.call(request).await.unwrap();
        let status = answer.status().as_u16();
        read_body(answer).await;
        status
    }};
}

/// A middleware of the gateway that answers by itself, as a rate limiter or a time-out does.
fn answer_with<B: MessageBody + 'static>(
    status: u16,
    request: ServiceRequest,
    _: Next<B>,
) -> Ready<Result<ServiceResponse<BoxBody>, Error>> {
    let status = StatusCode::from_u16(status).unwrap();
    ready(Ok(request.into_response(HttpResponse::new(status))))
}

async fn chat() -> &'static str {
    r#"{"object":"chat.completion","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12}}"#
}

fn calls(recorded: &Recorded) -> Vec<String> {
    recorded.samples("llm_upstream_requests_total")
}

#[actix_web::test]
async fn what_the_gateway_itself_answers_between_two_middlewares_is_no_call() {
    for status in [429, 500, 504] {
        let recorded = Recorded::new();
        let limiter = from_fn(move |request, next| answer_with(status, request, next));
        let app = App::new()
            .route(CHAT, web::post().to(chat))
            .wrap(recorded.middleware().implicit("openai"))
            .wrap(limiter)
            .wrap(recorded.middleware());
        assert_eq!(ask!(app), status);
        let class = status / 100;
        assert_eq!(recorded.requests(), [format!("llm_chat POST {class}xx 1")]);
        assert_eq!(calls(&recorded), [] as [&str; 0]);
        assert_eq!(recorded.ends(), [1, 0, 0, 0]);
    }
}

#[actix_web::test]
async fn what_it_answers_inside_of_both_is_taken_for_the_providers() {
    let recorded = Recorded::new();
    let limiter = from_fn(|request, next| answer_with(429, request, next));
    let app = App::new()
        .route(CHAT, web::post().to(chat))
        .wrap(limiter)
        .wrap(recorded.middleware().implicit("openai"))
        .wrap(recorded.middleware());
    assert_eq!(ask!(app), 429);
    assert_eq!(
        calls(&recorded),
        [r#"{error_class="rate_limit",model="unknown",provider="openai",status_class="4xx"} 1"#]
    );

    // Unless it says that no provider was asked.
    let recorded = Recorded::new();
    let limiter = from_fn(|request: ServiceRequest, _: Next<BoxBody>| {
        let mut answer = HttpResponse::TooManyRequests().finish();
        answer.extensions_mut().insert(NoUpstream);
        ready(Ok::<_, Error>(request.into_response(answer)))
    });
    let app = App::new()
        .route(CHAT, web::post().to(chat))
        .wrap(limiter)
        .wrap(recorded.middleware().implicit("openai"));
    assert_eq!(ask!(app), 429);
    assert_eq!(calls(&recorded), [] as [&str; 0]);
}

#[actix_web::test]
async fn two_middlewares_measure_a_request_once_and_its_call_once() {
    let recorded = Recorded::new();
    let app = App::new()
        .route(CHAT, web::post().to(chat))
        .wrap(recorded.middleware().implicit("openai"))
        .wrap(recorded.middleware());
    assert_eq!(ask!(app), 200);
    assert_eq!(recorded.requests(), ["llm_chat POST 2xx 1"]);
    assert_eq!(
        calls(&recorded),
        [r#"{error_class="none",model="gpt-4o",provider="openai",status_class="2xx"} 1"#]
    );
    assert_eq!(recorded.ends(), [1, 0, 0, 0]);
}

#[actix_web::test]
async fn other_metrics_record_too() {
    let (inner, outer) = (Recorded::new(), Recorded::new());
    let app = App::new()
        .route(CHAT, web::post().to(chat))
        .wrap(inner.middleware().implicit("openai"))
        .wrap(outer.middleware().implicit("gateway"));
    assert_eq!(ask!(app), 200);
    for (recorded, provider) in [(&inner, "openai"), (&outer, "gateway")] {
        assert_eq!(recorded.requests(), ["llm_chat POST 2xx 1"]);
        let calls = calls(recorded);
        assert_eq!(calls.len(), 1);
        assert!(calls[0].contains(provider), "{calls:?}");
        assert_eq!(recorded.ends(), [1, 0, 0, 0]);
    }
}

/// The body that it puts in the place of another is sent; the other is dropped, which nobody did by hanging up.
#[actix_web::test]
async fn a_body_that_is_replaced_further_out_is_no_cancel() {
    let recorded = Recorded::new();
    let pages = ErrorHandlers::new().default_handler(|answer: ServiceResponse<_>| {
        let (request, response) = answer.into_parts();
        let response = response
            .set_body(BoxBody::new("a page"))
            .map_into_right_body();
        let answer = ServiceResponse::new(request, response);
        Ok(ErrorHandlerResponse::Response(answer))
    });
    let broken = || ready(HttpResponse::BadGateway().body("why"));
    let app = App::new()
        .route(CHAT, web::post().to(broken))
        .wrap(recorded.middleware())
        .wrap(pages);
    assert_eq!(ask!(app), 502);
    assert_eq!(recorded.requests(), ["llm_chat POST 5xx 1"]);
    assert_eq!(recorded.ends(), [1, 0, 0, 0]);
    assert_eq!(
        recorded.samples("http_requests_interrupted_total"),
        [] as [&str; 0]
    );
}

#[actix_web::test]
async fn a_hung_provider_is_a_timeout() {
    let recorded = Recorded::new();
    let metrics = recorded.metrics.clone();
    let hung = move || {
        let mut call = metrics.upstream("openai", "gpt-4o").start();
        async move {
            let never = std::future::pending::<()>();
            match call.within(Duration::from_millis(1), never).await {
                Ok(_) => HttpResponse::Ok().finish(),
                Err(_) => HttpResponse::GatewayTimeout().finish(),
            }
        }
    };
    let app = App::new()
        .route(CHAT, web::post().to(hung))
        .wrap(recorded.middleware());
    assert_eq!(ask!(app), 504);
    assert_eq!(recorded.requests(), ["llm_chat POST 5xx 1"]);
    let calls = calls(&recorded);
    let class = format!("error_class=\"{}\"", ErrorClass::Timeout.as_str());
    assert!(calls.len() == 1 && calls[0].contains(&class), "{calls:?}");
}
