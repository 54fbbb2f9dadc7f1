//! Every fixture, compressed in every way that is read, at any split; and what is not read.
#![cfg(feature = "compression")]
#![allow(clippy::unwrap_used)]

mod meter_support;

use std::io::Write as _;

use brightstaff_metrics_core::labels::UsageMissing;
use brightstaff_metrics_core::meter::{End, Meter};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use meter_support::{Random, fixtures, read};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// Two members, with every optional part of a header, and padding behind.
fn gzip_members(body: &[u8]) -> Vec<u8> {
    let (head, tail) = body.split_at(body.len() / 2);
    let mut encoder = flate2::GzBuilder::new()
        .filename("name")
        .comment("comment")
        .extra(vec![1, 2, 3])
        .write(Vec::new(), Compression::fast());
    encoder.write_all(head).unwrap();
    let mut bytes = encoder.finish().unwrap();
    bytes.extend(gzip(tail));
    bytes.extend([0; 9]);
    bytes
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn brotli(body: &[u8]) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    encoder.write_all(body).unwrap();
    encoder.into_inner()
}

/// A frame, a frame to skip, another frame.
fn zstd(body: &[u8]) -> Vec<u8> {
    let (head, tail) = body.split_at(body.len() / 3);
    let mut bytes = compress_to_vec(head, CompressionLevel::Fastest);
    bytes.extend([0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    bytes.extend(compress_to_vec(tail, CompressionLevel::Uncompressed));
    bytes
}

type Encode = fn(&[u8]) -> Vec<u8>;

const ENCODINGS: &[(&str, Encode)] = &[
    ("gzip", gzip),
    ("X-GZip", gzip_members),
    ("deflate", zlib),
    ("deflate", deflate),
    ("br", brotli),
    ("zstd", zstd),
    ("identity", <[u8]>::to_vec),
    ("deflate, GZIP", |body| gzip(&zlib(body))),
    ("br,identity , zstd", |body| zstd(&brotli(body))),
];

#[test]
fn encoded_fixtures_read_the_same() {
    let mut random = Random(0xB5_297A4D);
    for fixture in fixtures() {
        let plain = fixture.read([fixture.body.as_slice()]);
        for (name, encode) in ENCODINGS {
            let body = encode(&fixture.body);
            let read = |chunks: Vec<&[u8]>| read(fixture.content_type, Some(name), chunks);
            assert_eq!(plain, read(vec![&body]), "{} as {name}", fixture.name());
            assert_eq!(
                plain,
                read(body.chunks(1).collect()),
                "{} as {name} by byte",
                fixture.name()
            );
            assert_eq!(
                plain,
                read(random.split(&body)),
                "{} as {name} at random",
                fixture.name()
            );
        }
    }
}

/// A stream longer than any decoder's buffer, of text that does not repeat itself much.
fn long_stream(events: usize) -> Vec<u8> {
    let mut random = Random(0x0DDB_1A5E);
    let mut body = String::from("data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n");
    for _ in 0..events {
        let (word, another) = (random.next(), random.next());
        body += &format!(
            "data: {{\"choices\":[{{\"delta\":{{\"content\":\"{word:x} {another}\"}}}}]}}\n\n"
        );
    }
    body += "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":9}}\n\ndata: [DONE]\n\n";
    body.into_bytes()
}

#[test]
fn long_streams_read_the_same() {
    let body = long_stream(2500);
    let plain = read("text/event-stream", None, [body.as_slice()]);
    assert_eq!((plain.events, plain.usage.completion), (2503, Some(9)));
    for (name, encode) in ENCODINGS {
        let body = encode(&body);
        for chunk in [body.len(), 10_000, 97] {
            let facts = read("text/event-stream", Some(name), body.chunks(chunk));
            assert_eq!(plain, facts, "{name} by {chunk}");
        }
    }
}

