use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Where instants come from: the system, or a hand that tests turn.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<Manual>>);

#[derive(Debug)]
struct Manual {
    start: Instant,
    nanos: AtomicU64,
}

impl Clock {
    /// A clock that stands still until [`Clock::advance`].
    #[must_use]
    pub fn manual() -> Self {
        Self(Some(Arc::new(Manual {
            start: Instant::now(),
            nanos: AtomicU64::new(0),
        })))
    }

    /// Turns a manual clock on; does nothing to the system's.
    pub fn advance(&self, by: Duration) {
        if let Some(manual) = &self.0 {
            let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
            manual.nanos.fetch_add(nanos, Ordering::SeqCst);
        }
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        match &self.0 {
            None => Instant::now(),
            Some(manual) => {
                manual.start + Duration::from_nanos(manual.nanos.load(Ordering::SeqCst))
            }
        }
    }
}
