//! What Anthropic keeps: message batches and files.

use serde_json::{Value, json};

use crate::sim::{
    script::{Frame, Script, media},
    wire::CREATED_AT,
};

const BATCH: &str = "msgbatch_simulated";
const FILE: &str = "file_simulated";

pub(super) fn answer(method: &str, path: &[&str]) -> Option<Script> {
    Some(match (method, path) {
        ("POST", ["messages", "batches"]) => Script::document(&batch(BATCH, "in_progress")),
        ("GET", ["messages", "batches"]) => page(&batch(BATCH, "ended")),
        ("GET", ["messages", "batches", id]) => Script::document(&batch(id, "ended")),
        ("POST", ["messages", "batches", id, "cancel"]) => {
            Script::document(&batch(id, "canceling"))
        }
        ("DELETE", ["messages", "batches", id]) => {
            Script::document(&json!({"id": id, "type": "message_batch_deleted"}))
        }
        ("GET", ["messages", "batches", _, "results"]) => {
            let result = json!({"custom_id": "simulated", "result": {"type": "canceled"}});
            Script::of("application/x-jsonl", Frame::line(&result))
        }
        ("POST", ["files"]) => Script::document(&file(FILE)),
        ("GET", ["files"]) => page(&file(FILE)),
        ("GET", ["files", id]) => Script::document(&file(id)),
        ("GET", ["files", _, "content"]) => Script::of(media::BYTES, Frame::text("simulated")),
        ("DELETE", ["files", id]) => Script::document(&json!({"id": id, "type": "file_deleted"})),
        _ => return None,
    })
}

fn batch(id: &str, status: &str) -> Value {
    json!({"id": id, "type": "message_batch", "processing_status": status, "created_at": CREATED_AT,
        "expires_at": CREATED_AT, "ended_at": CREATED_AT, "archived_at": null, "cancel_initiated_at": null,
        "request_counts": {"processing": 0, "succeeded": 0, "errored": 0, "canceled": 1, "expired": 0},
        "results_url": format!("/v1/messages/batches/{id}/results")})
}

fn file(id: &str) -> Value {
    json!({"id": id, "type": "file", "filename": "simulated.txt", "mime_type": "text/plain",
        "size_bytes": 9, "created_at": CREATED_AT, "downloadable": true})
}

fn page(one: &Value) -> Script {
    let id = &one["id"];
    Script::document(&json!({"data": [one], "has_more": false, "first_id": id, "last_id": id}))
}
