//! Token counts as the providers spell them, and the rules by which they become this project's.

use super::facts::Usage;

/// A count that some provider reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Prompt,
    /// What the prompt leaves out: Gemini's tool-use prompt.
    ToolPrompt,
    /// What Perplexity read for the prompt.
    Citations,
    Completion,
    Total,
    CacheRead,
    CacheWrite,
    Reasoning,
    /// Of the cache that was written: for five minutes, for an hour.
    CacheWrite5m,
    CacheWrite1h,
    PromptAudio,
    PromptImage,
    CompletionAudio,
    CompletionImage,
    /// What Anthropic spent on compaction, beside the rest.
    CompactionPrompt,
    CompactionCompletion,
    CompactionRead,
    CompactionWrite,
    /// Bedrock's own counts, beside those of the model's family.
    MetricsInput,
    MetricsOutput,
    MetricsRead,
    MetricsWrite,
}

const SLOTS: usize = 22;
const METRICS: usize = Slot::MetricsInput as usize;

/// Where in an event a usage object stands. The first of these that is there counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Top,
    /// Groq's own object.
    XGroq,
    /// In a choice.
    Choice,
}

/// The counts of one usage, unnormalised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    /// Which slots hold a count.
    held: u32,
    values: [u64; SLOTS],
    ranks: [u8; SLOTS],
}

/// The slots of a provider's own usage: all before Bedrock's metrics.
const USAGE: u32 = (1 << METRICS) - 1;

impl Counts {
    pub(crate) const NONE: Self = Self {
        held: 0,
        values: [0; SLOTS],
        ranks: [0; SLOTS],
    };

    /// Takes a count, unless a spelling of a lower rank was taken.
    pub(crate) fn take(&mut self, slot: Slot, rank: u8, count: u64) {
        let at = slot as usize;
        if self.held & 1 << at == 0 || rank <= self.ranks[at] {
            self.held |= 1 << at;
            self.ranks[at] = rank;
            self.values[at] = count;
        }
    }

    /// Adds to a count that is a sum.
    pub(crate) fn add(&mut self, slot: Slot, count: u64) {
        let sum = self.get(slot).unwrap_or(0).saturating_add(count);
        self.take(slot, 0, sum);
    }

    #[inline]
    pub(crate) const fn get(&self, slot: Slot) -> Option<u64> {
        let at = slot as usize;
        if self.held & 1 << at == 0 {
            return None;
        }
        Some(self.values[at])
    }

    /// Whether a provider's usage is here, Bedrock's own metrics apart.
    pub(crate) const fn any(&self) -> bool {
        self.held & USAGE != 0
    }

    /// Whether any count is here.
    pub(crate) const fn any_or_metrics(&self) -> bool {
        self.held != 0
    }

    /// Forgets all but Bedrock's own metrics.
    pub(crate) fn clear_usage(&mut self) {
        self.held &= !USAGE;
    }

    pub(crate) fn clear(&mut self) {
        self.held = 0;
    }

    /// Takes a later report, as `update` says. Relays write 0 for what they were not told: a report of
    /// zeros never replaces one that was not.
    pub(crate) fn update(&mut self, later: &Self, update: Update) {
        if update == Update::Whole && later.any() {
            if !later.is_some() && self.is_some() {
                return;
            }
            // What was counted and is 0 now was left out.
            let left_out = [Slot::Prompt, Slot::Completion]
                .into_iter()
                .filter(|&slot| later.get(slot) == Some(0))
                .fold(0, |slots, slot| slots | 1 << slot as usize);
            self.held &= !USAGE | left_out;
        }
        for at in later.slots() {
            if later.values[at] != 0 || self.held & 1 << at == 0 {
                self.held |= 1 << at;
                self.values[at] = later.values[at];
                self.ranks[at] = later.ranks[at];
            }
        }
    }

    fn slots(&self) -> impl Iterator<Item = usize> {
        let mut held = self.held;
        std::iter::from_fn(move || {
            let at = held.trailing_zeros();
            held &= held.wrapping_sub(1);
            (at < u32::BITS).then_some(at as usize)
        })
    }

