//! What a call costs, and what passes through it.

use super::{MEMORY, RATIO, TIME};
use crate::bench::row::{Row, Target::AtMost, Unit};

pub(super) static ROWS: &[Row] = &[
    Row {
        id: "call",
        what: "A call, handles resolved, start to end",
        floor: Some("call: call/floor"),
        peers: &[(
            "12 `with_label_values`",
            "call: call/twelve_with_label_values",
        )],
        ours: "call: call/start_to_end",
        targets: &[AtMost(150.0)],
        drawn: true,
        ..TIME
    },
    Row {
        id: "sse/chat",
        what: "A chat event of 210 B",
        floor: Some("meter: sse_chat_210B/floor"),
        peers: &[
            ("keep and parse", "meter: sse_chat_210B/keep_and_parse"),
            ("serde_json", "meter: sse_chat_210B/serde_json_each"),
        ],
        ours: "meter: sse_chat_210B/ours",
        targets: &[AtMost(25.0)],
        drawn: true,
        ..TIME
    },
    Row {
        id: "sse/chat-usage-null",
        what: "… with `\"usage\":null`",
        floor: Some("meter: sse_chat_usage_null_210B/floor"),
        peers: &[
            (
                "keep and parse",
                "meter: sse_chat_usage_null_210B/keep_and_parse",
            ),
            (
                "serde_json",
                "meter: sse_chat_usage_null_210B/serde_json_each",
            ),
        ],
        ours: "meter: sse_chat_usage_null_210B/ours",
        targets: &[AtMost(25.0)],
        ..TIME
    },
    Row {
        id: "sse/messages",
        what: "An event of Anthropic's Messages",
        floor: Some("meter: sse_messages_210B/floor"),
        peers: &[("serde_json", "meter: sse_messages_210B/serde_json_each")],
        ours: "meter: sse_messages_210B/ours",
        targets: &[AtMost(30.0)],
        drawn: true,
        ..TIME
    },
    Row {
        id: "sse/responses",
        what: "An event of OpenAI's Responses",
        floor: Some("meter: sse_responses_210B/floor"),
        peers: &[("serde_json", "meter: sse_responses_210B/serde_json_each")],
        ours: "meter: sse_responses_210B/ours",
        targets: &[AtMost(45.0)],
        drawn: true,
        ..TIME
    },
    Row {
        id: "sse/gemini",
        what: "An event of Gemini",
        floor: Some("meter: sse_gemini_210B/floor"),
        peers: &[("serde_json", "meter: sse_gemini_210B/serde_json_each")],
        ours: "meter: sse_gemini_210B/ours",
        targets: &[AtMost(60.0)],
        drawn: true,
        ..TIME
    },
    Row {
        id: "sse/16-bytes",
        what: "A frame of 16 B",
        floor: Some("meter: sse_chat_16B/floor"),
        peers: &[("keep and parse", "meter: sse_chat_16B/keep_and_parse")],
        ours: "meter: sse_chat_16B/ours",
        targets: &[AtMost(20.0)],
        ..TIME
    },
    Row {
        id: "sse/held",
        what: "Held by a call whose stream is under way, on the heap",
        ours: "scale: held by each of 10,000 streams",
        targets: &[AtMost(2_048.0)],
        ..MEMORY
    },
    Row {
        id: "bulk/chat",
        what: "Frames of 64 KiB: chat",
        floor: Some("meter: sse_chat_64KiB/floor"),
        peers: &[
            ("keep and parse", "meter: sse_chat_64KiB/keep_and_parse"),
            ("serde_json", "meter: sse_chat_64KiB/serde_json_each"),
        ],
        ours: "meter: sse_chat_64KiB/ours",
        targets: &[AtMost(1.0 / 12.0)],
        ..BULK
    },
    Row {
        id: "bulk/messages",
        what: "… Anthropic's Messages",
        floor: Some("meter: sse_messages_64KiB/floor"),
        peers: &[("serde_json", "meter: sse_messages_64KiB/serde_json_each")],
        ours: "meter: sse_messages_64KiB/ours",
        targets: &[AtMost(1.0 / 8.0)],
        ..BULK
    },
    Row {
        id: "bulk/responses",
        what: "… OpenAI's Responses",
        floor: Some("meter: sse_responses_64KiB/floor"),
        peers: &[("serde_json", "meter: sse_responses_64KiB/serde_json_each")],
        ours: "meter: sse_responses_64KiB/ours",
        targets: &[AtMost(1.0 / 8.0)],
        ..BULK
    },
    Row {
        id: "bulk/gemini",
        what: "… Gemini",
        floor: Some("meter: sse_gemini_64KiB/floor"),
        peers: &[("serde_json", "meter: sse_gemini_64KiB/serde_json_each")],
        ours: "meter: sse_gemini_64KiB/ours",
        targets: &[AtMost(1.0 / 4.0)],
        ..BULK
    },
    Row {
        id: "json",
        what: "100 KiB of JSON",
        floor: Some("json: json_100KiB/floor"),
        peers: &[("serde_json", "json: json_100KiB/serde_json")],
        ours: "json: json_100KiB/ours",
        // 15 µs for the whole.
        targets: &[AtMost(15_000.0 / 102_400.0)],
        ..BULK
    },
    Row {
        id: "stream/direct",
        what: "A server's processor time for a stream of 100 events, explicit call, beside bare",
        floor: Some("stream: direct/floor"),
        peers: &[("kept and parsed", "stream: direct/kept and parsed")],
        ours: "stream: direct/explicit call",
        targets: &[AtMost(1.12)],
        ..RATIO
    },
    Row {
        id: "stream/hop",
        what: "… of a gateway before a provider",
        floor: Some("stream: behind a hop/floor"),
        peers: &[("kept and parsed", "stream: behind a hop/kept and parsed")],
        ours: "stream: behind a hop/explicit call",
        targets: &[AtMost(1.02)],
        ..RATIO
    },
];

const BULK: Row = Row {
    unit: Unit::NanosPerByte,
    ..TIME
};
