//! Providers and pairs that are named once the gateway runs.

use std::collections::BTreeMap;

use crate::{answer, gateway};

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
