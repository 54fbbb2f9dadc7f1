//! Mistral's files.

use serde_json::{Value, json};

use crate::sim::{
    script::{Frame, Script, media},
    wire::CREATED,
};

/// Mistral's ids are of this kind.
const ID: &str = "00000000-0000-4000-8000-000000000000";

pub(super) fn answer(method: &str, path: &[&str]) -> Option<Script> {
    Some(match (method, path) {
        ("POST", ["files"]) => Script::document(&file(ID)),
        ("GET", ["files"]) => {
            Script::document(&json!({"object": "list", "data": [file(ID)], "total": 1}))
        }
        ("GET", ["files", id]) => Script::document(&file(id)),
        ("GET", ["files", _, "content"]) => Script::of(media::BYTES, Frame::text("simulated")),
        ("GET", ["files", id, "url"]) => {
            Script::document(&json!({"url": format!("https://simulated.invalid/{id}")}))
        }
        ("DELETE", ["files", id]) => {
            Script::document(&json!({"id": id, "object": "file", "deleted": true}))
        }
        _ => return None,
    })
}

fn file(id: &str) -> Value {
    json!({"id": id, "object": "file", "bytes": 9, "created_at": CREATED, "filename": "simulated.jsonl",
        "purpose": "batch", "sample_type": "batch_request", "source": "upload", "deleted": false,
        "num_lines": 1, "mimetype": "text/plain", "signature": "simulated"})
}
