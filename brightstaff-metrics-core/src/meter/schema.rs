//! Where in an event the values of interest stand, for all APIs at once.
//!
//! One map serves them all: the paths of different APIs hardly meet, and where they do, the event's
//! type tells later which was meant. Nothing is decided here; see [`super::api`].

use super::usage::{Place, Slot};

/// A place in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// The event itself.
    Root,
    /// A string that is generated output, if it is not empty.
    Output,
    /// A string, or an object with one in it, that is reasoning.
    Reasoning,
    /// The root's `delta`: a string in the Responses API, else an object.
    Delta,
    /// What a message, a delta or an item holds of output.
    Content,
    /// A piece of media: its presence is output.
    Media,
    ToolCalls,
    Function,
    /// The root's `message`.
    Message,
    /// The root's `response`: an object in the Responses API and Cohere's, a string in Ollama's.
    Response,
    Meta,
    Choices,
    /// A `message` or `delta` of a choice.
    ChoiceMessage,
    XGroq,
    Candidates,
    CandidateContent,
    Part,
    PromptFeedback,
    /// An output item of the Responses API, whole.
    Item,
    /// Its type.
    ItemKind,
    /// The payload of a Nova stream's event, which stands under the event's name.
    NovaEvent,
    /// Titan's `results`, Mistral's `outputs`, Cohere's `generations` on Bedrock.
    Results,
    /// OpenAI's `data`: the embeddings.
    Data,
    /// What embeddings stand under.
    Embedding,
    /// `choices[].text`.
    ChoiceText,
    /// Whether a part of Gemini's is thought.
    Thought,
    /// Nova's `messageStop`.
    NovaStop,
    /// `generation`, `outputText`: text of the families on Bedrock.
    Generation,
    /// The root's `stopReason` of Bedrock Converse.
    ConverseStop,

    Usage(Place),
    PromptDetails(u8),
    CompletionDetails(u8),
    CohereTokens(u8),
    /// `usageMetadata`.
    UsageMetadata,
    InvocationMetrics,
    /// A count; of several spellings in one usage, the one with the lowest rank counts.
    Count(Slot, u8),

    Kind,
    Object,
    Model,
    /// An error, unless it is null or empty.
    Error,
    Done,
    /// A finish reason, unless it is null or empty.
    Finish,
}

