//! How many models each provider may have, whatever the others do.

use crate::gateway;

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
