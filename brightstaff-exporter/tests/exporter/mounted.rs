//! What an exporter gives to other servers.

use std::{collections::HashMap, future::poll_fn, net::SocketAddr, pin::pin};

use axum::{Router, routing::get};
use brightstaff_exporter::Exporter;
use futures_core::Stream;
use tokio::net::TcpListener;

use crate::support::{EXPOSITION, ask, registry};

/// Serves this router, which has what an exporter gave it.
pub(crate) async fn mount(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn metrics_alone_are_mounted_beside_what_is_there() {
    let exporter = Exporter::new(registry());
    let router = Router::new()
        .route("/healthz", get(|| async { "mine" }))
        .route("/{tenant}/metrics", get(exporter.metrics_handler()));
    let address = mount(router).await;
    let answer = ask(address, "GET", "/internal/metrics", "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.headers["content-length"],
        EXPOSITION.len().to_string()
    );
    assert_eq!(answer.body, EXPOSITION.as_bytes());
    let gzip = "accept-encoding: gzip\r\n";
    let answer = ask(address, "GET", "/internal/metrics", gzip).await;
    assert_eq!(answer.headers["content-encoding"], "gzip");
    let head = ask(address, "HEAD", "/internal/metrics", "").await;
    assert_eq!((head.status, head.body), (200, Vec::new()));
    let post = ask(address, "POST", "/internal/metrics", "").await;
    assert_eq!(post.status, 405);
    let healthz = ask(address, "GET", "/healthz", "").await;
    assert_eq!(healthz.body, b"mine");
}

#[tokio::test]
async fn any_server_is_told_in_plain_types() {
    let handler = Exporter::new(registry()).max_requests(1).metrics_handler();
    let response = handler.respond([("host", &b"x"[..])]).await;
    assert_eq!(response.status(), 200);
    let headers: HashMap<_, _> = response.headers().collect();
    let text = b"text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(headers["content-type"], text);
    assert!(!headers.contains_key("content-encoding"));
    assert_eq!(response.content_length(), EXPOSITION.len() as u64);
    let mut body = pin!(response.into_body());
    let mut bytes = Vec::new();
    while let Some(piece) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        bytes.extend(piece.unwrap());
    }
    assert_eq!(bytes, EXPOSITION.as_bytes());
}

#[tokio::test]
async fn a_response_is_in_work_until_its_body_is_gone() {
    let handler = Exporter::new(registry()).max_requests(1).metrics_handler();
    let gzip = [("Accept-Encoding", &b"gzip"[..])];
    for headers in [&[][..], &gzip] {
        let first = handler.respond(headers.iter().copied()).await;
        let refused = handler.clone().respond([]).await;
        assert_eq!(refused.status(), 503);
        assert!(refused.headers().any(|(name, _)| name == "retry-after"));
        drop(first.into_body());
    }
    assert_eq!(handler.respond([]).await.status(), 200);
}

#[tokio::test]
async fn links_lead_on_from_wherever_it_is_mounted() {
    let routes = || {
        let exporter = Exporter::new(registry());
        #[cfg(feature = "page")]
        let exporter = exporter.page(false);
        exporter.router()
    };
    let router = Router::new()
        .nest("/internal", routes())
        .nest("/of/{tenant}", routes());
    let address = mount(router).await;
    for (page, link) in [
        ("/internal", "\"./internal/metrics\""),
        ("/of/a\"%3C&", "\"./a&quot;%3C&amp;/metrics\""),
    ] {
        let index = ask(address, "GET", page, "").await;
        let text = String::from_utf8(index.body).unwrap();
        assert!(text.contains(link), "{page}: {text}");
    }
    assert_eq!(
        ask(address, "GET", "/internal/metrics", "").await.status,
        200
    );
}
