//! Token counts as the providers spell them.

/// A count that some provider reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Prompt,
    /// Gemini's tool-use prompt, which its prompt leaves out.
    ToolPrompt,
    Completion,
    Total,
    CacheRead,
    CacheWrite,
    Reasoning,
    /// Bedrock's own counts, beside those of the model's family.
    MetricsInput,
    MetricsOutput,
    MetricsRead,
    MetricsWrite,
}

const SLOTS: usize = 11;
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

/// No count has this rank.
const ABSENT: u8 = u8::MAX;

/// The counts of one usage, unnormalised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    values: [u64; SLOTS],
    ranks: [u8; SLOTS],
}

impl Counts {
    pub(crate) const NONE: Self = Self {
        values: [0; SLOTS],
        ranks: [ABSENT; SLOTS],
    };

    /// Takes a count, unless a spelling of a lower rank was taken.
    pub(crate) fn take(&mut self, slot: Slot, rank: u8, count: u64) {
        let at = slot as usize;
        if rank <= self.ranks[at] {
            self.ranks[at] = rank;
            self.values[at] = count;
        }
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<u64> {
        let at = slot as usize;
        (self.ranks[at] != ABSENT).then_some(self.values[at])
    }

    /// Whether a provider's usage is here, Bedrock's own metrics apart.
    pub(crate) fn any(&self) -> bool {
        self.ranks[..METRICS].iter().any(|&rank| rank != ABSENT)
    }

    /// Whether any count is here.
    pub(crate) fn any_or_metrics(&self) -> bool {
        self.ranks.iter().any(|&rank| rank != ABSENT)
    }

    /// Forgets all but Bedrock's own metrics.
    pub(crate) fn clear_usage(&mut self) {
        self.ranks[..METRICS].fill(ABSENT);
    }

    /// Replaces each count that a later report has.
    pub(crate) fn merge(&mut self, later: &Self) {
        for (at, (&value, &rank)) in later.values.iter().zip(&later.ranks).enumerate() {
            if rank != ABSENT {
                self.values[at] = value;
                self.ranks[at] = rank;
            }
        }
    }
}
