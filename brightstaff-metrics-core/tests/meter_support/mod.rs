//! What the meter's tests share: the fixtures, and ways to feed them.
// Not every test uses all of it; and the lint on lifetimes asks for what `impl Trait` cannot have yet.
#![allow(dead_code, unreachable_pub, single_use_lifetimes, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use brightstaff_metrics_core::meter::{Facts, Meter};

/// A response to read: a file in `tests/fixtures`, its extension the content type.
pub struct Fixture {
    /// Where it lies.
    pub path: PathBuf,
    /// What it is served as.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Fixture {
    /// The file's name.
    pub fn name(&self) -> &str {
        self.path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
    }

    /// What a meter says of the body, fed in these chunks.
    pub fn read<'a>(&self, chunks: impl IntoIterator<Item = &'a [u8]>) -> Facts {
        read(self.content_type, None, chunks)
    }
}

/// What a meter says of a body.
pub fn read<'a>(
    content_type: &str,
    encoding: Option<&str>,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Facts {
    let mut meter = Meter::new(Some(content_type), encoding);
    for chunk in chunks {
        meter.push(chunk);
    }
    meter.finish();
    meter.facts().clone()
}

/// All fixtures, by name.
pub fn fixtures() -> Vec<Fixture> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension != "facts")
        })
        .collect();
    paths.sort();
    paths.into_iter().map(fixture).collect()
}

fn fixture(path: PathBuf) -> Fixture {
    let bytes = std::fs::read(&path).unwrap();
    let (content_type, body) = match path.extension().and_then(|extension| extension.to_str()) {
        Some("sse") => ("text/event-stream; charset=utf-8", bytes),
        Some("ndjson") => ("application/x-ndjson", bytes),
        Some("b64") => ("application/vnd.amazon.eventstream", decode_base64(&bytes)),
        _ => ("application/json", bytes),
    };
    Fixture {
        path,
        content_type,
        body,
    }
}

/// Decodes base64 with line breaks in it.
pub fn decode_base64(text: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0_u32;
    let mut bytes = Vec::new();
    let sextets = text
        .iter()
        .filter_map(|byte| ALPHABET.iter().position(|known| known == byte));
    for (at, sextet) in sextets.enumerate() {
        bits = (bits << 6) | u32::try_from(sextet).unwrap();
        if at % 4 != 0 {
            bytes.push((bits >> (6 - 2 * (at % 4)) & 0xFF) as u8);
        }
    }
    bytes
}

/// A xorshift generator: the same on every run.
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// The body in chunks: some short, some long.
    pub fn split<'a>(&mut self, mut body: &'a [u8]) -> Vec<&'a [u8]> {
        let mut chunks = Vec::new();
        while !body.is_empty() {
            let longest = if self.next() & 1 == 0 { 8 } else { 700 };
            let length = usize::try_from(self.next() % longest).unwrap() + 1;
            let (chunk, rest) = body.split_at(body.len().min(length));
            chunks.push(chunk);
            body = rest;
        }
        chunks
    }
}
