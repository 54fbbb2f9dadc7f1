use std::sync::{Arc, OnceLock};

use super::endpoint::Endpoint;
use crate::{
    families::{FoundHandler, HandlerSeries, HttpFamilies},
    labels::{MAX_LABEL_BYTES, MAX_TEMPLATE_BYTES},
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

    /// The well-known endpoint that it is the path of.
    #[inline]
    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        self.endpoint
    }

    #[inline]
    pub(super) fn series<'a>(&'a self, families: &'a HttpFamilies) -> FoundHandler<'a> {
        self.handler.series(families)
    }
}

/// The handler of requests whose status tells more than was known of them before.
pub(super) struct AtHead {
    families: Arc<HttpFamilies>,
    /// With a 1xx, a 2xx or a 3xx: somebody had something to answer.
    answered: Option<KnownHandler>,
    /// With a 404 or a 405: what is at the path was asked by a method that it does not take.
    refused: Option<KnownHandler>,
}

impl AtHead {
    pub(super) fn new(
        families: &Arc<HttpFamilies>,
        answered: Option<&str>,
        refused: Option<&str>,
    ) -> Self {
        Self {
            families: Arc::clone(families),
            answered: answered.map(KnownHandler::new),
            refused: refused.map(KnownHandler::new),
        }
    }

    /// The handler that this status tells, if it does.
    pub(super) fn series(&self, status: u16) -> Option<FoundHandler<'_>> {
        let handler = match status {
            ..400 => self.answered.as_ref(),
            404 | 405 => self.refused.as_ref(),
            _ => None,
        };
        Some(handler?.series(&self.families))
    }
}

impl std::fmt::Debug for AtHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AtHead")
            .field("answered", &self.answered)
            .field("refused", &self.refused)
            .finish_non_exhaustive()
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
