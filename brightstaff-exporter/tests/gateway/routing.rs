//! Aliases, the candidates behind them, and what is recorded of the choice.

use serde_json::json;

use crate::support::{Gateway, Serve, Upstream};

/// Two providers behind the alias `best`.
async fn routed(first: &str, second: &str) -> Gateway {
    let config = format!(
        "response_header_timeout = '1s'
         [providers.one]\nurl = '{first}'\n[providers.two]\nurl = '{second}'
         [routes.best]\ncandidates = ['one/alpha', 'two/beta']"
    );
    Serve::config(&config).start().await
}

const CALLS: &str = "llm_upstream_requests_total";
const DECISIONS: &str = "router_decisions_total";

#[tokio::test]
async fn the_first_candidate_that_answers_is_the_decision() {
    let (one, two) = (Upstream::chat().await, Upstream::chat().await);
    let gateway = routed(&one.url, &two.url).await;
    assert_eq!(gateway.chat("best").await.0, 200);
    assert_eq!(one.only().json()["model"], "alpha");
    assert_eq!(two.seen().len(), 0);
    let scrape = gateway.scrape().await;
    let first = r#"router_decisions_total{fallback="false",route="llm",selected_model="alpha"}"#;
    assert_eq!((scrape.sum(first), scrape.sum(DECISIONS)), (1.0, 1.0));
    assert_eq!(
        scrape.sum(r#"router_decision_duration_seconds_count{route="llm"}"#),
        1.0
    );
    assert_eq!(scrape.sum("session_cache_events_total"), 0.0);
    assert_eq!(scrape.sum("routing_service_requests_total"), 0.0);
}

#[tokio::test]
async fn a_candidate_that_fails_hands_over_to_the_next() {
    let busy = Upstream::json(429, "{}").await;
    let broken = Upstream::json(503, "{}").await;
    let silent = Upstream::silent().await;
    let nobody = Upstream::nobody().await;
    for (url, class) in [
        (&busy.url, "rate_limit"),
        (&broken.url, "status"),
        (&silent.url, "timeout"),
        (&nobody, "connect"),
    ] {
        let good = Upstream::chat().await;
        let gateway = routed(url, &good.url).await;
        let (status, answer) = gateway.chat("best").await;
        assert_eq!(
            (status, &answer["usage"]["prompt_tokens"]),
            (200, &json!(9)),
            "{class}"
        );
        assert_eq!(good.only().json()["model"], "beta");
        let ok = r#"llm_upstream_requests_total{error_class="none",model="beta",provider="two"}"#;
        gateway.expect(ok, 1.0).await;
        let scrape = gateway.scrape().await;
        let failed = format!(r#"{CALLS}{{error_class="{class}",model="alpha",provider="one"}}"#);
        assert_eq!(
            (scrape.sum(&failed), scrape.sum(CALLS)),
            (1.0, 2.0),
            "{class}"
        );
        let second = r#"router_decisions_total{fallback="true",route="llm",selected_model="beta"}"#;
        assert_eq!(
            (scrape.sum(second), scrape.sum(DECISIONS)),
            (1.0, 1.0),
            "{class}"
        );
        assert!(
            scrape.sum("router_decision_duration_seconds_sum") < 0.9,
            "attempts are excluded"
        );
        assert_eq!(scrape.sum("http_requests_total"), 1.0);
    }
}

#[tokio::test]
async fn the_last_candidates_answer_passes_and_decides_nothing() {
    let (busy, broken) = (
        Upstream::json(429, "{}").await,
        Upstream::json(500, r#"{"last":1}"#).await,
    );
    let gateway = routed(&busy.url, &broken.url).await;
    assert_eq!(gateway.chat("best").await, (500, json!({ "last": 1 })));
    let nobody = Upstream::nobody().await;
    let other = routed(&busy.url, &nobody).await;
    assert_eq!(other.chat("best").await.0, 502);
    for gateway in [gateway, other] {
        gateway.expect(CALLS, 2.0).await;
        assert_eq!(gateway.scrape().await.sum(DECISIONS), 0.0);
    }
}

#[tokio::test]
async fn a_clients_own_fault_is_an_answer() {
    let (one, two) = (
        Upstream::json(400, r#"{"bad":1}"#).await,
        Upstream::chat().await,
    );
    let gateway = routed(&one.url, &two.url).await;
    assert_eq!(gateway.chat("best").await, (400, json!({ "bad": 1 })));
    assert_eq!(two.seen().len(), 0);
    assert_eq!(
        gateway
            .scrape()
            .await
            .sum(r#"router_decisions_total{fallback="false"}"#),
        1.0
    );
}

#[tokio::test]
async fn what_names_its_destination_is_no_decision() {
    let (one, two) = (Upstream::chat().await, Upstream::chat().await);
    let gateway = routed(&one.url, &two.url).await;
    assert_eq!(gateway.chat("one/alpha").await.0, 200);
    let request = gateway.chat_request("two/beta").header("x-session-id", "s");
    assert_eq!(gateway.ask(request).await.0, 200);
    let scrape = gateway.scrape().await;
    assert_eq!(scrape.sum(DECISIONS), 0.0);
    assert_eq!(scrape.sum("session_cache_events_total"), 0.0);
}

#[tokio::test]
async fn agents_fall_back_to_agents() {
    let (broken, good) = (Upstream::json(500, "{}").await, Upstream::chat().await);
    let config = format!(
        "[agents.first]\nurl = '{}'\n[agents.second]\nurl = '{}'
         [routes.help]\ncandidates = ['agents/first', 'agents/second']",
        broken.url, good.url
    );
    let gateway = Serve::config(&config).start().await;
    let ask = |model: &str| {
        let body = json!({ "model": model }).to_string();
        gateway.ask(gateway.post("/agents/v1/chat/completions", body))
    };
    assert_eq!(ask("help").await.0, 200);
    assert_eq!(good.only().json()["model"], "help");
    let decided =
        r#"router_decisions_total{fallback="true",route="agent",selected_model="second"}"#;
    gateway.expect(decided, 1.0).await;

    assert_eq!(ask("second").await.0, 200);
    assert_eq!(ask("first").await.0, 500);
    assert_eq!(ask("third").await.0, 400);
    let list = gateway
        .get("/agents/v1/models")
        .await
        .bytes()
        .await
        .unwrap();
    let list: serde_json::Value = serde_json::from_slice(&list).unwrap();
    let ids: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["id"])
        .collect();
    assert_eq!(ids, ["first", "second", "help"]);
    let scrape = gateway.scrape().await;
    assert_eq!(scrape.sum(DECISIONS), 1.0);
    let calls = r#"llm_upstream_requests_total{model="agent",provider="first",status_class="5xx"}"#;
    assert_eq!(scrape.sum(calls), 2.0);
}

#[tokio::test]
async fn the_routing_service_tells_and_calls_nobody() {
    let (one, two) = (Upstream::chat().await, Upstream::chat().await);
    let gateway = routed(&one.url, &two.url).await;
    let ask = |path: &str, body: &str| {
        gateway.ask(gateway.post(&format!("/routing/v1/{path}"), body.to_owned()))
    };
    let (status, told) = ask("chat/completions", r#"{"model":"best"}"#).await;
    assert_eq!(status, 200);
    let expected = json!({ "route": "best", "provider": "one", "model": "alpha",
                           "candidates": ["one/alpha", "two/beta"], "pinned": false });
    assert_eq!(told, expected);
    let (_, told) = ask("messages", r#"{"model":"two/beta"}"#).await;
    let expected = json!({ "route": null, "provider": "two", "model": "beta",
                           "candidates": ["two/beta"], "pinned": false });
    assert_eq!(told, expected);
    let (_, told) = ask("responses", r#"{"model":"two/anything"}"#).await;
    assert_eq!(told["model"], "anything");

    assert_eq!(
        ask("chat/completions", r#"{"model":"nothing"}"#).await.0,
        400
    );
    assert_eq!(ask("chat/completions", r#"{"model":"#).await.0, 400);
    assert_eq!(ask("chat/completions", "{}").await.0, 400);

    assert_eq!(one.seen().len() + two.seen().len(), 0);
    let scrape = gateway.scrape().await;
    let outcome = |outcome: &str| {
        scrape.sum(&format!(
            r#"routing_service_requests_total{{outcome="{outcome}"}}"#
        ))
    };
    let outcomes = ["decision_served", "no_candidates", "policy_error"].map(outcome);
    assert_eq!(outcomes, [3.0, 1.0, 2.0]);
    for model in ["alpha", "beta", "other"] {
        let decided =
            format!(r#"{DECISIONS}{{fallback="false",route="routing",selected_model="{model}"}}"#);
        assert_eq!(scrape.sum(&decided), 1.0, "{model}");
    }
    assert_eq!(scrape.naming("anything"), Vec::<&str>::new());
    assert_eq!(scrape.sum(CALLS), 0.0);
    assert_eq!(
        scrape.sum(r#"http_requests_total{handler="routing_decision"}"#),
        6.0
    );
}
