//! OpenTelemetry's conventions for generative AI, by version: names, units, kinds, attributes and buckets as they stand
//! there, and what they call a provider.

mod providers;

pub(crate) use self::providers::{WELL_KNOWN, well_known};
use crate::buckets::Unit;

/// A version of the conventions.
#[derive(Debug)]
pub(crate) struct Conventions {
    /// Where it is described.
    pub(crate) schema_url: &'static str,
    pub(crate) instruments: &'static [Instrument],
}

/// One instrument.
#[derive(Debug)]
pub(crate) struct Instrument {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) kind: Kind,
    pub(crate) source: Source,
}

/// What it is, and the upper bounds that the conventions advise.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Counter,
    Histogram(Unit, &'static [f64]),
}

/// What of a pair's calls it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Input,
    Output,
    CacheRead,
    CacheWrite,
    Reasoning,
    InputOfCall,
    OutputOfCall,
    /// Both, of calls whose tokens were told.
    TokensOfCall,
    Duration,
    FirstChunk,
    EachChunk,
    FirstToken,
    EachToken,
}

impl Conventions {
    /// semantic-conventions-genai at 066d4a7f, with the token metrics that replaced `gen_ai.client.token.usage` in September
    /// 2026, and before the durations of inference were renamed in October.
    pub(crate) const LATEST: Self = Self {
        schema_url: "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev",
        instruments: &[
            counter(
                "gen_ai.client.inference.usage.input_tokens",
                "The number of input (prompt) tokens used, including cached tokens.",
                Source::Input,
            ),
            counter(
                "gen_ai.client.inference.usage.output_tokens",
                "The number of output (completion) tokens used, including reasoning tokens.",
                Source::Output,
            ),
            counter(
                "gen_ai.client.inference.usage.cache_read.input_tokens",
                "The number of input tokens served from a provider-managed cache.",
                Source::CacheRead,
            ),
            counter(
                "gen_ai.client.inference.usage.cache_write.input_tokens",
                "The number of input tokens written to a provider-managed cache.",
                Source::CacheWrite,
            ),
            counter(
                "gen_ai.client.inference.usage.reasoning.output_tokens",
                "The number of output tokens used for reasoning (e.g. chain-of-thought, extended thinking).",
                Source::Reasoning,
            ),
            tokens(
                "gen_ai.client.inference.operation.input_tokens",
                "The number of input (prompt) tokens used per inference operation.",
                Source::InputOfCall,
            ),
            tokens(
                "gen_ai.client.inference.operation.output_tokens",
                "The number of output (completion) tokens used per inference operation.",
                Source::OutputOfCall,
            ),
            DURATION,
            FIRST_CHUNK,
            EACH_CHUNK,
            REQUEST_DURATION,
            FIRST_TOKEN,
            EACH_TOKEN,
        ],
    };

    /// semantic-conventions 1.41, the last release before those for generative AI moved to a repository of their own.
    pub(crate) const V1_41: Self = Self {
        schema_url: "https://opentelemetry.io/schemas/1.41.0",
        instruments: &[
            tokens(
                "gen_ai.client.token.usage",
                "Number of input and output tokens used.",
                Source::TokensOfCall,
            ),
            DURATION,
            FIRST_CHUNK,
            EACH_CHUNK,
            REQUEST_DURATION,
            FIRST_TOKEN,
            EACH_TOKEN,
        ],
    };
}

impl Source {
    /// What one sample is, or one unit of a count, in a table for people.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Input => {
                "`llm_tokens_total{kind=\"prompt\"}`; a call whose tokens nobody told adds 0"
            }
            Self::Output => "`llm_tokens_total{kind=\"completion\"}`, likewise",
            Self::CacheRead => "`llm_token_details_total{kind=\"cache_read\"}`, likewise",
            Self::CacheWrite => "`llm_token_details_total{kind=\"cache_write\"}`, likewise",
            Self::Reasoning => "`llm_token_details_total{kind=\"reasoning\"}`, likewise",
            Self::InputOfCall => {
                "the input tokens of one call, however it ended: 0 where nobody told"
            }
            Self::OutputOfCall => "the output tokens of one call, likewise",
            Self::TokensOfCall => "the tokens of one call, however it ended, if they were told",
            Self::Duration => "`llm_upstream_duration_seconds`, of one call",
            Self::FirstChunk => "`llm_time_to_first_byte_seconds`, of one streamed call",
            Self::EachChunk => {
                "from one chunk of a streamed response to the next, each piece of the body as it arrives being a chunk"
            }
            Self::FirstToken => {
                "`llm_time_to_first_token_seconds`, of one streamed call that ended well"
            }
            Self::EachToken => "`llm_time_per_output_token_seconds`, of one call",
        }
    }
}

