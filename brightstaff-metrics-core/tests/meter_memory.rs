//! What the meter retains, counted by the allocator: nothing on the heap but a decompressor's window and the text
//! of an event or two, within a limit, and the rest in place, within 4 KiB, whatever passes.
#![allow(clippy::unwrap_used)]

use allocation_counter::measure;
use brightstaff_metrics_core::meter::Meter;

/// Answers as large as the largest that are known; smaller where the code is not optimised.
const LARGE: usize = if cfg!(debug_assertions) {
    4 << 20
} else {
    100 << 20
};

#[test]
fn a_meter_is_small() {
    assert!(size_of::<Meter>() <= 4096, "{} bytes", size_of::<Meter>());
}

/// All that is held of a stream whose events come by pieces: the meter, its shape, and the event at hand.
#[test]
fn little_is_held_of_a_stream() {
    let event = format!(
        "data: {{\"object\":\"chat.completion.chunk\",\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n",
        "text ".repeat(24)
    );
    for (event, most) in [
        (event.clone(), event.len() as u64 + 256),
        // The longest that are remembered, and longer ones.
        (event.replace("text ", &"x".repeat(24)), 1 << 11),
        (event.replace("text ", &"x".repeat(38)), 1 << 11),
        (event.replace("text ", &"x".repeat(100)), 1 << 11),
    ] {
        let most = (most + size_of::<Meter>() as u64).min(4096);
        let body = event.repeat(100);
        for chunk in [1, 16, event.len(), 10 * event.len()] {
            let info = measure(|| {
                let mut meter = Meter::new(Some("text/event-stream"), None);
                for chunk in body.as_bytes().chunks(chunk) {
                    meter.push(chunk);
                }
                assert_eq!(meter.facts().events, 100);
            });
            let held = info.bytes_max + size_of::<Meter>() as u64;
            let len = event.len();
            assert!(held <= most, "{held} bytes of {len} by {chunk}");
        }
    }
}

#[test]
fn a_meter_moves_between_threads() {
    fn moves<T: Send + std::fmt::Debug + 'static>() {}
    moves::<Meter>();
}

/// Feeds `head`, `size` bytes of `part`, `tail`; what the heap held at most, and the completion tokens.
fn feed(content_type: &str, head: &str, part: &str, tail: &str) -> (u64, Option<u64>) {
    let part = part.repeat((64 << 10) / part.len());
    let mut tokens = None;
    let info = measure(|| {
        let mut meter = Meter::new(Some(content_type), None);
        meter.push(head.as_bytes());
        for _ in 0..LARGE / part.len() {
            meter.push(part.as_bytes());
        }
        meter.push(tail.as_bytes());
        meter.finish();
        tokens = meter.facts().usage.completion;
    });
    (info.bytes_max, tokens)
}

#[test]
fn nothing_is_kept_of_a_giant_event() {
    let head = "data: {\"type\":\"response.completed\",\"response\":{\"output\":[{\"text\":\"";
    let tail = "\"}],\"usage\":{\"input_tokens\":1,\"output_tokens\":77}}}\n\n";
    assert_eq!(
        feed("text/event-stream", head, r#"text \"usage\": "#, tail),
        (0, Some(77))
    );
}

#[test]
fn nothing_is_kept_of_a_giant_document() {
    let head = "{\"choices\":[{\"message\":{\"content\":\"";
    let tail = "\"}}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":77}}";
    assert_eq!(
        feed("application/json", head, r"\u00fc text ", tail),
        (0, Some(77))
    );
}

#[test]
fn nothing_is_kept_of_what_never_ends() {
    for (content_type, head, part) in [
        ("text/event-stream", "data: ", "x"),
        ("text/event-stream", "", "data"),
        ("text/event-stream", "event: ", "e"),
        ("text/event-stream", "data: ", "[{\"choices\":"),
        ("text/event-stream", "data: {\"model\":\"", "m"),
        ("text/event-stream", "data: {\"", "\\u0061"),
        (
            "text/event-stream",
            "data: {\"usage\":{\"prompt_tokens\":",
            "9",
        ),
        ("application/json", "", "["),
        ("application/json", "[", "{\"candidates\":[]},"),
        ("application/x-ndjson", "", "{}\n"),
        (
            "application/vnd.amazon.eventstream",
            "\u{1}\0\0\0\0\0\0\0",
            "x",
        ),
    ] {
        let (heap, _) = feed(content_type, head, part, "");
        // The one framing that is too large to have a place in every meter.
        let boxed = u64::from(content_type.ends_with("eventstream")) * 512;
        assert!(heap <= boxed, "{heap} bytes for {head}{part}...");
    }
}

#[cfg(feature = "compression")]
#[test]
fn decompressors_keep_their_windows_and_no_more() {
    use std::io::Write as _;

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    // As much as is decoded of what compresses so well.
    gzip.write_all(&vec![b' '; LARGE.min(4 << 20)]).unwrap();
    let body = gzip.finish().unwrap();
    let info = measure(|| {
        let mut meter = Meter::new(Some("application/json"), Some("gzip"));
        body.chunks(1000).for_each(|chunk| meter.push(chunk));
        meter.finish();
    });
    assert!(info.bytes_max < 64 << 10, "{} bytes", info.bytes_max);
}
