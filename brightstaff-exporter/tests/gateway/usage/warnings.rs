//! Who is warned of, where streams end without their usage.

use super::{ASKED, BODY, CHAT, DECLINED, NOT_REPORTED, STREAM, provider, text};
use crate::support::{Serve, Upstream, eventually};

/// One that tells no usage, asked or not.
const SILENT: &str = r#"data: {"object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":"stop"}]}

data: [DONE]

"#;

#[tokio::test]
async fn a_provider_whose_streams_are_not_counted_is_warned_of_once() {
    let said = "a stream ended without its usage";
    let upstream = provider(SILENT, &[]).await;
    let (p, q) = (("p", &*upstream.url), ("q", &*upstream.url));
    for (option, body, why) in [
        ("hidden", STREAM, "asked for it in vain"),
        ("hidden", ASKED, "asked for it in vain"),
        ("hidden", DECLINED, "clients that leave it out are counted"),
        ("off", STREAM, "write include_usage = \"hidden\""),
    ] {
        let serve = Serve::upstreams(&[p, q]).arg("--include-usage");
        let gateway = serve.arg(option).start().await;
        for _ in 0..3 {
            text(&gateway, CHAT, body).await;
        }
        gateway.expect(NOT_REPORTED, 3.0).await;
        let line = gateway.logged(said).await;
        assert!(line.contains(why) && line.contains("upstream=p"), "{line}");
        let other = r#"{"model":"q/m","stream":true}"#;
        text(&gateway, CHAT, other).await;
        gateway.logged("upstream=q").await;
        let log = gateway.log();
        assert_eq!(log.matches(said).count(), 2, "{log}");
    }
}

#[tokio::test]
async fn nothing_is_warned_of_where_usage_came_or_nobody_owed_it() {
    let upstream = provider(BODY, &[]).await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    text(&gateway, CHAT, STREAM).await;
    text(&gateway, CHAT, ASKED).await;
    // No stream.
    text(&gateway, CHAT, r#"{"model":"m"}"#).await;
    gateway.expect("llm_upstream_in_flight", 0.0).await;
    assert!(!gateway.log().contains("usage"), "{}", gateway.log());
}

#[tokio::test]
async fn a_provider_that_refuses_the_question_is_warned_of() {
    let refusal =
        r#"{"error":{"message":"Unrecognized request argument supplied: stream_options"}}"#;
    let upstream = Upstream::json(400, refusal).await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    // Where the client asked, the refusal is its own.
    assert_eq!(text(&gateway, CHAT, ASKED).await, refusal);
    assert_eq!(text(&gateway, CHAT, STREAM).await, refusal);
    assert_eq!(text(&gateway, CHAT, STREAM).await, refusal);
    gateway.logged("write include_usage = \"off\"").await;
    let said = || gateway.log().matches("names stream_options").count();
    eventually("one warning", async || said() == 1).await;
}
