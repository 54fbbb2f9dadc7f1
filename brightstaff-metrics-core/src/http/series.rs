use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use prometheus::{Histogram, IntCounter, IntGauge, proto::MetricFamily};

use crate::{
    catalogue as c,
    labels::{CancelPhase, Method, OverflowLabel, StatusClass, sanitize},
    metrics::Settings,
    series::{Counters, Lazy, collect, counter, gauge, histogram},
    table::{Keyed, Table},
};

/// The families of inbound requests, by handler.
pub(crate) struct HttpSeries {
    settings: Arc<Settings>,
    handlers: Table<Handler, 1>,
}

/// The children of one handler.
pub(crate) struct Handler {
    /// What the guards of its requests rest on: they hold one handle, this one.
    pub(crate) settings: Arc<Settings>,
    name: Box<str>,
    pub(crate) in_flight: IntGauge,
    pub(crate) cancelled: Counters<CancelPhase>,
    requests: Lazy<IntCounter, (Method, StatusClass)>,
    duration: OnceLock<Histogram>,
    time_to_headers: OnceLock<Histogram>,
}

impl HttpSeries {
    pub(crate) fn new(cap: usize, settings: Arc<Settings>) -> Self {
        Self {
            settings,
            handlers: Table::new(Vec::new(), cap),
        }
    }

    /// The children of a handler; those of `other`, and one overflow counted, past the cap.
    #[inline]
    pub(crate) fn handler(&self, name: &str, overflow: &Counters<OverflowLabel>) -> &Arc<Handler> {
        // The names in the table are clean: one that is found needs no second look.
        if let Some(handler) = self.handlers.get([name]) {
            return handler;
        }
        let overflow = overflow.get(OverflowLabel::Handler);
        self.handlers
            .get_or_insert([sanitize(name)], overflow, |[name]| {
                Handler::new(name, &self.settings)
            })
    }

    pub(crate) fn collect(&self, out: &mut Vec<MetricFamily>) {
        let all = || self.handlers.iter();
        out.extend([
            collect(&c::HTTP_REQUESTS, all().flat_map(|h| h.requests.iter())),
            collect(
                &c::HTTP_REQUEST_DURATION,
                all().filter_map(|h| h.duration.get()),
            ),
            collect(
                &c::HTTP_TIME_TO_HEADERS,
                all().filter_map(|h| h.time_to_headers.get()),
            ),
            collect(&c::HTTP_IN_FLIGHT, all().map(|h| &h.in_flight)),
            collect(&c::HTTP_CANCELLED, all().flat_map(|h| h.cancelled.iter())),
        ]);
    }
}

impl Handler {
    fn new(name: &str, settings: &Arc<Settings>) -> Self {
        Self {
            settings: Arc::clone(settings),
            name: name.into(),
            in_flight: gauge(&c::HTTP_IN_FLIGHT, &[name]),
            cancelled: Counters::new(&c::HTTP_CANCELLED, &[name]),
            requests: Lazy::new(),
            duration: OnceLock::new(),
            time_to_headers: OnceLock::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn requests(&self, method: Method, status: StatusClass) -> &IntCounter {
        self.requests.get_or_init((method, status), || {
            let labels = [&*self.name, method.as_str(), status.as_str()];
            counter(&c::HTTP_REQUESTS, &labels)
        })
    }

    fn histogram(&self, family: &c::Family) -> Histogram {
        histogram(family, &[&self.name], &self.settings.buckets)
    }

    pub(crate) fn duration(&self) -> &Histogram {
        self.duration
            .get_or_init(|| self.histogram(&c::HTTP_REQUEST_DURATION))
    }

    pub(crate) fn time_to_headers(&self) -> &Histogram {
        self.time_to_headers
            .get_or_init(|| self.histogram(&c::HTTP_TIME_TO_HEADERS))
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handler").field(&self.name).finish()
    }
}

impl Keyed<1> for Handler {
    fn key(&self) -> [&str; 1] {
        [&self.name]
    }
}