#[test]
fn a_cut_stream_counts_as_far_as_it_came() {
    let body = long_stream(8_000);
    for (name, encode) in ENCODINGS {
        let mut encoded = encode(&body);
        encoded.truncate(encoded.len() / 10 * 9);
        let facts = read("text/event-stream", Some(name), encoded.chunks(1000));
        assert_eq!(facts.end(), End::Truncated, "{name}");
        assert!(facts.events > 2_000, "{name}: {} events", facts.events);
    }
}

#[test]
fn cut_or_damaged_encodings_say_no_more_than_was_there() {
    let mut random = Random(0x1B87_3593);
    for fixture in fixtures()
        .iter()
        .filter(|fixture| fixture.name().starts_with("anthropic"))
    {
        let plain = fixture.read([fixture.body.as_slice()]);
        for (name, encode) in ENCODINGS {
            let whole = encode(&fixture.body);
            for end in (0..whole.len()).step_by(7) {
                let facts = read(fixture.content_type, Some(name), [&whole[..end]]);
                assert!(
                    facts.events <= plain.events,
                    "{} as {name} cut at {end}",
                    fixture.name()
                );
            }
            for _ in 0..50 {
                let mut body = whole.clone();
                let at = usize::try_from(random.next()).unwrap() % body.len();
                body[at] ^= 1 << (random.next() % 8);
                let facts = read(fixture.content_type, Some(name), [body.as_slice()]);
                let bytes = read(fixture.content_type, Some(name), body.chunks(1));
                // On damage, a brotli decoder drops what it has not written out; how much depends on the split.
                if !name.contains("br") {
                    assert_eq!(facts, bytes, "{} as {name} damaged at {at}", fixture.name());
                }
            }
        }
    }
}

/// A decoder that holds text back makes instants of it wrong; one that does not must leave them.
#[test]
fn only_what_holds_back_is_not_timely() {
    let timely = |encoding| Meter::new(None, encoding).is_timely();
    for encoding in [
        None,
        Some("identity"),
        Some("gzip"),
        Some("deflate"),
        Some("br"),
        Some("deflate, br, gzip"),
        // Not read at all.
        Some("compress"),
    ] {
        assert!(timely(encoding), "{encoding:?}");
    }
    for encoding in ["zstd", "zstd, gzip", "gzip, zstd"] {
        assert!(!timely(Some(encoding)), "{encoding}");
    }
}

#[test]
fn what_is_not_read_is_told() {
    let missing = |encoding: &str, body: &[u8]| {
        let mut meter = Meter::new(Some("text/event-stream"), Some(encoding));
        meter.push(body);
        meter.finish();
        (meter.facts().end(), meter.facts().usage_missing(false))
    };
    let unsupported = (End::Complete, Some(UsageMissing::UnsupportedEncoding));
    for name in ["compress", "dcb", "gzip, wat", "gzip,gzip,gzip,gzip"] {
        assert_eq!(missing(name, b"data: {}\n\n"), unsupported, "{name}");
    }
    // A window of 2^24 bytes.
    let mut large_window = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 24);
    large_window.write_all(b"data: {}\n\n").unwrap();
    assert_eq!(missing("br", &large_window.into_inner()), unsupported);
    // A window of 2^24 bytes, and a dictionary.
    assert_eq!(
        missing("zstd", b"\x28\xB5\x2F\xFD\x00\x70\x01\x00\x00"),
        unsupported
    );
    assert_eq!(
        missing("zstd", b"\x28\xB5\x2F\xFD\x21\x07\x07\x01\x00\x00"),
        unsupported
    );
    let corrupt = Some(UsageMissing::Unparsable);
    for name in ["gzip", "deflate", "br", "zstd"] {
        assert_eq!(missing(name, &[0x11; 64]).1, corrupt, "{name}");
    }
}

/// Compresses a thousandfold, twice: 80 MB in a few hundred bytes.
#[test]
fn a_bomb_is_dropped_at_the_bound() {
    let bomb = gzip(&gzip(&vec![b' '; 80 << 20]));
    let mut meter = Meter::new(Some("application/json"), Some("gzip, gzip"));
    meter.push(&bomb);
    meter.finish();
    let missing = meter.facts().usage_missing(false);
    assert_eq!(missing, Some(UsageMissing::UnsupportedEncoding));
}
