//! When an alias goes on to its next candidate, and whom it leaves alone.

mod aside;
mod first_event;
mod property;

use std::{
    collections::VecDeque,
    fmt::Write,
    sync::{Arc, Mutex},
};

use serde_json::json;

use crate::support::{ByHand, Connection, Gateway, Serve, Upstream, refused};

const DECISIONS: &str = "router_decisions_total";
const CALLS: &str = "llm_upstream_requests_total";
const SKIPS: &str = "router_candidate_skips_total";
const SEARCHES: &str = "llm_failover_requests_total";

/// Providers `p0`, `p1`, ... with the models `m0`, `m1`, ... behind the alias `best`, which has these keys.
async fn routed(urls: &[&str], keys: &str) -> Gateway {
    let mut config = "response_header_timeout = '2s'\n".to_owned();
    let mut candidates = Vec::new();
    for (n, url) in urls.iter().enumerate() {
        writeln!(config, "[providers.p{n}]\nurl = '{url}'").unwrap();
        candidates.push(format!("p{n}/m{n}"));
    }
    writeln!(config, "[routes.best]\ncandidates = {candidates:?}\n{keys}").unwrap();
    Serve::config(&config).start().await
}

/// How often searches ended in each way: at once, later, never.
async fn searches(gateway: &Gateway) -> [f64; 3] {
    let scrape = gateway.scrape().await;
    let searches = ["first_try", "recovered", "exhausted"]
        .map(|outcome| scrape.sum(&format!(r#"{SEARCHES}{{outcome="{outcome}"}}"#)));
    assert_eq!(scrape.sum(SEARCHES), searches.iter().sum::<f64>());
    searches
}

/// Candidates that were passed over: as they asked for it, and as they failed too often.
async fn skips(gateway: &Gateway, model: &str) -> [f64; 2] {
    let scrape = gateway.scrape().await;
    ["retry_after", "cooling_down"].map(|reason| {
        scrape.sum(&format!(
            r#"{SKIPS}{{reason="{reason}",selected_model="{model}"}}"#
        ))
    })
}

/// A whole response of this status.
fn status(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} As-Told\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

/// The head of a stream that ends with its connection.
const STREAM: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// An upstream that gives one of these to each request, the last one for ever.
async fn scripted<const N: usize>(answers: [String; N]) -> ByHand {
    let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
    ByHand::start(move |mut connection: Connection| {
        let answers = Arc::clone(&answers);
        async move {
            while connection.request().await.is_some() {
                let next = {
                    let mut answers = answers.lock().unwrap();
                    let next = answers.pop_front().unwrap();
                    if answers.is_empty() {
                        answers.push_back(next.clone());
                    }
                    next
                };
                if connection.write(&next).await.is_err() || next.starts_with(STREAM) {
                    return;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn statuses_hand_over_where_the_route_says_so() {
    for (code, named) in [
        (401, true),
        (404, true),
        (408, true),
        (403, false),
        (404, false),
    ] {
        let (odd, good) = (
            scripted([status(code, "", "{}")]).await,
            Upstream::chat().await,
        );
        let keys = if named {
            format!("retry_on = [{code}]")
        } else {
            "retry_on = [410]".into()
        };
        let gateway = routed(&[&odd.url, &good.url], &keys).await;
        let expected = if named { 200 } else { code };
        assert_eq!(gateway.chat("best").await.0, expected, "{code} {keys}");
        let outcomes = if named {
            [0.0, 1.0, 0.0]
        } else {
            [1.0, 0.0, 0.0]
        };
        assert_eq!(searches(&gateway).await, outcomes, "{code} {keys}");
        let scrape = gateway.scrape().await;
        let failed = format!(r#"{CALLS}{{error_class="status",provider="p0",status_class="4xx"}}"#);
        assert_eq!(scrape.sum(&failed), 1.0);
        let decided = format!(r#"{DECISIONS}{{fallback="{named}"}}"#);
        assert_eq!((scrape.sum(&decided), scrape.sum(DECISIONS)), (1.0, 1.0));
    }
}

#[tokio::test]
async fn the_last_answer_passes_and_the_search_is_exhausted() {
    let one = scripted([status(500, "", "{}")]).await;
    let two = scripted([status(401, "", r#"{"last":1}"#)]).await;
    let gateway = routed(&[&one.url, &two.url], "retry_on = [401]").await;
    assert_eq!(gateway.chat("best").await, (401, json!({ "last": 1 })));
    assert_eq!(searches(&gateway).await, [0.0, 0.0, 1.0]);
    let scrape = gateway.scrape().await;
    assert_eq!((scrape.sum(DECISIONS), scrape.sum(CALLS)), (0.0, 2.0));
}

#[tokio::test]
async fn what_has_no_other_candidate_is_no_search() {
    let one = scripted([status(200, "", "{}"), status(500, "", "{}")]).await;
    let gateway = routed(&[&one.url], "cool_down_after = 1").await;
    for expected in [200, 500, 500, 500] {
        assert_eq!(gateway.chat("best").await.0, expected);
    }
    assert_eq!(gateway.chat("p0/m0").await.0, 500);
    assert_eq!(searches(&gateway).await, [0.0; 3]);
    assert_eq!(skips(&gateway, "m0").await, [0.0; 2]);
    assert_eq!(gateway.scrape().await.sum(DECISIONS), 1.0);
}

#[tokio::test]
async fn a_search_that_the_client_leaves_comes_to_nothing() {
    let silent = Upstream::silent().await;
    let gateway = routed(&[&silent.url, &silent.url], "").await;
    let request = gateway.chat_request("best").send();
    let left = tokio::time::timeout(std::time::Duration::from_millis(300), request).await;
    assert!(left.is_err());
    let cancelled = r#"llm_upstream_requests_total{error_class="cancelled",provider="p0"}"#;
    gateway.expect(cancelled, 1.0).await;
    assert_eq!(searches(&gateway).await, [0.0; 3]);
    assert_eq!(gateway.scrape().await.sum(DECISIONS), 0.0);
}

#[tokio::test]
async fn agents_are_searched_as_agents() {
    let (bad, good) = (Upstream::json(500, "{}").await, Upstream::chat().await);
    let config = format!(
        "[agents.a]\nurl = '{}'\n[agents.b]\nurl = '{}'
         [routes.help]\ncandidates = ['agents/a', 'agents/b']\ncool_down_after = 1",
        bad.url, good.url
    );
    let gateway = Serve::config(&config).start().await;
    for _ in 0..2 {
        let body = r#"{"model":"help"}"#;
        let request = gateway.post("/agents/v1/chat/completions", body);
        assert_eq!(gateway.ask(request).await.0, 200);
    }
    let scrape = gateway.scrape().await;
    let of = |outcome| {
        scrape.sum(&format!(
            r#"{SEARCHES}{{outcome="{outcome}",route="agent"}}"#
        ))
    };
    assert_eq!([of("recovered"), of("first_try")], [1.0, 1.0]);
    assert_eq!(skips(&gateway, "a").await, [0.0, 1.0]);
}

#[tokio::test]
async fn what_a_route_may_retry_on_is_checked_at_the_start() {
    for (keys, fault) in [
        (
            "retry_on = [400]",
            "routes.best.retry_on: holds what it may not: write any of 401,",
        ),
        (
            "retry_on = [503]",
            "routes.best.retry_on: holds 429 or a 5xx",
        ),
        (
            "cool_down = '0s'",
            "routes.best.cool_down: must be more than 0",
        ),
        ("cool_down_after = -1", "routes.best.cool_down_after: "),
    ] {
        let config = format!(
            "[providers.p]\nurl = 'http://127.0.0.1:1'\n[routes.best]\ncandidates = ['p/a', 'p/b']\n{keys}"
        );
        let (error, code) = refused(Serve::config(&config)).await;
        assert!(error.contains(fault) && code != 0, "{error}");
    }
}
