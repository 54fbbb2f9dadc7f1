//! Sessions in a real Redis.

mod faults;
mod server;
mod sharing;

use self::server::Redis;
use crate::support::{Gateway, Serve, Upstream, eventually};

/// Two providers, of which an alias prefers the first, and the sessions of this Redis.
fn gateway(one: &Upstream, two: &Upstream, sessions: &str) -> Serve {
    Serve::config(&format!(
        "[providers.one]\nurl = '{}'\n[providers.two]\nurl = '{}'
         [routes.best]\ncandidates = ['one/alpha', 'two/beta']
         [sessions]\nstore = 'redis'\n{sessions}",
        one.url, two.url
    ))
}

/// The same with a Redis that may take its time, where a test is not about that: the machine may be busy.
fn patient(one: &Upstream, two: &Upstream, sessions: &str) -> Serve {
    gateway(one, two, &format!("operation_timeout = '1m'\n{sessions}"))
}

/// A chat in this session: its status.
async fn chat(gateway: &Gateway, session: &str) -> u16 {
    let request = gateway.chat_request("best").header("x-session-id", session);
    gateway.ask(request).await.0
}

/// How many lookups and stores came to what: `hit`, `miss`, `store`, `error`, `store_error`.
async fn events(gateway: &Gateway) -> [f64; 5] {
    let scrape = gateway.scrape().await;
    ["hit", "miss", "store", "error", "store_error"].map(|outcome| {
        scrape.sum(&format!(
            r#"session_cache_events_total{{outcome="{outcome}"}}"#
        ))
    })
}

/// Waits until they are these: nobody waits for a store.
async fn expect_events(gateway: &Gateway, expected: [f64; 5]) {
    let what = format!("events {expected:?}");
    eventually(&what, async || events(gateway).await == expected).await;
}

/// Waits until a Redis that is there is found, as it is when a lookup in a session of its own does not fail.
async fn connected(gateway: &Gateway) -> [f64; 5] {
    let found = async || {
        let before = events(gateway).await[3];
        chat(gateway, "connected").await;
        events(gateway).await[3] == before
    };
    eventually("a connection to the Redis", found).await;
    let settled = async || {
        let [hit, miss, store, error, store_error] = events(gateway).await;
        // Each session that was not found is stored, or not.
        hit + store + store_error >= hit + miss + error
    };
    eventually("the last store", settled).await;
    events(gateway).await
}

/// How many operations there were, by their name and outcome.
async fn operations(gateway: &Gateway, operation: &str, outcome: &str) -> f64 {
    gateway.scrape().await.sum(&format!(
        r#"session_cache_operation_seconds_count{{operation="{operation}",outcome="{outcome}"}}"#
    ))
}
