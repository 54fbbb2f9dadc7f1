//! Calls to providers.

mod call;
mod head;
mod provider;
mod record;
mod series;
mod timing;

use std::sync::Arc;

pub use call::UpstreamCall;
pub use head::Head;
pub(crate) use provider::{DEFAULT_OPEN_MODELS, Provider};
pub(crate) use series::{Called, Pair, UpstreamSeries};

use crate::{
    clock::Tick,
    labels::{MAX_LABEL_BYTES, OTHER, UNKNOWN, fit},
    meter::Model,
    metrics::Metrics,
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
#[derive(Clone, Debug)]
pub struct Upstream {
    metrics: Metrics,
    target: Target,
}

/// Where a call is recorded.
#[derive(Clone, Debug)]
enum Target {
    /// A pair that has its series.
    Pair(Arc<Pair>),
    /// A pair that has none yet.
    Names(Arc<Names>),
    /// The model is what the answer says it is.
    Answer(Arc<Name>),
}

#[derive(Debug)]
struct Names {
    provider: Name,
    model: Name,
}

/// A label's value.
#[derive(Debug)]
struct Name {
    label: Box<str>,
    /// What was given is none, and each use of this is counted as folded.
    unfit: bool,
}

impl Name {
    fn new(given: &str) -> Self {
        let label = fit(given, MAX_LABEL_BYTES);
        Self {
            label: label.unwrap_or(OTHER).into(),
            unfit: label.is_none(),
        }
    }
}

impl Upstream {
    pub(crate) fn named(metrics: &Metrics, provider: &str, model: &str) -> Self {
        let (provider, model) = (Name::new(provider), Name::new(model));
        let known = (!provider.unfit && !model.unfit)
            .then(|| metrics.series().upstream.get(&provider.label, &model.label));
        let target = match known.flatten() {
            Some(pair) => Target::Pair(Arc::clone(pair)),
            None => Target::Names(Arc::new(Names { provider, model })),
        };
        Self {
            metrics: metrics.clone(),
            target,
        }
    }

    pub(crate) fn answering(metrics: &Metrics, provider: &str) -> Self {
        let provider = Name::new(provider);
        if !provider.unfit {
            metrics.name_provider(&provider.label);
        }
        Self {
            metrics: metrics.clone(),
            target: Target::Answer(Arc::new(provider)),
        }
    }

    /// Starts a call: the clock runs from here. Each attempt is a call of its own.
    pub fn start(&self) -> UpstreamCall {
        UpstreamCall::start(self.clone(), self.metrics.now())
    }

    /// A call that started before: the measured answer is the gateway's own, and its clock runs
    /// from the request's arrival.
    pub(crate) fn start_at(&self, start: Tick) -> UpstreamCall {
        UpstreamCall::start(self.clone(), start)
    }

    /// The children in which a call that ended is recorded. `success`: its status was a 2xx;
    /// `answered`: the model that the answer named.
    fn resolve(&self, success: bool, answered: Option<&Model>) -> &Pair {
        let call = match &self.target {
            Target::Pair(pair) => return pair,
            Target::Names(names) => Called {
                provider: &names.provider.label,
                model: &names.model.label,
                unfit: names.provider.unfit || names.model.unfit,
                success,
            },
            Target::Answer(provider) => {
                let model = answered.map_or(UNKNOWN, Model::label);
                let called_so = answered.and_then(Model::as_str) == Some(OTHER);
                Called {
                    provider: &provider.label,
                    model,
                    unfit: provider.unfit || (model == OTHER && !called_so),
                    success,
                }
            }
        };
        self.metrics.admit(call)
    }
}
