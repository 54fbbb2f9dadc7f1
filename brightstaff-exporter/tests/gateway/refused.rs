//! Configurations with which it does not start.

use crate::support::{Serve, refused};

/// What the parser finds: each names its line and its key, and shows a right value where that is plain.
#[tokio::test]
async fn bad_toml_is_refused_with_its_key_in_one_line() {
    for (config, expected) in [
        (
            "connect_timeout = 1",
            r#"line 1: connect_timeout: invalid type: integer, expected a string: write for example connect_timeout = "10s""#,
        ),
        (
            "max_request_bytes = '32MiB'",
            r#"line 1: max_request_bytes: invalid type: string, expected a whole number: write for example max_request_bytes = 33554432"#,
        ),
        (
            "max_concurrent_streams = -1",
            "line 1: max_concurrent_streams: invalid value: integer, expected a whole number: write for example max_concurrent_streams = 128",
        ),
        (
            "max_connections = 'all'",
            r#"line 1: max_connections: invalid type: string, expected a whole number: write for example max_connections = 4096"#,
        ),
        (
            "\nmax_request_bytes = 32MiB",
            "line 2: max_request_bytes: string values must be quoted, expected literal string: write for example max_request_bytes = 33554432",
        ),
        (
            "= 2",
            "line 1: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`: write NAME = VALUE",
        ),
        (
            "[sessions]\ncapacity = -1",
            "line 2: sessions.capacity: invalid value: integer, expected a whole number: write for example capacity = 10000",
        ),
        (
            "[providers.p]\nurl = 'http://h'\npool_idle_timeout = 4",
            r#"line 3: providers.p.pool_idle_timeout: invalid type: integer, expected a string: write for example pool_idle_timeout = "4s""#,
        ),
        (
            "[metrics]\nnative_histograms = 1",
            "line 2: metrics.native_histograms: invalid type: integer, expected a boolean: write for example native_histograms = false",
        ),
        (
            "retry_reused = 'yes'",
            r#"line 1: retry_reused: invalid type: string, expected a boolean: write for example retry_reused = false"#,
        ),
        (
            "connect_timeout",
            r#"line 1: connect_timeout: key with no value, expected `=`: write for example connect_timeout = "10s""#,
        ),
        (
            "connect_timeout = '10'",
            r#"line 1: connect_timeout: is no duration: write for example 500ms, 30s, 5m or 1h"#,
        ),
        (
            "[providers.p]\nurl = 'http://h'\nurl = 'http://i'",
            "line 3: providers.p.url: duplicate key: remove or rename one of the two",
        ),
        (
            "p = { url = 'http://h', url = 'http://i' }",
            "line 1: duplicate key: remove or rename one of the two",
        ),
        (
            "[providers.p]\nurl = 'http://h'\n[providers.p]",
            "line 3: providers.p: duplicate key: remove or rename one of the two",
        ),
        (
            "[providers.p]",
            r#"line 1: providers.p: missing field `url`: write for example url = "https://api.openai.com/v1""#,
        ),
        (
            "[providers.p]\nurl = 'h'",
            r#"line 2: providers.p.url: is no URL: write https://host or https://host/base"#,
        ),
        (
            "[providers.p]\nurl = 'http://h'\nkey = 1",
            "line 3: providers.p: unknown field, expected one of `url`, `api`, `allow`, `api_key_env`, `models`, `open_models`, `include_usage`",
        ),
        (
            "[providers.p]\nurl = 'http://h'\nmodels = [\n'm',\n1,\n]",
            r#"line 5: providers.p.models: invalid type: integer, expected a string: write for example models = ["gpt-4o", "gpt-4o-mini", "text-embedding-3-small"]"#,
        ),
        (
            "[providers.p]\nurl = 'http://h'\nmodels = 'm'",
            r#"line 3: providers.p.models: invalid type: string, expected a list: write for example models = ["gpt-4o", "gpt-4o-mini", "text-embedding-3-small"]"#,
        ),
        (
            "[providers]\nurl = 'http://h'",
            r#"line 2: providers.url: invalid type: string, expected a table: write for example [providers.openai]"#,
        ),
        (
            "[[providers]]\nurl = 'http://h'",
            "line 1: providers: invalid type: sequence, expected a table: write for example [providers.openai]",
        ),
        (
            "[providers.p\nurl = 'http://h'",
            "line 1: providers.p: unclosed table, expected `]`: write for example [providers.openai]",
        ),
        (
            "[providers.p]\napi = 'x'\nurl = 'http://h'",
            r#"line 2: providers.p.api: unknown variant, expected one of `openai`, `anthropic`, `gemini`, `bedrock`, `azure`, `cohere`, `ollama`, `mistral`: write for example api = "anthropic""#,
        ),
        (
            "[providers.p]\nurl = 'http://h'\ninclude_usage = true",
            r#"line 3: providers.p.include_usage: is no longer true or false: write "shown" for what true was, or "hidden""#,
        ),
        (
            "include_usage = false",
            r#"line 1: include_usage: is no longer true or false: write "off" for what false was, or "hidden""#,
        ),
        (
            "include_usage = 'sk-secret'",
            r#"line 1: include_usage: unknown variant, expected one of `hidden`, `shown`, `off`: write for example include_usage = "hidden""#,
        ),
        (
            "include_usage = 1",
            r#"line 1: include_usage: invalid type: integer, expected one of `hidden`, `shown`, `off`: write for example include_usage = "hidden""#,
        ),
        (
            "[routes.r]\ncandidates = ['m']",
            r#"line 2: routes.r.candidates: is no candidate: write provider/model or agents/NAME"#,
        ),
        (
            "[providers.p]\napi_key_env = sk-secret",
            r#"line 2: providers.p.api_key_env: string values must be quoted, expected literal string: write for example api_key_env = "OPENAI_API_KEY""#,
        ),
        (
            "\"a\\nb\\u001b\" = 1",
            "line 1: unknown field, expected one of",
        ),
    ] {
        let (line, code) = refused(Serve::config(config)).await;
        let (file, fault) = line.split_once("gateway.toml: ").unwrap();
        assert!(
            file.starts_with("error: ") && fault.starts_with(expected),
            "{config:?}: {line}"
        );
        assert!(!line.contains("sk-secret"), "{line}");
        assert_eq!(code, 2, "{line}");
    }
}

