//! The words that the meter looks for: libFuzzer cannot guess them through a hash table.

use std::{collections::BTreeSet, fs};

use anyhow::Result;

use super::files;

const METER: &str = "brightstaff-metrics-core/src/meter";

/// What frames events, and values that decide.
const FRAMING: &[&str] = &[
    r"data: ",
    r"event: ",
    r"error: ",
    r"id: ",
    r"retry: ",
    r": ",
    r"[DONE]",
    r"\x0a",
    r"\x0d",
    r"\x0d\x0a",
    r"\x0a\x0a",
    r"\xef\xbb\xbf",
    r"null",
    r"true",
    r"false",
    r#"\"INTERVENED\""#,
    r#"{\"error\":{\"code\":500}}"#,
    r#"{\"bytes\":\""#,
    r"\x0d:message-type\x07\x00\x09exception",
    r"\x0b:event-type\x07\x00\x05chunk",
    r"\x1f\x8b\x08",
    r"\x78\x01",
    r"\x28\xb5\x2f\xfd",
    r"\x5a\x2a\x4d\x18",
];

/// A dictionary in libFuzzer's form: the members and the words of every API, read off their files.
pub(super) fn dictionary() -> Result<String> {
    let meter = crate::workspace::root().join(METER);
    let mut sources = files(&meter.join("apis"))?;
    sources.extend(["capture.rs", "failure.rs", "finish.rs"].map(|name| meter.join(name)));
    let mut words = BTreeSet::new();
    for source in sources {
        let source = fs::read_to_string(source)?;
        let code = source
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            // What stands between quotes.
            let strings = line.split('"').skip(1).step_by(2);
            words.extend(
                strings
                    .flat_map(|text| text.split('.'))
                    .filter(|word| is_word(word))
                    .map(str::to_owned),
            );
        }
    }
    let words = words.iter().map(|word| format!(r#"\"{word}\""#));
    let lines = FRAMING.iter().map(|&word| word.to_owned()).chain(words);
    Ok(lines.map(|line| format!("\"{line}\"\n")).collect())
}

fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/');
    !text.is_empty() && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_apis_are_in_the_dictionary() {
        let words = dictionary().unwrap();
        for word in [
            "usageMetadata",
            "tool_calls",
            "amazon-bedrock-guardrailAction",
            "message_stop",
        ] {
            assert!(words.contains(&format!("\"\\\"{word}\\\"\"\n")), "{word}");
        }
    }
}
