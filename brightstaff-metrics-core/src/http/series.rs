use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use prometheus::{Histogram, IntCounter, IntGauge, proto::MetricFamily};

use crate::{
    catalogue as c,
    labels::{CancelPhase, Method, OverflowLabel, StatusClass, fit},
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

    /// The children of a handler whose name has `most` bytes at most; those of `other`, and one overflow
    /// counted, where it has more, is no label's value, or comes past the cap.
    #[inline]
    pub(crate) fn handler(
        &self,
        name: &str,
        most: usize,
        overflow: &Counters<OverflowLabel>,
    ) -> &Arc<Handler> {
        // The names in the table are clean: one that is found needs no second look but at its length.
        if name.len() <= most
            && let Some(handler) = self.handlers.get([name])
        {
            return handler;
        }
        let overflow = overflow.get(OverflowLabel::Handler);
        let make = |[name]: [&str; 1]| Handler::new(name, &self.settings);
        match fit(name, most) {
            Some(name) => self.handlers.get_or_insert([name], overflow, make),
            None => {
                overflow.inc();
                self.handlers.other(make)
            }
        }
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

    /// A request with this method arrives. From its first on, what such requests usually come to stands at 0:
    /// a rate cannot see the first event of a series that was not there before.
    #[inline]
    pub(crate) fn expect(&self, method: Method) {
        // Made last: where it is there, all are.
        if self.requests.get((method, StatusClass::Error)).is_none() {
            for status in EXPECTED {
                self.requests(method, status);
            }
        }
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

/// What a request usually comes to.
const EXPECTED: [StatusClass; 4] = [
    StatusClass::Success,
    StatusClass::ClientError,
    StatusClass::ServerError,
    StatusClass::Error,
];
