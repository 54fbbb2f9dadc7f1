//! What a call to an endpoint is for, in OpenTelemetry's words: failures do not show it.

use brightstaff_metrics_core::labels::Operation;

use super::{Task, table::Row};
use crate::config::Api;

/// Where a text goes on, and nobody speaks.
const TEXTS: [&str; 7] = [
    "/v1/completions",
    "/openai/deployments/{model}/completions",
    "/v1/fim/completions",
    "/v1/generate",
    "/v1/summarize",
    "/api/generate",
    "/v1/complete",
];

impl Row {
    /// `None` where no model is asked.
    pub(in super::super) fn operation(&self) -> Option<Operation> {
        match self.task {
            // Claude is asked on Vertex, too, in words of its own.
            Task::Chat if self.api == Api::Gemini && !self.pattern.ends_with("awPredict") => {
                Some(Operation::GenerateContent)
            }
            Task::Chat if TEXTS.contains(&self.pattern) => Some(Operation::TextCompletion),
            Task::Chat => Some(Operation::Chat),
            Task::Embeddings => Some(Operation::Embeddings),
            Task::Images | Task::Audio => Some(Operation::GenerateContent),
            Task::Rerank => Some(Operation::Rerank),
            Task::Moderations
            | Task::ListModels
            | Task::Models
            | Task::Files
            | Task::Batches
            | Task::CountTokens
            | Task::Realtime
            | Task::Passthrough => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::table::TABLE, *};

    #[test]
    fn calls_are_for_something() {
        for row in TABLE {
            let operation = row.operation();
            assert_eq!(operation.is_some(), row.task.is_call(), "{}", row.pattern);
        }
    }

    #[test]
    fn what_is_listed_is_there() {
        for pattern in TEXTS {
            let row = TABLE.iter().find(|row| row.pattern == pattern);
            let row = row.unwrap_or_else(|| panic!("no row {pattern}"));
            assert_eq!(row.operation(), Some(Operation::TextCompletion));
        }
        for (pattern, operation) in [
            ("/v1/chat/completions", Operation::Chat),
            ("/v1/embeddings", Operation::Embeddings),
            (
                "/{v}/models/{model}:streamGenerateContent",
                Operation::GenerateContent,
            ),
            (
                "/{v}/projects/{}/locations/{}/publishers/{}/models/{model}:streamRawPredict",
                Operation::Chat,
            ),
        ] {
            let row = TABLE.iter().find(|row| row.pattern == pattern);
            assert_eq!(row.and_then(Row::operation), Some(operation), "{pattern}");
        }
    }
}
