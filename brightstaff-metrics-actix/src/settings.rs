use std::{cell::RefMut, fmt, sync::Arc};

use actix_web::{
    HttpMessage,
    dev::{Extensions, ServiceRequest},
};
use brightstaff_metrics_core::{
    Metrics,
    adapter::{self, Begun, RequestMetrics},
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
        Arriving::new(request, self.name.as_deref(), routes)
    }

    /// What of it is measured here.
    #[inline]
    pub(crate) fn begin(&self, arriving: &Arriving<'_>) -> Begun {
        let request = arriving.head.request();
        // Not borrowed any longer: the user's closure may want them.
        let outer = self
            .requests
            .marks(&RequestExtensions(request.extensions_mut()));
        let mut begun = self.requests.begin(arriving, &outer);
        if let Some(marks) = begun.marks.take() {
            marks.put(&mut RequestExtensions(request.extensions_mut()));
        }
        begun
    }
}

/// Actix's extensions, as the core asks for them.
struct RequestExtensions<'a>(RefMut<'a, Extensions>);

impl adapter::Extensions for RequestExtensions<'_> {
    #[inline]
    fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.get()
    }

    #[inline]
    fn insert<T: Clone + Send + Sync + 'static>(&mut self, value: T) {
        self.0.insert(value);
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
