//! OpenAI's [images](https://platform.openai.com/docs/api-reference/images-streaming),
//! [transcriptions](https://platform.openai.com/docs/api-reference/audio/transcript-text-delta-event) and
//! [speech](https://platform.openai.com/docs/api-reference/audio/speech-audio-delta-event), as JSON and as
//! events. Each stream ends with an event of its own, which has the usage.

use crate::labels::Operation;
use crate::meter::paths::{Role, What, at};
use crate::meter::said::Said;
use crate::meter::seen::Seen;
use crate::meter::spec::{Speaks, Spec, Verdict};
use crate::meter::usage::{Place, Slot};

pub(super) const IMAGES: Spec = Spec {
    name: "openai-images",
    paths: &[
        at("b64_json", What::Output),
        at("url", What::Output),
        at("data.b64_json", What::Sign),
        at("data.url", What::Sign),
        at("data.revised_prompt", What::Sign),
        at("usage", What::Role(Role::Usage(Place::Top))),
        at("$usage.input_tokens_details", What::Like("$prompt")),
        at("$usage.output_tokens_details", What::Like("$completion")),
    ],
    speaks: |said| {
        let kind = said.kind();
        match kind.starts_with(b"image_generation.") || kind.starts_with(b"image_edit.") {
            true => Speaks::Yes,
            false => super::by_signs(said),
        }
    },
    judge: |said| Verdict::ending(said, said.kind().ends_with(b".completed")),
    operation: Some(Operation::GenerateContent),
    ..Spec::DEFAULT
};

pub(super) const TRANSCRIPTIONS: Spec = Spec {
    name: "openai-transcriptions",
    paths: &[
        at("delta", What::Output),
        at("text", What::Output),
        at("usage", What::Role(Role::Usage(Place::Top))),
        at("$usage.seconds", What::Role(Role::Seconds)),
        at("$usage.input_token_details", What::Like("$prompt")),
        at(
            "$prompt.audio_tokens",
            What::Role(Role::Count(Slot::PromptAudio, 0)),
        ),
    ],
    // As JSON it is a text and a usage, and nothing else.
    speaks: |said| match said.kind().starts_with(b"transcript.text.") {
        true => Speaks::Yes,
        false if is_document(said) => Speaks::Maybe,
        false => Speaks::No,
    },
    judge: |said| Verdict::ending(said, said.kind() == b"transcript.text.done"),
    operation: Some(Operation::GenerateContent),
    ..Spec::DEFAULT
};

pub(super) const SPEECH: Spec = Spec {
    name: "openai-speech",
    paths: &[
        at("audio", What::Output),
        at("usage", What::Role(Role::Usage(Place::Top))),
    ],
    speaks: |said| said.kind().starts_with(b"speech.audio.").into(),
    judge: |said| Verdict::ending(said, said.kind() == b"speech.audio.done"),
    operation: Some(Operation::GenerateContent),
    ..Spec::DEFAULT
};

fn is_document(said: &Said<'_>) -> bool {
    said.kind().is_empty() && said.output() && said.seen(Seen::USAGE)
}
