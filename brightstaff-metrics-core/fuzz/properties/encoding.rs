//! Content encodings, one around the other.

use std::slice::Chunks;

use allocation_counter::measure;
use brightstaff_metrics_core::meter::Meter;

use super::read;

const STACKS: [&[&str]; 16] = [
    &["gzip"],
    &["deflate"],
    &["br"],
    &["zstd"],
    &["gzip", "gzip"],
    &["deflate", "gzip"],
    &["gzip", "br"],
    &["br", "gzip"],
    &["zstd", "gzip"],
    &["gzip", "zstd"],
    &["br", "zstd"],
    &["zstd", "br"],
    &["deflate", "deflate", "deflate"],
    &["gzip", "br", "zstd"],
    &["zstd", "deflate", "br"],
    &["x-gzip", "identity", "gzip"],
];
const KINDS: [&str; 4] = [
    "text/event-stream",
    "application/x-ndjson",
    "application/json",
    "application/vnd.amazon.eventstream",
];

/// What may be decoded of any body, and beyond that for each byte of it.
const FREE_BYTES: u64 = 4 << 20;
const MAX_RATIO: u64 = 32;

/// Bytes that are no encoding do no harm: at any split, within the bounds on work and memory. Bytes that are
/// encoded here read as they do without.
pub(crate) fn encoding(bytes: &[u8]) {
    let [head, shape, body @ ..] = bytes else {
        return;
    };
    let stack = STACKS[usize::from(head % 16)];
    let kind = KINDS[usize::from(head / 16 % 4)];
    let names = stack.join(", ");
    if head / 64 % 2 == 0 {
        read(Some(kind), Some(&names), body, bytes);
        bounded(kind, stack, body);
        return;
    }
    let encoded = stack.iter().fold(body.to_vec(), |plain, name| {
        encode(name, &plain, usize::from(*shape))
    });
    let facts = read(Some(kind), Some(&names), &encoded, bytes);
    assert_eq!(facts, read(Some(kind), None, body, bytes));
    bounded(kind, stack, &encoded);
    // What was cut off is not made up.
    let cut = &encoded[..encoded.len() - encoded.len().min(usize::from(*shape))];
    let cut = read(Some(kind), Some(&names), cut, bytes);
    // A last event that nothing closes may have been whole where it was cut.
    assert!(cut.events <= facts.events + 1);
}

fn bounded(kind: &str, stack: &[&str], body: &[u8]) {
    let names = stack.join(", ");
    let mut events = 0;
    let heap = measure(|| {
        let mut meter = Meter::new(Some(kind), Some(&names));
        meter.push(body);
        meter.finish();
        events = meter.facts().events;
    });
    // No event is shorter than two bytes.
    let decoded = FREE_BYTES + MAX_RATIO * body.len() as u64;
    assert!(events <= decoded / 2, "{events} events");
    let most: u64 = stack.iter().map(|name| heap_of(name)).sum();
    assert!(
        heap.bytes_max <= most,
        "{} bytes on the heap for {names}",
        heap.bytes_max
    );
}

/// What a decoder may hold: its window, and its tables.
fn heap_of(name: &str) -> u64 {
    match name {
        // A window of 4 MiB, and as much again of room behind it.
        "br" => 9 << 20,
        // A window of 8 MiB, in a buffer that doubles; a block, and what it decodes to.
        "zstd" => 17 << 20,
        _ => 64 << 10,
    }
}

/// Encodes without compressing: `shape` says in pieces of which length.
fn encode(name: &str, plain: &[u8], shape: usize) -> Vec<u8> {
    let pieces = plain.chunks(1 + shape * 29);
    match name {
        "gzip" | "x-gzip" => {
            let mut body = Vec::new();
            // A member each, with every optional part of a header in some of them.
            for (at, piece) in pieces.enumerate() {
                let optional: &[u8] = match (shape + at) % 3 {
                    0 => b"\x1E\0\0\0\0\0\xFF\x02\0xyname\0comment\0cc",
                    _ => b"\0\0\0\0\0\0\xFF",
                };
                body.extend(b"\x1F\x8B\x08");
                body.extend(optional);
                body.extend(stored(&[piece]));
                body.extend([0; 8]);
            }
            body
        }
        "deflate" if shape.is_multiple_of(2) => {
            let adler = pieces
                .clone()
                .flatten()
                .fold((1, 0), |(a, b): (u32, u32), &byte| {
                    let a = (a + u32::from(byte)) % 65521;
                    (a, (a + b) % 65521)
                });
            let check = (adler.1 << 16 | adler.0).to_be_bytes();
            let blocks = stored(&pieces.collect::<Vec<_>>());
            [&[0x78, 0x01], blocks.as_slice(), &check].concat()
        }
        "deflate" => stored(&pieces.collect::<Vec<_>>()),
        "br" => brotli(pieces),
        "zstd" => zstd(pieces),
        _ => plain.to_vec(),
    }
}

/// Stored blocks (RFC 1951, section 3.2.4).
fn stored(pieces: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let length = u16::try_from(piece.len()).unwrap_or(u16::MAX);
        body.push(u8::from(at + 1 == pieces.len()));
        body.extend(length.to_le_bytes());
        body.extend((!length).to_le_bytes());
        body.extend(*piece);
    }
    if pieces.is_empty() {
        body.extend([1, 0, 0, 0xFF, 0xFF]);
    }
    body
}

/// Uncompressed meta-blocks (RFC 7932, section 9.2) in a window of 64 KiB, and an empty one at the end. Only
/// the first stands behind the bit of the window.
fn brotli(pieces: Chunks<'_, u8>) -> Vec<u8> {
    let mut body = Vec::new();
    for piece in pieces {
        let length = u32::try_from(piece.len() - 1).unwrap_or(0);
        let header = length << 3 | 1 << 19;
        let header = if body.is_empty() { header << 1 } else { header };
        body.extend(&header.to_le_bytes()[..3]);
        body.extend(piece);
    }
    body.push(if body.is_empty() { 6 } else { 3 });
    body
}

/// A frame each (RFC 8878, section 3.1.1): a raw block in a window of 1 MiB, and one of a single repeated byte
/// where that is all there is; a frame to skip between them.
fn zstd(pieces: Chunks<'_, u8>) -> Vec<u8> {
    let mut body = Vec::new();
    for piece in pieces {
        let repeated = piece.iter().all(|byte| *byte == piece[0]);
        let size = u32::try_from(piece.len()).unwrap_or(0);
        let header = size << 3 | u32::from(repeated) << 1 | 1;
        body.extend([0x28, 0xB5, 0x2F, 0xFD, 0, 10 << 3]);
        body.extend(&header.to_le_bytes()[..3]);
        body.extend(if repeated { &piece[..1] } else { piece });
        body.extend([0x5A, 0x2A, 0x4D, 0x18, 1, 0, 0, 0, 9]);
    }
    body
}
