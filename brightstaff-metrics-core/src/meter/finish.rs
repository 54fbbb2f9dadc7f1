//! What a finish reason says: that generating ended, that it failed, or that it goes on.

/// What a finish reason says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    GoesOn,
    Ended,
    Failed,
}

/// Parts of the reasons that mean a failure: `network_error` (Zhipu), `insufficient_system_resource`
/// (`DeepSeek`), `abort` (vLLM), `cancelled` (watsonx), `TIMEOUT` and `ERROR_TOXIC` (Cohere) and their
/// like. Whatever ends a response by the model's or the caller's own limits, or by a filter, is none of them.
const FAILURES: [&[u8]; 8] = [
    b"error",
    b"abort",
    b"insufficient_system_resource",
    b"cancel",
    b"timeout",
    b"timed_out",
    b"exception",
    b"fail",
];

impl Finish {
    /// `None` is a reason that is too long to have been kept.
    pub(crate) fn of(reason: Option<&[u8]>) -> Self {
        let Some(reason) = reason else {
            return Self::Ended;
        };
        // As almost all end.
        if let b"stop" | b"STOP" | b"length" | b"tool_calls" | b"end_turn" | b"tool_use" = reason {
            return Self::Ended;
        }
        let is = |word: &[u8]| reason.eq_ignore_ascii_case(word);
        // DashScope's null is a string; watsonx and Google have words for it.
        if reason.is_empty() || is(b"null") || is(b"none") || is(b"not_finished") {
            return Self::GoesOn;
        }
        let tail = reason.len().saturating_sub(b"_UNSPECIFIED".len());
        if reason[tail..].eq_ignore_ascii_case(b"_UNSPECIFIED") {
            return Self::GoesOn;
        }
        let failed = FAILURES.iter().any(|failure| {
            reason
                .windows(failure.len())
                .any(|part| part.eq_ignore_ascii_case(failure))
        });
        if failed { Self::Failed } else { Self::Ended }
    }
}

#[cfg(test)]
mod tests {
    use super::Finish;

    #[test]
    fn reasons_in_the_words_of_their_providers() {
        for (reasons, expected) in [
            (
                "stop length tool_calls content_filter sensitive model_length model_context_window_exceeded \
                 end_turn max_tokens refusal pause_turn MAX_TOKENS SAFETY OTHER MALFORMED_FUNCTION_CALL \
                 guardrail_intervened eos_token time_limit COMPLETE incomplete FINISH LENGTH eos",
                Finish::Ended,
            ),
            (
                "error network_error server_error abort aborted insufficient_system_resource ERROR \
                 ERROR_TOXIC cancelled timeout TIMEOUT internal_error failed",
                Finish::Failed,
            ),
            (
                "null not_finished FINISH_REASON_UNSPECIFIED BLOCK_REASON_UNSPECIFIED",
                Finish::GoesOn,
            ),
        ] {
            for reason in reasons.split_whitespace() {
                assert_eq!(Finish::of(Some(reason.as_bytes())), expected, "{reason}");
            }
        }
        assert_eq!(Finish::of(Some(b"")), Finish::GoesOn);
        assert_eq!(Finish::of(None), Finish::Ended);
    }
}