impl Node {
    /// The place of a member, `None` if nothing in it is wanted.
    pub(crate) fn member(self, key: &[u8]) -> Option<Self> {
        use Node as N;
        Some(match self {
            N::Root => return root(key),
            N::Usage(_) => return usage(key),
            N::Content | N::Delta | N::Message | N::ChoiceMessage | N::Item => {
                return content(self, key);
            }
            N::Reasoning if matches!(key, b"text" | b"thinking" | b"summary") => N::Reasoning,
            N::Media => match key {
                b"url" | b"data" | b"transcript" | b"b64_json" => N::Output,
                b"image_url" => N::Media,
                _ => return None,
            },
            N::ToolCalls => match key {
                b"function" | b"custom" => N::Function,
                // Cohere's version 1.
                b"name" | b"parameters" => N::Output,
                _ => return None,
            },
            N::Function if matches!(key, b"name" | b"arguments" | b"input" | b"code") => N::Output,
            N::Response => match key {
                b"model" => N::Model,
                b"usage" => N::Usage(Place::Top),
                b"error" => N::Error,
                b"object" => N::Object,
                b"meta" => N::Meta,
                _ => return None,
            },
            N::Meta => match key {
                b"tokens" => N::CohereTokens(0),
                b"billed_units" => N::CohereTokens(2),
                b"cached_tokens" => N::Count(Slot::CacheRead, 0),
                _ => return None,
            },
            N::Choices => match key {
                b"delta" | b"message" => N::ChoiceMessage,
                b"text" => N::ChoiceText,
                // The latter on Bedrock; elsewhere it says more about the former.
                b"finish_reason" | b"stop_reason" => N::Finish,
                b"usage" => N::Usage(Place::Choice),
                b"error" => N::Error,
                _ => return None,
            },
            N::XGroq => match key {
                b"usage" => N::Usage(Place::XGroq),
                b"error" => N::Error,
                _ => return None,
            },
            N::Candidates => match key {
                b"content" => N::CandidateContent,
                b"finishReason" => N::Finish,
                _ => return None,
            },
            N::CandidateContent if key == b"parts" => N::Part,
            N::Part => match key {
                b"text" => N::Output,
                b"functionCall" | b"executableCode" => N::Function,
                b"inlineData" => N::Media,
                b"thought" => N::Thought,
                _ => return None,
            },
            N::PromptFeedback if key == b"blockReason" => N::Finish,
            N::NovaEvent => match key {
                b"delta" | b"start" => N::Content,
                b"usage" => N::Usage(Place::Top),
                _ => return None,
            },
            N::Results => match key {
                b"text" | b"outputText" => N::Output,
                b"tokenCount" => N::Count(Slot::Completion, 0),
                b"stop_reason" | b"completionReason" | b"finish_reason" => N::Finish,
                _ => return None,
            },
            N::Data if key == b"embedding" => N::Embedding,
            N::UsageMetadata => return usage_metadata(key),
            N::PromptDetails(rank) => match key {
                b"cached_tokens" => N::Count(Slot::CacheRead, rank),
                b"cache_write_tokens" => N::Count(Slot::CacheWrite, rank),
                b"cache_creation_input_tokens" => N::Count(Slot::CacheWrite, rank + 2),
                b"cache_creation_tokens" => N::Count(Slot::CacheWrite, rank + 4),
                _ => return None,
            },
            N::CompletionDetails(rank) => match key {
                b"reasoning_tokens" | b"thinking_tokens" => N::Count(Slot::Reasoning, rank),
                _ => return None,
            },
            N::CohereTokens(rank) => match key {
                b"input_tokens" => N::Count(Slot::Prompt, rank),
                b"output_tokens" => N::Count(Slot::Completion, rank),
                b"reasoning_tokens" => N::Count(Slot::Reasoning, rank),
                _ => return None,
            },
            N::InvocationMetrics => match key {
                b"inputTokenCount" => N::Count(Slot::MetricsInput, 0),
                b"outputTokenCount" => N::Count(Slot::MetricsOutput, 0),
                b"cacheReadInputTokenCount" => N::Count(Slot::MetricsRead, 0),
                b"cacheWriteInputTokenCount" => N::Count(Slot::MetricsWrite, 0),
                _ => return None,
            },
            _ => return None,
        })
    }
}

fn root(key: &[u8]) -> Option<Node> {
    use Node as N;
    Some(match key {
        b"type" | b"event_type" => N::Kind,
        b"object" => N::Object,
        b"model" | b"modelVersion" => N::Model,
        b"error" => N::Error,
        b"usage" => N::Usage(Place::Top),
        b"choices" => N::Choices,
        b"x_groq" => N::XGroq,
        // Responses.
        b"response" => N::Response,
        b"delta" => N::Delta,
        b"item" => N::Item,
        b"partial_image_b64" | b"arguments" | b"code" | b"refusal" | b"input" | b"diff" => {
            N::Output
        }
        b"part" => N::Content,
        // Anthropic.
        b"message" => N::Message,
        b"content_block" => N::Content,
        // Gemini.
        b"candidates" => N::Candidates,
        b"usageMetadata" => N::UsageMetadata,
        b"promptFeedback" => N::PromptFeedback,
        // Bedrock Converse.
        b"start" => N::Content,
        b"stopReason" => N::ConverseStop,
        // Cohere; `text` is Responses' and Bedrock's too.
        b"text" => N::Output,
        b"tool_calls" | b"tool_call_delta" => N::ToolCalls,
        b"meta" => N::Meta,
        b"finish_reason" => N::Finish,
        // Ollama.
        b"done" => N::Done,
        b"thinking" => N::Reasoning,
        b"prompt_eval_count" => N::Count(Slot::Prompt, 0),
        b"eval_count" => N::Count(Slot::Completion, 0),
        // Embeddings.
        b"data" => N::Data,
        b"embedding" | b"embeddings" => N::Embedding,
        // What Bedrock's InvokeModel passes through.
        b"amazon-bedrock-invocationMetrics" => N::InvocationMetrics,
        b"contentBlockStart" | b"contentBlockDelta" | b"metadata" => N::NovaEvent,
        b"messageStop" => N::NovaStop,
        b"results" | b"outputs" | b"generations" => N::Results,
        b"generation" | b"outputText" => N::Generation,
        b"stop_reason" | b"completionReason" => N::Finish,
        b"inputTextTokenCount" | b"prompt_token_count" => N::Count(Slot::Prompt, 0),
        b"totalOutputTextTokenCount" | b"generation_token_count" => N::Count(Slot::Completion, 0),
        _ => return None,
    })
}

