//! Which hosts the gateway answers for.

use crate::support::{Gateway, Literal, Serve, Upstream, literal};

#[tokio::test]
async fn a_host_is_there_once_and_names_this_machine() {
    let upstream = Upstream::chat().await;
    let serve = Serve::with_key(&upstream, "allowed_hosts = ['gw.example', '10.0.0.7']");
    let gateway = serve.start().await;
    let ask = async |version: &str, hosts: &[&str]| {
        let line = format!("GET /v1/models HTTP/{version}");
        literal(&gateway, &[&[&*line], hosts].concat()).await
    };
    let is = |answer: &Literal, status, code| answer.status == status && answer.says(code);
    for hosts in [
        &[][..],
        &["host: localhost", "host: localhost"],
        &["host: localhost", "host: evil.example"],
        &["host:"],
        &["host: me@localhost"],
        &["host: a b"],
        &["host: localhost:x"],
    ] {
        let answer = ask("1.1", hosts).await;
        assert!(is(&answer, 400, "invalid_host"), "{hosts:?}: {answer:?}");
    }
    assert!(is(
        &ask("1.0", &["host: a", "host: b"]).await,
        400,
        "invalid_host"
    ));
    for host in [
        "evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "[::]",
        "127.0.0.1.nip.io",
    ] {
        for host in [host, &format!("{host}:12000")] {
            let answer = ask("1.1", &[&format!("host: {host}")]).await;
            assert!(is(&answer, 403, "host_not_allowed"), "{host}: {answer:?}");
        }
    }
    // The target goes before the header.
    for (target, host) in [
        ("evil.example", "localhost"),
        ("evil.example:80", "gw.example"),
    ] {
        let line = format!("GET http://{target}/v1/models HTTP/1.1");
        let answer = literal(&gateway, &[&line, &format!("host: {host}")]).await;
        assert!(is(&answer, 403, "host_not_allowed"), "{answer:?}");
    }
    assert_eq!(upstream.seen().len(), 0);
    for host in [
        "localhost",
        "LocalHost:1",
        "app.localhost",
        "127.0.0.1:12000",
        "127.1.2.3",
        "[::1]:12000",
        "gw.example",
        "GW.example.:443",
        "10.0.0.7:1",
    ] {
        let answer = ask("1.1", &[&format!("host: {host}")]).await;
        assert_eq!(answer.status, 200, "{host}: {answer:?}");
    }
    assert_eq!(ask("1.0", &[]).await.status, 200);
}

#[tokio::test]
async fn strangers_hosts_reach_no_path() {
    let upstream = Upstream::chat().await;
    let gateway = Serve::with_key(&upstream, "").start().await;
    for line in [
        "POST /v1/chat/completions HTTP/1.1",
        "POST /agents/v1/messages HTTP/1.1",
        "POST /routing/v1/responses HTTP/1.1",
        "GET /agents/v1/models HTTP/1.1",
        "GET /nowhere HTTP/1.1",
        "OPTIONS /v1/messages HTTP/1.1",
        "DELETE /v1/messages HTTP/1.1",
    ] {
        let answer = literal(&gateway, &[line, "host: evil.example"]).await;
        assert!(
            answer.status == 403 && answer.text.contains("this host is not the gateway's"),
            "{line}: {answer:?}"
        );
    }
    assert_eq!(upstream.seen().len(), 0);
    let refused = r#"http_requests_total{handler="llm_chat",method="POST",status_class="4xx"}"#;
    gateway.expect(refused, 1.0).await;
    gateway
        .expect(r#"http_requests_total{status_class="4xx"}"#, 7.0)
        .await;
    gateway.expect("llm_upstream_requests_total", 0.0).await;
}

#[tokio::test]
async fn http_2_names_its_host_in_the_target() {
    let upstream = Upstream::chat().await;
    let gateway = Serve::with_key(&upstream, "").start().await;
    let client = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge();
    let port = gateway.url.rsplit_once(':').unwrap().1.to_owned();
    let address = gateway
        .url
        .strip_prefix("http://")
        .unwrap()
        .parse()
        .unwrap();
    let client = client.resolve("evil.example", address).build().unwrap();
    let ask = async |host: &str, header: Option<&str>| {
        let request = client.get(format!("http://{host}:{port}/v1/models"));
        let request = match header {
            Some(host) => request.header("host", host),
            None => request,
        };
        gateway.ask(request).await
    };
    assert_eq!(ask("127.0.0.1", None).await.0, 200);
    assert_eq!(ask("evil.example", None).await.0, 403);
    let (status, body) = ask("127.0.0.1", Some("evil.example")).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (400, &"invalid_host".into())
    );
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn on_all_addresses_every_host_is_taken_unless_some_are_named() {
    let upstream = Upstream::chat().await;
    let start = async |more: &str| {
        let serve = Serve::with_key(&upstream, more);
        serve.arg("--bind").arg("0.0.0.0:0").start().await
    };
    let ask = async |gateway: &Gateway, host: &str| {
        let host = format!("host: {host}");
        literal(gateway, &["GET /v1/models HTTP/1.1", &host])
            .await
            .status
    };
    let gateway = start("").await;
    assert_eq!(ask(&gateway, "gw.example").await, 200);
    assert_eq!(
        literal(&gateway, &["GET /v1/models HTTP/1.1"]).await.status,
        400
    );
    let gateway = start("allowed_hosts = ['gw.example']").await;
    assert_eq!(ask(&gateway, "gw.example").await, 200);
    assert_eq!(ask(&gateway, "localhost").await, 200);
    assert_eq!(ask(&gateway, "evil.example").await, 403);
}
