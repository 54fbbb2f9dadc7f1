//! What the provider does with a request, as a header of the request says.

/// What the provider does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Answers in JSON.
    Json,
    /// Answers in JSON, compressed.
    Gzip,
    /// Answers in JSON, after a while.
    SlowHeaders,
    /// Streams like OpenAI.
    Stream,
    /// Streams like Anthropic.
    Messages,
    /// Streams like Gemini.
    Gemini,
    /// Streams like Bedrock.
    Converse,
    /// Streams like Cohere.
    Cohere,
    /// Streams like Ollama.
    Ollama,
    /// Answers with embeddings.
    Embeddings,
    /// Answers with what it knows of a file.
    File,
    /// Answers with many bytes.
    Download,
    /// Streams, and closes the connection in the middle.
    Cut,
    /// Streams, and ends the body well before the protocol's end.
    Early,
    /// Streams, and reports an error in the middle.
    ErrorEvent,
    /// Streams one chunk, and no more until the gateway goes.
    Open,
    /// Says nothing until the gateway goes.
    Never,
    /// Closes the connection without an answer.
    Hangup,
    /// Answers in something that is not HTTP.
    NoHttp,
    /// Opens a web socket, and sends back what comes until the other side closes.
    Socket,
    /// Opens one, and sends something now and then until the gateway goes.
    EndlessSocket,
    /// Answers with this status.
    Status(u16),
}

impl Plan {
    /// What the responses report: prompt and completion.
    pub(super) const JSON_TOKENS: (u64, u64) = (7, 5);
    pub(super) const STREAM_TOKENS: (u64, u64) = (11, 2);
    pub(super) const MESSAGES_TOKENS: (u64, u64) = (9, 4);
    pub(super) const GEMINI_TOKENS: (u64, u64) = (8, 3);
    pub(super) const CONVERSE_TOKENS: (u64, u64) = (1030, 9);
    pub(super) const COHERE_TOKENS: (u64, u64) = (5, 1);
    pub(super) const OLLAMA_TOKENS: (u64, u64) = (6, 2);
    pub(super) const EMBEDDINGS_TOKENS: (u64, u64) = (4, 0);

    /// As the header says it.
    pub(super) fn name(self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            other => format!("{other:?}"),
        }
    }

    /// Whether the request asks for a web socket.
    pub(super) fn is_socket(self) -> bool {
        matches!(self, Self::Socket | Self::EndlessSocket)
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        use Plan as P;
        let plans = [
            P::Json,
            P::Gzip,
            P::SlowHeaders,
            P::Stream,
            P::Messages,
            P::Gemini,
            P::Converse,
            P::Cohere,
            P::Ollama,
            P::Embeddings,
            P::File,
            P::Download,
            P::Cut,
            P::Early,
            P::ErrorEvent,
            P::Open,
            P::Never,
            P::Hangup,
            P::NoHttp,
            P::Socket,
            P::EndlessSocket,
        ];
        let mut plans = plans.into_iter();
        let named = plans.find(|plan| plan.name() == name);
        named.or_else(|| name.parse().ok().map(Self::Status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soak::table::rows;

    #[test]
    fn every_plan_is_understood() {
        for row in rows() {
            assert_eq!(Plan::parse(&row.plan.name()), Some(row.plan));
        }
    }
}
