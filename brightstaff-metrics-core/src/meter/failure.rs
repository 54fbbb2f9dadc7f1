//! What means an error in any API: a member `error` that is not empty, a type that says so, or a frame
//! that has nothing of its API's own but what errors have.

use super::paths::{Path, Role, What, at};
use super::said::Said;
use super::seen::Seen;

/// What any event may have, whoever speaks.
pub(crate) const PATHS: &[Path] = &[
    at("type", What::Role(Role::Kind)),
    at("event_type", What::Role(Role::Kind)),
    at("object", What::Role(Role::Object)),
    at("model", What::Role(Role::Model)),
    at("service_tier", What::Role(Role::Tier)),
    at("error", What::Role(Role::Error)),
    at("errors", What::Role(Role::Detail)),
    at("code", What::Role(Role::Code)),
    at("__type", What::Role(Role::Code)),
    at("status", What::Role(Role::Status)),
    at("status_code", What::Role(Role::Status)),
    at("statusCode", What::Role(Role::Status)),
    at("message", What::Role(Role::Message)),
    at("msg", What::Role(Role::Message)),
    at("detail", What::Role(Role::Detail)),
    at("error_code", What::Role(Role::ErrorCode)),
    at("errorCode", What::Role(Role::ErrorCode)),
    at("err_code", What::Role(Role::ErrorCode)),
    at("error_msg", What::Role(Role::ErrorText)),
    at("error_message", What::Role(Role::ErrorText)),
    at("errorMessage", What::Role(Role::ErrorText)),
    at("success", What::Role(Role::Success)),
    // MiniMax: 0 in every response that is well.
    at("base_resp.status_code", What::Role(Role::ErrorCode)),
];

/// Whether a code is one of success: `0`, `200`, `ok` and the like, as gateways wrap their responses.
pub(crate) fn is_success(code: &[u8]) -> bool {
    let words: [&[u8]; 7] = [b"", b"0", b"200", b"20000", b"ok", b"success", b"null"];
    words.iter().any(|word| code.eq_ignore_ascii_case(word))
}

/// Whether an event reports an error.
pub(crate) fn is_error(said: &Said<'_>) -> bool {
    let event = said.event;
    said.seen(Seen::ERROR)
        || event.kind() == b"error"
        || event.object() == b"error"
        || said.failed()
        || is_bare(said)
}

/// An error frame without a member `error`.
fn is_bare(said: &Said<'_>) -> bool {
    let event = said.event;
    if !event.seen(Seen::ODD) || event.seen(Seen::USAGE) || said.is_own() {
        return false;
    }
    // An object of a named but unknown type belongs to another service: its codes are not errors here.
    if said.api.is_none() && !event.object().is_empty() {
        return false;
    }
    let kind = event.kind();
    let named = ends_with(kind, b"error") || ends_with(kind, b"exception");
    let coded = event.seen(Seen::CODE) || (named && !kind.is_empty());
    event.seen(Seen::ERROR_CODE)
        || event.seen(Seen::STATUS_BAD)
        || (coded && event.seen(Seen::MESSAGE))
        || (kind.is_empty()
            && (event.seen(Seen::DETAIL)
                || event.seen(Seen::STATUS_FAILED)
                || event.seen(Seen::NO_SUCCESS)))
}

fn ends_with(text: &[u8], end: &[u8]) -> bool {
    let start = text.len().saturating_sub(end.len());
    text[start..].eq_ignore_ascii_case(end)
}
