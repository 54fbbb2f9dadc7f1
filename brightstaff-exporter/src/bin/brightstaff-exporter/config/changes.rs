//! What changes where a configuration takes the place of another one in a gateway that runs.

use std::{collections::BTreeMap, fmt};

use super::{Config, shown};

/// From when on the new value of a key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// The next request.
    Now,
    /// The next start.
    Restart,
}

type Key = (&'static str, From, fn(&Config, &Config) -> bool);

macro_rules! keys {
    ($($from:ident: $($name:literal $($field:ident).+),+;)+) => {
        [$($(($name, From::$from, |a, b| a.$($field).+ != b.$($field).+)),+),+]
    };
}

/// Every key outside of the tables that the operator names.
const KEYS: [Key; 33] = keys! {
    Now:
        "connect_timeout" connect_timeout,
        "response_header_timeout" response_header_timeout,
        "stream_idle_timeout" stream_idle_timeout,
        "pool_idle_timeout" pool_idle_timeout,
        "websocket_idle_timeout" websocket_idle_timeout,
        "retry_reused" retry_reused,
        "max_response_head_bytes" max_response_head_bytes,
        "max_request_bytes" max_request_bytes,
        "request_body_timeout" request_body_timeout,
        "max_buffered_bytes" max_buffered_bytes,
        "client_tokens_env" client_tokens_env,
        "client_tokens_file" client_tokens_file,
        "cors_origins" cors_origins,
        "allowed_hosts" allowed_hosts,
        "include_usage" include_usage,
        "sessions.session_header" sessions.session_header,
        "sessions.tenant_header" sessions.tenant_header;
    Restart:
        "max_connections" max_connections,
        "max_concurrent_streams" max_concurrent_streams,
        "head_timeout" head_timeout,
        "idle_timeout" idle_timeout,
        "write_stall_timeout" write_stall_timeout,
        "upstream_cap" upstream_cap,
        "sessions.store" sessions.store,
        "sessions.ttl" sessions.ttl,
        "sessions.capacity" sessions.capacity,
        "sessions.url" sessions.url,
        "sessions.url_env" sessions.url_env,
        "sessions.key_prefix" sessions.key_prefix,
        "sessions.connect_timeout" sessions.connect_timeout,
        "sessions.operation_timeout" sessions.operation_timeout,
        "metrics" metrics,
        "otlp" otlp;
};

impl Config {
    /// What is otherwise than before and counts at once, in one line.
    pub(crate) fn changes_since(&self, before: &Self) -> String {
        let mut told = Vec::new();
        differences("providers", &before.providers, &self.providers, &mut told);
        differences("agents", &before.agents, &self.agents, &mut told);
        differences("routes", &before.routes, &self.routes, &mut told);
        let keys: Vec<_> = self.differing(before, From::Now).collect();
        if !keys.is_empty() {
            told.push(format!("other values of {}", keys.join(", ")));
        }
        if told.is_empty() {
            return "nothing has changed".to_owned();
        }
        told.join("; ")
    }

    /// The keys whose values count from the next start on, and are otherwise than in what the gateway was started with.
    pub(crate) fn wants_restart(&self, started: &Self) -> Vec<String> {
        let keys = self.differing(started, From::Restart);
        let mut keys: Vec<_> = keys.map(str::to_owned).collect();
        for (name, provider) in &self.providers {
            let before = started.providers.get(name);
            if before.is_some_and(|before| before.open_models() != provider.open_models()) {
                keys.push(format!("providers.{}.open_models", shown::name(name)));
            }
        }
        keys
    }

    fn differing(&self, other: &Self, from: From) -> impl Iterator<Item = &'static str> {
        let keys = KEYS.iter().filter(move |key| key.1 == from);
        keys.filter(move |(_, _, differ)| differ(self, other))
            .map(|(name, ..)| *name)
    }
}

fn differences<T: PartialEq>(
    table: impl fmt::Display,
    before: &BTreeMap<String, T>,
    now: &BTreeMap<String, T>,
    told: &mut Vec<String>,
) {
    let of = |names: &mut dyn Iterator<Item = &String>| {
        let names: Vec<_> = names.map(|name| shown::name(name)).collect();
        names.join(", ")
    };
    let added = of(&mut now.keys().filter(|name| !before.contains_key(*name)));
    let removed = of(&mut before.keys().filter(|name| !now.contains_key(*name)));
    let changed = now.iter();
    let changed = changed.filter(|(name, new)| before.get(*name).is_some_and(|old| old != *new));
    let changed = of(&mut changed.map(|(name, _)| name));
    for (names, how) in [(added, "added"), (removed, "removed"), (changed, "changed")] {
        if !names.is_empty() {
            told.push(format!("{table} {how}: {names}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::from_toml(text).unwrap()
    }

    /// A key that is in neither list would change, or not, without a word.
    #[test]
    fn every_key_is_listed() {
        for (table, prefix) in [("", ""), ("[sessions]\n", "sessions.")] {
            let error = toml::from_str::<Config>(&format!("{table}x = 1")).unwrap_err();
            let keys = error.message().split('`').skip(3).step_by(2);
            let tables = ["providers", "agents", "routes", "sessions"];
            for key in keys.filter(|key| !tables.contains(key)) {
                let key = format!("{prefix}{key}");
                assert!(KEYS.iter().any(|(name, ..)| *name == key), "{key}");
            }
        }
    }

    #[test]
    fn what_changes_is_told_by_name() {
        let one = "[providers.p]\nurl = 'http://p'\n[providers.q]\nurl = 'http://q'
                   [routes.r]\ncandidates = ['p/m']";
        let two = "max_request_bytes = 1000\nmax_connections = 7\nsessions.ttl = '1s'
                   [providers.p]\nurl = 'http://p'\nmodels = ['m']\n[providers.s]\nurl = 'http://s'
                   [metrics]\ncreated_samples = true
                   [otlp]\ninterval = '1s'
                   [agents.a]\nurl = 'http://a'\n[routes.r]\ncandidates = ['p/m', 's/m']";
        let (one, two) = (config(one), config(two));
        assert_eq!(
            two.changes_since(&one),
            "providers added: s; providers removed: q; providers changed: p; agents added: a; \
             routes changed: r; other values of max_request_bytes"
        );
        assert_eq!(
            two.wants_restart(&one),
            [
                "max_connections",
                "sessions.ttl",
                "metrics",
                "otlp",
                "providers.p.open_models"
            ]
        );
        assert_eq!(one.changes_since(&one.clone()), "nothing has changed");
        assert_eq!(one.wants_restart(&one), [""; 0]);
    }
}
