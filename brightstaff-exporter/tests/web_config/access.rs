//! Passwords, tokens, headers and rates.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::support::{Folder, exporter, get, hash, serve, status};

fn basic(name: &str, password: &str) -> String {
    let pair = STANDARD.encode(format!("{name}:{password}"));
    format!("authorization: Basic {pair}\r\n")
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

#[tokio::test]
async fn only_the_right_password_lets_in_on_every_path() {
    let yaml = format!(
        "basic_auth_users:\n  alice: {}\n  007: {}\n",
        hash("secret"),
        hash("bond")
    );
    let files = Folder::new(&yaml);
    let address = serve(files.exporter().unwrap()).await;
    for path in ["/metrics", "/healthz", "/", "/elsewhere"] {
        let refused = get(address, path, "").await;
        assert_eq!(status(&refused), 401, "{path}");
        assert!(refused.contains("www-authenticate: Basic\r\n"), "{refused}");
        let found = if path == "/elsewhere" { 404 } else { 200 };
        // Twice: the second time it is remembered.
        for _ in 0..2 {
            let response = get(address, path, &basic("alice", "secret")).await;
            assert_eq!(status(&response), found, "{path}");
        }
    }
    for (name, password, expected) in [
        ("007", "bond", 200),
        ("alice", "bond", 401),
        ("alice", "", 401),
        ("bob", "secret", 401),
        ("", "", 401),
        ("alice", "secret", 200),
    ] {
        let response = get(address, "/metrics", &basic(name, password)).await;
        assert_eq!(status(&response), expected, "{name} {password}");
    }
    let response = get(address, "/metrics", &bearer("secret")).await;
    assert_eq!(status(&response), 401);
}

#[tokio::test]
async fn a_file_that_changes_is_read_again_and_a_broken_one_lets_nobody_in() {
    let alice = |password| format!("basic_auth_users: {{ alice: {} }}\n", hash(password));
    let folder = Folder::new(&alice("old"));
    let address = serve(folder.exporter().unwrap()).await;
    let ask = async |password| status(&get(address, "/metrics", &basic("alice", password)).await);
    assert_eq!((ask("old").await, ask("new").await), (200, 401));
    folder.write("web.yml", &alice("new"));
    assert_eq!((ask("old").await, ask("new").await), (401, 200));
    folder.write("web.yml", "basic_auth_user: {}\n");
    let response = get(address, "/metrics", &basic("alice", "new")).await;
    assert_eq!(status(&response), 500);
    assert!(!response.contains("basic_auth"), "{response}");
    folder.write("web.yml", &alice("new"));
    assert_eq!(ask("new").await, 200);
}

#[tokio::test]
async fn any_of_the_tokens_lets_in() {
    let address = serve(exporter().bearer_tokens(["first", "second"]).unwrap()).await;
    for (token, expected) in [
        ("first", 200),
        ("second", 200),
        ("third", 401),
        ("firs", 401),
    ] {
        let response = get(address, "/healthz", &bearer(token)).await;
        assert_eq!(status(&response), expected, "{token}");
    }
    let refused = get(address, "/metrics", "").await;
    assert_eq!(status(&refused), 401);
    assert!(
        refused.contains("www-authenticate: Bearer\r\n"),
        "{refused}"
    );
}

#[tokio::test]
async fn tokens_in_a_file_can_be_replaced() {
    let folder = Folder::new("");
    folder.write("tokens", "old\n\n  new\n");
    let exporter = exporter().bearer_token_file(folder.path("tokens")).unwrap();
    let address = serve(exporter).await;
    let ask = async |token| status(&get(address, "/metrics", &bearer(token)).await);
    assert_eq!((ask("old").await, ask("new").await), (200, 200));
    folder.write("tokens", "new\n");
    assert_eq!((ask("old").await, ask("new").await), (401, 200));
}

#[tokio::test]
async fn a_password_or_a_token_will_do_where_both_are_set() {
    let yaml = format!("basic_auth_users: {{ alice: {} }}", hash("secret"));
    let files = Folder::new(&yaml);
    let exporter = files.exporter().unwrap();
    let address = serve(exporter.bearer_tokens(["token"]).unwrap()).await;
    for (headers, expected) in [
        (basic("alice", "secret"), 200),
        (bearer("token"), 200),
        (bearer("secret"), 401),
        (String::new(), 401),
    ] {
        let response = get(address, "/metrics", &headers).await;
        assert_eq!(status(&response), expected, "{headers}");
    }
}

#[tokio::test]
async fn headers_are_set_and_take_the_place_of_the_pages_own() {
    let yaml = "http_server_config:\n  http2: false\n  headers:\n    X-Frame-Options: sameorigin\n    \
                X-XSS-Protection: 0\n    Content-Security-Policy: ''\n";
    let files = Folder::new(yaml);
    let address = serve(files.exporter().unwrap()).await;
    let metrics = get(address, "/metrics", "").await;
    assert!(
        metrics.contains("x-frame-options: sameorigin\r\n"),
        "{metrics}"
    );
    assert!(metrics.contains("x-xss-protection: 0\r\n"), "{metrics}");
    let page = get(address, "/", "").await;
    assert!(page.contains("x-frame-options: sameorigin\r\n"), "{page}");
    assert!(!page.contains("x-frame-options: deny"), "{page}");
    assert!(
        page.contains("content-security-policy: default-src 'none'"),
        "{page}"
    );
}

#[tokio::test]
async fn a_rate_is_kept() {
    let files = Folder::new("rate_limit: { interval: 1h, burst: 3 }");
    let address = serve(files.exporter().unwrap()).await;
    for expected in [200, 200, 200, 429, 429] {
        assert_eq!(status(&get(address, "/metrics", "").await), expected);
    }
    let yaml = "rate_limit:\n  interval: 0\n  burst: 1\n";
    let files = Folder::new(yaml);
    let address = serve(files.exporter().unwrap()).await;
    for _ in 0..5 {
        assert_eq!(status(&get(address, "/metrics", "").await), 200);
    }
}

#[tokio::test]
async fn metrics_alone_ask_who_comes_as_all_routes_do() {
    let exporter = exporter().bearer_tokens(["right"]).unwrap();
    let handler = exporter.metrics_handler();
    let with = |token: &str| [("authorization", format!("Bearer {token}").into_bytes())];
    for (headers, status) in [(with("right"), 200), (with("wrong"), 401)] {
        let headers = headers.iter().map(|(name, value)| (*name, &value[..]));
        assert_eq!(handler.respond(headers).await.status(), status);
    }
}
