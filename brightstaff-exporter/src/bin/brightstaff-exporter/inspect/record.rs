use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

/// One recorded response of a corpus.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) status: u16,
    pub(super) content_type: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) body: Vec<u8>,
}

/// The same as it stands in the file, other fields aside.
#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default = "ok")]
    status: u16,
    content_type: Option<String>,
    content_encoding: Option<String>,
    body_b64: String,
}

fn ok() -> u16 {
    200
}

impl Record {
    pub(super) fn parse(line: &str) -> Result<Self> {
        let line: Line = serde_json::from_str(line)?;
        let body = STANDARD.decode(&line.body_b64).context("body_b64")?;
        Ok(Self {
            id: line.id,
            status: line.status,
            content_type: line.content_type,
            content_encoding: line.content_encoding,
            body,
        })
    }
}
