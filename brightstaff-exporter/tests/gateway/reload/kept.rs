//! What outlives a reload: connections, sessions, and who is left alone.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering::SeqCst},
};

use super::provider;
use crate::support::{ByHand, CHAT, Connection, Serve, Upstream};

#[tokio::test]
async fn connections_to_what_did_not_change_are_kept() {
    let kept = |mut connection: Connection| async move {
        while connection.request().await.is_some() {
            connection.write(CHAT).await.unwrap();
        }
    };
    let upstream = ByHand::start(kept).await;
    let with = |more: &str| {
        format!(
            "pool_idle_timeout = '1h'\n{}",
            provider("p", &upstream.url, more)
        )
    };
    let serve = Serve::config(&with("")).env("TEST_P", "sk-ours");
    let gateway = serve.start().await;
    assert_eq!(gateway.chat("p/m").await.0, 200);
    for (more, connections) in [
        ("models = ['m']", 1),
        ("api_key_env = 'TEST_P'", 1),
        ("stream_idle_timeout = '1h'", 2),
    ] {
        let changes = gateway.reloaded(&with(more)).await;
        assert_eq!(changes, "providers changed: p");
        assert_eq!(gateway.chat("p/m").await.0, 200);
        assert_eq!(upstream.connections(), connections, "{more}");
    }
}

#[tokio::test]
async fn a_session_stays_with_its_model_wherever_that_stands_now() {
    let mood = Arc::new(AtomicU16::new(500));
    let moody = Upstream::moody(&mood).await;
    let [one, two] = [Upstream::chat().await, Upstream::chat().await];
    let with = |candidates: &str| {
        let providers = [("moody", &moody), ("one", &one), ("two", &two)];
        let providers = providers.map(|(name, upstream)| provider(name, &upstream.url, ""));
        format!(
            "{}[routes.best]\ncandidates = [{candidates}]",
            providers.concat()
        )
    };
    let gateway = Serve::config(&with("'moody/m', 'one/m'")).start().await;
    let ask = async || {
        let request = gateway.chat_request("best").header("x-session-id", "s");
        assert_eq!(gateway.ask(request).await.0, 200);
        [moody.seen().len(), one.seen().len(), two.seen().len()]
    };
    assert_eq!(ask().await, [1, 1, 0]);
    mood.store(200, SeqCst);
    let changes = gateway.reloaded(&with("'one/m', 'two/m', 'moody/m'")).await;
    assert_eq!(changes, "routes changed: best");
    assert_eq!(ask().await, [1, 2, 0]);
    gateway.reloaded(&with("'two/m', 'moody/m', 'one/m'")).await;
    assert_eq!(ask().await, [1, 3, 0]);
    // Where it led to is none of them any more.
    gateway.reloaded(&with("'two/m'")).await;
    assert_eq!(ask().await, [1, 3, 1]);
    gateway.reloaded(&provider("two", &two.url, "")).await;
    gateway.reloaded(&with("'one/m', 'two/m'")).await;
    assert_eq!(ask().await, [1, 3, 2]);
    let scrape = gateway.scrape().await;
    for (outcome, count) in [("hit", 3.0), ("miss", 2.0), ("store", 2.0)] {
        let series = format!("session_cache_events_total{{outcome=\"{outcome}\"}}");
        assert_eq!(scrape.sum(&series), count, "{outcome}");
    }
}

#[tokio::test]
async fn who_is_left_alone_is_known_until_something_of_it_changes() {
    let mood = Arc::new(AtomicU16::new(500));
    let (moody, well) = (Upstream::moody(&mood).await, Upstream::chat().await);
    let with = |more: &str| {
        let providers = provider("moody", &moody.url, more) + &provider("well", &well.url, "");
        let route = "[routes.best]\ncandidates = ['moody/m', 'well/m']";
        format!("{providers}{route}\ncool_down_after = 1\ncool_down = '1h'")
    };
    let serve = Serve::config(&with("")).env("TEST_P", "sk-ours");
    let gateway = serve.start().await;
    let ask = async || {
        assert_eq!(gateway.chat("best").await.0, 200);
        moody.seen().len()
    };
    assert_eq!((ask().await, ask().await), (1, 1));
    gateway.reloaded(&with("models = ['m']")).await;
    assert_eq!(ask().await, 1);
    // Perhaps it had been for want of a key.
    gateway.reloaded(&with("api_key_env = 'TEST_P'")).await;
    assert_eq!((ask().await, ask().await), (2, 2));
}
