//! What the fuzz targets start from: every answer that is known, in the form that a target wants.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{TESTS, files};

/// A body, and what it is served as.
pub(super) struct Answer {
    kind: Kind,
    body: Vec<u8>,
}

/// Content types by their place in `types` of the properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json = 1,
    Sse = 2,
    Ndjson = 3,
    EventStream = 4,
    Html = 5,
}

/// How many content types the properties know, and the encodings by their place there.
const KINDS: u8 = 6;
const GZIP: u8 = 2;
const DEFLATE: u8 = 3;
const ZSTD: u8 = 4;

/// What a target makes of an answer.
pub(super) fn of(target: &str, answer: &Answer) -> Vec<Vec<u8>> {
    let Answer { kind, body } = answer;
    match target {
        "framing" if *kind == Kind::Sse => vec![body.clone()],
        "json" | "sse_stray" if *kind == Kind::Json => vec![body.clone()],
        // Errors come so, and only those count there.
        "sse_stray" => payloads(body),
        // Its messages are lines here, and get their envelopes there.
        "event_stream" => vec![body.clone()],
        "invoke" | "values" => vec![payloads(body).join(&b'\n')],
        "encoding" => encodings(*kind, body),
        "meter" => {
            let head = *kind as u8;
            let encoded = [
                (0, body.clone()),
                (GZIP, gzip(body)),
                (DEFLATE, zlib(body)),
                (ZSTD, zstd(body)),
            ];
            let with_head =
                |(encoding, body): (u8, Vec<u8>)| [vec![head + encoding * KINDS], body].concat();
            encoded.into_iter().map(with_head).collect()
        }
        _ => Vec::new(),
    }
}

/// The lines of a body that are JSON, without the names of their fields.
fn payloads(body: &[u8]) -> Vec<Vec<u8>> {
    body.split(|&byte| byte == b'\n' || byte == b'\r')
        .map(|line| line.strip_prefix(b"data:").unwrap_or(line).trim_ascii())
        .filter(|line| line.starts_with(b"{"))
        .map(<[u8]>::to_vec)
        .collect()
}

/// Behind two bytes that say how: bodies that are encoded there, and some that are encoded already.
fn encodings(kind: Kind, body: &[u8]) -> Vec<Vec<u8>> {
    let kind = match kind {
        Kind::Sse => 0,
        Kind::Ndjson => 1,
        Kind::EventStream => 3,
        Kind::Json | Kind::Html => 2,
    };
    let plain = (0..16).map(|stack| (64 + kind * 16 + stack, body.to_vec()));
    let encoded = [gzip(body), zlib(body), zstd(body), gzip(&gzip(body))];
    let encoded = [0, 1, 3, 4].into_iter().zip(encoded);
    let encoded = encoded.map(|(stack, body)| (kind * 16 + stack, body));
    plain
        .chain(encoded)
        .map(|(head, body)| [vec![head, 7], body].concat())
        .collect()
}

/// Every answer of at most this length that is known: the fixtures, and where they lie beside the workspace, the recorded answers
/// that the tests of the meter read as well.
pub(super) fn answers(max_len: usize) -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    directory(&Path::new(TESTS).join("fixtures"), &mut answers)?;
    let root = crate::workspace::root();
    if let Some(shared) = root
        .ancestors()
        .map(|up| up.join("shared"))
        .find(|path| path.is_dir())
    {
        for name in ["cases/meter", "corpus"] {
            let path = shared.join(name);
            if path.is_dir() {
                directory(&path, &mut answers)?;
            }
        }
    }
    answers.retain(|answer| answer.body.len() <= max_len);
    Ok(answers)
}

/// The answers in a directory: one a file, its type told by the name; or records, one a line.
fn directory(path: &Path, answers: &mut Vec<Answer>) -> Result<()> {
    for path in files(path)? {
        let kind = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Kind::Json,
            Some("sse") => Kind::Sse,
            Some("ndjson") => Kind::Ndjson,
            Some("b64") => Kind::EventStream,
            Some("html") => Kind::Html,
            Some("jsonl") => {
                records(&fs::read_to_string(&path)?, answers)
                    .with_context(|| path.display().to_string())?;
                continue;
            }
            _ => continue,
        };
        let mut body = fs::read(&path)?;
        if kind == Kind::EventStream {
            body.retain(|byte| !byte.is_ascii_whitespace());
            body = BASE64
                .decode(body)
                .with_context(|| path.display().to_string())?;
        }
        answers.push(Answer { kind, body });
    }
    Ok(())
}

fn records(lines: &str, answers: &mut Vec<Answer>) -> Result<()> {
    for line in lines.lines() {
        let record: serde_json::Value = serde_json::from_str(line)?;
        let body = record["body_b64"]
            .as_str()
            .context("a record without body_b64")?;
        let content_type = record["content_type"].as_str().unwrap_or_default();
        let kind = [
            ("json", Kind::Json),
            ("event-stream", Kind::Sse),
            ("ndjson", Kind::Ndjson),
            ("eventstream", Kind::EventStream),
        ];
        let kind = kind
            .into_iter()
            .find(|(part, _)| content_type.contains(part));
        answers.push(Answer {
            kind: kind.map_or(Kind::Html, |(_, kind)| kind),
            body: BASE64.decode(body)?,
        });
    }
    Ok(())
}

/// Gzip without compression: it is the frames around it that seeds are for.
fn gzip(body: &[u8]) -> Vec<u8> {
    let head = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];
    // Nobody verifies the check sum.
    [&head, stored(body).as_slice(), &[0; 8]].concat()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    [&[0x78, 0x01], stored(body).as_slice(), &[0; 4]].concat()
}

/// One stored block (RFC 1951, section 3.2.4).
fn stored(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len())
        .expect("seeds are short")
        .to_le_bytes();
    [&[1], length.as_slice(), &length.map(|byte| !byte), body].concat()
}

/// One raw block, the last, in a window of 1 MiB (RFC 8878, section 3.1.1.2).
fn zstd(body: &[u8]) -> Vec<u8> {
    let header = u32::try_from(body.len()).expect("seeds are short") << 3 | 1;
    let head = [0x28, 0xB5, 0x2F, 0xFD, 0, 10 << 3];
    [&head, &header.to_le_bytes()[..3], body].concat()
}
