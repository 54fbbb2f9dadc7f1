//! What cannot be, told in one line.

use crate::support::{Folder, exporter};

/// What is said of this file, without its path.
fn fault(yaml: &str) -> String {
    let folder = Folder::new(yaml);
    let error = folder.exporter().unwrap_err();
    let text = error.to_string();
    assert_eq!(text, format!("{error:?}"));
    assert_eq!(text.lines().count(), 1, "{text}");
    let path = format!("{}: ", folder.path("web.yml").display());
    text.strip_prefix(&path)
        .expect(&text)
        .replace(&*folder.path("").to_string_lossy(), "/")
}

#[test]
fn each_fault_names_its_key_and_the_fix() {
    for (yaml, expected) in [
        (
            "tls: {}",
            "tls: no such key: remove it, or write one of tls_server_config, http_server_config, basic_auth_users, rate_limit",
        ),
        (
            "- a",
            "no mapping: write KEY: VALUE on lines of their own, indented",
        ),
        (
            "rate_limit: 5",
            "rate_limit: no mapping: write KEY: VALUE on lines of their own, indented",
        ),
        (
            "rate_limit: { interval: 1s }",
            "rate_limit.burst: write how many requests may come at once: 1 or more",
        ),
        (
            "rate_limit: { interval: 1s, burst: 0 }",
            "rate_limit.burst: write how many requests may come at once: 1 or more",
        ),
        (
            "rate_limit: { interval: 1d, burst: 1 }",
            r#"rate_limit.interval: "1d" is no time: write one such as 1s, 500ms or 1m30s"#,
        ),
        (
            "rate_limit: { burst: 1 }",
            "rate_limit.interval: missing: write the time between two requests, such as 1s",
        ),
        (
            "rate_limit: {}\nrate_limit: {}",
            "line 2, column 1: no sound YAML: duplicated key in mapping",
        ),
        (
            "rate_limit: {}\n---\nrate_limit: {}",
            "more than one document: remove the line ---",
        ),
        (
            "basic_auth_users: { alice: hunter2 }",
            "basic_auth_users.alice: no bcrypt hash: write what `htpasswd -nBC 10 NAME` prints after the colon",
        ),
        (
            "basic_auth_users: { alice: }",
            "basic_auth_users.alice: no bcrypt hash: write what `htpasswd -nBC 10 NAME` prints after the colon",
        ),
        (
            "basic_auth_users: { alice: [hunter2] }",
            "basic_auth_users.alice: no text: write one value, in quotes",
        ),
        (
            "http_server_config: { http2: true }",
            "http_server_config.http2: only HTTP/1 is spoken here: write false, or remove the key",
        ),
        (
            "http_server_config: { http2: maybe }",
            "http_server_config.http2: write true or false",
        ),
        (
            "http_server_config: { headers: { X-Frame-Options: allow } }",
            r#"http_server_config.headers.X-Frame-Options: "allow" does not exist: write deny or sameorigin"#,
        ),
        (
            "tls_server_config: { cert_file: x }",
            "tls_server_config.cert_file: /x: there is no such file: create it, or name another",
        ),
        (
            "tls_server_config: { cert: x }",
            "tls_server_config.key_file: missing: TLS needs cert_file and key_file",
        ),
        (
            "tls_server_config: { min_version: TLS12 }",
            "tls_server_config.cert_file: missing: TLS needs cert_file and key_file",
        ),
        (
            "tls_server_config: { cert: x, cert_file: x }",
            "tls_server_config.cert_file: stands beside what it would hold: remove one of the two",
        ),
        (
            "tls_server_config: { cert: x, key: x }",
            "tls_server_config.cert: holds no certificate: a line -----BEGIN CERTIFICATE----- is needed",
        ),
        (
            "tls_server_config: { cert: x, key: x, min_version: TLS10 }",
            "tls_server_config.min_version: rustls speaks none older than 1.2: write TLS12",
        ),
        (
            "tls_server_config: { cert: x, key: x, max_version: SSL3 }",
            r#"tls_server_config.max_version: "SSL3" does not exist: write TLS12 or TLS13"#,
        ),
        (
            "tls_server_config: { cert: x, key: x, min_version: TLS13, max_version: TLS12 }",
            "tls_server_config.min_version: above max_version: no version is left",
        ),
        (
            "tls_server_config: { cert: x, key: x, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA] }",
            "tls_server_config.cipher_suites: rustls has no \"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA\": remove it, or write one of TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        ),
        (
            "tls_server_config: { cert: x, key: x, curve_preferences: [CurveP521] }",
            r#"tls_server_config.curve_preferences: rustls has no "CurveP521": remove it, or write one of X25519, CurveP256, CurveP384"#,
        ),
        (
            "tls_server_config: { cert: x, key: x, client_auth_type: Always }",
            "tls_server_config.client_auth_type: \"Always\" does not exist: write RequireAndVerifyClientCert, VerifyClientCertIfGiven, RequireAnyClientCert, RequestClientCert or NoClientCert",
        ),
        (
            "tls_server_config: { cert: x, key: x, client_auth_type: RequireAndVerifyClientCert }",
            "tls_server_config.client_ca_file: missing: RequireAndVerifyClientCert needs the CA that signs clients' certificates",
        ),
        (
            "tls_server_config: { cert: x, key: x, client_ca: x }",
            "tls_server_config.client_ca: has no effect with client_auth_type NoClientCert: write RequireAndVerifyClientCert there",
        ),
        (
            "tls_server_config: { cert: x, key: x, client_allowed_sans: [a] }",
            "tls_server_config.client_allowed_sans: keeps nobody out who shows no certificate, which client_auth_type NoClientCert allows: write RequireAndVerifyClientCert there",
        ),
    ] {
        assert_eq!(fault(yaml), expected, "{yaml}");
        assert!(!fault(yaml).contains("hunter2"));
    }
    let unknown = fault("http_server_config: { headers: { Server: x } }");
    assert!(
        unknown.starts_with("http_server_config.headers.Server: not a header that can be set"),
        "{unknown}"
    );
    let syntax = fault("basic_auth_users:\n  alice: 'hunter2\n");
    assert!(syntax.starts_with("line "), "{syntax}");
    assert!(!syntax.contains("hunter2"), "{syntax}");
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let error = exporter().web_config("/nowhere/web.yml").unwrap_err();
    assert_eq!(
        error.to_string(),
        "/nowhere/web.yml: there is no such file: create it, or name another"
    );
}

#[test]
fn tokens_are_told_without_showing_them() {
    for (tokens, expected) in [
        (&[][..], "no bearer token: write one, or several"),
        (
            &["fine", ""][..],
            "bearer token 2: not sendable in a header: write visible ASCII without blanks",
        ),
        (
            &["hunter 2"][..],
            "bearer token 1: not sendable in a header: write visible ASCII without blanks",
        ),
    ] {
        let error = exporter()
            .bearer_tokens(tokens.iter().copied())
            .unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn what_says_nothing_keeps_nobody_out() {
    for yaml in [
        "",
        "# a comment",
        "tls_server_config:\nbasic_auth_users:\nrate_limit: {}\n",
        "~",
    ] {
        assert!(Folder::new(yaml).exporter().is_ok(), "{yaml}");
    }
}
