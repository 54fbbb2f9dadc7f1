use std::{fmt, sync::Arc};

use prometheus::{Histogram, IntCounter, proto::MetricFamily};

use super::provider::{DEFAULT_OPEN_MODELS, MAX_LATER_PROVIDERS, Provider};
use crate::{
    buckets::Buckets,
    catalogue as c,
    labels::{
        ErrorClass, OTHER, Outcome, StatusClass, TokenDetail, TokenKind, UNKNOWN, UsageMissing,
    },
    series::{Counters, Lazy, collect, counter, histogram},
    table::{Keyed, Room, Table},
};

/// The families of calls to providers, by pair of provider and model.
pub(crate) struct UpstreamSeries {
    pairs: Table<Pair, 2>,
    providers: Table<Provider, 1>,
    /// What is left of the cap for pairs whose provider has no room set aside.
    rest: Room,
}

/// A call that ended, by whom it went to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Called<'a> {
    pub(crate) provider: &'a str,
    pub(crate) model: &'a str,
    /// One of them was no label's value, and stands as `other`.
    pub(crate) unfit: bool,
    /// Its status was a 2xx.
    pub(crate) success: bool,
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
    /// `cap` bounds the pairs that are not declared. What `providers` set aside, where all of it fits in
    /// there, is for their models alone.
    pub(crate) fn new(
        declared: &[(String, String)],
        providers: Vec<Provider>,
        cap: usize,
        buckets: &Buckets,
    ) -> Self {
        let aside = providers.iter().map(Provider::set_aside).sum();
        let rest = cap.checked_sub(aside).unwrap_or(cap);
        let providers = Table::new(providers, MAX_LATER_PROVIDERS);
        let mut reserved = Vec::new();
        for (provider, model) in declared {
            let pair = Pair::new(provider, model, buckets);
            let named = providers.get([provider]);
            match named.and_then(|named: &Arc<Provider>| named.of(model)) {
                Some(place) => drop(place.set(Arc::new(pair))),
                None => reserved.push(pair),
            }
        }
        // The first failure of a model that nobody declared has to show.
        for provider in providers.iter().filter(|provider| provider.set_aside() > 0) {
            provider.other(buckets);
        }
        Self {
            pairs: Table::new(reserved, cap),
            providers,
            rest: Room::new(rest),
        }
    }

    /// The provider is named: its failures carry its name from now on, and those that no model answered have
    /// their series.
    pub(crate) fn name(&self, provider: &str, buckets: &Buckets) {
        let make = |[name]: [&str; 1]| Provider::new(name, DEFAULT_OPEN_MODELS, false);
        if let Some(named) = self.providers.insert([provider], [].into_iter(), make)
            && self.pairs.get([provider, UNKNOWN]).is_none()
        {
            named.unknown(buckets);
        }
    }

    /// The children of a pair that has some.
    pub(crate) fn get(&self, provider: &str, model: &str) -> Option<&Arc<Pair>> {
        self.pairs.get([provider, model]).or_else(|| {
            let named = self.providers.get([provider])?;
            named.of(model)?.get()
        })
    }

    /// The children in which a call that ended is recorded. Only a 2xx earns a pair a slot, so that names
    /// which no provider knows take none; else the model is `other`, and the provider, too, where nobody
    /// named it, and one overflow is counted.
    pub(crate) fn admit(
        &self,
        call: Called<'_>,
        buckets: &Buckets,
        overflow: &IntCounter,
    ) -> &Arc<Pair> {
        let (pair, folded) = match self.providers.get([call.provider]) {
            Some(named) => match call.model {
                UNKNOWN | OTHER => (self.unearned(named, call.model, buckets), false),
                _ => match self.earn(call, named.rooms(&self.rest), buckets) {
                    Some(pair) => (pair, false),
                    None => (self.unearned(named, OTHER, buckets), true),
                },
            },
            None => match self.earn(call, std::iter::once(&self.rest), buckets) {
                Some(pair) => (pair, false),
                None => {
                    let make = |[provider, model]: [&str; 2]| Pair::new(provider, model, buckets);
                    let called_so = [call.provider, call.model] == [OTHER; 2];
                    (self.pairs.other(make), !called_so)
                }
            },
        };
        if folded || call.unfit {
            overflow.inc();
        }
        pair
    }

    /// The provider's `unknown` or `other`, which takes no slot, unless it earned one before it was named.
    fn unearned<'a>(
        &'a self,
        named: &'a Provider,
        model: &str,
        buckets: &Buckets,
    ) -> &'a Arc<Pair> {
        let [name] = named.key();
        let earned = self.pairs.get([name, model]);
        earned.unwrap_or_else(|| match model {
            UNKNOWN => named.unknown(buckets),
            _ => named.other(buckets),
        })
    }

    /// The children of its own, where a call has some or earns them.
    // What `impl Trait` asks for cannot be elided yet.
    #[allow(single_use_lifetimes)]
    fn earn<'a>(
        &self,
        call: Called<'_>,
        rooms: impl Iterator<Item = &'a Room> + Clone,
        buckets: &Buckets,
    ) -> Option<&Arc<Pair>> {
        let key = [call.provider, call.model];
        let make = |[provider, model]: [&str; 2]| Pair::new(provider, model, buckets);
        if call.success {
            self.pairs.insert(key, rooms, make)
        } else {
            self.pairs.get(key)
        }
    }

    pub(crate) fn collect(&self, out: &mut Vec<MetricFamily>) {
        // Nothing is told twice, should a pair have been earned while its provider was being named.
        let only_here = |pair: &&Pair| self.pairs.get(pair.key()).is_none();
        let providers = || {
            let pairs = self.providers.iter().flat_map(Provider::pairs);
            pairs.filter(only_here)
        };
        let all = || self.pairs.iter().chain(providers());
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
    pub(super) fn new(provider: &str, model: &str, buckets: &Buckets) -> Self {
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
        for (status, error) in EXPECTED {
            this.requests(status, error);
        }
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
