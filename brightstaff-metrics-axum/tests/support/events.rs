//! What a provider streams.

use bytes::Bytes;

/// 100 events of 210 bytes and what follows them.
pub(crate) fn events() -> impl Iterator<Item = Bytes> {
    const EVENT: &str = concat!(
        r#"data: {"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk","#,
        r#""created":1741569952,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"#,
        r#""content":" instants"},"finish_reason":null}]}"#,
        "\n\n"
    );
    const END: &str = concat!(
        r#"data: {"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk","#,
        r#""created":1741569952,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{},"#,
        r#""finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":100,"total_tokens":109}}"#,
        "\n\ndata: [DONE]\n\n"
    );
    let events = std::iter::repeat_n(EVENT, 100).chain([END]);
    events.map(|event| Bytes::from_static(event.as_bytes()))
}
