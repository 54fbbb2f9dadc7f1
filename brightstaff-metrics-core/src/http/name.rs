use std::sync::{Arc, OnceLock};

use super::series::Handler;
use crate::Metrics;

/// A handler whose name is known before its first request: looked up once.
#[derive(Clone, Debug)]
pub(super) struct Name {
    text: Box<str>,
    found: OnceLock<Arc<Handler>>,
}

impl Name {
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            found: OnceLock::new(),
        }
    }

    /// The children of this handler. Where the cap left it none of its own, or it is no label's value, they are
    /// those of `other`, which is asked for anew each time, so that each time is counted.
    #[inline]
    pub(super) fn handler<'a>(&'a self, metrics: &'a Metrics) -> &'a Arc<Handler> {
        self.found.get().unwrap_or_else(|| self.find(metrics))
    }

    fn find<'a>(&'a self, metrics: &'a Metrics) -> &'a Arc<Handler> {
        let handler = metrics.handler(&self.text);
        if handler.name() == &*self.text {
            return self.found.get_or_init(|| Arc::clone(handler));
        }
        handler
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_once_and_past_the_cap_each_time() {
        let registry = prometheus::Registry::new();
        let builder = Metrics::builder().process(false).handler_cap(1);
        let metrics = builder.register(&registry).unwrap();
        let (first, second) = (Name::new("first"), Name::new("second"));
        for _ in 0..3 {
            assert_eq!(first.handler(&metrics).name(), "first");
            assert_eq!(second.handler(&metrics).name(), "other");
        }
        assert!(first.found.get().is_some());
        assert!(second.found.get().is_none());
        let mut text = String::new();
        let encoder = prometheus::TextEncoder::new();
        encoder.encode_utf8(&registry.gather(), &mut text).unwrap();
        let folded = "brightstaff_metrics_label_overflow_total{label=\"handler\"} 3";
        assert!(text.contains(folded), "{text}");
    }
}
