use std::{fmt, sync::Arc};

use super::Context;
#[cfg(feature = "otlp")]
use crate::series::GenAiOperations;
use crate::{
    catalogue::{self as c, Family},
    labels::{ErrorClass, Outcome, StatusClass, TokenDetail, TokenKind, UsageMissing},
    series::{
        Children, Counter, CounterSet, Gauge, Group, Histogram, Keyed, LabelSet, Labels, RareSet,
        Visitor,
    },
};

/// The children of one pair of provider and model.
pub(crate) struct Pair {
    context: Arc<Context>,
    provider: Box<str>,
    model: Box<str>,
    requests: Requests,
    duration: [Histogram; 2],
    pub(crate) time_to_first_byte: Histogram,
    pub(crate) time_to_first_token: Histogram,
    pub(crate) time_per_output_token: Histogram,
    pub(crate) tokens: CounterSet<TokenKind>,
    token_details: RareSet<Counter, TokenDetail>,
    request_tokens: [Histogram; 2],
    usage_missing: RareSet<Counter, UsageMissing>,
    /// Where the `gen_ai` view is on.
    #[cfg(feature = "otlp")]
    gen_ai: Option<GenAiOperations>,
}

/// Its calls, by what they came to.
struct Requests {
    /// In the order of [`EXPECTED`].
    expected: [Counter; EXPECTED.len()],
    others: RareSet<Counter, (StatusClass, ErrorClass)>,
}

impl Pair {
    pub(super) fn new(context: &Arc<Context>, provider: &str, model: &str) -> Self {
        let mut labels = Labels::new(context.clock.wall());
        let expected = EXPECTED.map(|(status, error)| {
            let values = [provider, model, status.as_str(), error.as_str()];
            Counter::new(labels.of(&c::UPSTREAM_REQUESTS, &values))
        });
        let pair = [provider, model];
        let tokens = CounterSet::new(&c::TOKENS, &pair, &mut labels);
        let with = |value| [provider, model, value];
        let mut histogram = |family, values: &[&str]| {
            Histogram::new(family, labels.of(family, values), &context.buckets)
        };
        let kinds = [TokenKind::Prompt, TokenKind::Completion];
        let outcomes = [Outcome::Ok, Outcome::Error];
        Self {
            context: Arc::clone(context),
            provider: provider.into(),
            model: model.into(),
            requests: Requests {
                expected,
                others: RareSet::new(),
            },
            duration: outcomes.map(|o| histogram(&c::UPSTREAM_DURATION, &with(o.as_str()))),
            time_to_first_byte: histogram(&c::TIME_TO_FIRST_BYTE, &pair),
            time_to_first_token: histogram(&c::TIME_TO_FIRST_TOKEN, &pair),
            time_per_output_token: histogram(&c::TIME_PER_OUTPUT_TOKEN, &pair),
            request_tokens: kinds.map(|k| histogram(&c::REQUEST_TOKENS, &with(k.as_str()))),
            tokens,
            token_details: RareSet::new(),
            usage_missing: RareSet::new(),
            #[cfg(feature = "otlp")]
            gen_ai: context.gen_ai.then(GenAiOperations::new),
        }
    }

    pub(crate) fn requests(&self, status: StatusClass, error: ErrorClass) -> &Counter {
        let Requests { expected, others } = &self.requests;
        let at = EXPECTED_AT[status as usize][error as usize];
        expected.get(at).unwrap_or_else(|| {
            others.get_or_init((status, error), || {
                let values = [&self.provider, &self.model, status.as_str(), error.as_str()];
                self.counter(&c::UPSTREAM_REQUESTS, &values)
            })
        })
    }

    pub(crate) fn duration(&self, outcome: Outcome) -> &Histogram {
        &self.duration[outcome as usize]
    }

    pub(crate) fn request_tokens(&self, kind: TokenKind) -> &Histogram {
        &self.request_tokens[kind as usize]
    }

    pub(crate) fn token_details(&self, detail: TokenDetail) -> &Counter {
        self.token_details.get_or_init(detail, || {
            let values = [&self.provider, &self.model, detail.as_str()];
            self.counter(&c::TOKEN_DETAILS, &values)
        })
    }

    pub(crate) fn usage_missing(&self, reason: UsageMissing) -> &Counter {
        self.usage_missing.get_or_init(reason, || {
            let values = [&self.provider, &self.model, reason.as_str()];
            self.counter(&c::USAGE_MISSING, &values)
        })
    }

