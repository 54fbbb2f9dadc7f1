//! The `gen_ai` view: cases as data, each with what a decoder that is not ours reads; and that its totals are those of
//! our own families, whatever is called and however it ends.

mod cases;
mod totals;

use std::time::Duration;

use brightstaff_metrics_core::{
    Clock, Metrics, UpstreamCall,
    otlp::{Encoder, GenAi, Resource},
};
use prometheus::Registry;

/// A gateway whose clock is turned by hand.
struct Gateway {
    registry: Registry,
    metrics: Metrics,
    clock: Clock,
}

impl Gateway {
    fn new() -> Self {
        Self::with(true, [])
    }

    fn with<'a>(view: bool, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let (registry, clock) = (Registry::new(), Clock::manual());
        let builder = Metrics::builder().clock(clock.clone()).process(false);
        let builder = builder.gen_ai_view(view).upstreams(pairs);
        let metrics = builder.register(&registry).unwrap();
        Self {
            registry,
            metrics,
            clock,
        }
    }

    fn encoder(&self) -> Encoder {
        let encoder = Encoder::new(Resource::default()).clock(self.clock.clone());
        encoder.gen_ai(GenAi::Latest)
    }

    fn start(&self, to: &str) -> UpstreamCall {
        match to.split_once('/') {
            Some((provider, model)) => self.metrics.upstream(provider, model).start(),
            None => self.metrics.provider(to).start(),
        }
    }

    fn wait(&self, seconds: f64) {
        self.clock.advance(Duration::from_secs_f64(seconds));
    }
}
