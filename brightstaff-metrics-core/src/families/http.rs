use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use super::Context;
use crate::{
    catalogue::{self as c, Family},
    labels::{CancelPhase, InterruptReason, RequestMethod, StatusClass, fit},
    series::{
        Children, Counter, CounterSet, Gauge, Group, Histogram, Keyed, LabelSet, Labels, LazySet,
        Table, Visitor, walk_groups,
    },
};

/// The families of inbound requests, by handler.
pub(crate) struct HttpFamilies {
    context: Arc<Context>,
    handlers: Table<HandlerSeries, 1>,
}

/// The children of one handler.
pub(crate) struct HandlerSeries {
    /// What the guards of its requests need: they hold one handle, this one.
    pub(crate) context: Arc<Context>,
    name: Box<str>,
    requests: LazySet<Counter, (RequestMethod, StatusClass)>,
    duration: OnceLock<Histogram>,
    time_to_headers: OnceLock<Histogram>,
    pub(crate) in_flight: Gauge,
    pub(crate) cancelled: CounterSet<CancelPhase>,
    pub(crate) interrupted: CounterSet<InterruptReason>,
}

/// The children that a request is recorded in.
#[derive(Clone, Copy)]
pub(crate) struct FoundHandler<'a> {
    pub(crate) series: &'a Arc<HandlerSeries>,
    /// They are those of `other`, and what is recorded in them counts as folded.
    pub(crate) folded: bool,
}

impl<'a> FoundHandler<'a> {
    pub(crate) fn own(series: &'a Arc<HandlerSeries>) -> Self {
        Self {
            series,
            folded: false,
        }
    }
}

impl HttpFamilies {
    pub(crate) fn new(context: Arc<Context>, cap: usize) -> Self {
        Self {
            context,
            handlers: Table::new(Vec::new(), cap),
        }
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The children of a handler whose name has `most` bytes at most; those of `other` where it has more,
    /// cannot be a label value, or comes past the cap.
    #[inline]
    pub(crate) fn handler(&self, name: &str, most: usize) -> FoundHandler<'_> {
        // The names in the table are clean: one that is found needs no second look but at its length.
        if name.len() <= most
            && let Some(handler) = self.handlers.get([name])
        {
            return FoundHandler::own(handler);
        }
        let mut folded = false;
        let make = |[name]: [&str; 1]| HandlerSeries::new(name, &self.context);
        let series = match fit(name, most) {
            Some(name) => self.handlers.get_or_insert([name], || folded = true, make),
            None => {
                folded = true;
                self.handlers.other(make)
            }
        };
        FoundHandler { series, folded }
    }

    pub(crate) const FAMILIES: [&'static Family; 6] = HandlerSeries::FAMILIES;

    pub(crate) fn walk(&self, visitor: &mut dyn Visitor) {
        let Self {
            context: _,
            handlers,
        } = self;
        walk_groups(|| handlers.iter(), visitor);
    }
}

impl HandlerSeries {
    fn new(name: &str, context: &Arc<Context>) -> Self {
        let mut labels = Labels::new(context.clock.wall());
        Self {
            context: Arc::clone(context),
            name: name.into(),
            requests: LazySet::new(),
            duration: OnceLock::new(),
            time_to_headers: OnceLock::new(),
            in_flight: Gauge::new(labels.of(&c::HTTP_IN_FLIGHT, &[name])),
            cancelled: CounterSet::new(&c::HTTP_CANCELLED, &[name], &mut labels),
            interrupted: CounterSet::new(&c::HTTP_INTERRUPTED, &[name], &mut labels),
        }
    }

    /// A request with this method arrives. From its first on, what such requests usually come to stands at 0:
    /// a rate cannot see the first event of a series that was not there before.
    #[inline]
    pub(crate) fn expect(&self, method: RequestMethod) {
        // Made last: where it is there, all are.
        if self.requests.get((method, StatusClass::Error)).is_none() {
            for status in EXPECTED {
                self.requests(method, status);
            }
        }
    }

    pub(crate) fn requests(&self, method: RequestMethod, status: StatusClass) -> &Counter {
        self.requests.get_or_init((method, status), || {
            let values = [&*self.name, method.as_str(), status.as_str()];
            Counter::new(self.labels(&c::HTTP_REQUESTS, &values))
        })
    }

    /// Of a child that is made now.
    fn labels(&self, family: &Family, values: &[&str]) -> LabelSet {
        LabelSet::new(family, values, self.context.clock.wall())
    }

    fn histogram(&self, family: &Family) -> Histogram {
        let labels = self.labels(family, &[&self.name]);
        Histogram::new(family, labels, &self.context.buckets)
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

impl Group<6> for HandlerSeries {
    const FAMILIES: [&'static Family; 6] = [
        &c::HTTP_REQUESTS,
        &c::HTTP_REQUEST_DURATION,
        &c::HTTP_TIME_TO_HEADERS,
        &c::HTTP_IN_FLIGHT,
        &c::HTTP_CANCELLED,
        &c::HTTP_INTERRUPTED,
    ];

    fn children(&self) -> [&dyn Children; 6] {
        let Self {
            context: _,
            name: _,
            requests,
            duration,
            time_to_headers,
            in_flight,
            cancelled,
            interrupted,
        } = self;
        [
            requests,
            duration,
            time_to_headers,
            in_flight,
            cancelled,
            interrupted,
        ]
    }
}

impl fmt::Debug for HandlerSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HandlerSeries").field(&self.name).finish()
    }
}

impl Keyed<1> for HandlerSeries {
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
