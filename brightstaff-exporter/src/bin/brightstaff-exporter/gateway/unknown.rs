//! What a client is told that names a model or an agent which leads nowhere.

use brightstaff_metrics_core::labels::{MAX_LABEL_BYTES, sanitize};

use super::error::Refusal;

/// How many providers are named at most.
const NAMED: usize = 5;

/// `listed`: whether `GET /v1/models` has anything to tell.
pub(super) fn model(name: &str, providers: &[&str], listed: bool) -> Refusal {
    let more = providers.len().saturating_sub(NAMED);
    let providers = &providers[..providers.len() - more];
    let mut fix = if providers.is_empty() {
        "no provider is configured, and agents are asked under /agents".to_owned()
    } else if sanitize(name) == name && !name.contains('/') {
        let full = providers
            .iter()
            .map(|provider| format!("{provider}/{name}"));
        format!("write {}", full.collect::<Vec<_>>().join(" or "))
    } else {
        // Repeating a name that may be long, or has a prefix already, would help nobody.
        let providers = providers.join(" or ");
        format!("write provider/model, where the provider is {providers}")
    };
    if more > 0 {
        fix += &format!(" or one of {more} more");
    }
    if listed {
        fix += ", or one of the models that GET /v1/models lists";
    }
    let name = shown(name);
    Refusal::model(format!("the model `{name}` is not known here: {fix}"))
}

/// A path of an API that none of these providers is the only one to speak.
pub(super) fn provider(path: &str, providers: &[&str]) -> Refusal {
    let named = providers.iter().take(NAMED);
    let named = named.map(|provider| format!("/{provider}{}", shown(path)));
    let named: Vec<_> = named.collect();
    let fault = if named.is_empty() {
        "no provider is configured, and agents are asked under /agents".to_owned()
    } else {
        let named = named.join(" or ");
        format!("which provider is meant is not clear: write its name before the path ({named})")
    };
    Refusal::request("unknown_provider", fault)
}

/// `listed`: whether `GET /agents/v1/models` has anything to tell.
pub(super) fn agent(name: &str, listed: bool) -> Refusal {
    let fix = if listed {
        "write as model one of the agents that GET /agents/v1/models lists"
    } else {
        "no agent is configured"
    };
    let name = shown(name);
    Refusal::model(format!("the agent `{name}` is not known here: {fix}"))
}

/// What is enough of a name for its sender to know it: names are as long as the sender likes.
fn shown(name: &str) -> String {
    let ends = name.char_indices().map(|(start, c)| start + c.len_utf8());
    match ends.take_while(|end| *end <= MAX_LABEL_BYTES).last() {
        Some(end) if end < name.len() => format!("{}...", &name[..end]),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn told(name: &str, providers: &[&str], listed: bool, expected: &str) {
        let refusal = model(name, providers, listed);
        assert_eq!(refusal.message(), expected);
    }

    #[test]
    fn the_providers_are_named() {
        told(
            "m",
            &["a", "b"],
            false,
            "the model `m` is not known here: write a/m or b/m",
        );
        told(
            "m",
            &["a", "b"],
            true,
            "the model `m` is not known here: write a/m or b/m, or one of the models that GET /v1/models lists",
        );
        told(
            "c/m",
            &["a", "b"],
            false,
            "the model `c/m` is not known here: write provider/model, where the provider is a or b",
        );
        told(
            "m",
            &[],
            false,
            "the model `m` is not known here: no provider is configured, and agents are asked under /agents",
        );
    }

    #[test]
    fn neither_names_nor_providers_are_without_bound() {
        let providers: Vec<_> = (0..1000).map(|n| n.to_string()).collect();
        let providers: Vec<_> = providers.iter().map(String::as_str).collect();
        told(
            "m",
            &providers,
            false,
            "the model `m` is not known here: write 0/m or 1/m or 2/m or 3/m or 4/m or one of 995 more",
        );
        let start = "ä".repeat(MAX_LABEL_BYTES / 2);
        told(
            &"ä".repeat(1 << 20),
            &["a", "b"],
            false,
            &format!(
                "the model `{start}...` is not known here: write provider/model, where the provider is a or b"
            ),
        );
        let refusal = agent(&"x".repeat(1 << 20), true);
        assert!(refusal.message().len() < 300, "{}", refusal.message().len());
    }
}
