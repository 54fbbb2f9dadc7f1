//! A Redis that fails: requests go on as if their sessions were new, and each fault is counted.

use std::fs;

use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::{
    Redis, chat, connected, events, expect_events, gateway, operations, server::free_port,
};
use crate::support::{Upstream, eventually, refused};

async fn upstreams() -> (Upstream, Upstream) {
    (Upstream::chat().await, Upstream::chat().await)
}

#[tokio::test]
async fn one_that_dies_and_returns() {
    let Some(mut redis) = Redis::start(&[]).await else {
        return;
    };
    let (one, two) = upstreams().await;
    let url = format!("url = '{}'", redis.url());
    let gateway = gateway(&one, &two, &url).start().await;
    let [hit, miss, store, error, failed] = connected(&gateway).await;

    redis.kill();
    for lost in 1..=5 {
        let lost = f64::from(lost);
        assert_eq!(chat(&gateway, "s").await, 200);
        expect_events(&gateway, [hit, miss, store, error + lost, failed + lost]).await;
    }
    assert_eq!(operations(&gateway, "get", "error").await, error + 5.0);
    assert_eq!(operations(&gateway, "put", "error").await, failed + 5.0);
    gateway.logged("no connection to the Redis").await;

    redis.restart().await;
    gateway.logged("connected to the Redis").await;
    let now = events(&gateway).await;
    assert_eq!(chat(&gateway, "s").await, 200);
    let [hit, miss, store, error, failed] = now;
    expect_events(&gateway, [hit, miss + 1.0, store + 1.0, error, failed]).await;
    assert_eq!(chat(&gateway, "s").await, 200);
    expect_events(
        &gateway,
        [hit + 1.0, miss + 1.0, store + 1.0, error, failed],
    )
    .await;
}

#[tokio::test]
async fn one_that_stalls() {
    let Some(redis) = Redis::start(&[]).await else {
        return;
    };
    let (one, two) = upstreams().await;
    let url = format!("url = '{}'", redis.url());
    let gateway = gateway(&one, &two, &url).start().await;
    let [hit, miss, store, error, failed] = connected(&gateway).await;

    // It stalls for longer than all of these requests, of which none waits for it.
    redis.stall();
    for lost in 1..=5 {
        let lost = f64::from(lost);
        assert_eq!(chat(&gateway, "connected").await, 200);
        expect_events(&gateway, [hit, miss, store, error + lost, failed + lost]).await;
    }
    redis.go_on();
    connected(&gateway).await;
    let [hit, miss, store, error, failed] = events(&gateway).await;
    assert_eq!(chat(&gateway, "connected").await, 200);
    expect_events(&gateway, [hit + 1.0, miss, store, error, failed]).await;
}

#[tokio::test]
async fn one_that_is_full() {
    let Some(redis) = Redis::start(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]).await
    else {
        return;
    };
    let (one, two) = upstreams().await;
    let url = format!("url = '{}'", redis.url());
    let gateway = gateway(&one, &two, &url).start().await;
    let [hit, miss, store, error, failed] = connected(&gateway).await;
    assert_eq!(store, 0.0);
    assert_eq!(chat(&gateway, "s").await, 200);
    expect_events(&gateway, [hit, miss + 1.0, store, error, failed + 1.0]).await;
    // It answers, so that its connection is kept.
    assert!(!gateway.log().contains("no connection to the Redis"));
}

#[tokio::test]
async fn a_wrong_password() {
    let Some(redis) = Redis::start(&["--requirepass", "right-one"]).await else {
        return;
    };
    let (one, two) = upstreams().await;
    let port = redis.url().rsplit_once(':').unwrap().1.to_owned();
    let start = async |password: &str| {
        let url = format!("redis://:{password}@127.0.0.1:{port}");
        let gateway = gateway(&one, &two, "url_env = 'TEST_REDIS'");
        gateway.env("TEST_REDIS", &url).start().await
    };
    let wrong = start("wrong-one").await;
    assert_eq!(chat(&wrong, "s").await, 200);
    expect_events(&wrong, [0.0, 0.0, 0.0, 1.0, 1.0]).await;
    let line = wrong.logged("no connection to the Redis").await;
    assert!(line.to_lowercase().contains("password"), "{line}");
    assert!(!wrong.log().contains("wrong-one"));

    let right = start("right-one").await;
    connected(&right).await;
    assert!(!right.log().contains("right-one"));
}

#[tokio::test]
async fn one_behind_tls() {
    let files = tempfile::tempdir().unwrap();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let path = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (path("cert.pem"), path("key.pem"));
    fs::write(&certificate, cert.pem()).unwrap();
    fs::write(&key, signing_key.serialize_pem()).unwrap();
    let port = free_port();
    let Some(_redis) = Redis::start(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &certificate,
        "--tls-auth-clients",
        "no",
    ])
    .await
    else {
        return;
    };
    let (one, two) = upstreams().await;
    let url = format!("url = 'rediss://localhost:{port}'");
    let trusting = gateway(&one, &two, &url).env("SSL_CERT_FILE", &certificate);
    let trusting = trusting.start().await;
    connected(&trusting).await;
    assert_eq!(chat(&trusting, "connected").await, 200);
    let hit = async || events(&trusting).await[0] > 0.0;
    eventually("a hit", hit).await;

    let distrusting = gateway(&one, &two, &url).start().await;
    assert_eq!(chat(&distrusting, "s").await, 200);
    expect_events(&distrusting, [0.0, 0.0, 0.0, 1.0, 1.0]).await;
}

#[tokio::test]
async fn a_store_outlives_the_last_request() {
    let Some(redis) = Redis::start(&[]).await else {
        return;
    };
    let (one, two) = upstreams().await;
    let url = format!("url = '{}'", redis.url());
    let gateway = gateway(&one, &two, &url).start().await;
    connected(&gateway).await;
    let before = redis.keys().await.len();
    assert_eq!(chat(&gateway, "last").await, 200);
    gateway.signal("TERM");
    assert_eq!(gateway.ended().await, 0);
    assert_eq!(redis.keys().await.len(), before + 1);
}

#[tokio::test]
async fn a_url_that_is_not_there_stops_the_start() {
    let (one, two) = upstreams().await;
    let serve = gateway(&one, &two, "url_env = 'TEST_NO_REDIS'");
    let (line, code) = refused(serve).await;
    assert!(
        line.contains("sessions.url_env: ") && line.contains("TEST_NO_REDIS"),
        "{line}"
    );
    assert_eq!(code, 2);
}
