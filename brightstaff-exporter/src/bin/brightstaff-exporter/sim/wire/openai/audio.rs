//! OpenAI's Audio: transcriptions and translations from forms, and speech.

use serde_json::{Value, json};

use crate::sim::{
    behaviour::Behaviour,
    script::{Frame, Script, media},
    wire::{Ask, plain, text, words},
};

/// Silence: frames of an MP3, by their signature.
const SPEECH: &[u8] = b"\xff\xfb\x90\x00simulated";

pub(super) fn transcription(ask: &Ask, behaviour: &Behaviour) -> Script {
    let (content, reported) = (behaviour.content, plain(behaviour.content));
    let whole = text(content.words);
    if ask.streamed() {
        let event = |kind: &str, mut data: Value| {
            data["type"] = json!(kind);
            Frame::data(&data)
        };
        let mut events: Vec<_> = words(content.words)
            .map(|word| event("transcript.text.delta", json!({"delta": word})).tokens(1))
            .collect();
        let done = json!({"text": whole, "usage": usage(behaviour)});
        events.push(
            event("transcript.text.done", done)
                .terminal()
                .settles(reported),
        );
        let error =
            json!({"error": {"message": "The server had an error.", "type": "server_error"}});
        return Script::stream(events, behaviour, Frame::data(&error));
    }
    if ask.body["response_format"] == "text" {
        return Script::of(media::TEXT, Frame::text(format!("{whole}\n")));
    }
    let mut document = json!({"text": whole, "usage": usage(behaviour)});
    // What the older model answers, by the length of the recording.
    if ask.body["response_format"] == "verbose_json" {
        document = json!({"task": "transcribe", "language": "english", "duration": 3.0, "text": whole,
            "segments": [], "usage": {"type": "duration", "seconds": 3}});
        return Script::whole(&document, None, behaviour.fault);
    }
    Script::whole(&document, Some(reported), behaviour.fault)
}

pub(super) fn translation(behaviour: &Behaviour) -> Script {
    let document = json!({"text": text(behaviour.content.words),
        "usage": {"type": "duration", "seconds": 3}});
    Script::whole(&document, None, behaviour.fault)
}

pub(super) fn speech(ask: &Ask, behaviour: &Behaviour) -> Script {
    if ask.body["stream_format"] != "sse" {
        return Script::of(media::AUDIO, Frame::bytes(SPEECH));
    }
    let content = behaviour.content;
    let usage = json!({"input_tokens": content.prompt, "output_tokens": content.completion(),
        "total_tokens": content.prompt + content.completion()});
    let events = vec![
        Frame::data(&json!({"type": "speech.audio.delta", "audio": "//uQAA=="})).tokens(1),
        Frame::data(&json!({"type": "speech.audio.done", "usage": usage}))
            .terminal()
            .settles(plain(content)),
    ];
    let error = json!({"error": {"message": "The server had an error.", "type": "server_error"}});
    Script::stream(events, behaviour, Frame::data(&error))
}

fn usage(behaviour: &Behaviour) -> Value {
    let content = behaviour.content;
    json!({"type": "tokens", "input_tokens": content.prompt, "output_tokens": content.completion(),
        "total_tokens": content.prompt + content.completion(),
        "input_token_details": {"text_tokens": 0, "audio_tokens": content.prompt}})
}