    /// Whether any count of the usage is more than zero.
    fn is_some(&self) -> bool {
        self.slots().any(|at| at < METRICS && self.values[at] > 0)
    }

    fn or_metrics(&self, slot: Slot, metrics: Slot) -> Option<u64> {
        self.get(slot).or(self.get(metrics))
    }

    /// The counts as they stand.
    fn plain(&self) -> Usage {
        Usage {
            prompt: self.or_metrics(Slot::Prompt, Slot::MetricsInput),
            completion: self.or_metrics(Slot::Completion, Slot::MetricsOutput),
            cache_read: self.or_metrics(Slot::CacheRead, Slot::MetricsRead),
            cache_write: self.or_metrics(Slot::CacheWrite, Slot::MetricsWrite),
            reasoning: self.get(Slot::Reasoning),
        }
    }
}

/// How a later report of usage replaces an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Update {
    Whole,
    /// Count by count: what it leaves out still holds.
    Each,
}

/// Parts are within their wholes, as OpenAI has it; but where the numbers tell, they are not:
///
/// 1. If the total is more than prompt and completion, and the parts that it is more by can be told (cached
///    input, citations, reasoning; as few of them as do), those stand beside their wholes, and are added.
///    xAI's reasoning is told so.
/// 2. Reasoning that is more than the completion it should be part of stands beside it: a response cannot be
///    shorter than the thought in it, even if the total leaves the thought out, as Perplexity's does.
/// 3. Cached input that is more than the prompt stands beside it, unless the total is just prompt and
///    completion: Azure's Grok counts cached blocks, not tokens.
///
/// A completion that is not told is never made up of parts.
pub(crate) fn inclusive(counts: &Counts) -> Usage {
    let mut usage = counts.plain();
    let (Some(prompt), Some(completion)) = (usage.prompt, usage.completion) else {
        return usage;
    };
    let parts = [
        usage.reasoning,
        usage.cache_read,
        usage.cache_write,
        counts.get(Slot::Citations),
    ]
    .map(|part| part.unwrap_or(0));
    let sum = prompt.saturating_add(completion);
    let beside = counts
        .get(Slot::Total)
        .and_then(|total| total.checked_sub(sum))
        .filter(|&rest| rest > 0)
        .and_then(|rest| beside(&parts, rest));
    let settled = counts.get(Slot::Total) == Some(sum);
    let [reasoning, read, write, citations] = parts;
    let [
        reasoning_beside,
        read_beside,
        write_beside,
        citations_beside,
    ] = beside.unwrap_or([
        reasoning > completion,
        read > prompt && !settled,
        write > prompt && !settled,
        false,
    ]);
    let more = |part: u64, beside: bool| if beside { part } else { 0 };
    usage.completion = Some(completion.saturating_add(more(reasoning, reasoning_beside)));
    usage.prompt = Some(
        prompt
            .saturating_add(more(read, read_beside))
            .saturating_add(more(write, write_beside))
            .saturating_add(more(citations, citations_beside)),
    );
    usage
}

/// Which parts make up the rest: as few as do.
fn beside(parts: &[u64; 4], rest: u64) -> Option<[bool; 4]> {
    (1_u8..16)
        .filter(|set| {
            let chosen = (0..4).filter(|at| set & 1 << at != 0);
            let sum = chosen
                .clone()
                .fold(0, |sum: u64, at| sum.saturating_add(parts[at]));
            sum == rest && chosen.clone().all(|at| parts[at] > 0)
        })
        .min_by_key(|set| set.count_ones())
        .map(|set| [0, 1, 2, 3].map(|at| set & 1 << at != 0))
}

/// The prompt leaves out what was read from a cache or written to it.
pub(crate) fn cache_apart(counts: &Counts) -> Usage {
    let mut usage = counts.plain();
    usage.prompt = usage
        .prompt
        .map(|prompt| total([Some(prompt), usage.cache_read, usage.cache_write]));
    usage
}

