//! What a bill is made of beside tokens.

use std::fmt;

use super::event::MAX_WORD;
use super::short::Short;

/// What a provider says of a call beside its tokens: what a bill is made of. `None` where it has not said.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Details {
    /// Part of [`Usage::cache_write`](super::Usage::cache_write): kept for five minutes.
    pub cache_write_5m: Option<u64>,
    /// Part of [`Usage::cache_write`](super::Usage::cache_write): kept for an hour.
    pub cache_write_1h: Option<u64>,
    /// Part of [`Usage::prompt`](super::Usage::prompt): audio.
    pub prompt_audio: Option<u64>,
    /// Part of [`Usage::prompt`](super::Usage::prompt): images.
    pub prompt_image: Option<u64>,
    /// Part of [`Usage::completion`](super::Usage::completion): audio.
    pub completion_audio: Option<u64>,
    /// Part of [`Usage::completion`](super::Usage::completion): images.
    pub completion_image: Option<u64>,
    /// Tool calls that the response holds so far, those of tools that the provider runs included. `None` where
    /// the API has none or does not tell, and where they are more than are told apart: 64 in each of 8 choices.
    pub tool_calls: Option<u64>,
    /// What the call cost, in ten-billionths of a US dollar.
    pub cost: Option<u64>,
    pub(crate) tier: Short<MAX_WORD>,
    pub(crate) reason: Short<MAX_WORD>,
}

impl Details {
    pub(super) const NONE: Self = Self {
        cache_write_5m: None,
        cache_write_1h: None,
        prompt_audio: None,
        prompt_image: None,
        completion_audio: None,
        completion_image: None,
        tool_calls: None,
        cost: None,
        tier: Short::EMPTY,
        reason: Short::EMPTY,
    };

    /// The tier that served the request, as the provider names it.
    #[must_use]
    pub fn service_tier(&self) -> Option<&str> {
        word(&self.tier)
    }

    /// Why generating ended, as the provider says it; of several choices, the last that finished.
    #[must_use]
    pub fn finish_reason(&self) -> Option<&str> {
        word(&self.reason)
    }
}

/// Only what was said: most providers say none of it.
impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = f.debug_struct("Details");
        for (name, count) in [
            ("cache_write_5m", self.cache_write_5m),
            ("cache_write_1h", self.cache_write_1h),
            ("prompt_audio", self.prompt_audio),
            ("prompt_image", self.prompt_image),
            ("completion_audio", self.completion_audio),
            ("completion_image", self.completion_image),
            ("tool_calls", self.tool_calls),
            ("cost", self.cost),
        ] {
            if let Some(count) = count {
                told.field(name, &count);
            }
        }
        for (name, word) in [
            ("service_tier", self.service_tier()),
            ("finish_reason", self.finish_reason()),
        ] {
            if let Some(word) = word {
                told.field(name, &word);
            }
        }
        told.finish()
    }
}

fn word(text: &Short<MAX_WORD>) -> Option<&str> {
    let text = std::str::from_utf8(text.get()?).ok()?;
    (!text.is_empty()).then_some(text)
}
