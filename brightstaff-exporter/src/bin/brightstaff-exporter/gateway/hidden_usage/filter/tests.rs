//! A stream that was asked for its usage and filtered is, byte for byte, the stream that was not asked.
//!
//! Streams are written once, with what is only there since usage was asked for between `«` and `»`.

mod shapes;

use proptest::prelude::*;

use self::shapes::SHAPES;
use super::*;
use crate::gateway::hidden_usage::scan::MAX_HELD;

/// The stream that was asked for its usage.
fn asked(shape: &str) -> String {
    shape.replace(['«', '»'], "")
}

/// The same without what is only there for that.
fn unasked(shape: &str) -> String {
    let mut parts = shape.split(['«', '»']);
    let mut text = String::new();
    while let Some(kept) = parts.next() {
        text += kept;
        parts.next();
    }
    text
}

/// What passes of chunks, and how much of it before the stream's end.
fn filtered(chunks: impl IntoIterator<Item = impl AsRef<[u8]>>) -> (Vec<u8>, usize) {
    let mut filter = Filter::default();
    let mut passed = Vec::new();
    for chunk in chunks {
        passed.extend_from_slice(&filter.push(&Bytes::copy_from_slice(chunk.as_ref())));
    }
    let before = passed.len();
    passed.extend_from_slice(&filter.finish());
    assert!(!filter.holds());
    (passed, before)
}

#[track_caller]
fn check(what: &str, chunks: impl IntoIterator<Item = impl AsRef<[u8]>>, expected: &str) {
    let (passed, _) = filtered(chunks);
    assert_eq!(String::from_utf8(passed).unwrap(), expected, "{what}");
}

#[test]
fn every_shape_is_as_if_it_had_not_been_asked_at_any_split() {
    for (name, shape) in SHAPES {
        let (asked, expected) = (asked(shape), unasked(shape));
        let bytes = asked.as_bytes();
        check(name, [bytes], &expected);
        for split in 0..=bytes.len() {
            let (one, two) = bytes.split_at(split);
            check(&format!("{name} at {split}"), [one, two], &expected);
        }
        for size in 1..40 {
            let what = format!("{name} by {size}");
            check(&what, bytes.chunks(size), &expected);
        }
        // What was not asked is left as it is: nothing in it is there for that.
        let unasked = unasked(shape);
        if !unasked.contains("\"choices\":[],\"usage\":{") {
            check(name, unasked.as_bytes().chunks(7), &expected);
        }
    }
}

