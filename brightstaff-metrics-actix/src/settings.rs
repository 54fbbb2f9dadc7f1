use std::{fmt, sync::Arc};

use actix_web::{HttpMessage, dev::ServiceRequest};
use brightstaff_metrics_core::{
    HandlerName, Metrics,
    adapter::{Begun, FirstMark, LayerMark, LayerMarks, NewMark, RequestMetrics},
};

use crate::{
    request_head::{Arriving, NameFn},
    routes::Routes,
};

/// What a middleware was told, shared by the services that it makes.
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

    /// A request arrived: as what the core asks for it.
    #[inline]
    pub(crate) fn arriving<'a>(
        &'a self,
        request: &'a ServiceRequest,
        routes: &'a Routes,
    ) -> Arriving<'a> {
        let given = request.extensions().get::<HandlerName>().cloned();
        Arriving::new(request, given, self.name.as_deref(), routes)
    }

    /// What of it is measured here.
    #[inline]
    pub(crate) fn begin(&self, arriving: &Arriving<'_>) -> Begun {
        let request = arriving.head.request();
        let extensions = request.extensions();
        let first = extensions.get::<FirstMark>().copied();
        let marks = extensions.get::<LayerMark>().cloned();
        // The user's closure may want them.
        drop(extensions);
        let outer = LayerMarks::new(first.as_ref(), marks.as_ref());
        let mut begun = self.requests.begin(arriving, outer);
        match begun.mark.take() {
            Some(NewMark::First(mark)) => drop(request.extensions_mut().insert(mark)),
            Some(NewMark::Layers(mark)) => drop(request.extensions_mut().insert(mark)),
            None => {}
        }
        begun
    }
}

/// What a service of one worker knows.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) settings: Arc<Settings>,
    pub(crate) routes: Routes,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("requests", &self.requests)
            .field("name", &self.name.is_some())
            .finish()
    }
}