/// What messages, deltas, content blocks and output items of the APIs hold.
fn content(node: Node, key: &[u8]) -> Option<Node> {
    use Node as N;
    Some(match key {
        b"text" | b"partial_json" | b"refusal" | b"tool_plan" => N::Output,
        // Text, or parts with text or thinking in them; Cohere's `delta.message.content`.
        b"content" => N::Content,
        b"reasoning_content" | b"reasoning" | b"reasoning_text" | b"thinking" | b"summary"
        | b"reasoning_details" | b"reasoningContent" => N::Reasoning,
        b"tool_calls" => N::ToolCalls,
        b"function_call" | b"toolUse" => N::Function,
        b"audio" | b"images" | b"image" | b"image_url" => N::Media,
        b"name" | b"arguments" | b"input" | b"code" | b"result" => match (node, key) {
            (N::Item, _) | (N::Content, b"name") => N::Output,
            _ => return None,
        },
        b"type" if node == N::Item => N::ItemKind,
        b"model" if node == N::Message => N::Model,
        b"usage" if matches!(node, N::Message | N::Delta) => N::Usage(Place::Top),
        b"message" if node == N::Delta => N::Content,
        b"finish_reason" if node == N::Delta => N::Finish,
        b"error" if node == N::Delta => N::Error,
        _ => return None,
    })
}

/// Every spelling of a usage object but Gemini's.
fn usage(key: &[u8]) -> Option<Node> {
    use Node as N;
    Some(match key {
        b"prompt_tokens" => N::Count(Slot::Prompt, 0),
        b"input_tokens" | b"inputTokens" => N::Count(Slot::Prompt, 1),
        b"completion_tokens" => N::Count(Slot::Completion, 0),
        b"output_tokens" | b"outputTokens" => N::Count(Slot::Completion, 1),
        b"total_tokens" => N::Count(Slot::Total, 0),
        b"prompt_tokens_details" | b"input_tokens_details" => N::PromptDetails(0),
        // Writer.
        b"prompt_token_details" => N::PromptDetails(1),
        b"completion_tokens_details" | b"output_tokens_details" => N::CompletionDetails(0),
        b"completion_token_details" => N::CompletionDetails(1),
        b"reasoning_tokens" => N::Count(Slot::Reasoning, 2),
        // Together, Moonshot, Cohere; DeepSeek; Mistral; Anthropic and those who mix with it.
        b"cached_tokens" => N::Count(Slot::CacheRead, 8),
        b"prompt_cache_hit_tokens" => N::Count(Slot::CacheRead, 9),
        b"num_cached_tokens" => N::Count(Slot::CacheRead, 10),
        b"cache_read_input_tokens" => N::Count(Slot::CacheRead, 11),
        b"cacheReadInputTokens" => N::Count(Slot::CacheRead, 12),
        b"cacheReadInputTokenCount" => N::Count(Slot::CacheRead, 13),
        b"cache_creation_input_tokens" => N::Count(Slot::CacheWrite, 11),
        b"cacheWriteInputTokens" => N::Count(Slot::CacheWrite, 12),
        b"cacheWriteInputTokenCount" => N::Count(Slot::CacheWrite, 13),
        // Cohere.
        b"tokens" => N::CohereTokens(2),
        b"billed_units" => N::CohereTokens(3),
        _ => return None,
    })
}

fn usage_metadata(key: &[u8]) -> Option<Node> {
    use Node as N;
    Some(match key {
        b"promptTokenCount" => N::Count(Slot::Prompt, 0),
        b"toolUsePromptTokenCount" => N::Count(Slot::ToolPrompt, 0),
        b"candidatesTokenCount" => N::Count(Slot::Completion, 0),
        b"thoughtsTokenCount" => N::Count(Slot::Reasoning, 0),
        b"cachedContentTokenCount" => N::Count(Slot::CacheRead, 0),
        b"totalTokenCount" => N::Count(Slot::Total, 0),
        _ => return None,
    })
}
