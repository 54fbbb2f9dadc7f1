//! Calls to providers.

mod body_reader;
mod by_hand;
mod call;
mod client_error;
mod ended;
#[cfg(feature = "otlp")]
mod gen_ai;
mod held;
mod mark;
mod opening;
mod record;
mod timing;
mod told;
#[cfg(feature = "tokio-1")]
mod within;

use std::sync::Arc;

#[cfg(feature = "tokio-1")]
pub use within::TimedOut;
pub use {
    call::UpstreamCall,
    held::HeldCall,
    mark::{NoUpstream, UpstreamObserved},
    opening::Opening,
};

use crate::{
    clock::{Clock, Tick},
    families::{Call, CallInFlight, InFlight, Pair, UpstreamFamilies},
    labels::{MAX_LABEL_BYTES, OTHER, UNKNOWN, fit},
    meter::Model,
};

/// A provider and one of its models: resolved once, to start any number of calls from.
///
/// ```
/// use brightstaff_metrics_core::{Metrics, labels::ErrorClass};
///
/// let metrics = Metrics::unregistered();
/// let upstream = metrics.upstream("openai", "gpt-4o");
/// for _attempt in 0..2 {
///     upstream.start().fail(ErrorClass::Connect);
/// }
/// ```
#[derive(Clone)]
pub struct Upstream(Arc<Inner>);

/// Behind one handle, since every call holds it.
struct Inner {
    families: Arc<UpstreamFamilies>,
    provider: LabelValue,
    /// Found at the first call of a provider that has its own.
    in_flight: Option<Arc<InFlight>>,
    target: Target,
}

/// Where a call is recorded.
#[derive(Debug)]
enum Target {
    /// A pair that has its series.
    Pair(Arc<Pair>),
    /// A pair that has none yet, by its model.
    Model(LabelValue),
    /// The model is what the response says it is.
    ResponseModel,
}

/// The value of an open label.
#[derive(Debug)]
struct LabelValue {
    value: Box<str>,
    /// What was given is none, and each use of this is counted as folded.
    unfit: bool,
}

impl LabelValue {
    fn new(given: &str) -> Self {
        let value = fit(given, MAX_LABEL_BYTES);
        Self {
            value: value.unwrap_or(OTHER).into(),
            unfit: value.is_none(),
        }
    }
}

impl Upstream {
    /// A pair of provider and model, whatever model the response names.
    pub(crate) fn new(families: &Arc<UpstreamFamilies>, provider: &str, model: &str) -> Self {
        let (provider, model) = (LabelValue::new(provider), LabelValue::new(model));
        let known =
            (!provider.unfit && !model.unfit).then(|| families.get(&provider.value, &model.value));
        let target = match known.flatten() {
            Some(pair) => Target::Pair(Arc::clone(pair)),
            None => Target::Model(model),
        };
        Self::to(families, provider, target)
    }

    /// A provider, which is named by that, whose responses name the model.
    pub(crate) fn implicit(families: &Arc<UpstreamFamilies>, provider: &str) -> Self {
        let provider = LabelValue::new(provider);
        if !provider.unfit {
            families.name(&provider.value);
        }
        Self::to(families, provider, Target::ResponseModel)
    }

    fn to(families: &Arc<UpstreamFamilies>, provider: LabelValue, target: Target) -> Self {
        let in_flight = families.in_flight(&provider.value);
        Self(Arc::new(Inner {
            in_flight: in_flight
                .is_of(&provider.value)
                .then(|| Arc::clone(in_flight)),
            families: Arc::clone(families),
            provider,
            target,
        }))
    }

    /// Starts a call: the clock runs from here. Each attempt is a call of its own.
    #[inline]
    pub fn start(&self) -> UpstreamCall {
        let now = self.now();
        UpstreamCall::new(self.clone(), self.call_in_flight(), now)
    }

    pub(crate) fn now(&self) -> Tick {
        self.clock().now()
    }

    /// What tells its instants.
    fn clock(&self) -> &Clock {
        &self.0.families.context().clock
    }

    /// Whether the instant of each chunk is wanted.
    fn wants_chunks(&self) -> bool {
        self.0.families.context().gen_ai
    }

    pub(crate) fn call_in_flight(&self) -> CallInFlight {
        let Inner {
            families,
            provider,
            in_flight,
            ..
        } = &*self.0;
        let own = in_flight.as_ref();
        CallInFlight::start(own.unwrap_or_else(|| families.in_flight(&provider.value)))
    }

    /// Which metrics these are, among those of the process.
    pub(crate) fn metrics_id(&self) -> usize {
        self.0.families.id()
    }

    /// Whether some layer measures responses as calls, unless they are marked.
    pub(crate) fn calls_are_implied(&self) -> bool {
        self.0.families.are_implied()
    }

    /// The children in which a call that ended is recorded. `success`: its status was a 2xx;
    /// `answered`: the model that the response named.
    fn resolve(&self, success: bool, answered: Option<&Model>) -> &Pair {
        let Inner {
            families,
            provider,
            target,
            ..
        } = &*self.0;
        let (model, unfit) = match target {
            Target::Pair(pair) => return pair,
            Target::Model(model) => (&*model.value, model.unfit),
            Target::ResponseModel => {
                let model = answered.map_or(UNKNOWN, Model::label);
                let called_so = answered.and_then(Model::as_str) == Some(OTHER);
                (model, model == OTHER && !called_so)
            }
        };
        families.admit(Call {
            provider: &provider.value,
            model,
            unfit: unfit || provider.unfit,
            success,
        })
    }
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream")
            .field("provider", &self.0.provider.value)
            .field("target", &self.0.target)
            .finish_non_exhaustive()
    }
}
