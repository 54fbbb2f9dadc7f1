//! The types that events name, as far as they differ in meaning.

/// An event's type: its `type` or `event_type`, else the name that its framing gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Absent,
    Unknown,
    /// `error`, in any API.
    Error,
    /// Anthropic's whole answer.
    Message,
    /// Any other event of Anthropic's.
    Anthropic,
    MessageDelta,
    MessageStop,
    /// Any other event of the Responses API.
    Response,
    ReasoningDelta,
    ResponseDelta,
    ResponseEnd,
    ResponseFailed,
    /// Any other event of Cohere's.
    Cohere,
    CohereEnd,
    /// Any other event of Bedrock Converse's.
    Converse,
    ConverseStop,
}

impl Kind {
    pub(crate) fn of(name: &[u8]) -> Self {
        if let Some(name) = name.strip_prefix(b"response.") {
            return Self::of_response(name);
        }
        match name {
            b"error" => Self::Error,
            b"message" => Self::Message,
            b"message_start"
            | b"content_block_start"
            | b"content_block_delta"
            | b"content_block_stop" => Self::Anthropic,
            b"message_delta" => Self::MessageDelta,
            b"message_stop" => Self::MessageStop,
            b"message-start"
            | b"content-start"
            | b"content-delta"
            | b"content-end"
            | b"tool-plan-delta"
            | b"tool-call-start"
            | b"tool-call-delta"
            | b"tool-call-end"
            | b"citation-start"
            | b"citation-end"
            | b"stream-start"
            | b"text-generation"
            | b"search-queries-generation"
            | b"search-results"
            | b"citation-generation"
            | b"tool-calls-generation"
            | b"tool-calls-chunk" => Self::Cohere,
            b"message-end" | b"stream-end" => Self::CohereEnd,
            b"messageStart" | b"contentBlockStart" | b"contentBlockDelta" | b"contentBlockStop"
            | b"metadata" => Self::Converse,
            b"messageStop" => Self::ConverseStop,
            _ => Self::Unknown,
        }
    }

    fn of_response(name: &[u8]) -> Self {
        match name {
            b"completed" | b"incomplete" => Self::ResponseEnd,
            b"failed" | b"error" => Self::ResponseFailed,
            _ if name.ends_with(b".delta") && name.starts_with(b"reasoning") => {
                Self::ReasoningDelta
            }
            _ if name.ends_with(b".delta") => Self::ResponseDelta,
            _ => Self::Response,
        }
    }
}

/// The `object` of OpenAI's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Absent,
    Unknown,
    Chat,
    Completion,
    List,
    Response,
}

impl Object {
    pub(crate) fn of(name: &[u8]) -> Self {
        match name {
            b"chat.completion" | b"chat.completion.chunk" => Self::Chat,
            b"text_completion" => Self::Completion,
            b"list" => Self::List,
            b"response" => Self::Response,
            _ => Self::Unknown,
        }
    }
}
