//! What Gemini keeps: files, which are uploaded in two steps, caches and batches.

use serde_json::{Value, json};

use crate::sim::{
    script::{Frame, Script, media},
    wire::{Ask, CREATED_AT},
};

/// The first step is told where the bytes go, which are the second.
pub(super) fn upload(ask: &Ask) -> Script {
    if ask.query("upload_id").is_some() {
        let file = json!({"file": file("simulated")});
        return Script::document(&file).header("x-goog-upload-status", "final".to_owned());
    }
    let host = ask.host();
    let path = "gemini/upload/v1beta/files?upload_id=simulated&upload_protocol=resumable";
    Script::document(&json!({})).header("x-goog-upload-url", format!("http://{host}/{path}"))
}

pub(super) fn answer(ask: &Ask, method: &str, path: &[&str]) -> Option<Script> {
    Some(match (method, path) {
        ("GET", ["files"]) => Script::document(&json!({"files": [file("simulated")]})),
        ("GET", ["files", name]) if name.ends_with(":download") => {
            Script::of(media::BYTES, Frame::text("simulated"))
        }
        ("GET", ["files", name]) => Script::document(&file(name)),
        ("POST", ["cachedContents"]) => Script::document(&cache("simulated", ask)),
        ("GET", ["cachedContents"]) => {
            Script::document(&json!({"cachedContents": [cache("simulated", ask)]}))
        }
        ("GET" | "PATCH", ["cachedContents", name]) => Script::document(&cache(name, ask)),
        ("DELETE", ["files" | "cachedContents", _]) => Script::document(&json!({})),
        _ => return None,
    })
}

fn file(name: &str) -> Value {
    json!({"name": format!("files/{name}"), "mimeType": "text/plain", "sizeBytes": "9", "createTime": CREATED_AT,
        "uri": format!("https://simulated.invalid/v1beta/files/{name}"), "state": "ACTIVE"})
}

fn cache(name: &str, ask: &Ask) -> Value {
    let model = ask.body["model"]
        .as_str()
        .unwrap_or("models/gemini-2.5-flash");
    json!({"name": format!("cachedContents/{name}"), "model": model, "createTime": CREATED_AT,
        "expireTime": CREATED_AT, "usageMetadata": {"totalTokenCount": 25}})
}
