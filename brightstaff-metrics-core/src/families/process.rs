//! The standard `process_*` families, read from procfs at each scrape.
//!
//! The collector of the `prometheus` crate cuts CPU time to whole seconds, so that the rate of a
//! gateway at 5 % of a core reads 0 for twenty seconds, then 1.

#[cfg(target_os = "linux")]
use std::{cell::OnceCell, sync::OnceLock};

use crate::{
    catalogue::{self as c, Family},
    series::Visitor,
};

/// One of the `process_*` families: each stands for itself, so that one that a sandbox hides, or that the
/// registry has from elsewhere, takes no other with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessFamily {
    pub(crate) family: &'static Family,
    read: fn(&Readings) -> Option<f64>,
}

/// What was read for one exposition: each file once, however many families are told of it.
#[cfg(target_os = "linux")]
#[derive(Default)]
pub(crate) struct Readings {
    process: OnceCell<Option<procfs::process::Process>>,
    stat: OnceCell<Option<procfs::process::Stat>>,
    limits: OnceCell<Option<procfs::process::Limits>>,
}

/// There is nothing to read.
#[cfg(not(target_os = "linux"))]
#[derive(Default)]
pub(crate) struct Readings;

#[cfg(target_os = "linux")]
impl Readings {
    fn process(&self) -> Option<&procfs::process::Process> {
        let read = || procfs::process::Process::myself().ok();
        self.process.get_or_init(read).as_ref()
    }

    fn stat(&self) -> Option<&procfs::process::Stat> {
        let read = || self.process()?.stat().ok();
        self.stat.get_or_init(read).as_ref()
    }

    fn limits(&self) -> Option<&procfs::process::Limits> {
        let read = || self.process()?.limits().ok();
        self.limits.get_or_init(read).as_ref()
    }
}

impl ProcessFamily {
    /// Those that can be read here.
    pub(crate) fn readable() -> impl Iterator<Item = Self> {
        let readings = Readings::default();
        let families = ALL.iter().copied();
        families.filter(move |family| (family.read)(&readings).is_some())
    }

    /// Tells its value, unless that can no longer be read.
    pub(crate) fn walk(self, readings: &Readings, visitor: &mut dyn Visitor) {
        visitor.family(self.family);
        if let Some(value) = (self.read)(readings) {
            visitor.reading(value);
        }
    }
}

/// When the process was started, since the Unix epoch, to a hundredth of a second; by a clock of the system that may be
/// off by one.
#[cfg(feature = "otlp")]
pub(crate) fn process_began() -> Option<std::time::Duration> {
    static BEGAN: std::sync::OnceLock<Option<std::time::Duration>> = std::sync::OnceLock::new();
    *BEGAN.get_or_init(|| {
        let mut families = ALL.iter();
        let start = families.find(|one| one.family.name == c::PROCESS_START_TIME.name)?;
        let seconds = (start.read)(&Readings::default())?;
        std::time::Duration::try_from_secs_f64(seconds).ok()
    })
}

#[cfg(not(target_os = "linux"))]
static ALL: [ProcessFamily; 0] = [];

#[cfg(target_os = "linux")]
static ALL: [ProcessFamily; 8] = [
    reading(&c::PROCESS_CPU, |readings| {
        let stat = readings.stat()?;
        Some(seconds(stat.utime + stat.stime))
    }),
    reading(&c::PROCESS_RESIDENT_MEMORY, |readings| {
        let pages = readings.stat()?.rss;
        Some(float(pages.saturating_mul(procfs::page_size())))
    }),
    reading(&c::PROCESS_VIRTUAL_MEMORY, |readings| {
        Some(float(readings.stat()?.vsize))
    }),
    reading(&c::PROCESS_VIRTUAL_MEMORY_MAX, |readings| {
        Some(limit(&readings.limits()?.max_address_space.soft_limit))
    }),
    reading(&c::PROCESS_OPEN_FDS, |readings| {
        Some(float(readings.process()?.fd_count().ok()? as u64))
    }),
    reading(&c::PROCESS_MAX_FDS, |readings| {
        Some(limit(&readings.limits()?.max_open_files.soft_limit))
    }),
    reading(&c::PROCESS_THREADS, |readings| {
        let threads = readings.stat()?.num_threads;
        u64::try_from(threads).ok().map(float)
    }),
    reading(&c::PROCESS_START_TIME, |readings| {
        Some(boot_time()? + seconds(readings.stat()?.starttime))
    }),
];

/// When the system was started, in seconds since the Unix epoch. Linux goes through all processors and interrupts to
/// tell that, and puts it together anew of two clocks, so that it may be another second the next time.
#[cfg(target_os = "linux")]
fn boot_time() -> Option<f64> {
    static BOOT_TIME: OnceLock<u64> = OnceLock::new();
    if BOOT_TIME.get().is_none() {
        let _ = BOOT_TIME.set(procfs::boot_time_secs().ok()?);
    }
    BOOT_TIME.get().copied().map(float)
}

#[cfg(target_os = "linux")]
const fn reading(family: &'static Family, read: fn(&Readings) -> Option<f64>) -> ProcessFamily {
    ProcessFamily { family, read }
}

// All of these are far below 2^52.
#[cfg(target_os = "linux")]
#[expect(clippy::cast_precision_loss)]
fn float(value: u64) -> f64 {
    value as f64
}

#[cfg(target_os = "linux")]
fn seconds(ticks: u64) -> f64 {
    float(ticks) / float(procfs::ticks_per_second())
}

#[cfg(target_os = "linux")]
fn limit(value: &procfs::process::LimitValue) -> f64 {
    use procfs::process::LimitValue;

    match value {
        LimitValue::Value(value) => float(*value),
        // As the other client libraries tell it.
        LimitValue::Unlimited => float(u64::MAX),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_has_fractions() {
        let cpu = || {
            let mut all = ProcessFamily::readable();
            let cpu = all.find(|one| one.family.name == c::PROCESS_CPU.name);
            (cpu.unwrap().read)(&Readings::default()).unwrap()
        };
        let before = cpu();
        while cpu() == before {
            std::hint::spin_loop();
        }
        assert!(cpu() - before < 1.0, "whole seconds only");
    }

    #[test]
    fn all_are_there() {
        assert_eq!(ProcessFamily::readable().count(), ALL.len());
    }
}
