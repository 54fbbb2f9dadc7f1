//! Whose series there are, and what becomes of the records of all others.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

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
fn invented_models_push_out_nobody_elses() {
    let gateway = gateway(|builder| {
        builder
            .providers(["lenient", "strict"])
            .open_models("big", 70)
    });
    // A provider that was not named takes what is left: 200 less 50, 50 and 70.
    gateway.flood("nameless", 300);
    gateway.flood("lenient", 300);
    gateway.flood("big", 300);
    assert_eq!(gateway.overflow("upstream"), 270.0 + 250.0 + 230.0);
    gateway.flood("strict", 50);
    assert_eq!(gateway.overflow("upstream"), 750.0);
    // Each has its `other`, which takes no slot.
    gateway.has(&[
        ("big", 71),
        ("lenient", 51),
        ("nameless", 30),
        ("other", 1),
        ("strict", 51),
    ]);
    assert_eq!(gateway.requests("lenient", "other", "2xx"), 250.0);
    assert_eq!(gateway.requests("other", "other", "2xx"), 270.0);
}

#[test]
fn a_declared_provider_may_have_fifty_models_more() {
    let gateway = gateway(|builder| builder.upstreams([("openai", "declared")]));
    gateway.flood("openai", 60);
    gateway.flood("nameless", 160);
    gateway.has(&[("nameless", 150), ("openai", 1 + 50 + 1), ("other", 1)]);
    assert_eq!(gateway.overflow("upstream"), 20.0);
}

#[test]
fn the_cap_is_for_all() {
    let gateway = gateway(|builder| builder.providers(["a", "b"]).upstream_cap(3));
    gateway.flood("a", 2);
    gateway.flood("b", 2);
    gateway.flood("nameless", 1);
    gateway.has(&[("a", 3), ("b", 2), ("other", 1)]);
    assert_eq!(gateway.overflow("upstream"), 2.0);
}

/// Where all of the cap would be set aside, a provider that is named by its pairs alone has its share all the same.
#[test]
fn no_named_provider_is_shut_out() {
    for others in [3, 4, 5] {
        let names = ["a", "b", "c", "d", "e"];
        let gateway = gateway(|builder| {
            let declared = builder.upstreams([("openai", "gpt-4o")]);
            declared.providers(names.into_iter().take(others))
        });
        gateway.call("openai", "new", 200);
        assert_eq!(gateway.requests("openai", "new", "2xx"), 1.0, "{others}");
        assert_eq!(gateway.overflow("upstream"), 0.0, "{others}");
    }
}

#[test]
fn a_provider_can_be_closed() {
    let gateway = gateway(|builder| {
        let declared = builder.upstreams([("openai", "gpt-4o")]);
        declared.open_models("openai", 0)
    });
    gateway.has(&[("openai", 1)]);
    gateway.flood("openai", 2);
    assert_eq!(gateway.requests("openai", "other", "2xx"), 2.0);
    gateway.has(&[("openai", 2)]);
}

#[test]
fn so_many_providers_are_named_later() {
    let gateway = gateway(|builder| builder);
    for n in 0..65 {
        let implicit = gateway.metrics.provider(&format!("p{n}"));
        answer(&implicit, 429, "");
    }
    assert_eq!(gateway.requests("p63", "unknown", "rate_limit"), 1.0);
    assert_eq!(gateway.requests("other", "other", "rate_limit"), 1.0);
    assert_eq!(gateway.overflow("upstream"), 1.0);
}

#[test]
fn what_is_declared_later_is_as_if_it_had_been_declared_before() {
    let gateway = gateway(|builder| {
        let builder = builder.upstreams([("openai", "gpt-4o")]);
        builder.upstream_cap(0).later_upstreams(3)
    });
    let early = gateway.metrics.upstream("azure", "gpt-4o");
    answer(&early, 429, "");
    assert_eq!(gateway.requests("other", "other", "rate_limit"), 1.0);
    let declared = gateway.metrics.declare_upstream("azure", "gpt-4o");
    declared.unwrap();
    gateway.has(&[("azure", 1), ("openai", 1), ("other", 1)]);
    assert_eq!(gateway.requests("azure", "gpt-4o", ""), 0.0);
    answer(&early, 429, "");
    gateway.call("azure", "gpt-4o", 200);
    gateway.call("azure", "invented", 200);
    assert_eq!(gateway.requests("azure", "gpt-4o", "rate_limit"), 1.0);
    assert_eq!(gateway.requests("azure", "gpt-4o", "2xx"), 1.0);
    assert_eq!(gateway.requests("azure", "other", "2xx"), 1.0);

    // Room for the models of a provider, which nobody else takes.
    gateway.metrics.declare_provider("groq", 1).unwrap();
    gateway.metrics.declare_provider("groq", 50).unwrap();
    gateway.flood("openai", 2);
    gateway.flood("groq", 2);
    assert_eq!(gateway.requests("groq", "invented-0", "2xx"), 1.0);
    assert_eq!(gateway.requests("groq", "other", "2xx"), 1.0);
    assert_eq!(gateway.requests("openai", "other", "2xx"), 2.0);

    // What has its series keeps them, and what was declared twice took one room.
    for (provider, model) in [
        ("azure", "gpt-4o"),
        ("openai", "gpt-4o"),
        ("groq", "invented-0"),
        ("groq", "other"),
        ("openai", "o3"),
    ] {
        let declared = gateway.metrics.declare_upstream(provider, model);
        declared.unwrap();
    }
    assert_eq!(gateway.requests("groq", "invented-0", "2xx"), 1.0);
    let full = gateway.metrics.declare_upstream("openai", "o4");
    assert_eq!(
        full.unwrap_err().to_string(),
        "no room is left for the upstream pair \"openai\", \"o4\": declare it before the registration, or raise \
         later_upstreams"
    );
    gateway.call("openai", "o4", 200);
    assert_eq!(gateway.requests("openai", "other", "2xx"), 3.0);
}

#[test]
fn what_cannot_be_declared_later_is_refused() {
    let gateway = gateway(|builder| builder);
    let metrics = &gateway.metrics;
    assert!(metrics.declare_upstream("p", "m\n").is_err());
    assert!(metrics.declare_provider("p\n", 0).is_err());
    let error = metrics.declare_provider("p", 65_537).unwrap_err();
    assert_eq!(
        error.to_string(),
        "bad open_models of 65537: it can be 65536 at most"
    );
    assert_eq!(gateway.models(), BTreeMap::new());
    for n in 0..64 {
        metrics.declare_provider(&format!("p{n}"), 1).unwrap();
    }
    let error = metrics.declare_provider("p64", 1).unwrap_err();
    assert!(
        error.to_string().contains("the provider \"p64\""),
        "{error}"
    );
    // No room was kept for their models: they take what the cap leaves.
    gateway.call("p63", "m", 200);
    assert_eq!(gateway.requests("p63", "m", "2xx"), 1.0);
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
