//! The live page, as it is served.

use std::io::Read as _;

use axum::Router;
use brightstaff_exporter::Exporter;
use flate2::read::GzDecoder;

use crate::{
    mounted::mount,
    support::{Answer, ask, registry, serve},
};

fn text(answer: Answer) -> String {
    String::from_utf8(answer.body).unwrap()
}

#[tokio::test]
async fn it_is_what_is_at_the_root() {
    let address = serve(registry()).await;
    let plain = ask(address, "GET", "/", "").await;
    assert_eq!(plain.status, 200);
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-cache"),
        ("vary", "accept-encoding"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "deny"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(plain.headers[name], value, "{name}");
    }
    let policy = &plain.headers["content-security-policy"];
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"));
    assert!(policy.contains("connect-src 'self'"), "{policy}");
    assert_eq!(
        plain.headers["content-length"],
        plain.body.len().to_string()
    );
    assert!(!plain.headers.contains_key("content-encoding"));

    let gzip = ask(address, "GET", "/", "accept-encoding: br, gzip\r\n").await;
    assert_eq!(gzip.headers["content-encoding"], "gzip");
    assert!(gzip.body.len() < plain.body.len());
    let mut body = Vec::new();
    GzDecoder::new(&gzip.body[..])
        .read_to_end(&mut body)
        .unwrap();
    assert_eq!(body, plain.body);

    let head = ask(address, "HEAD", "/", "").await;
    assert_eq!((head.status, head.body), (200, Vec::new()));
    assert_eq!(
        head.headers["content-length"],
        plain.headers["content-length"]
    );
}

#[tokio::test]
async fn it_is_one_and_the_same_wherever_it_is_mounted() {
    let routes = || Exporter::new(registry()).router();
    let address = mount(
        Router::new()
            .nest("/internal", routes())
            .nest("/of/{tenant}", routes()),
    )
    .await;
    let page = text(ask(serve(registry()).await, "GET", "/", "").await);
    for path in ["/internal", "/of/%3Cscript%3Ealert(1)%3C%2Fscript%3E"] {
        assert_eq!(text(ask(address, "GET", path, "").await), page, "{path}");
    }
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let router = Exporter::new(registry()).page(false).router();
    let links = ask(mount(router).await, "GET", "/", "").await;
    assert_eq!(links.headers["content-type"], "text/html; charset=utf-8");
    let policy = &links.headers["content-security-policy"];
    assert!(!policy.contains("script-src"), "{policy}");
    let text = text(links);
    assert!(text.contains("href=\"metrics\"") && !text.contains("<script"));
    let router = Exporter::new(registry()).page(false).page(true).router();
    let page = ask(mount(router).await, "GET", "/", "").await;
    assert!(page.headers["content-security-policy"].contains("script-src"));
}
