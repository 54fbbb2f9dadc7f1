use std::sync::{Arc, OnceLock};

use super::endpoint::Endpoint;
use crate::{
    families::{FoundHandler, HandlerSeries, HttpFamilies},
    labels::{MAX_LABEL_BYTES, MAX_TEMPLATE_BYTES, RequestMethod},
};

/// A handler whose name is known before its first request: looked up once.
#[derive(Clone, Debug)]
pub(super) struct KnownHandler {
    name: Box<str>,
    most_bytes: usize,
    found: OnceLock<Arc<HandlerSeries>>,
}

impl KnownHandler {
    pub(super) fn new(name: &str) -> Self {
        Self::with_most(name, MAX_LABEL_BYTES)
    }

    fn with_most(name: &str, most_bytes: usize) -> Self {
        Self {
            name: name.into(),
            most_bytes,
            found: OnceLock::new(),
        }
    }

    /// The children of this handler. Where the cap left it none of its own, or it cannot be a label value, they are
    /// those of `other`, which is looked up anew each time.
    #[inline]
    pub(super) fn series<'a>(&'a self, families: &'a HttpFamilies) -> FoundHandler<'a> {
        match self.found.get() {
            Some(series) => FoundHandler::own(series),
            None => self.find(families),
        }
    }

    fn find<'a>(&'a self, families: &'a HttpFamilies) -> FoundHandler<'a> {
        let found = families.handler(&self.name, self.most_bytes);
        if !found.folded {
            self.found.get_or_init(|| Arc::clone(found.series));
        }
        found
    }
}

/// The template of a route that requests take again and again: the handler that it stands for is looked up once. For
/// the requests of one [`RequestMetrics`](super::RequestMetrics) alone.
#[derive(Debug)]
pub struct KnownTemplate {
    handler: KnownHandler,
    endpoint: Option<Endpoint>,
}

impl KnownTemplate {
    /// That of this template.
    #[must_use]
    pub fn new(template: &str) -> Self {
        Self {
            handler: KnownHandler::with_most(template, MAX_TEMPLATE_BYTES),
            endpoint: Endpoint::at(template),
        }
    }

    /// The template.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.handler.name
    }

    /// The well-known endpoint that it is for this method.
    #[inline]
    pub(super) fn endpoint(&self, method: RequestMethod) -> Option<Endpoint> {
        self.endpoint.filter(|endpoint| endpoint.method() == method)
    }

    #[inline]
    pub(super) fn series<'a>(&'a self, families: &'a HttpFamilies) -> FoundHandler<'a> {
        self.handler.series(families)
    }
}

/// The handler of requests that nothing was known of, once they are answered: known at the head alone.
pub(super) struct Answered {
    families: Arc<HttpFamilies>,
    handler: KnownHandler,
}

impl Answered {
    pub(super) fn new(families: &Arc<HttpFamilies>, name: &str) -> Self {
        Self {
            families: Arc::clone(families),
            handler: KnownHandler::new(name),
        }
    }

    pub(super) fn series(&self) -> FoundHandler<'_> {
        self.handler.series(&self.families)
    }
}

impl std::fmt::Debug for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Answered").field(&self.handler).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{buckets::Buckets, clock::Clock, families::Context, series::Keyed as _};

    #[test]
    fn a_name_is_found_once_and_past_the_cap_is_looked_for_each_time() {
        let context = Context::new(Clock::manual(), Buckets::default());
        let families = HttpFamilies::new(Arc::new(context), 1);
        let (first, second) = (KnownHandler::new("first"), KnownHandler::new("second"));
        for _ in 0..3 {
            let found = [&first, &second].map(|known| known.series(&families));
            let found = found.map(|found| (found.series.key(), found.folded));
            assert_eq!(found, [(["first"], false), (["other"], true)]);
        }
        assert!(first.found.get().is_some());
        assert!(second.found.get().is_none());
    }
}
