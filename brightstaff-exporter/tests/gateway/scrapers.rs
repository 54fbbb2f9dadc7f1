//! Who may scrape, and how many at a time: the options of `serve`.

use std::fs;

#[cfg(feature = "page")]
use crate::support::Gateway;
use crate::support::{Serve, refused};

const UPSTREAM: [(&str, &str); 1] = [("openai", "http://127.0.0.1:1")];

#[tokio::test]
async fn a_web_configuration_keeps_strangers_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.yml");
    // Of "fakepassword".
    let hash = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";
    fs::write(&path, format!("basic_auth_users: {{ alice: {hash} }}")).unwrap();
    let tokens = folder.path().join("tokens");
    fs::write(&tokens, "a-token\n").unwrap();
    let serve = Serve::upstreams(&UPSTREAM).env("WEB_CONFIG_FILE", path.to_str().unwrap());
    let serve = serve
        .arg("--metrics-token-file")
        .arg(tokens.to_str().unwrap());
    let gateway = serve.arg("--web.max-requests").arg("5").start().await;
    let ask = || gateway.client.get(&gateway.metrics);
    assert_eq!(ask().send().await.unwrap().status(), 401);
    let wrong = ask().basic_auth("alice", Some("secret")).send().await;
    assert_eq!(wrong.unwrap().status(), 401);
    let right = ask().basic_auth("alice", Some("fakepassword")).send().await;
    assert_eq!(right.unwrap().status(), 200);
    let token = ask().bearer_auth("a-token").send().await;
    assert_eq!(token.unwrap().status(), 200);
    let health = gateway.metrics.replace("/metrics", "/healthz");
    let health = gateway.client.get(health).send().await;
    assert_eq!(health.unwrap().status(), 401);
}

#[cfg(feature = "page")]
#[tokio::test]
async fn the_live_page_can_be_left_out() {
    let told = Serve::upstreams(&UPSTREAM).start().await;
    let page = told.page.as_deref().unwrap();
    assert_eq!(page, told.metrics.replace("/metrics", "/"));
    let has_page = async |gateway: &Gateway| {
        let url = gateway.metrics.replace("/metrics", "/");
        let response = gateway.client.get(url).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.text().await.unwrap().contains("<script>")
    };
    assert!(has_page(&told).await);
    let silent = Serve::upstreams(&UPSTREAM).arg("--no-page").start().await;
    assert!(!has_page(&silent).await);
    let serve = Serve::upstreams(&UPSTREAM).env("METRICS_NO_PAGE", "yes");
    assert!(!has_page(&serve.start().await).await);
}

#[tokio::test]
async fn what_is_wrong_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "basic_auth_users: { alice: hunter2 }").unwrap();
    let path = path.to_str().unwrap();
    for (option, fault) in [
        (
            "--web.config.file",
            "basic_auth_users.alice: no bcrypt hash: write what `htpasswd -nBC 10 NAME` prints after the colon",
        ),
        (
            "--metrics-token-file",
            "bearer token 1: not sendable in a header: write visible ASCII without blanks",
        ),
    ] {
        let serve = Serve::upstreams(&UPSTREAM)
            .arg(option)
            .arg(path)
            .arg("--check");
        let (line, code) = refused(serve).await;
        assert_eq!(line, format!("error: {option}: {path}: {fault}"));
        assert_eq!(code, 2);
    }
}
