use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use super::{Redis, chat, connected, events, expect_events, operations, patient};
use crate::support::Upstream;

#[tokio::test]
async fn two_gateways_share_a_session() {
    let Some(redis) = Redis::start(&[]).await else {
        return;
    };
    let mood = Arc::new(AtomicU16::new(500));
    let (one, two) = (Upstream::moody(&mood).await, Upstream::chat().await);
    let url = format!("url = '{}'", redis.url());
    let first = patient(&one, &two, &url).start().await;
    let second = patient(&one, &two, &url).start().await;
    let [_, _, _, before, _] = connected(&first).await;
    connected(&second).await;
    let at_first = events(&first).await;
    let at_second = events(&second).await;

    assert_eq!(chat(&first, "s").await, 200);
    let [hit, miss, store, error, failed] = at_first;
    expect_events(&first, [hit, miss + 1.0, store + 1.0, error, failed]).await;
    assert_eq!(error, before);

    // The first provider is well again, but the session stays, at the other gateway, too.
    mood.store(200, Ordering::SeqCst);
    let beta = two.seen().len();
    assert_eq!(chat(&second, "s").await, 200);
    assert_eq!(two.seen().len(), beta + 1);
    let [hit, miss, store, error, failed] = at_second;
    expect_events(&second, [hit + 1.0, miss, store, error, failed]).await;

    // Neither the session's id nor the alias is to be read there.
    let keys = redis.keys().await;
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in keys {
        let digest = key.strip_prefix("brightstaff:session:").unwrap();
        assert_eq!(digest.len(), 64, "{key}");
    }
    assert!(operations(&first, "get", "ok").await >= 2.0);
    assert!(operations(&first, "put", "ok").await >= 2.0);
}

#[tokio::test]
async fn tenants_and_prefixes_keep_sessions_apart() {
    let Some(redis) = Redis::start(&[]).await else {
        return;
    };
    let (one, two) = (Upstream::chat().await, Upstream::chat().await);
    let options =
        "url_env = 'TEST_REDIS'\nkey_prefix = 'mine:'\ntenant_header = 'x-tenant'\nttl = '1h'";
    let gateway = patient(&one, &two, options).env("TEST_REDIS", &redis.url());
    let gateway = gateway.start().await;
    connected(&gateway).await;
    let before = redis.keys().await.len();
    for tenant in ["a", "b", "a"] {
        let request = gateway.chat_request("best").header("x-session-id", "s");
        let (status, _) = gateway.ask(request.header("x-tenant", tenant)).await;
        assert_eq!(status, 200);
    }
    let stored = async || redis.keys().await.len() == before + 2;
    crate::support::eventually("both sessions", stored).await;
    for key in redis.keys().await {
        assert!(key.starts_with("mine:"), "{key}");
        let left = redis.ask(&format!("PTTL {key}")).await;
        let left: u64 = left.trim_start_matches(':').trim().parse().unwrap();
        assert!((3_000_000..=3_600_000).contains(&left), "{left}");
    }
}

#[tokio::test]
async fn sessions_expire() {
    let Some(redis) = Redis::start(&[]).await else {
        return;
    };
    let (one, two) = (Upstream::chat().await, Upstream::chat().await);
    let options = format!("url = '{}'\nttl = '50ms'", redis.url());
    let gateway = patient(&one, &two, &options).start().await;
    connected(&gateway).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    let gone = async || redis.keys().await.is_empty();
    crate::support::eventually("no session", gone).await;
    let [hit, miss, store, error, failed] = events(&gateway).await;
    chat(&gateway, "connected").await;
    expect_events(&gateway, [hit, miss + 1.0, store + 1.0, error, failed]).await;
}

#[tokio::test]
async fn what_is_no_session_is_removed() {
    let Some(redis) = Redis::start(&[]).await else {
        return;
    };
    let (one, two) = (Upstream::chat().await, Upstream::chat().await);
    let url = format!("url = '{}'", redis.url());
    let gateway = patient(&one, &two, &url).start().await;
    let [hit, miss, store, error, failed] = connected(&gateway).await;
    let [key] = &redis.keys().await[..] else {
        panic!("one session");
    };
    // A replica with another configuration may know this one: it is no session here, and is not removed.
    redis.ask(&format!("SET {key} three/gamma")).await;
    chat(&gateway, "connected").await;
    expect_events(&gateway, [hit, miss + 1.0, store + 1.0, error, failed]).await;
    assert_eq!(operations(&gateway, "remove", "ok").await, 0.0);

    redis.ask(&format!("SETRANGE {key} {} x", 5 << 20)).await;
    chat(&gateway, "connected").await;
    expect_events(&gateway, [hit, miss + 2.0, store + 2.0, error, failed]).await;
    gateway
        .expect(
            r#"session_cache_operation_seconds_count{operation="remove",outcome="ok"}"#,
            1.0,
        )
        .await;
}
