use std::{fmt, sync::Arc};

use super::Context;
use crate::{
    catalogue::{self as c, Family},
    labels::{ErrorClass, Outcome, StatusClass, TokenDetail, TokenKind, UsageMissing},
    series::{Children, Counter, CounterSet, Gauge, Group, Histogram, Keyed, LazySet},
};

/// The children of one pair of provider and model.
pub(crate) struct Pair {
    context: Arc<Context>,
    provider: Box<str>,
    model: Box<str>,
    requests: LazySet<Counter, (StatusClass, ErrorClass)>,
    duration: [Histogram; 2],
    pub(crate) time_to_first_byte: Histogram,
    pub(crate) time_to_first_token: Histogram,
    pub(crate) time_per_output_token: Histogram,
    pub(crate) tokens: CounterSet<TokenKind>,
    token_details: LazySet<Counter, TokenDetail>,
    request_tokens: [Histogram; 2],
    usage_missing: LazySet<Counter, UsageMissing>,
}

impl Pair {
    pub(super) fn new(context: &Arc<Context>, provider: &str, model: &str) -> Self {
        let Context { clock, buckets, .. } = &**context;
        let now = clock.wall();
        let pair = [provider, model];
        let with = |value| [provider, model, value];
        let histogram = |family, labels: &[&str]| Histogram::new(family, labels, buckets, now);
        let kinds = [TokenKind::Prompt, TokenKind::Completion];
        let outcomes = [Outcome::Ok, Outcome::Error];
        let this = Self {
            context: Arc::clone(context),
            provider: provider.into(),
            model: model.into(),
            requests: LazySet::new(),
            duration: outcomes.map(|o| histogram(&c::UPSTREAM_DURATION, &with(o.as_str()))),
            time_to_first_byte: histogram(&c::TIME_TO_FIRST_BYTE, &pair),
            time_to_first_token: histogram(&c::TIME_TO_FIRST_TOKEN, &pair),
            time_per_output_token: histogram(&c::TIME_PER_OUTPUT_TOKEN, &pair),
            tokens: CounterSet::new(&c::TOKENS, &pair, now),
            token_details: LazySet::new(),
            request_tokens: kinds.map(|k| histogram(&c::REQUEST_TOKENS, &with(k.as_str()))),
            usage_missing: LazySet::new(),
        };
        for (status, error) in EXPECTED {
            this.requests(status, error);
        }
        this
    }

    pub(crate) fn requests(&self, status: StatusClass, error: ErrorClass) -> &Counter {
        self.requests.get_or_init((status, error), || {
            let labels = [&self.provider, &self.model, status.as_str(), error.as_str()];
            Counter::new(&c::UPSTREAM_REQUESTS, &labels, self.context.clock.wall())
        })
    }

    pub(crate) fn duration(&self, outcome: Outcome) -> &Histogram {
        &self.duration[outcome as usize]
    }

    pub(crate) fn request_tokens(&self, kind: TokenKind) -> &Histogram {
        &self.request_tokens[kind as usize]
    }

    pub(crate) fn token_details(&self, detail: TokenDetail) -> &Counter {
        self.token_details
            .get_or_init(detail, || self.counter(&c::TOKEN_DETAILS, detail.as_str()))
    }

    pub(crate) fn usage_missing(&self, reason: UsageMissing) -> &Counter {
        self.usage_missing
            .get_or_init(reason, || self.counter(&c::USAGE_MISSING, reason.as_str()))
    }

    fn counter(&self, family: &Family, value: &str) -> Counter {
        let labels = [&self.provider, &self.model, value];
        Counter::new(family, &labels, self.context.clock.wall())
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
    pub(super) fn new(provider: &str) -> Self {
        Self {
            provider: provider.into(),
            gauge: Gauge::new(&c::UPSTREAM_IN_FLIGHT, &[provider]),
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
