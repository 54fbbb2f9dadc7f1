//! Whose series there are, and what becomes of the records of all others.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

mod later;
mod shares;

use std::{collections::BTreeMap, time::Duration};

use brightstaff_metrics_core::{
    Builder, Head, Metrics, Upstream, adapter,
    labels::{ErrorClass, Fallback, RequestMethod, RouteKind},
};
use prometheus::{Registry, TextEncoder};

struct Gateway {
    metrics: Metrics,
    registry: Registry,
}

fn gateway(build: impl FnOnce(Builder) -> Builder) -> Gateway {
    let registry = Registry::new();
    let builder = build(Metrics::builder().process(false));
    let metrics = builder.register(&registry).unwrap();
    Gateway { metrics, registry }
}

impl Gateway {
    fn call(&self, provider: &str, model: &str, status: u16) {
        answer(&self.metrics.upstream(provider, model), status, "");
    }

    /// Calls to models that somebody invented, all of which are answered.
    fn flood(&self, provider: &str, models: usize) {
        for n in 0..models {
            self.call(provider, &format!("invented-{n}"), 200);
        }
    }

    fn render(&self) -> String {
        let encoder = TextEncoder::new();
        encoder.encode_to_string(&self.registry.gather()).unwrap()
    }

    /// The sum of the requests of these labels, and of a whole pair where the third is empty.
    fn requests(&self, provider: &str, model: &str, class: &str) -> f64 {
        let pair = format!("model=\"{model}\",provider=\"{provider}\",");
        let text = self.render();
        let lines = text.lines().filter(|line| {
            line.starts_with("brightstaff_llm_upstream_requests_total")
                && line.contains(&pair)
                && line.contains(class)
        });
        let value = |line: &str| line.rsplit(' ').next()?.parse::<f64>().ok();
        lines.filter_map(value).sum()
    }

    fn overflow(&self, label: &str) -> f64 {
        let series = format!("brightstaff_metrics_label_overflow_total{{label=\"{label}\"}} ");
        let text = self.render();
        let value = text.lines().find_map(|line| line.strip_prefix(&series));
        value.unwrap().parse().unwrap()
    }

    /// How many models of each provider have series.
    fn models(&self) -> BTreeMap<String, usize> {
        let mut models = BTreeMap::new();
        for line in self.render().lines() {
            let tokens = "brightstaff_llm_tokens_total{kind=\"prompt\",";
            if let Some((_, provider)) = line
                .strip_prefix(tokens)
                .and_then(|line| line.split_once("provider=\""))
            {
                let provider = provider.split('"').next().unwrap();
                *models.entry(provider.to_owned()).or_default() += 1;
            }
        }
        models
    }

    #[track_caller]
    fn has(&self, models: &[(&str, usize)]) {
        let models = models
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count));
        assert_eq!(self.models(), models.collect());
    }
}

fn answer(upstream: &Upstream, status: u16, body: &str) {
    let mut call = upstream.start();
    let length = u64::try_from(body.len()).unwrap();
    call.head(
        &Head::new(status)
            .content_type("application/json")
            .content_length(length),
    );
    call.data(body.as_bytes());
}

#[test]
fn failures_carry_the_name_of_a_provider_that_was_named() {
    let gateways = [
        gateway(|builder| builder.upstreams([("openai", "declared")])),
        gateway(|builder| builder.providers(["openai"])),
        gateway(|builder| builder.open_models("openai", 1)),
    ];
    for gateway in gateways {
        gateway.call("openai", "gpt-4o", 429);
        let early = gateway.metrics.upstream("openai", "gpt-4o");
        early.start().fail(ErrorClass::Connect);
        assert_eq!(gateway.requests("openai", "other", "rate_limit"), 1.0);
        assert_eq!(gateway.requests("openai", "other", "connect"), 1.0);
        assert_eq!(gateway.overflow("upstream"), 2.0);

        // From its first success on the model has series, whichever handle the call started from.
        gateway.call("openai", "gpt-4o", 200);
        answer(&early, 429, "");
        assert_eq!(gateway.requests("openai", "gpt-4o", "rate_limit"), 1.0);
        assert_eq!(gateway.overflow("upstream"), 2.0);
        assert_eq!(gateway.requests("other", "other", ""), 0.0);
    }
}

#[test]
fn nobody_knows_a_provider_that_was_not_named() {
    let gateway = gateway(|builder| builder.upstreams([("openai", "declared")]));
    gateway.call("elsewhere", "m", 503);
    assert_eq!(gateway.requests("other", "other", "5xx"), 1.0);
    assert_eq!(gateway.overflow("upstream"), 1.0);
    gateway.has(&[("openai", 1), ("other", 1)]);
}