#[tokio::test]
async fn bad_configurations_are_refused_in_one_line() {
    let p = "[providers.p]\nurl = 'http://h'\n";
    for (config, expected) in [
        ("", "providers: nothing to forward to"),
        (
            &format!("connect_timeout = '0s'\n{p}"),
            "connect_timeout: must be longer than 0",
        ),
        (
            &format!("request_body_timeout = '0s'\n{p}"),
            "request_body_timeout: must be longer than 0",
        ),
        (
            &format!("head_timeout = '0s'\n{p}"),
            "head_timeout: must be longer than 0",
        ),
        (
            &format!("idle_timeout = '0s'\n{p}"),
            "idle_timeout: must be longer than 0",
        ),
        (
            &format!("write_stall_timeout = '0s'\n{p}"),
            "write_stall_timeout: must be longer than 0",
        ),
        (
            &format!("max_connections = 0\n{p}"),
            "max_connections: must be more than 0",
        ),
        (
            &format!("max_concurrent_streams = 0\n{p}"),
            "max_concurrent_streams: must be more than 0",
        ),
        (
            &format!("max_request_bytes = 1000\nmax_buffered_bytes = 3455\n{p}"),
            "max_buffered_bytes: is too little for a request of max_request_bytes (1000) and its copy: \
             write at least 3456",
        ),
        (
            &format!("max_request_bytes = 268435456\n{p}"),
            "max_buffered_bytes: is too little",
        ),
        (
            &format!("sessions.capacity = 0\n{p}"),
            "sessions.capacity: must be more than 0",
        ),
        (
            &format!("metrics.classic_histograms = false\n{p}"),
            "metrics.classic_histograms: is false, which leaves none: write native_histograms = true",
        ),
        (
            &format!("stream_idle_timeout = '0s'\n{p}"),
            "stream_idle_timeout: must be longer than 0",
        ),
        (
            &format!("{p}stream_idle_timeout = '0s'"),
            "providers.p.stream_idle_timeout: must be longer than 0",
        ),
        (
            "[agents.a]\nurl = 'http://h'\nstream_idle_timeout = '0s'",
            "agents.a.stream_idle_timeout: must be longer than 0",
        ),
        (
            &format!("max_response_head_bytes = 100\n{p}"),
            "max_response_head_bytes: must be at least 8192",
        ),
        (
            &format!("max_response_head_bytes = 4294967296\n{p}"),
            "max_response_head_bytes: must be at most 4294967295",
        ),
        (
            &format!("upstream_cap = 65537\n{p}"),
            "upstream_cap: must be 65536 at most",
        ),
        (
            &format!("{p}open_models = 65537"),
            "providers.p.open_models: must be 65536 at most",
        ),
        (
            &format!("{p}api_key_env = 'UNSET_VARIABLE'"),
            "providers.p.api_key_env: the environment variable UNSET_VARIABLE is not set",
        ),
        (
            &format!("{p}api_key_env = 'sk-secret'"),
            "providers.p.api_key_env: must be the name",
        ),
        (
            &format!("{p}models = ['']"),
            "providers.p.models: entry 1 cannot be a label",
        ),
        (
            &format!("{p}[agents.p]\nurl = 'http://h'"),
            "agents.p: a provider has this name",
        ),
        (
            &format!("{p}[providers.'a/b']\nurl = 'http://h'"),
            "providers.a/b: no name may hold a slash",
        ),
        (
            &format!("{p}[routes.r]\ncandidates = []"),
            "routes.r.candidates: is empty",
        ),
        (
            &format!("{p}[routes.r]\ncandidates = ['q/m']"),
            "routes.r.candidates: entry 1 leads nowhere: add the [providers.NAME]",
        ),
        (
            &format!("{p}[routes.r]\ncandidates = ['p/m', 'p/m']"),
            "routes.r.candidates: entry 2 is there twice",
        ),
        (
            &format!("{p}models = ['r']\n[routes.r]\ncandidates = ['p/m']"),
            "routes.r: a model or an agent has this name",
        ),
    ] {
        let (line, code) = refused(Serve::config(config)).await;
        assert!(
            line.starts_with("error: ") && line.contains(expected),
            "{config:?}: {line}"
        );
        assert!(!line.contains("sk-secret"), "{line}");
        assert_eq!(code, 2, "{line}");
    }
    let (line, _) = refused(Serve::upstreams(&[("openai", "ftp://h")])).await;
    assert!(
        line.contains("--upstream openai: is neither http nor https"),
        "{line}"
    );
}

/// Nobody could tell the one from the other.
#[tokio::test]
async fn no_provider_has_the_name_that_paths_begin_with() {
    for name in [
        "v1", "v1beta", "v2", "api", "model", "models", "chat", "files", "rerank", "messages",
        "routing", "healthz", "readyz", "metrics",
    ] {
        let (line, code) = refused(Serve::upstreams(&[(name, "http://h")])).await;
        let told = format!("providers.{name}: paths of an API begin with this name: rename it");
        assert!(line.contains(&told), "{line}");
        assert_eq!(code, 2);
    }
    let azure = "[providers.openai]\nurl = 'https://h'\napi = 'azure'";
    let (line, _) = refused(Serve::config(azure)).await;
    assert!(line.contains("providers.openai: paths of an API"), "{line}");
    let (line, _) = refused(Serve::config(
        "[providers.p]\nurl = 'http://h'\nallow = ['POST v1/files']",
    ))
    .await;
    let told = "line 3: providers.p.allow: is no method and path: write \"POST /v1/files\"";
    assert!(line.contains(told), "{line}");
}
