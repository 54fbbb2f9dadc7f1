//! Who owns series.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use axum::{Json, http::StatusCode, response::IntoResponse};
use serde_json::json;

use crate::support::{Serve, Upstream, eventually};

/// A provider that takes any model for its own.
async fn obliging() -> Upstream {
    Upstream::start(async |_| Json(json!({ "object": "chat.completion" })).into_response()).await
}

const REQUESTS: &str = "llm_upstream_requests_total";

fn of(provider: &str, model: &str) -> String {
    format!(r#"{REQUESTS}{{provider="{provider}",model="{model}"}}"#)
}

#[tokio::test]
async fn only_configured_pairs_own_series() {
    let upstream = obliging().await;
    let config = format!("[providers.p]\nurl = '{}'\nmodels = ['m']", upstream.url);
    let gateway = Serve::config(&config).start().await;
    for model in ["m", "p/stranger"] {
        assert_eq!(gateway.ask(gateway.chat_request(model)).await.0, 200);
    }
    gateway.expect(&of("p", "m"), 1.0).await;
    gateway.expect(&of("p", "other"), 1.0).await;
}

/// One that lists no models opens nobody else.
#[tokio::test]
async fn a_provider_that_lists_models_is_closed_beside_one_that_does_not() {
    let upstream = obliging().await;
    let config = format!(
        "[providers.listed]\nurl = '{0}'\nmodels = ['m']\n[providers.open]\nurl = '{0}'",
        upstream.url
    );
    let gateway = Serve::config(&config).start().await;
    for model in ["listed/stranger", "open/stranger"] {
        assert_eq!(gateway.ask(gateway.chat_request(model)).await.0, 200);
    }
    gateway.expect(&of("listed", "other"), 1.0).await;
    gateway.expect(&of("open", "stranger"), 1.0).await;
    gateway.expect(&of("listed", "stranger"), 0.0).await;
}

/// Names that a client invents, and a provider takes, fill the room of that provider and no other's.
#[tokio::test]
async fn invented_models_fill_their_own_providers_room() {
    let upstream = obliging().await;
    let config = format!(
        "[providers.lenient]\nurl = '{0}'\nopen_models = 3\n[providers.open]\nurl = '{0}'\n\
         [providers.listed]\nurl = '{0}'\nmodels = ['m']\nopen_models = 1",
        upstream.url
    );
    let gateway = Serve::config(&config).start().await;
    let ask = async |model: String| {
        assert_eq!(gateway.ask(gateway.chat_request(&model)).await.0, 200);
    };
    for n in 0..10 {
        ask(format!("lenient/invented-{n}")).await;
    }
    for n in 0..2 {
        ask(format!("open/m{n}")).await;
        ask(format!("listed/m{n}")).await;
    }
    gateway.expect(&of("lenient", "invented-2"), 1.0).await;
    gateway.expect(&of("lenient", "other"), 7.0).await;
    gateway.expect(&of("open", "m1"), 1.0).await;
    gateway.expect(&of("listed", "m0"), 1.0).await;
    gateway.expect(&of("listed", "other"), 1.0).await;
    let overflow = r#"metrics_label_overflow_total{label="upstream"}"#;
    gateway.expect(overflow, 8.0).await;
}

#[tokio::test]
async fn the_cap_is_for_all_providers() {
    let upstream = obliging().await;
    let config = format!(
        "upstream_cap = 1\n[providers.a]\nurl = '{0}'\n[providers.b]\nurl = '{0}'",
        upstream.url
    );
    let gateway = Serve::config(&config).start().await;
    for model in ["a/m", "b/m"] {
        assert_eq!(gateway.ask(gateway.chat_request(model)).await.0, 200);
    }
    gateway.expect(&of("a", "m"), 1.0).await;
    gateway.expect(&of("b", "other"), 1.0).await;
    let warning = "upstream_cap = 1 is less than the 100 that the providers' open_models add up to";
    eventually("a warning", async || gateway.log().contains(warning)).await;
}

/// What the warning at the start says: it is there, it is true, and it spares who lists models.
#[tokio::test]
async fn models_that_never_answered_are_other_and_warned_of() {
    let answered = Arc::new(AtomicBool::new(false));
    let upstream = Upstream::start(move |_| {
        let status = if answered.swap(true, Relaxed) {
            200
        } else {
            429
        };
        async move { StatusCode::from_u16(status).unwrap().into_response() }
    })
    .await;
    let config = format!(
        "[providers.listed]\nurl = '{0}'\nmodels = ['m']\n[providers.open]\nurl = '{0}'",
        upstream.url
    );
    let gateway = Serve::config(&config).start().await;
    eventually("a warning", async || gateway.log().contains("WARN")).await;
    let log = gateway.log();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("WARN")).collect();
    let warning = "upstream open lists no models: until a model that the configuration does not name has answered \
                   a call with success, and beyond 50 such models (open_models), its calls are recorded as \
                   provider=\"open\", model=\"other\"; \
                   to name its models, write models = [...] below [providers.open] in the file of --config";
    assert!(
        warnings.len() == 1 && warnings[0].ends_with(warning),
        "{log}"
    );

    // The first 429 of a provider without a list finds its series there.
    let pair = r#"provider="open",model="other",error_class="rate_limit""#;
    let series = format!("{REQUESTS}{{{pair}}}");
    let before = gateway.scrape().await;
    let names = before.naming(REQUESTS);
    assert!(
        names
            .iter()
            .any(|name| pair.split(',').all(|label| name.contains(label))),
        "{names:?}"
    );
    for status in [429, 200] {
        assert_eq!(gateway.ask(gateway.chat_request("open/m")).await.0, status);
    }
    gateway.expect(&series, 1.0).await;
    gateway.expect(&of("open", "m"), 1.0).await;
    gateway.expect(&of("other", "other"), 0.0).await;
}

#[tokio::test]
async fn models_that_no_list_names_earn_series() {
    let upstream = obliging().await;
    let config = format!("[providers.p]\nurl = '{}'", upstream.url);
    let gateway = Serve::config(&config).start().await;
    assert_eq!(gateway.ask(gateway.chat_request("m")).await.0, 200);
    gateway.expect(&of("p", "m"), 1.0).await;
}