#[test]
fn an_answer_that_names_no_model_is_the_providers_unknown() {
    let gateway = gateway(|builder| builder.upstream_cap(1));
    let implicit = gateway.metrics.provider("openai");
    // There before the first call: else no rate would see it fail.
    gateway.has(&[("openai", 1)]);
    answer(&implicit, 429, r#"{"model":"m"}"#);
    answer(&implicit, 500, "");
    answer(&implicit, 200, "{}");
    for class in ["rate_limit", "5xx", "2xx"] {
        assert_eq!(gateway.requests("openai", "unknown", class), 1.0, "{class}");
    }
    assert_eq!(gateway.overflow("upstream"), 0.0);

    // It took no slot.
    answer(&implicit, 200, r#"{"model":"m"}"#);
    assert_eq!(gateway.requests("openai", "m", ""), 1.0);
    // The second model finds none.
    answer(&implicit, 200, r#"{"model":"n"}"#);
    assert_eq!(gateway.requests("openai", "other", "2xx"), 1.0);
    assert_eq!(gateway.overflow("upstream"), 1.0);
}

#[test]
fn what_was_earned_before_the_provider_was_named_is_kept() {
    let gateway = gateway(|builder| builder);
    for model in ["unknown", "other", "m"] {
        gateway.call("openai", model, 200);
    }
    let implicit = gateway.metrics.provider("openai");
    answer(&implicit, 429, "");
    answer(&implicit, 200, r#"{"model":"m"}"#);
    gateway.call("openai", "other", 429);
    gateway.call("openai", "never-answered", 429);
    gateway.has(&[("openai", 3)]);
    for (model, requests) in [("unknown", 2.0), ("other", 3.0), ("m", 2.0)] {
        assert_eq!(gateway.requests("openai", model, ""), requests, "{model}");
    }
    assert_eq!(gateway.overflow("upstream"), 1.0);
}

#[test]
fn models_that_are_called_so_are_not_folded() {
    let gateway = gateway(|builder| {
        let pairs = [("openai", "other"), ("openai", "unknown")];
        builder.upstreams(pairs).upstream_cap(0)
    });
    gateway.has(&[("openai", 2)]);
    for model in ["other", "unknown", ""] {
        gateway.call("openai", model, 429);
    }
    assert_eq!(gateway.requests("openai", "other", ""), 1.0);
    assert_eq!(gateway.requests("openai", "unknown", ""), 2.0);
    assert_eq!(gateway.overflow("upstream"), 0.0);
}

#[test]
fn what_no_label_may_carry_is_folded_and_counted() {
    let gateway = gateway(|builder| builder.providers(["openai"]));
    let (long, control) = ("m".repeat(129), "m\u{7f}");
    for model in [&*long, control] {
        gateway.call("openai", model, 200);
        gateway.call(model, model, 200);
    }
    assert_eq!(gateway.requests("openai", "other", "2xx"), 2.0);
    assert_eq!(gateway.requests("other", "other", "2xx"), 2.0);
    let implicit = gateway.metrics.provider("openai");
    answer(&implicit, 200, &format!("{{\"model\":\"{long}\"}}"));
    answer(&implicit, 200, r#"{"model":"a\nb"}"#);
    assert_eq!(gateway.requests("openai", "other", "2xx"), 4.0);
    assert_eq!(gateway.overflow("upstream"), 6.0);

    for handler in [&*long, control] {
        let mut exchange = adapter::begin(&gateway.metrics, handler, RequestMethod::Get);
        exchange.head(&Head::new(200).content_length(0));
    }
    assert_eq!(gateway.overflow("handler"), 2.0);
    let router = gateway.metrics.routing();
    router.decision(RouteKind::Llm, &long, Fallback::No, Duration::ZERO);
    assert_eq!(gateway.overflow("selected_model"), 1.0);
}

/// However it is escaped, no value takes more than twice its bytes.
#[test]
fn the_worst_name_is_twice_as_long() {
    let gateway = gateway(|builder| builder);
    let worst = ["\"", "\\"].map(|byte| byte.repeat(128));
    for name in &worst {
        gateway.call(name, name, 200);
        let rendered = name.replace('\\', "\\\\").replace('"', "\\\"");
        assert_eq!(rendered.len(), 256);
        assert_eq!(gateway.requests(&rendered, &rendered, "2xx"), 1.0);
    }
    assert_eq!(gateway.overflow("upstream"), 0.0);
}