    /// What the `gen_ai` view tells of it, where that is on.
    #[cfg(feature = "otlp")]
    #[inline]
    pub(crate) fn gen_ai(&self) -> Option<&GenAiOperations> {
        self.gen_ai.as_ref()
    }

    /// One that is made now.
    fn counter(&self, family: &Family, values: &[&str]) -> Counter {
        Counter::new(LabelSet::new(family, values, self.context.clock.wall()))
    }
}

impl Group<9> for Pair {
    const FAMILIES: [&'static Family; 9] = [
        &c::UPSTREAM_REQUESTS,
        &c::UPSTREAM_DURATION,
        &c::TIME_TO_FIRST_BYTE,
        &c::TIME_TO_FIRST_TOKEN,
        &c::TIME_PER_OUTPUT_TOKEN,
        &c::TOKENS,
        &c::TOKEN_DETAILS,
        &c::REQUEST_TOKENS,
        &c::USAGE_MISSING,
    ];

    fn children(&self) -> [&dyn Children; 9] {
        let Self {
            context: _,
            provider: _,
            model: _,
            requests,
            duration,
            time_to_first_byte,
            time_to_first_token,
            time_per_output_token,
            tokens,
            token_details,
            request_tokens,
            usage_missing,
            #[cfg(feature = "otlp")]
                gen_ai: _,
        } = self;
        [
            requests,
            duration,
            time_to_first_byte,
            time_to_first_token,
            time_per_output_token,
            tokens,
            token_details,
            request_tokens,
            usage_missing,
        ]
    }
}

impl Children for Requests {
    fn visit(&self, visitor: &mut dyn Visitor) {
        let Self { expected, others } = self;
        expected.visit(visitor);
        others.visit(visitor);
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("Pair");
        tuple.field(&self.provider).field(&self.model).finish()
    }
}

impl Keyed<2> for Pair {
    fn key(&self) -> [&str; 2] {
        [&self.provider, &self.model]
    }
}

/// How many calls to a provider are in flight.
pub(crate) struct InFlight {
    provider: Box<str>,
    gauge: Gauge,
}

impl InFlight {
    pub(super) fn new(context: &Context, provider: &str) -> Self {
        let now = context.clock.wall();
        let labels = LabelSet::new(&c::UPSTREAM_IN_FLIGHT, &[provider], now);
        Self {
            provider: provider.into(),
            gauge: Gauge::new(labels),
        }
    }

    /// Whether it is this provider's, and not that of `other`.
    pub(crate) fn is_of(&self, provider: &str) -> bool {
        *self.provider == *provider
    }
}

impl Group<1> for InFlight {
    const FAMILIES: [&'static Family; 1] = [&c::UPSTREAM_IN_FLIGHT];

    fn children(&self) -> [&dyn Children; 1] {
        let Self { provider: _, gauge } = self;
        [gauge]
    }
}

impl Keyed<1> for InFlight {
    fn key(&self) -> [&str; 1] {
        [&self.provider]
    }
}

/// A call is in flight for as long as this lives.
pub(crate) struct CallInFlight(Arc<InFlight>);

impl CallInFlight {
    pub(crate) fn start(provider: &Arc<InFlight>) -> Self {
        provider.gauge.inc();
        Self(Arc::clone(provider))
    }
}

impl Drop for CallInFlight {
    fn drop(&mut self) {
        self.0.gauge.dec();
    }
}

impl fmt::Debug for CallInFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallInFlight")
            .field(&self.0.provider)
            .finish()
    }
}

/// What a call usually comes to: there at 0 from the start, since a rate cannot see the first event of a series
/// that was not there before.
const EXPECTED: [(StatusClass, ErrorClass); 8] = [
    (StatusClass::Success, ErrorClass::None),
    (StatusClass::Success, ErrorClass::Stream),
    (StatusClass::Success, ErrorClass::Cancelled),
    (StatusClass::ClientError, ErrorClass::RateLimit),
    (StatusClass::ClientError, ErrorClass::Status),
    (StatusClass::ServerError, ErrorClass::Status),
    (StatusClass::Error, ErrorClass::Timeout),
    (StatusClass::Error, ErrorClass::Connect),
];

/// Where each stands there; past the end, what is not expected.
const EXPECTED_AT: [[usize; ErrorClass::ALL.len()]; StatusClass::ALL.len()] = {
    let mut places = [[EXPECTED.len(); ErrorClass::ALL.len()]; StatusClass::ALL.len()];
    let mut at = 0;
    while at < EXPECTED.len() {
        let (status, error) = EXPECTED[at];
        places[status as usize][error as usize] = at;
        at += 1;
    }
    places
};
