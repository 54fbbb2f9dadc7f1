//! Calls to providers.

mod call;
mod head;
mod record;
mod series;
mod timing;

use std::sync::Arc;

pub use call::UpstreamCall;
pub use head::Head;
pub(crate) use series::{Pair, UpstreamSeries};

use crate::{
    clock::Tick,
    labels::{UNKNOWN, sanitize},
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
    Names(Arc<(Box<str>, Box<str>)>),
    /// The model is what the answer says it is.
    Answer(Arc<str>),
}

impl Upstream {
    pub(crate) fn named(metrics: &Metrics, provider: &str, model: &str) -> Self {
        let (provider, model) = (sanitize(provider), sanitize(model));
        let target = match metrics.series().upstream.get(provider, model) {
            Some(pair) => Target::Pair(Arc::clone(pair)),
            None => Target::Names(Arc::new((provider.into(), model.into()))),
        };
        Self {
            metrics: metrics.clone(),
            target,
        }
    }

    pub(crate) fn answering(metrics: &Metrics, provider: &str) -> Self {
        Self {
            metrics: metrics.clone(),
            target: Target::Answer(sanitize(provider).into()),
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
    fn resolve(&self, success: bool, answered: Option<&str>) -> &Pair {
        let (provider, model) = match &self.target {
            Target::Pair(pair) => return pair,
            Target::Names(names) => (&*names.0, &*names.1),
            Target::Answer(provider) => (&**provider, sanitize(answered.unwrap_or(UNKNOWN))),
        };
        self.metrics.admit(provider, model, success)
    }
}
