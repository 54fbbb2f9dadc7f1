use brightstaff_metrics_core::{
    labels::{StatusClass, UsageMissing},
    meter::{self, End, Facts},
};
use serde::Serialize;

/// What the meter read in one response.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    pub(super) api: Option<&'static str>,
    pub(super) streaming: bool,
    pub(super) complete: bool,
    pub(super) end: &'static str,
    pub(super) model: Option<String>,
    pub(super) events: u64,
    pub(super) first_token_event: Option<u64>,
    pub(super) prompt_tokens: Option<u64>,
    pub(super) completion_tokens: Option<u64>,
    pub(super) cache_read_tokens: Option<u64>,
    pub(super) cache_write_tokens: Option<u64>,
    pub(super) reasoning_tokens: Option<u64>,
    pub(super) usage_missing_reason: Option<&'static str>,
    pub(super) choices: Option<u32>,
    pub(super) finish_reason: Option<String>,
    pub(super) tool_calls: Option<u64>,
    pub(super) service_tier: Option<String>,
    pub(super) cache_write_5m_tokens: Option<u64>,
    pub(super) cache_write_1h_tokens: Option<u64>,
    pub(super) prompt_audio_tokens: Option<u64>,
    pub(super) prompt_image_tokens: Option<u64>,
    pub(super) completion_audio_tokens: Option<u64>,
    pub(super) completion_image_tokens: Option<u64>,
    pub(super) cost_usd: Option<f64>,
}

/// Ten-billionths, in which the meter has them.
const PARTS_OF_A_DOLLAR: f64 = 1e10;

impl Report {
    pub(super) fn of_file(file: String, status: u16, facts: &Facts) -> Self {
        Self {
            file: Some(file),
            ..Self::of(status, facts)
        }
    }

    pub(super) fn of_record(id: String, status: u16, facts: &Facts) -> Self {
        Self {
            id: Some(id),
            ..Self::of(status, facts)
        }
    }

    /// A response with another status than 2xx is an error whatever its body says, and owes no usage.
    fn of(status: u16, facts: &Facts) -> Self {
        let success = StatusClass::of(status) == StatusClass::Success;
        let end = if success { facts.end() } else { End::Error };
        let missing = facts.usage_missing(false).filter(|_| success);
        let usage = facts.usage;
        let details = &facts.details;
        Self {
            id: None,
            file: None,
            api: facts.api.map(meter::Api::as_str),
            streaming: facts.streaming,
            complete: end == End::Complete,
            end: end.as_str(),
            model: facts.model.as_str().map(str::to_owned),
            events: facts.events,
            first_token_event: facts.first_token_event,
            prompt_tokens: usage.prompt,
            completion_tokens: usage.completion,
            cache_read_tokens: usage.cache_read,
            cache_write_tokens: usage.cache_write,
            reasoning_tokens: usage.reasoning,
            usage_missing_reason: missing.map(UsageMissing::as_str),
            choices: facts.streaming.then_some(facts.choices).filter(|&n| n > 0),
            finish_reason: details.finish_reason().map(str::to_owned),
            tool_calls: details.tool_calls,
            service_tier: details.service_tier().map(str::to_owned),
            cache_write_5m_tokens: details.cache_write_5m,
            cache_write_1h_tokens: details.cache_write_1h,
            prompt_audio_tokens: details.prompt_audio,
            prompt_image_tokens: details.prompt_image,
            completion_audio_tokens: details.completion_audio,
            completion_image_tokens: details.completion_image,
            // Exact below some 900,000 dollars.
            #[expect(clippy::cast_precision_loss)]
            cost_usd: details.cost.map(|cost| cost as f64 / PARTS_OF_A_DOLLAR),
        }
    }
}
