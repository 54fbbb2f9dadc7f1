use std::sync::{Arc, OnceLock};

use prometheus::{Histogram, IntCounter, IntGauge, proto::MetricFamily};

use crate::{
    buckets::Buckets,
    catalogue as c,
    labels::{CancelPhase, Method, OTHER, OverflowLabel, StatusClass, sanitize},
    series::{Counters, Lazy, collect, counter, gauge, histogram},
    table::{Keyed, Table},
};

/// The families of inbound requests, by handler.
#[derive(Debug)]
pub(crate) struct HttpSeries {
    handlers: Table<Handler, 1>,
    /// Holds what has no slot of its own.
    other: OnceLock<Arc<Handler>>,
}

/// The children of one handler.
#[derive(Debug)]
pub(crate) struct Handler {
    name: Box<str>,
    pub(crate) in_flight: IntGauge,
    pub(crate) cancelled: Counters<CancelPhase>,
    requests: Lazy<IntCounter, (Method, StatusClass)>,
    duration: OnceLock<Histogram>,
    time_to_headers: OnceLock<Histogram>,
}

impl HttpSeries {
    pub(crate) fn new(cap: usize) -> Self {
        Self {
            handlers: Table::new(Vec::new(), cap),
            other: OnceLock::new(),
        }
    }

    /// The children of a handler; those of `other`, and one overflow counted, past the cap.
    pub(crate) fn handler(&self, name: &str, overflow: &Counters<OverflowLabel>) -> &Arc<Handler> {
        let name = sanitize(name);
        if name != OTHER {
            if let Some(handler) = self.handlers.get_or_insert([name], || Handler::new(name)) {
                return handler;
            }
            overflow.get(OverflowLabel::Handler).inc();
        }
        self.other.get_or_init(|| Arc::new(Handler::new(OTHER)))
    }

    pub(crate) fn collect(&self, out: &mut Vec<MetricFamily>) {
        let all = || {
            let other = self.other.get().map(Arc::as_ref);
            self.handlers.iter().chain(other)
        };
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
    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            in_flight: gauge(&c::HTTP_IN_FLIGHT, &[name]),
            cancelled: Counters::new(&c::HTTP_CANCELLED, &[name]),
            requests: Lazy::new(),
            duration: OnceLock::new(),
            time_to_headers: OnceLock::new(),
        }
    }

    pub(crate) fn requests(&self, method: Method, status: StatusClass) -> &IntCounter {
        self.requests.get_or_init((method, status), || {
            let labels = [&*self.name, method.as_str(), status.as_str()];
            counter(&c::HTTP_REQUESTS, &labels)
        })
    }

    pub(crate) fn duration(&self, buckets: &Buckets) -> &Histogram {
        self.duration
            .get_or_init(|| histogram(&c::HTTP_REQUEST_DURATION, &[&self.name], buckets))
    }

    pub(crate) fn time_to_headers(&self, buckets: &Buckets) -> &Histogram {
        self.time_to_headers
            .get_or_init(|| histogram(&c::HTTP_TIME_TO_HEADERS, &[&self.name], buckets))
    }
}

impl Keyed<1> for Handler {
    fn key(&self) -> [&str; 1] {
        [&self.name]
    }
}
