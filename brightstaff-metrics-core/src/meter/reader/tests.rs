//! What is passed over says what it would have said if it had been read.

use std::path::Path;

use crate::meter::json::without_shapes;
use crate::meter::{Facts, Meter};

/// A xorshift generator: the same on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

fn read(body: &[u8], mut len: impl FnMut() -> usize) -> Facts {
    let mut meter = Meter::new(Some("text/event-stream"), None);
    let mut rest = body;
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(len().clamp(1, rest.len()));
        meter.push(chunk);
        rest = behind;
    }
    meter.finish();
    meter.facts().clone()
}

/// The events of recorded and made-up streams, without the blank lines between.
fn streams() -> Vec<Vec<String>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut streams: Vec<Vec<String>> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "sse"))
        .map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).replace("\r\n", "\n"))
        .map(|body| body.split("\n\n").map(str::to_owned).collect())
        .collect();
    streams.sort();
    streams
}

/// An event that is like another: a digit, a letter or something else is different.
fn vary(event: &str, random: &mut Random) -> String {
    let mut varied = event.to_owned();
    for _ in 0..random.below(4) {
        let kind = random.below(6);
        let is_fit = |char: char| match kind {
            0 | 1 => char.is_ascii_digit(),
            2 | 3 => char.is_ascii_alphabetic(),
            4 => char == '"',
            _ => true,
        };
        let places: Vec<_> = varied
            .char_indices()
            .filter(|(_, char)| is_fit(*char))
            .collect();
        if places.is_empty() {
            continue;
        }
        let (at, char) = places[random.below(places.len())];
        let instead = match kind {
            0 | 1 => random.one_of(&["0", "1", "12", "", "5.5", "4294967296"]),
            2 | 3 => random.one_of(&[
                "a",
                "long text",
                "\\\"",
                "\\\\",
                "\\u00e4",
                "{",
                "\u{1F600}",
            ]),
            4 => random.one_of(&["\"\"", "\" ", " \"", "\"error\":{\"a\":1},\""]),
            _ => random.one_of(&["", " ", "\n", "\r", "\\", "\t", "}", "null", "\ndata: "]),
        };
        varied.replace_range(at..at + char.len_utf8(), instead);
    }
    varied
}

fn stream(events: &[String], random: &mut Random) -> Vec<u8> {
    let end = random.one_of(&["\n\n", "\n\n", "\r\n\r\n", "\r\r"]);
    let mut body = String::new();
    // In order, each several times over, and sometimes with another between.
    for event in events {
        for _ in 0..random.below(5) {
            let event = match random.below(8) {
                0 => &events[random.below(events.len())],
                _ => event,
            };
            let event = match random.below(3) {
                0 => event.clone(),
                _ => vary(event, random),
            };
            body.push_str(&event.replace('\n', &end[..end.len() / 2]));
            body.push_str(end);
        }
    }
    let mut body = body.into_bytes();
    body.truncate(body.len().saturating_sub(random.below(9)));
    body
}

#[test]
fn events_that_are_passed_over_say_nothing_else() {
    // More of them for a longer look.
    let rounds: u64 = std::env::var("ROUNDS").map_or(3, |rounds| rounds.parse().unwrap());
    let streams = streams();
    for round in 1..=rounds {
        for (number, events) in streams.iter().enumerate() {
            let mut random = Random(round << 32 | number as u64 | 1 << 60);
            let body = stream(events, &mut random);
            let expected = without_shapes(|| read(&body, || usize::MAX));
            let text = String::from_utf8_lossy(&body);
            for most in [usize::MAX, 1, 16, 300] {
                let facts = read(&body, || random.below(most.min(1 << 30)) + 1);
                assert_eq!(facts, expected, "{round} {number} by {most}: {text:?}");
            }
        }
    }
}

/// Members whose text or number may be news wherever it differs.
#[test]
fn news_in_a_known_shape_is_read() {
    let first = r#"data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#;
    let code = |code: &str| format!(r#"data: {{"id":"a","error_code":{code}}}"#);
    let usage =
        |more: &str| format!(r#"data: {{"choices":[],"usage":{{"prompt_tokens":5{more}}}}}"#);
    for (one, other) in [
        (code("\"ok\""), code("\"E42\"")),
        (code("0"), code("42")),
        (
            usage(r#","completion_tokens":7"#),
            usage(r#","completion_tokens":9"#),
        ),
        (
            usage(r#","completion_tokens":7"#),
            usage(r#","completion_tokens":0"#),
        ),
        (
            usage(r#","completion_tokens":7"#),
            usage(r#","completion_tokens":9.0"#),
        ),
        (
            usage(r#","completion_tokens":7"#),
            usage(r#","completion_tokens":9e9"#),
        ),
        (usage(r#","cost":0.5"#), usage(r#","cost":0.75"#)),
        (
            usage(r#","service_tier":"a""#),
            usage(r#","service_tier":"b""#),
        ),
        (r#"data: "[dane]""#.into(), r#"data: "[DONE]""#.into()),
    ] {
        let body = [first, first, &one, &one, &other, &other].join("\n\n") + "\n\n";
        let expected = without_shapes(|| read(body.as_bytes(), || usize::MAX));
        for len in [1, 16, usize::MAX] {
            let facts = read(body.as_bytes(), || len);
            assert_eq!(facts, expected, "{other} by {len}");
        }
    }
}
