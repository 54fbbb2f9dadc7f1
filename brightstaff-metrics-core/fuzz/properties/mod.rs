//! What must hold for any bytes. The fuzz targets look for a counterexample without end, the tests for a
//! moment.

use brightstaff_metrics_core::labels::UsageMissing;
use brightstaff_metrics_core::meter::{Facts, Meter};
use serde_json::Value;

mod encoding;
mod event_stream;
mod json;
mod sse;
mod values;

use encoding::encoding;
use event_stream::{event_stream, invoke};
use json::json;
use sse::{framing, sse_stray};
use values::values;

/// A fuzz target: its name, and its property.
type Target = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const TARGETS: [Target; 8] = [
    ("encoding", encoding),
    ("event_stream", event_stream),
    ("framing", framing),
    ("invoke", invoke),
    ("json", json),
    ("meter", meter),
    ("sse_stray", sse_stray),
    ("values", values),
];

/// Demands that the property of this target holds for these bytes.
pub(crate) fn hold(target: &str, bytes: &[u8]) {
    let found = TARGETS.iter().find(|(name, _)| *name == target);
    let (_, property) = found.unwrap_or_else(|| panic!("no target is called {target}"));
    property(bytes);
}

/// A value over several lines, which end so.
fn with_line_ends(value: &Value, end: &str) -> String {
    format!("{value:#}").replace('\n', end)
}

/// Any body under any header reads the same at any split, and never panics.
fn meter(bytes: &[u8]) {
    meter_split_by(bytes, bytes);
}

/// The same, at the splits that `seed` decides.
pub(crate) fn meter_split_by(bytes: &[u8], seed: &[u8]) {
    let types = [
        None,
        Some("application/json"),
        Some("text/event-stream"),
        Some("application/x-ndjson"),
        Some("application/vnd.amazon.eventstream"),
        Some("text/html"),
    ];
    let encodings = [
        None,
        None,
        Some("gzip"),
        Some("deflate"),
        Some("zstd"),
        Some("br"),
        Some("zstd, gzip"),
    ];
    let Some((&head, body)) = bytes.split_first() else {
        return;
    };
    let content_type = types[usize::from(head) % types.len()];
    let encoding = encodings[usize::from(head) / types.len() % encodings.len()];
    read(content_type, encoding, body, seed);
}

/// Reads a body whole, byte by byte, and at splits that `seed` decides; all must say the same. Damaged
/// brotli and zstd are the exception: what their decoders drop then depends on the split. So is a body that
/// is given up past a bound, one of which is per chunk.
fn read(content_type: Option<&str>, encoding: Option<&str>, body: &[u8], seed: &[u8]) -> Facts {
    let facts = |chunks: &mut dyn Iterator<Item = &[u8]>| {
        let mut meter = Meter::new(content_type, encoding);
        for chunk in chunks {
            meter.push(chunk);
            let facts = meter.facts();
            assert!(
                facts
                    .first_token_event
                    .is_none_or(|event| event < facts.events)
            );
        }
        meter.finish();
        let facts = meter.facts().clone();
        // None of these may panic, whatever the facts are.
        let _ = (
            facts.end(),
            facts.usage_missing(false),
            facts.usage_missing(true),
            facts.model.label(),
        );
        facts
    };
    let whole = facts(&mut [body].into_iter());
    let bytes = facts(&mut body.chunks(1));
    let mut rest = body;
    let mut seeds = seed.iter().chain(&[3]).cycle();
    let mut split = std::iter::from_fn(|| {
        let length = seeds.next().map_or(1, |&seed| usize::from(seed) + 1);
        let (chunk, behind) = rest.split_at(length.min(rest.len()));
        rest = behind;
        (!chunk.is_empty()).then_some(chunk)
    });
    let split = facts(&mut split);
    let unsupported = Some(UsageMissing::UnsupportedEncoding);
    let given_up = [&whole, &bytes, &split].map(|facts| facts.usage_missing(false));
    let bounded = encoding.is_some() && given_up.contains(&unsupported);
    if encoding.is_none_or(|name| name == "gzip" || name == "deflate") && !bounded {
        assert_eq!(whole, bytes);
        assert_eq!(whole, split);
    }
    whole
}
