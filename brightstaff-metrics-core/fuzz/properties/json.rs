//! JSON, beside `serde_json`.

use serde_json::Value;

use super::read;

/// JSON is read as `serde_json` reads it: what stands beside the usage cannot change it, and what stands
/// in it counts.
pub(crate) fn json(bytes: &[u8]) {
    let rest = r#""model":"m","usage":{"prompt_tokens":7,"completion_tokens":3}}"#;
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        let body = [
            br#"{"object":"chat.completion","choices":"#,
            bytes,
            b",",
            rest.as_bytes(),
        ]
        .concat();
        read(Some("application/json"), None, &body, bytes);
        return;
    };
    for place in [
        r#""decoy":"#,
        r#""decoys":[[{"x":"#,
        r#""choices":[{"message":"#,
    ] {
        let close = place.chars().rev().filter_map(|open| match open {
            '{' => Some('}'),
            '[' => Some(']'),
            _ => None,
        });
        let close: String = close.collect();
        let head = [r#"{"object":"chat.completion","#, place].concat();
        let tail = [close.as_str(), ",", rest].concat();
        let body = [head.as_bytes(), bytes, tail.as_bytes()].concat();
        let facts = read(Some("application/json"), None, &body, bytes);
        assert_eq!(facts.model.as_str(), Some("m"));
        assert_eq!(
            (facts.usage.prompt, facts.usage.completion),
            (Some(7), Some(3))
        );
    }
    if let Value::Object(usage) = &value {
        let model = usage.get("model").and_then(Value::as_str).unwrap_or("m");
        let document =
            serde_json::json!({"object": "chat.completion", "model": model, "usage": usage});
        let bodies = [
            serde_json::to_vec(&document),
            serde_json::to_vec_pretty(&document),
        ];
        for body in bodies.into_iter().flatten() {
            let facts = read(Some("application/json"), None, &body, bytes);
            let given = (!model.is_empty() && model.len() <= 128).then_some(model);
            assert_eq!(facts.model.as_str(), given);
            let others = [
                "input_tokens",
                "inputTokens",
                "output_tokens",
                "outputTokens",
                "tokens",
                "billed_units",
            ];
            if usage
                .keys()
                .all(|key| !others.contains(&key.as_str()) && !key.contains("details"))
            {
                assert_eq!(facts.usage.prompt, count(usage.get("prompt_tokens")));
                if usage.get("reasoning_tokens").is_none() {
                    assert_eq!(
                        facts.usage.completion,
                        count(usage.get("completion_tokens"))
                    );
                }
            }
        }
    }
}

fn count(value: Option<&Value>) -> Option<u64> {
    let number = value?.as_number()?;
    let count = number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        (0.0..=9_007_199_254_740_992.0)
            .contains(&float)
            .then_some(float as u64)
    })?;
    (count <= 1 << 32).then_some(count)
}
