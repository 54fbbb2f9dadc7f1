use std::{fmt, sync::Arc};

use brightstaff_metrics_core::{
    Metrics,
    adapter::{Begun, PendingCall, RequestGuard, RequestMetrics},
};
use http::Request;

use crate::request_head::{Arriving, NameFn, RequestHead};

/// What a layer was told, shared by the services that it makes.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) requests: RequestMetrics,
    pub(crate) name: Option<Arc<NameFn>>,
}

impl Settings {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            requests: RequestMetrics::from(metrics),
            name: None,
        }
    }

    /// A request arrived: what of it is measured here.
    #[inline]
    pub(crate) fn begin<B>(
        &self,
        request: &mut Request<B>,
    ) -> (Option<RequestGuard>, Option<PendingCall>) {
        let arriving = Arriving {
            head: RequestHead::of(request),
            name: self.name.as_deref(),
        };
        let outer = self.requests.marks(request.extensions());
        let Begun {
            request: guard,
            call,
            marks,
            ..
        } = self.requests.begin(&arriving, &outer);
        if let Some(marks) = marks {
            marks.put(request.extensions_mut());
        }
        (guard, call)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("requests", &self.requests)
            .field("name", &self.name.is_some())
            .finish()
    }
}
