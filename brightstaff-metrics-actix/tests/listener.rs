//! A listener in the extensions of a request hears of its end.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::sync::{Arc, Mutex};

use actix_web::{
    App, HttpMessage, HttpResponse,
    dev::Service,
    test::{TestRequest, call_and_read_body, init_service},
    web,
};
use brightstaff_metrics_actix::{
    Metrics, MetricsMiddleware,
    brightstaff_metrics_core::{EndListener, EndedCall, EndedRequest, Listener},
};

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

#[actix_web::test]
async fn requests_and_implicit_calls_are_heard() {
    let json = || async {
        let body = r#"{"object":"chat.completion","model":"m"}"#;
        HttpResponse::Ok()
            .content_type("application/json")
            .body(body)
    };
    let heard = Arc::<Heard>::default();
    let listener = Listener::from(Arc::clone(&heard));
    let metrics = MetricsMiddleware::new(Metrics::unregistered()).implicit("openai");
    let app = App::new()
        .route("/v1/chat/completions", web::post().to(json))
        .wrap(metrics)
        .wrap_fn(move |request, next| {
            request.extensions_mut().insert(listener.clone());
            next.call(request)
        });
    let app = init_service(app).await;
    let chat = TestRequest::post().uri("/v1/chat/completions");
    call_and_read_body(&app, chat.to_request()).await;
    let nothing = TestRequest::get().uri("/nothing");
    call_and_read_body(&app, nothing.to_request()).await;
    assert_eq!(
        *heard.0.lock().unwrap(),
        [
            "openai m none",
            "llm_chat Some(200) complete 40",
            "not_found Some(404) complete 0",
        ]
    );
}
