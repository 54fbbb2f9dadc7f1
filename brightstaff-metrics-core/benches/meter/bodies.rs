//! The bodies of the bench: streams of events of one size, so that a frame is an event, whose text and numbers
//! vary as those of providers do.

/// A body, cut as it would come.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) chunk: usize,
}

impl Case {
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        self.body.chunks(self.chunk)
    }
}

/// The size of every event.
const EVENT: usize = 210;
/// Of the large frames, whose cost is one of bytes.
pub(crate) const BULK: usize = 64 << 10;
/// Events of a stream, and of one in large frames.
const FEW: usize = 500;
const MANY: usize = 5_000;

pub(crate) fn cases() -> Vec<Case> {
    let sse = "text/event-stream";
    let json = "application/json";
    let null = r#","usage":null"#;
    [
        ("sse_chat_210B", sse, chat(FEW, ""), EVENT),
        ("sse_chat_usage_null_210B", sse, chat(FEW, null), EVENT),
        ("sse_messages_210B", sse, messages(FEW), EVENT),
        ("sse_responses_210B", sse, responses(FEW), EVENT),
        ("sse_gemini_210B", sse, gemini(FEW), EVENT),
        (
            "ndjson_ollama_210B",
            "application/x-ndjson",
            ollama(FEW),
            EVENT,
        ),
        ("sse_chat_16B", sse, chat(FEW, ""), 16),
        ("sse_chat_1B", sse, chat(FEW, ""), 1),
        ("sse_chat_64KiB", sse, chat(MANY, ""), BULK),
        ("sse_messages_64KiB", sse, messages(MANY), BULK),
        ("sse_responses_64KiB", sse, responses(MANY), BULK),
        ("sse_gemini_64KiB", sse, gemini(MANY), BULK),
        ("json_100KiB", json, document(100 << 10), 100 << 10),
        ("embeddings_100KiB", json, embeddings(100 << 10), 100 << 10),
    ]
    .map(|(name, content_type, body, chunk)| Case {
        name,
        content_type,
        body,
        chunk,
    })
    .into()
}

const TEXT: &str =
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt.";

/// Events of one size: the text takes what the rest, of which each has its own, leaves.
fn events(count: usize, event: impl Fn(usize, &str) -> String, last: &str) -> Vec<u8> {
    let mut body = String::new();
    for at in 0..count {
        let room = EVENT - event(at, "").len();
        let text = &TEXT[at % 7..];
        let text = &text[..room.min(text.len())];
        body.push_str(&event(at, &format!("{text:room$}")));
    }
    body.push_str(last);
    body.into_bytes()
}

fn chat(count: usize, usage: &str) -> Vec<u8> {
    events(
        count,
        |_, text| {
            format!(
                "data: {{\"id\":\"chatcmpl-A1\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"gpt-t\",\
                 \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]{usage}}}\n\n"
            )
        },
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":500}}\n\ndata: [DONE]\n\n",
    )
}

fn messages(count: usize) -> Vec<u8> {
    events(
        count,
        |_, text| {
            format!(
                "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\
                 \"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}}}}\n\n"
            )
        },
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"input_tokens\":9,\"output_tokens\":500}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    )
}

fn responses(count: usize) -> Vec<u8> {
    events(
        count,
        |at, text| {
            // Padding, so that the lengths of the tokens do not show through encryption.
            let padding = &"aB3dE6gH9jK2mN5p"[at % 16..];
            format!(
                "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\
                 \"sequence_number\":{at},\"item_id\":\"msg_1\",\"delta\":\"{text}\",\"obfuscation\":\"{padding}\"}}\n\n"
            )
        },
        "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":9,\"output_tokens\":500}}}\n\n",
    )
}

/// Usage in every event.
fn gemini(count: usize) -> Vec<u8> {
    events(
        count,
        |at, text| {
            let (tokens, total) = (at + 1, at + 10);
            format!(
                "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"{text}\"}}],\"role\":\"model\"}}}}],\
                 \"usageMetadata\":{{\"promptTokenCount\":9,\"candidatesTokenCount\":{tokens},\"totalTokenCount\":{total}}}}}\n\n"
            )
        },
        "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n",
    )
}

fn ollama(count: usize) -> Vec<u8> {
    events(
        count,
        |at, text| {
            let nanos = 100_000_000 + at * 7_919;
            format!(
                "{{\"model\":\"llama3.2\",\"created_at\":\"2026-01-01T00:00:00.{nanos}Z\",\
                 \"message\":{{\"role\":\"assistant\",\"content\":\"{text}\"}},\"done\":false}}\n"
            )
        },
        "{\"model\":\"llama3.2\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"prompt_eval_count\":9,\"eval_count\":500}\n",
    )
}

fn document(bytes: usize) -> Vec<u8> {
    let text = "Lorem ipsum dolor sit \\\"amet\\\", consectetur\\n".repeat(bytes / 45);
    format!(
        r#"{{"object":"chat.completion","model":"gpt-t","choices":[{{"message":{{"content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,"completion_tokens":20000}}}}"#
    )
    .into_bytes()
}

fn embeddings(bytes: usize) -> Vec<u8> {
    let numbers = "-0.012345678,".repeat(bytes / 13);
    format!(
        r#"{{"object":"list","data":[{{"object":"embedding","embedding":[{numbers}0]}}],"model":"e","usage":{{"prompt_tokens":9}}}}"#
    )
    .into_bytes()
}