#[test]
fn whole_chunks_pass_as_they_are_and_at_once() {
    let chunk = Bytes::from_static(
        b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\n",
    );
    let mut filter = Filter::default();
    let passed = filter.push(&chunk);
    assert_eq!(passed, chunk);
    assert_eq!(passed.as_ptr(), chunk.as_ptr());
    // The beginning of an event, too: nobody waits for its end.
    let begin = chunk.slice(..30);
    assert_eq!(filter.push(&begin), begin);
    assert!(!filter.holds());
    // But for a member that may have to go.
    assert_eq!(
        filter.push(&Bytes::from_static(br#""a"}],"usa"#)),
        r#""a"}]"#
    );
    assert_eq!(filter.push(&Bytes::from_static(br#"ge":null"#)), "");
    assert_eq!(filter.push(&Bytes::from_static(br#","b":1"#)), "");
    assert_eq!(filter.push(&Bytes::from_static(b"}\n")), "");
    assert_eq!(filter.push(&Bytes::from_static(b"\n")), ",\"b\":1}\n\n");
}

#[test]
fn events_behind_a_finish_reason_pass_when_they_are_whole() {
    let mut filter = Filter::default();
    let finish = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    assert_eq!(filter.push(&finish.into()), finish);
    assert_eq!(filter.push(&"data: [DO".into()), "");
    assert_eq!(filter.push(&"NE]\n".into()), "");
    assert_eq!(filter.push(&"\ndata: x".into()), "data: [DONE]\n\n");
    assert_eq!(filter.finish(), "data: x");
}

#[test]
fn events_that_are_too_long_pass_as_they_are() {
    let finish = r#"data: {"choices":[{"finish_reason":"stop"}]}"#;
    let long = |len: usize| {
        let usage = r#"{"choices":[],"usage":{"prompt_tokens":8},"x":""#;
        let more = len - "data: ".len() - usage.len() - "\"}\n\n".len();
        let more = "x".repeat(more);
        format!("data: {usage}{more}\"}}\n\n")
    };
    for (len, hidden) in [(MAX_HELD, true), (MAX_HELD + 1, false)] {
        let event = long(len);
        assert_eq!(event.len(), len);
        let stream = format!("{finish}\n\n{event}data: [DONE]\n\n");
        let expected = match hidden {
            true => format!("{finish}\n\ndata: [DONE]\n\n"),
            false => stream.clone(),
        };
        let mut most = 0;
        let mut filter = Filter::default();
        let mut passed = Vec::new();
        for chunk in stream.as_bytes().chunks(1000) {
            passed.extend_from_slice(&filter.push(&Bytes::copy_from_slice(chunk)));
            most = most.max(filter.buffer.len());
        }
        passed.extend_from_slice(&filter.finish());
        assert!(passed == expected.as_bytes(), "{len}");
        assert!(most <= MAX_HELD, "{most} were held");
        check("in one piece", [stream.as_bytes()], &expected);
    }
    // As do members whose event goes on for longer.
    let member = r#"data: {"choices":[],"usage":null,"x":""#;
    let stream = format!("{member}{}\"}}\n\n", "x".repeat(MAX_HELD));
    check("in one piece", [stream.as_bytes()], &stream);
    check("in many", stream.as_bytes().chunks(999), &stream);
}

#[test]
fn chunks_need_no_memory_of_their_own() {
    let null = Bytes::from_static(
        b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":null}],\"usage\":null}\n\n",
    );
    let plain = Bytes::from_static(b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n");
    let mut filter = Filter::default();
    drop((filter.push(&null), filter.push(&plain)));
    let allocated = allocation_counter::measure(|| {
        for _ in 0..1000 {
            drop(filter.push(&null));
            drop(filter.push(&plain));
        }
    });
    assert_eq!(allocated.count_total, 0);
}

/// How a provider writes its JSON and its lines.
#[derive(Clone, Debug)]
struct Style {
    line_end: &'static str,
    colon: &'static str,
    comma: &'static str,
    /// Where among the members usage stands.
    place: usize,
    event: bool,
}

fn style() -> impl Strategy<Value = Style> {
    let line_end = prop::sample::select(&["\n", "\r\n", "\r"][..]);
    let space = || prop::sample::select(&["", " ", " \t "][..]);
    (line_end, space(), space(), 0..5_usize, any::<bool>()).prop_map(
        |(line_end, colon, comma, place, event)| Style {
            line_end,
            colon,
            comma,
            place,
            event,
        },
    )
}

/// What is like that which is looked for.
const WORDS: [&str; 9] = [
    "a",
    " ",
    "\"usage\":null",
    ",\"usage\": null}",
    "{}[],",
    "\"finish_reason\":\"stop\"",
    "\\",
    "\n\ndata: [DONE]\n\n",
    "ü",
];

/// Texts of it.
fn content() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&WORDS[..]), 0..6).prop_map(|words| words.concat())
}

impl Style {
    fn event(&self, members: &[(&str, String)], usage: Option<&str>) -> String {
        let mut members: Vec<_> = members
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        if let Some(usage) = usage {
            members.insert(self.place.min(members.len()), ("usage", usage));
        }
        let Self {
            line_end,
            colon,
            comma,
            ..
        } = self;
        let members: Vec<_> = members
            .into_iter()
            .map(|(name, value)| format!("\"{name}\"{colon}:{colon}{value}"))
            .collect();
        let members = members.join(&format!(",{comma}"));
        let name = match self.event {
            true => format!("event: {{\"a\",\"usage\":null}}{line_end}"),
            false => String::new(),
        };
        format!("{name}data: {{{members}}}{line_end}{line_end}")
    }

    /// The stream that was asked, and the one that was not.
    fn streams(&self, contents: &[String], nested: &str) -> (String, String) {
        let choice = |content: &str, finish: &str| {
            let content = serde_json::Value::from(content);
            format!(r#"[{{"delta":{{"content":{content}}},"finish_reason":{finish}{nested}}}]"#)
        };
        let (mut asked, mut unasked) = (String::new(), String::new());
        let last = choice("", "\"stop\"");
        let choices = contents.iter().map(|content| choice(content, "null"));
        for choices in choices.chain([last]) {
            let members = [
                ("id", "\"1\"".to_owned()),
                ("choices", choices),
                ("x", "{\"usage\":null}".to_owned()),
            ];
            asked += &self.event(&members, Some("null"));
            unasked += &self.event(&members, None);
        }
        let usage = r#"{"prompt_tokens":1,"completion_tokens":2}"#;
        let members = [("id", "\"1\"".to_owned()), ("choices", "[]".to_owned())];
        asked += &self.event(&members, Some(usage));
        let done = format!("data: [DONE]{0}{0}", self.line_end);
        (asked + &done, unasked + &done)
    }
}

proptest! {
    #[test]
    fn any_stream_is_as_if_it_had_not_been_asked(
        style in style(),
        contents in prop::collection::vec(content(), 0..6),
        nested in prop::sample::select(&["", r#","usage":null"#, r#","a":[{"usage":null}]"#][..]),
        sizes in prop::collection::vec(1..60_usize, 1..40),
    ) {
        let (asked, unasked) = style.streams(&contents, nested);
        let mut rest = asked.as_bytes();
        let chunks = sizes.iter().cycle().map_while(move |size| {
            let (chunk, behind) = rest.split_at((*size).min(rest.len()));
            rest = behind;
            (!chunk.is_empty()).then_some(chunk)
        });
        let (passed, before_end) = filtered(chunks);
        prop_assert_eq!(before_end, passed.len(), "nothing waits for the end");
        prop_assert_eq!(String::from_utf8(passed).unwrap(), unasked);
    }

    #[test]
    fn whatever_comes_passes_the_same_at_any_split(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40),
        size in 1..20_usize,
    ) {
        let stream = pieces.concat();
        let (whole, _) = filtered([stream.as_bytes()]);
        let (split, _) = filtered(stream.as_bytes().chunks(size));
        prop_assert_eq!(String::from_utf8_lossy(&whole), String::from_utf8_lossy(&split));
    }
}

/// What streams are made of, in no order.
const PIECES: [&str; 24] = [
    "data: ",
    "data:",
    "data",
    ":",
    "event: x",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\r\r",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "\\",
    "null",
    "\"usage\"",
    "\"usage\":null",
    ",\"usage\":null}",
    "\"choices\":[]",
    "\"finish_reason\":\"stop\"",
    "data: {\"choices\":[],\"usage\":{}}\n\n",
];
