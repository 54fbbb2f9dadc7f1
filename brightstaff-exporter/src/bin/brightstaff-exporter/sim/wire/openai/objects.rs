//! What OpenAI keeps: files, uploads, batches, vector stores, conversations, stored completions. Each is
//! made, listed, read, changed and deleted alike.

use serde_json::{Value, json};

use crate::sim::{
    script::{Frame, Script, media},
    wire::CREATED,
};

/// A kind of object, by the last word of its path: its name, and how its ids begin.
const KINDS: [(&str, &str, &str); 10] = [
    ("files", "file", "file-"),
    ("uploads", "upload", "upload_"),
    ("parts", "upload.part", "part_"),
    ("batches", "batch", "batch_"),
    ("vector_stores", "vector_store", "vs_"),
    ("file_batches", "vector_store.files_batch", "vsfb_"),
    ("conversations", "conversation", "conv_"),
    ("items", "message", "msg_"),
    ("completions", "chat.completion", "chatcmpl-"),
    ("responses", "response", "resp_"),
];

/// What follows an object's id and does something with it.
const DEEDS: [(&str, &str); 3] = [
    ("cancel", "cancelled"),
    ("complete", "completed"),
    ("content", ""),
];

pub(crate) fn answer(method: &str, path: &[&str]) -> Option<Script> {
    let path = match path {
        ["chat", path @ ..] => path,
        path => path,
    };
    let known = KINDS.iter().any(|(kind, _, _)| Some(kind) == path.first());
    if !known {
        return None;
    }
    match (method, path) {
        ("GET", ["files", _, "content"]) => {
            return Some(Script::of(media::BYTES, Frame::text("{\"simulated\":1}\n")));
        }
        ("GET", ["vector_stores", _, "files", _, "content"]) => {
            return Some(page(
                &[json!({"type": "text", "text": "Simulated."})],
                "vector_store.file_content.page",
            ));
        }
        ("POST", ["vector_stores", _, "search"]) => {
            let found = json!({"file_id": "file-simulated", "filename": "simulated.txt", "score": 0.9,
                "attributes": {}, "content": [{"type": "text", "text": "Simulated."}]});
            return Some(page(&[found], "vector_store.search_results.page"));
        }
        // What was given to a response, and the messages of a stored completion.
        ("GET", ["responses", _, "input_items"] | ["completions", _, "messages"]) => {
            return Some(page(
                &[object("items", "msg_simulated", "completed")?],
                "list",
            ));
        }
        _ => {}
    }
    let deed = |word: &str| DEEDS.iter().find(|(deed, _)| *deed == word);
    Some(match (method, path) {
        ("POST", [.., kind, id, word]) if deed(word).is_some() => {
            Script::document(&object(kind, id, deed(word)?.1)?)
        }
        ("GET", [.., kind]) if named(kind).is_some() => {
            let (_, _, prefix) = named(kind)?;
            page(
                &[object(kind, &format!("{prefix}simulated"), "completed")?],
                "list",
            )
        }
        ("POST", [.., "items"]) => page(&[object("items", "msg_simulated", "completed")?], "list"),
        ("POST", [.., kind]) if named(kind).is_some() => {
            let (_, _, prefix) = named(kind)?;
            Script::document(&object(kind, &format!("{prefix}simulated"), "completed")?)
        }
        ("DELETE", [.., kind, id]) => {
            let (_, name, _) = named(kind)?;
            Script::document(
                &json!({"id": id, "object": format!("{name}.deleted"), "deleted": true}),
            )
        }
        ("GET" | "POST", [.., kind, id]) => Script::document(&object(kind, id, "completed")?),
        _ => return None,
    })
}

fn named(kind: &str) -> Option<(&'static str, &'static str, &'static str)> {
    KINDS.into_iter().find(|(path, _, _)| *path == kind)
}

/// An object with the members of every kind that clients look for.
fn object(kind: &str, id: &str, status: &str) -> Option<Value> {
    let (_, name, _) = named(kind)?;
    let mut object =
        json!({"id": id, "object": name, "created_at": CREATED, "status": status, "metadata": {}});
    let more = match kind {
        "files" => {
            json!({"bytes": 16, "filename": "simulated.jsonl", "purpose": "batch", "status": "processed",
            "vector_store_id": "vs_simulated", "usage_bytes": 16, "last_error": null})
        }
        "uploads" => json!({"bytes": 16, "filename": "simulated.jsonl", "purpose": "batch",
            "expires_at": CREATED + 3600}),
        "parts" => json!({"upload_id": "upload_simulated"}),
        "batches" => json!({"endpoint": "/v1/chat/completions", "input_file_id": "file-simulated",
            "output_file_id": "file-simulated", "completion_window": "24h",
            "request_counts": {"total": 1, "completed": 1, "failed": 0}}),
        "vector_stores" | "file_batches" => json!({"name": "simulated", "usage_bytes": 16,
            "vector_store_id": "vs_simulated", "last_active_at": CREATED,
            "file_counts": {"in_progress": 0, "completed": 1, "failed": 0, "cancelled": 0, "total": 1}}),
        "items" => json!({"type": "message", "role": "user",
            "content": [{"type": "input_text", "text": "Simulated."}]}),
        "completions" => {
            json!({"created": CREATED, "model": "gpt-4o-2026-01-01", "choices": [{"index": 0,
            "message": {"role": "assistant", "content": "Simulated."}, "logprobs": null, "finish_reason": "stop"}]})
        }
        _ => json!({}),
    };
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    Some(object)
}

fn page(data: &[Value], object: &str) -> Script {
    let end = |at: Option<&Value>| at.map_or(Value::Null, |at| at["id"].clone());
    Script::document(&json!({"object": object, "data": data, "has_more": false,
        "first_id": end(data.first()), "last_id": end(data.last())}))
}