impl Instrument {
    /// In the notation of UCUM.
    pub(crate) fn unit(&self) -> &'static str {
        match self.kind {
            Kind::Histogram(Unit::Seconds, _) => "s",
            Kind::Histogram(Unit::Tokens, _) | Kind::Counter => "{token}",
        }
    }

    /// The attribute that its points have beside those that all have.
    pub(crate) fn attribute(&self) -> Option<&'static str> {
        match self.source {
            Source::Input
            | Source::Output
            | Source::CacheRead
            | Source::CacheWrite
            | Source::Reasoning => Some(MODALITY),
            Source::InputOfCall | Source::OutputOfCall | Source::Duration => Some(ERROR_TYPE),
            Source::TokensOfCall => Some(TOKEN_TYPE),
            Source::FirstChunk | Source::EachChunk | Source::FirstToken | Source::EachToken => None,
        }
    }
}

pub(crate) const OPERATION: &str = "gen_ai.operation.name";
pub(crate) const PROVIDER: &str = "gen_ai.provider.name";
pub(crate) const MODEL: &str = "gen_ai.request.model";
pub(crate) const MODALITY: &str = "gen_ai.token.modality";
pub(crate) const TOKEN_TYPE: &str = "gen_ai.token.type";
pub(crate) const ERROR_TYPE: &str = "error.type";

const DURATION: Instrument = seconds(
    "gen_ai.client.operation.duration",
    "GenAI operation duration.",
    Source::Duration,
    OF_OPERATIONS,
);

const FIRST_CHUNK: Instrument = seconds(
    "gen_ai.client.operation.time_to_first_chunk",
    "Time to receive the first chunk, measured from when the client issues the generation request to when the first chunk is received in the response stream.",
    Source::FirstChunk,
    OF_OPERATIONS,
);

const EACH_CHUNK: Instrument = seconds(
    "gen_ai.client.operation.time_per_output_chunk",
    "Time per output chunk, recorded for each chunk received after the first one, measured as the time elapsed from the end of the previous chunk to the end of the current chunk.",
    Source::EachChunk,
    OF_OPERATIONS,
);

const REQUEST_DURATION: Instrument = seconds(
    "gen_ai.server.request.duration",
    "Generative AI server request duration such as time-to-last byte or last output token.",
    Source::Duration,
    OF_OPERATIONS,
);

const FIRST_TOKEN: Instrument = seconds(
    "gen_ai.server.time_to_first_token",
    "Time to generate first token for successful responses.",
    Source::FirstToken,
    &[
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    ],
);

const EACH_TOKEN: Instrument = seconds(
    "gen_ai.server.time_per_output_token",
    "Time per output token generated after the first token for successful responses.",
    Source::EachToken,
    &[
        0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5,
    ],
);

const OF_OPERATIONS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

const OF_TOKENS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

const fn counter(name: &'static str, description: &'static str, source: Source) -> Instrument {
    Instrument {
        name,
        description,
        kind: Kind::Counter,
        source,
    }
}

const fn tokens(name: &'static str, description: &'static str, source: Source) -> Instrument {
    Instrument {
        name,
        description,
        kind: Kind::Histogram(Unit::Tokens, OF_TOKENS),
        source,
    }
}

const fn seconds(
    name: &'static str,
    description: &'static str,
    source: Source,
    bounds: &'static [f64],
) -> Instrument {
    Instrument {
        name,
        description,
        kind: Kind::Histogram(Unit::Seconds, bounds),
        source,
    }
}