/// A total alone is the input: there is no output.
pub(crate) fn input_only(counts: &Counts) -> Usage {
    let mut usage = counts.plain();
    usage.prompt = usage.prompt.or(counts.get(Slot::Total));
    usage
}

/// The sum of what is there.
pub(crate) fn total<const N: usize>(counts: [Option<u64>; N]) -> u64 {
    counts.into_iter().flatten().fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prompt, completion, total, cache read, reasoning.
    fn read(counts: [Option<u64>; 5]) -> (Option<u64>, Option<u64>) {
        let slots = [
            Slot::Prompt,
            Slot::Completion,
            Slot::Total,
            Slot::CacheRead,
            Slot::Reasoning,
        ];
        let mut given = Counts::NONE;
        for (slot, count) in slots.into_iter().zip(counts) {
            if let Some(count) = count {
                given.take(slot, 0, count);
            }
        }
        let usage = inclusive(&given);
        (usage.prompt, usage.completion)
    }

    #[test]
    fn parts_stand_beside_their_wholes_where_the_numbers_tell() {
        for (counts, expected) in [
            // Within, as is usual.
            ([Some(20), Some(8), Some(28), Some(16), Some(4)], (20, 8)),
            ([Some(20), Some(8), None, Some(16), Some(4)], (20, 8)),
            // The total tells of one part, or of two.
            (
                [Some(479), Some(373), Some(14164), Some(13312), None],
                (13791, 373),
            ),
            (
                [Some(20), Some(198), Some(623), Some(0), Some(405)],
                (20, 603),
            ),
            ([Some(20), Some(8), Some(48), Some(16), Some(4)], (36, 12)),
            // It counts something else.
            ([Some(20), Some(8), Some(99), Some(16), Some(4)], (20, 8)),
            // A part that is more than its whole.
            (
                [Some(108), Some(3256), Some(3364), None, Some(73248)],
                (108, 76504),
            ),
            ([Some(7), Some(8), None, Some(161), None], (168, 8)),
            ([Some(7), Some(8), Some(15), Some(161), None], (7, 8)),
        ] {
            let (prompt, completion) = expected;
            assert_eq!(read(counts), (Some(prompt), Some(completion)), "{counts:?}");
        }
    }

    #[test]
    fn nothing_is_made_up() {
        assert_eq!(
            read([Some(13), None, Some(479), None, None]),
            (Some(13), None)
        );
        assert_eq!(
            read([Some(0), None, None, Some(0), Some(448)]),
            (Some(0), None)
        );
    }

    #[test]
    fn zeros_among_counts_replace_nothing_either() {
        let mut held = Counts::NONE;
        held.take(Slot::Prompt, 0, 15);
        held.take(Slot::CacheRead, 0, 4);
        let mut later = Counts::NONE;
        later.take(Slot::Prompt, 0, 0);
        later.take(Slot::Completion, 0, 7);
        held.update(&later, Update::Whole);
        let counts = [Slot::Prompt, Slot::Completion, Slot::CacheRead].map(|slot| held.get(slot));
        assert_eq!(counts, [Some(15), Some(7), None]);
    }

    #[test]
    fn zeros_replace_nothing() {
        let counts = |prompt: Option<u64>, completion: Option<u64>| {
            let mut counts = Counts::NONE;
            for (slot, count) in [(Slot::Prompt, prompt), (Slot::Completion, completion)] {
                if let Some(count) = count {
                    counts.take(slot, 0, count);
                }
            }
            counts
        };
        for update in [Update::Whole, Update::Each] {
            let mut held = counts(Some(15), Some(1));
            held.update(&counts(Some(0), Some(0)), update);
            held.update(&counts(None, None), update);
            assert_eq!(held.get(Slot::Prompt), Some(15));
            held.update(&counts(None, Some(12)), update);
            let prompt = if update == Update::Each {
                Some(15)
            } else {
                None
            };
            assert_eq!(
                (held.get(Slot::Prompt), held.get(Slot::Completion)),
                (prompt, Some(12))
            );
        }
    }
}
