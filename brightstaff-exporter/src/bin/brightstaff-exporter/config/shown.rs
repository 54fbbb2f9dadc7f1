//! What an error may repeat of a configuration.
//!
//! Errors end in logs, and a key of a provider may stand anywhere: inside a URL, in place of a variable's
//! name, on a line of its own. So no value is ever repeated, and no key that is not one of ours. What is
//! left are names that the operator chose, which stand in the labels of metrics anyway; not even they are
//! where they look like the key of a provider.

use std::borrow::Cow;

/// Shows every key, and is checked by a test: whether a word is one of them, and what its value looks like.
const EXAMPLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/gateway.toml"));

/// The longest name that is repeated, in bytes: keys are longer, as a rule.
const MAX_NAME: usize = 40;

/// Tables whose tables the operator names.
const NAMED: [&str; 3] = ["providers", "agents", "routes"];

/// What providers' keys start with.
const KEYS: [&str; 14] = [
    "sk-", "sk_", "pk-", "pk_", "rk_", "gsk_", "xai-", "hf_", "ghp_", "akia", "asia", "aiza",
    "eyj", "bearer",
];

/// The name of a provider, an agent or a route, or `NAME` in place of what may be none.
pub(crate) fn name(name: &str) -> &str {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let plain = (1..=MAX_NAME).contains(&name.len()) && name.chars().all(fits);
    if plain && !is_key(name) { name } else { "NAME" }
}

/// A variable, where its name is written as such names are: anything else may be its value.
pub(crate) fn variable(name: &str) -> Cow<'static, str> {
    let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let plain = name.len() <= MAX_NAME && name.contains('_') && name.chars().all(fits);
    if plain && !is_key(name) {
        format!("the environment variable {name}").into()
    } else {
        "the environment variable of this name".into()
    }
}

/// So much of a path in a document as is known, or a name.
pub(super) fn path(path: &[String]) -> Vec<&str> {
    let mut shown = Vec::new();
    for (depth, word) in path.iter().enumerate() {
        let named = depth == 1 && shown.first().is_some_and(|table| NAMED.contains(table));
        if named {
            shown.push(name(word));
        } else if is_ours(word) {
            shown.push(word);
        } else {
            break;
        }
    }
    shown
}

/// The line of the example that shows this key, or this table.
pub(super) fn example(key: &str) -> Option<&'static str> {
    line(|line| line.strip_prefix(key)?.strip_prefix(" = "))
}

/// The line of the example that starts such a table.
pub(super) fn table(name: &str) -> Option<&'static str> {
    line(|line| {
        let rest = line.strip_prefix('[')?.strip_prefix(name)?;
        rest.starts_with(['.', ']']).then_some(rest)
    })
}

fn is_ours(word: &str) -> bool {
    !word.is_empty() && (example(word).is_some() || table(word).is_some())
}

/// The first line of the example that is like this. What is left out by default stands in a comment.
fn line(is: impl Fn(&'static str) -> Option<&'static str>) -> Option<&'static str> {
    let lines = EXAMPLE.lines();
    let mut lines = lines.map(|line| line.strip_prefix("# ").unwrap_or(line));
    lines.find(|line| is(line).is_some())
}

/// Whether this looks like the key of a provider: by its start, or as letters and digits at random do.
fn is_key(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let random = |run: &str| {
        let has = |kind: fn(&char) -> bool| run.chars().any(|c| kind(&c));
        let mixed = has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase);
        has(char::is_ascii_digit) && (mixed || run.len() >= 12 && has(char::is_ascii_alphabetic))
    };
    KEYS.iter().any(|start| lower.starts_with(start))
        || text.split(|c: char| !c.is_ascii_alphanumeric()).any(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_unless_they_look_like_keys() {
        for shown in [
            "openai",
            "p",
            "azure-eu-2",
            "vllm_1",
            "claude-sonnet-4-5-20250929",
            "a/b",
        ] {
            assert_eq!(name(shown), shown);
        }
        for hidden in [
            "",
            "sk-secret",
            "AKIAIOSFODNN7EXAMPLE",
            "https://me:secret@host",
            "a b",
            "a\nb",
            "0123456789abcdef",
            "aB3xQ9",
            "x".repeat(41).as_str(),
        ] {
            assert_eq!(name(hidden), "NAME", "{hidden}");
        }
    }

    #[test]
    fn variables_are_shown_where_they_can_be_nothing_else() {
        assert!(variable("OPENAI_API_KEY").ends_with("OPENAI_API_KEY"));
        for hidden in ["openai_key", "SECRET", "AKIAIOSFODNN7EXAMPLE", "sk_secret"] {
            assert!(!variable(hidden).contains(hidden), "{hidden}");
        }
    }

    #[test]
    fn the_example_shows_every_key() {
        for table in [
            "",
            "[sessions]\n",
            "[metrics]\n",
            "[otlp]\n",
            "[providers.p]\n",
            "[agents.a]\n",
            "[routes.r]\n",
        ] {
            let text = format!("{table}x = 1");
            let error = toml::from_str::<super::super::Config>(&text).unwrap_err();
            let keys = error.message().split('`').skip(3).step_by(2);
            let hidden: Vec<_> = keys.filter(|key| !is_ours(key)).collect();
            assert_eq!(hidden, [""; 0], "{table}");
        }
    }

    #[test]
    fn paths_end_where_they_are_not_ours() {
        let shown = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
            path(&words).join(".")
        };
        assert_eq!(shown(&["providers", "p", "url"]), "providers.p.url");
        assert_eq!(shown(&["providers", "sk-x", "url"]), "providers.NAME.url");
        assert_eq!(shown(&["providers", "p", "hunter"]), "providers.p");
        assert_eq!(shown(&["sessions", "ttl"]), "sessions.ttl");
        assert_eq!(shown(&["sessions", "hunter", "ttl"]), "sessions");
        assert_eq!(shown(&["hunter", "url"]), "");
        assert_eq!(shown(&["client_tokens_env"]), "client_tokens_env");
    }
}
