use super::{call::OpenCall, record::Record};
use crate::{
    clock::Tick,
    labels::{ErrorClass, UsageMissing},
    meter::{End, Facts},
    progress::Ending,
    series::Traced,
};

/// How a call ended, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallEnd {
    pub(super) ending: Ending,
    pub(super) given: Option<ErrorClass>,
    pub(super) at: Tick,
}

/// A call that ended, and is to be recorded.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) call: OpenCall,
    pub(super) end: CallEnd,
}

impl Ended {
    /// Why its usage is not known, if it is owed.
    pub(super) fn usage_missing(&self) -> Option<UsageMissing> {
        let facts = self.call.facts()?;
        let class = self.end.class(self.call.status, Some(facts));
        facts.usage_missing(class != ErrorClass::None)
    }

    /// Records it, with what those found who read the response.
    pub(super) fn record_as(self, found: Option<ErrorClass>) {
        let Self { mut call, mut end } = self;
        if found.is_some() {
            (end.ending, end.given) = (Ending::Failed, found);
        }
        call.record_and_tell(end);
    }
}

impl OpenCall {
    /// Records it, with what its body told; tells how it ended.
    pub(super) fn record(&self, end: CallEnd, facts: Option<&Facts>) -> ErrorClass {
        let record = self.recorded(end, facts);
        record.write();
        record.error
    }

    /// The same, and tells its listener, if it has one.
    // Few calls have one.
    #[cold]
    pub(super) fn record_and_tell(&mut self, end: CallEnd) -> ErrorClass {
        let listener = self.aside.as_mut().and_then(|aside| aside.listener.take());
        let record = Record {
            #[cfg(feature = "otlp")]
            chunks: self.aside.as_ref().and_then(|aside| aside.chunks.as_ref()),
            ..self.recorded(end, self.facts())
        };
        record.write();
        if let Some(listener) = listener {
            listener.call_ended(&record.told());
        }
        record.error
    }

    #[inline]
    fn recorded<'a>(&'a self, end: CallEnd, facts: Option<&'a Facts>) -> Record<'a> {
        let error = end.class(self.status, facts);
        Record {
            pair: self
                .upstream
                .resolve(facts.is_some(), facts.map(|facts| &facts.model)),
            status: self.status,
            #[cfg(feature = "otlp")]
            asked: self.asked,
            error,
            clock: self.upstream.clock(),
            start: self.start,
            end: end.at,
            traced: self.trace.map(|trace| Traced {
                trace,
                at: self.upstream.clock().wall(),
            }),
            timing: self.timing,
            #[cfg(feature = "otlp")]
            chunks: None,
            facts,
        }
    }
}

impl CallEnd {
    /// The class of the ending: the first that fits, in the order of the contract.
    pub(super) fn class(self, status: Option<u16>, facts: Option<&Facts>) -> ErrorClass {
        use ErrorClass as E;
        let Some(status) = status else {
            return match (self.ending, self.given) {
                (_, Some(class @ (E::Timeout | E::Connect | E::Parse | E::Cancelled))) => class,
                (Ending::Dropped, None) => E::Cancelled,
                _ => E::Other,
            };
        };
        let Some(facts) = facts else {
            return if status == 429 {
                E::RateLimit
            } else {
                E::Status
            };
        };
        match (self.ending, self.given) {
            _ if facts.error => E::Stream,
            (_, Some(class @ (E::Parse | E::Cancelled))) => class,
            (Ending::Failed, _) => E::Stream,
            (Ending::Complete, _) if facts.end() == End::Complete => E::None,
            (Ending::Complete, _) => E::Stream,
            (Ending::Dropped | Ending::Panicked, _) if facts.terminal => E::None,
            (Ending::Dropped, _) => E::Cancelled,
            (Ending::Panicked, _) => E::Other,
        }
    }
}
