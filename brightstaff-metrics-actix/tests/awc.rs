//! The responses and errors of awc, over real sockets.

#![cfg(feature = "awc-3")]
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/recorded.rs"]
mod recorded;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    thread,
    time::Duration,
};

use actix_web::{App, HttpResponse, dev::Service, test, web};
use awc::Client;
use brightstaff_metrics_actix::{
    Metrics, NoUpstream, awc_error_class, brightstaff_metrics_core::labels::ErrorClass, observe_awc,
};
use recorded::Recorded;

/// A provider that answers one connection with these bytes.
fn provider(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut tcp, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let _ = tcp.read(&mut request).unwrap();
        tcp.write_all(answer.as_bytes()).unwrap();
    });
    address
}

async fn forward(metrics: Metrics, provider: SocketAddr) -> HttpResponse {
    let call = metrics.upstream("openai", "gpt-4o").start();
    let request = Client::default().post(format!("http://{provider}/v1/chat/completions"));
    match request.no_decompress().send_body("{}").await {
        Ok(answer) => observe_awc(call, answer),
        Err(error) => {
            call.fail(awc_error_class(&error));
            let mut answer = HttpResponse::BadGateway().finish();
            answer.extensions_mut().insert(NoUpstream);
            answer
        }
    }
}

/// Asks a gateway in front of this provider, and tells the head and the body of its response.
async fn ask(recorded: &Recorded, provider: SocketAddr) -> (u16, Option<String>, String) {
    let metrics = recorded.metrics.clone();
    let app = App::new()
        .wrap(recorded.middleware().implicit("implicit"))
        .route(
            "/v1/chat/completions",
            web::post().to(move || forward(metrics.clone(), provider)),
        );
    let app = test::init_service(app).await;
    let request = test::TestRequest::post().uri("/v1/chat/completions");
    let answer = app.call(request.to_request()).await.unwrap();
    let status = answer.status().as_u16();
    let id = answer.headers().get("x-request-id");
    let id = id.map(|id| id.to_str().unwrap().to_owned());
    let body = test::read_body(answer).await;
    (status, id, String::from_utf8(body.to_vec()).unwrap())
}

const EVENTS: &str = "data: {\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":5}}\n\ndata: [DONE]\n\n";

#[actix_web::test]
async fn an_answer_is_observed_once_and_handed_on() {
    let recorded = Recorded::new();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: 17\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{EVENTS}\r\n0\r\n\r\n",
        EVENTS.len()
    );
    let answered = ask(&recorded, provider(answer.leak())).await;
    assert_eq!(answered, (200, Some("17".to_owned()), EVENTS.to_owned()));
    assert_eq!(
        recorded.samples("llm_upstream_requests_total"),
        [r#"{error_class="none",model="gpt-4o",provider="openai",status_class="2xx"} 1"#]
    );
    assert_eq!(
        recorded.samples("llm_tokens_total"),
        [
            r#"{kind="completion",model="gpt-4o",provider="openai"} 5"#,
            r#"{kind="prompt",model="gpt-4o",provider="openai"} 20"#,
        ]
    );
    assert_eq!(recorded.ends(), [1, 0, 0, 0]);
}

#[actix_web::test]
async fn a_length_is_kept_and_no_content_has_none() {
    for (answer, status, body) in [
        (
            "HTTP/1.1 429 Slow down\r\ncontent-length: 2\r\n\r\nno",
            429,
            "no",
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
    ] {
        let recorded = Recorded::new();
        let answered = ask(&recorded, provider(answer)).await;
        assert_eq!(answered, (status, None, body.to_owned()));
        assert_eq!(recorded.samples("llm_upstream_requests_total").len(), 1);
        assert_eq!(recorded.ends(), [1, 0, 0, 0]);
    }
}

#[actix_web::test]
async fn errors_have_their_classes() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silence = silent.local_addr().unwrap();
    for (address, expected) in [
        (address, ErrorClass::Connect),
        (provider("what is this?\r\n\r\n"), ErrorClass::Parse),
        (provider(""), ErrorClass::Other),
        (silence, ErrorClass::Timeout),
    ] {
        let client = Client::builder().timeout(Duration::from_secs(2)).finish();
        let request = client.post(format!("http://{address}/"));
        let error = request.send_body("{}").await.map(drop).unwrap_err();
        assert_eq!(awc_error_class(&error), expected, "{error:?}");
    }
    let recorded = Recorded::new();
    assert_eq!(ask(&recorded, address).await.0, 502);
    let calls = recorded.samples("llm_upstream_requests_total");
    assert_eq!(calls.len(), 1, "no implicit call beside it: {calls:?}");
    assert!(calls[0].contains("connect"));
}
