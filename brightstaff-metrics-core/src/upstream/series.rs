use std::{fmt, sync::Arc};

use prometheus::{Histogram, IntCounter, proto::MetricFamily};

use crate::{
    buckets::Buckets,
    catalogue as c,
    labels::{
        ErrorClass, Outcome, OverflowLabel, StatusClass, TokenDetail, TokenKind, UsageMissing,
    },
    series::{Counters, Lazy, collect, counter, histogram},
    table::{Keyed, Table},
};

/// The families of calls to providers, by pair of provider and model.
pub(crate) struct UpstreamSeries {
    pairs: Table<Pair, 2>,
}

/// The children of one pair.
pub(crate) struct Pair {
    provider: Box<str>,
    model: Box<str>,
    requests: Lazy<IntCounter, (StatusClass, ErrorClass)>,
    duration: [Histogram; 2],
    pub(crate) time_to_first_byte: Histogram,
    pub(crate) time_to_first_token: Histogram,
    pub(crate) time_per_output_token: Histogram,
    pub(crate) tokens: Counters<TokenKind>,
    token_details: Lazy<IntCounter, TokenDetail>,
    request_tokens: [Histogram; 2],
    usage_missing: Lazy<IntCounter, UsageMissing>,
}

impl UpstreamSeries {
    pub(crate) fn new(declared: &[(String, String)], cap: usize, buckets: &Buckets) -> Self {
        let declared = declared
            .iter()
            .map(|(provider, model)| Pair::new(provider, model, buckets));
        Self {
            pairs: Table::new(declared.collect(), cap),
        }
    }

    pub(crate) fn get(&self, provider: &str, model: &str) -> Option<&Arc<Pair>> {
        self.pairs.get([provider, model])
    }

    /// The children of a pair that just answered a call. Only a 2xx earns it a slot, so that names
    /// which no provider knows take none; else it is `other`, `other`, and one overflow counted.
    pub(crate) fn admit(
        &self,
        provider: &str,
        model: &str,
        success: bool,
        buckets: &Buckets,
        overflow: &Counters<OverflowLabel>,
    ) -> &Arc<Pair> {
        let key = [provider, model];
        let make = |[provider, model]: [&str; 2]| Pair::new(provider, model, buckets);
        let overflow = overflow.get(OverflowLabel::Upstream);
        if success {
            self.pairs.get_or_insert(key, overflow, make)
        } else {
            self.pairs.get_or_fold(key, overflow, make)
        }
    }

    pub(crate) fn collect(&self, out: &mut Vec<MetricFamily>) {
        let all = || self.pairs.iter();
        out.extend([
            collect(&c::UPSTREAM_REQUESTS, all().flat_map(|p| p.requests.iter())),
            collect(&c::UPSTREAM_DURATION, all().flat_map(|p| &p.duration)),
            collect(&c::TIME_TO_FIRST_BYTE, all().map(|p| &p.time_to_first_byte)),
            collect(
                &c::TIME_TO_FIRST_TOKEN,
                all().map(|p| &p.time_to_first_token),
            ),
            collect(
                &c::TIME_PER_OUTPUT_TOKEN,
                all().map(|p| &p.time_per_output_token),
            ),
            collect(&c::TOKENS, all().flat_map(|p| p.tokens.iter())),
            collect(
                &c::TOKEN_DETAILS,
                all().flat_map(|p| p.token_details.iter()),
            ),
            collect(&c::REQUEST_TOKENS, all().flat_map(|p| &p.request_tokens)),
            collect(
                &c::USAGE_MISSING,
                all().flat_map(|p| p.usage_missing.iter()),
            ),
        ]);
    }
}

impl Pair {
    fn new(provider: &str, model: &str, buckets: &Buckets) -> Self {
        let pair = [provider, model];
        let with = |value| [provider, model, value];
        let kinds = [TokenKind::Prompt, TokenKind::Completion];
        let outcomes = [Outcome::Ok, Outcome::Error];
        let this = Self {
            provider: provider.into(),
            model: model.into(),
            requests: Lazy::new(),
            duration: outcomes
                .map(|o| histogram(&c::UPSTREAM_DURATION, &with(o.as_str()), buckets)),
            time_to_first_byte: histogram(&c::TIME_TO_FIRST_BYTE, &pair, buckets),
            time_to_first_token: histogram(&c::TIME_TO_FIRST_TOKEN, &pair, buckets),
            time_per_output_token: histogram(&c::TIME_PER_OUTPUT_TOKEN, &pair, buckets),
            tokens: Counters::new(&c::TOKENS, &pair),
            token_details: Lazy::new(),
            request_tokens: kinds
                .map(|k| histogram(&c::REQUEST_TOKENS, &with(k.as_str()), buckets)),
            usage_missing: Lazy::new(),
        };
        // There from the start, so that a rate of successes can be read before the first.
        this.requests(StatusClass::Success, ErrorClass::None);
        this
    }

    pub(crate) fn requests(&self, status: StatusClass, error: ErrorClass) -> &IntCounter {
        self.requests.get_or_init((status, error), || {
            let labels = [&self.provider, &self.model, status.as_str(), error.as_str()];
            counter(&c::UPSTREAM_REQUESTS, &labels)
        })
    }

    pub(crate) fn duration(&self, outcome: Outcome) -> &Histogram {
        &self.duration[outcome as usize]
    }

    pub(crate) fn request_tokens(&self, kind: TokenKind) -> &Histogram {
        &self.request_tokens[kind as usize]
    }

    pub(crate) fn token_details(&self, detail: TokenDetail) -> &IntCounter {
        self.token_details
            .get_or_init(detail, || self.counter(&c::TOKEN_DETAILS, detail.as_str()))
    }

    pub(crate) fn usage_missing(&self, reason: UsageMissing) -> &IntCounter {
        self.usage_missing
            .get_or_init(reason, || self.counter(&c::USAGE_MISSING, reason.as_str()))
    }

    fn counter(&self, family: &c::Family, value: &str) -> IntCounter {
        counter(family, &[&self.provider, &self.model, value])
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
