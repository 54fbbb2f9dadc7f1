//! Sessions that stay with their model.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use crate::support::{Gateway, Serve, Upstream};

async fn chat(gateway: &Gateway, session: &str) -> u16 {
    let request = gateway.chat_request("best").header("x-session-id", session);
    gateway.ask(request).await.0
}

async fn events(gateway: &Gateway) -> [f64; 3] {
    let scrape = gateway.scrape().await;
    ["hit", "miss", "store"].map(|outcome| {
        scrape.sum(&format!(
            r#"session_cache_events_total{{outcome="{outcome}"}}"#
        ))
    })
}

#[tokio::test]
async fn a_session_stays_with_the_model_that_answered() {
    let mood = Arc::new(AtomicU16::new(500));
    let (one, two) = (Upstream::moody(&mood).await, Upstream::chat().await);
    let config = format!(
        "[providers.one]\nurl = '{}'\n[providers.two]\nurl = '{}'
         [routes.best]\ncandidates = ['one/alpha', 'two/beta']",
        one.url, two.url
    );
    let gateway = Serve::config(&config).start().await;
    assert_eq!(chat(&gateway, "s").await, 200);
    assert_eq!(events(&gateway).await, [0.0, 1.0, 1.0]);

    // The first is well again, but the session stays, and another session does not.
    mood.store(200, Ordering::SeqCst);
    assert_eq!(chat(&gateway, "s").await, 200);
    assert_eq!((one.seen().len(), two.seen().len()), (1, 2));
    assert_eq!(events(&gateway).await, [1.0, 1.0, 1.0]);
    assert_eq!(chat(&gateway, "t").await, 200);
    assert_eq!((one.seen().len(), two.seen().len()), (2, 2));
    assert_eq!(events(&gateway).await, [1.0, 2.0, 2.0]);

    // The routing service knows the session as well.
    let request = gateway.post("/routing/v1/messages", r#"{"model":"best"}"#);
    let (_, told) = gateway.ask(request.header("x-session-id", "s")).await;
    assert_eq!(
        (&told["model"], &told["pinned"]),
        (&"beta".into(), &true.into())
    );
    assert_eq!(
        told["candidates"],
        serde_json::json!(["two/beta", "one/alpha"])
    );

    // A session without its model goes on, and moves.
    drop(two);
    assert_eq!(chat(&gateway, "s").await, 200);
    assert_eq!(one.seen().len(), 3);
    assert_eq!(events(&gateway).await, [3.0, 2.0, 3.0]);

    let scrape = gateway.scrape().await;
    let decided = |fallback: &str, model: &str| {
        scrape.sum(&format!(
            r#"router_decisions_total{{fallback="{fallback}",route="llm",selected_model="{model}"}}"#
        ))
    };
    assert_eq!(
        (decided("true", "beta"), decided("false", "beta")),
        (1.0, 1.0)
    );
    assert_eq!(
        (decided("true", "alpha"), decided("false", "alpha")),
        (1.0, 1.0)
    );
    assert_eq!(chat(&gateway, &"x".repeat(257)).await, 400);
    assert_eq!(events(&gateway).await, [3.0, 2.0, 3.0]);
}

#[tokio::test]
async fn nothing_is_stored_where_nobody_answered() {
    let mood = Arc::new(AtomicU16::new(503));
    let one = Upstream::moody(&mood).await;
    let config = format!(
        "[providers.one]\nurl = '{}'\n[routes.best]\ncandidates = ['one/alpha']",
        one.url
    );
    let gateway = Serve::config(&config).start().await;
    assert_eq!(chat(&gateway, "s").await, 503);
    assert_eq!(events(&gateway).await, [0.0, 1.0, 0.0]);
}

#[tokio::test]
async fn sessions_are_forgotten() {
    let upstream = Upstream::chat().await;
    let config = format!(
        "sessions = {{ ttl = '50ms', capacity = 2 }}
         [providers.one]\nurl = '{}'\n[routes.best]\ncandidates = ['one/alpha']",
        upstream.url
    );
    let gateway = Serve::config(&config).start().await;
    chat(&gateway, "s").await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    chat(&gateway, "s").await;
    assert_eq!(events(&gateway).await, [0.0, 2.0, 2.0]);
}

#[tokio::test]
async fn headers_of_clients_name_sessions_and_pass() {
    let mood = Arc::new(AtomicU16::new(500));
    let (one, two) = (Upstream::moody(&mood).await, Upstream::chat().await);
    let config = |more: &str| {
        format!(
            "[sessions]\n{more}\n[providers.one]\nurl = '{}'\n[providers.two]\nurl = '{}'
             [routes.best]\ncandidates = ['one/alpha', 'two/beta']",
            one.url, two.url
        )
    };
    let ask = async |gateway: &Gateway, header: &str, id: &str| {
        let request = gateway.chat_request("best").header(header, id);
        gateway.ask(request).await.0
    };
    let gateway = Serve::config(&config("")).start().await;
    let other = Serve::config(&config("session_header = ['x-mine']"));
    let other = other.start().await;
    let id = "0199a213-81c0-7800-8aa1-bbab2a035a53";
    assert_eq!(ask(&gateway, "session-id", id).await, 200);
    assert_eq!(ask(&other, "X-Mine", id).await, 200);
    mood.store(200, Ordering::SeqCst);
    // The same session, by whichever header.
    for header in ["Session_Id", "x-claude-code-session-id"] {
        assert_eq!(ask(&gateway, header, id).await, 200);
        let seen = two.seen().pop().unwrap();
        assert_eq!(seen.header(&header.to_lowercase()), Some(id));
    }
    assert_eq!(events(&gateway).await, [2.0, 1.0, 1.0]);
    // What cannot be one is none.
    assert_eq!(ask(&gateway, "session-id", &"x".repeat(257)).await, 200);
    assert_eq!(events(&gateway).await, [2.0, 1.0, 1.0]);

    assert_eq!(ask(&other, "x-session-id", &"x".repeat(257)).await, 200);
    assert_eq!(events(&other).await, [0.0, 1.0, 1.0]);
    assert_eq!(ask(&other, "x-mine", id).await, 200);
    assert_eq!(events(&other).await, [1.0, 1.0, 1.0]);
}
