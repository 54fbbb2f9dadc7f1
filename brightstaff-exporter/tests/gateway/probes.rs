//! `/healthz` and `/readyz` on the gateway's port.

use crate::support::{Raw, Serve, Upstream, eventually, literal};

#[tokio::test]
async fn whoever_asks_is_answered_and_counted_as_a_probe() {
    let upstream = Upstream::chat().await;
    let serve = Serve::with_key(&upstream, "client_tokens_env = 'TEST_TOKENS'");
    let serve = serve.env("TEST_TOKENS", "0123456789abcdef");
    let gateway = serve.start().await;
    for path in ["/healthz", "/readyz"] {
        for (method, body) in [("GET", "ok\n"), ("HEAD", "")] {
            for headers in [
                &["host: localhost"][..],
                // As a kubelet or a load balancer asks, and a page of somebody else.
                &["host: 10.0.0.7:12000"],
                &["host: evil.example", "origin: https://evil.example"],
                &["host: evil.example", "sec-fetch-site: cross-site"],
            ] {
                let line = format!("{method} {path} HTTP/1.1");
                let answer = literal(&gateway, &[&[&*line], headers].concat()).await;
                let (head, told) = answer.parts();
                assert_eq!((answer.status, told), (200, body), "{line}");
                assert!(head.contains("content-length: 3"), "{head}");
                assert!(head.contains("content-type: text/plain; charset=utf-8"));
                assert!(!head.contains("access-control-"), "{head}");
            }
        }
        let asked = literal(&gateway, &[&format!("GET {path} HTTP/1.0")]).await;
        assert_eq!(asked.status, 200, "without a host");
        let asked = literal(&gateway, &[&format!("GET {path} HTTP/1.1")]).await;
        assert!(asked.status == 400 && asked.says("invalid_host"));
        let posted = literal(
            &gateway,
            &[&format!("POST {path} HTTP/1.1"), "host: localhost"],
        )
        .await;
        assert!(posted.status == 405 && posted.parts().0.contains("allow: get,head"));

        let handler = path.trim_start_matches('/');
        let counted = |rest: &str| format!("http_requests_total{{handler=\"{handler}\"{rest}}}");
        gateway.expect(&counted(""), 11.0).await;
        let scrape = gateway.scrape().await;
        assert_eq!(scrape.sum(&counted(",status_class=\"2xx\"")), 9.0);
        assert_eq!(scrape.sum(&counted(",method=\"HEAD\"")), 4.0);
    }
    assert!(upstream.seen().is_empty());
    assert_eq!(
        gateway.scrape().await.sum("llm_upstream_requests_total"),
        0.0
    );
    assert_eq!(gateway.chat("p/m").await.0, 401, "all else is guarded");
}

#[tokio::test]
async fn it_is_not_ready_while_it_waits_to_stop_and_still_answers() {
    let upstream = Upstream::chat().await;
    let serve = Serve::upstreams(&[("p", &upstream.url)]);
    let gateway = serve.arg("--drain-delay").arg("1h").start().await;
    gateway.signal("TERM");
    eventually("it is not ready", async || {
        gateway.get("/readyz").await.status() == 503
    })
    .await;
    let told = gateway.get("/readyz").await.text().await.unwrap();
    assert_eq!(told, "stopping\n");
    assert_eq!(gateway.get("/healthz").await.status(), 200);
    assert_eq!(gateway.chat("m").await.0, 200);
    let head = Raw::sent(&gateway, "HEAD /readyz HTTP/1.0\r\n\r\n").await;
    assert!(head.rest().await.starts_with("HTTP/1.0 503"));
    gateway.signal("TERM");
    assert_eq!(
        gateway.ended().await,
        1,
        "the second signal waits for nothing"
    );
}

#[tokio::test]
async fn the_delay_ends_by_itself() {
    let upstream = Upstream::chat().await;
    let serve = Serve::upstreams(&[("p", &upstream.url)]);
    let gateway = serve.arg("--drain-delay").arg("300ms").start().await;
    let started = std::time::Instant::now();
    gateway.signal("TERM");
    assert_eq!(gateway.ended().await, 0);
    assert!(started.elapsed() >= std::time::Duration::from_millis(300));
}
