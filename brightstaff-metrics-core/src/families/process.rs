//! The standard `process_*` families, read from procfs at each scrape.
//!
//! The collector of the `prometheus` crate cuts CPU time to whole seconds, so that the rate of a
//! gateway at 5 % of a core reads 0 for twenty seconds, then 1.

use crate::{
    catalogue::{self as c, Family},
    series::Visitor,
};

/// One of the `process_*` families: each stands for itself, so that one that a sandbox hides, or that the
/// registry has from elsewhere, takes no other with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessFamily {
    pub(crate) family: &'static Family,
    #[cfg_attr(not(target_os = "linux"), expect(dead_code))]
    read: fn(&Reader) -> Option<f64>,
}

#[cfg(target_os = "linux")]
type Reader = procfs::process::Process;

/// There is nothing to read.
#[cfg(not(target_os = "linux"))]
type Reader = std::convert::Infallible;

impl ProcessFamily {
    /// Those that can be read here.
    pub(crate) fn readable() -> impl Iterator<Item = Self> {
        ALL.iter()
            .copied()
            .filter(|family| family.value().is_some())
    }

    /// Its value at this moment.
    #[cfg(target_os = "linux")]
    pub(crate) fn value(self) -> Option<f64> {
        (self.read)(&Reader::myself().ok()?)
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn value(self) -> Option<f64> {
        None
    }

    pub(crate) fn walk(self, visitor: &mut dyn Visitor) {
        visitor.family(self.family);
        if let Some(value) = self.value() {
            visitor.reading(value);
        }
    }
}

#[cfg(not(target_os = "linux"))]
static ALL: [ProcessFamily; 0] = [];

#[cfg(target_os = "linux")]
static ALL: [ProcessFamily; 8] = [
    reading(&c::PROCESS_CPU, |process| {
        let stat = process.stat().ok()?;
        Some(seconds(stat.utime + stat.stime))
    }),
    reading(&c::PROCESS_RESIDENT_MEMORY, |process| {
        let pages = process.stat().ok()?.rss;
        Some(float(pages.saturating_mul(procfs::page_size())))
    }),
    reading(&c::PROCESS_VIRTUAL_MEMORY, |process| {
        Some(float(process.stat().ok()?.vsize))
    }),
    reading(&c::PROCESS_VIRTUAL_MEMORY_MAX, |process| {
        Some(limit(process.limits().ok()?.max_address_space.soft_limit))
    }),
    reading(&c::PROCESS_OPEN_FDS, |process| {
        Some(float(process.fd_count().ok()? as u64))
    }),
    reading(&c::PROCESS_MAX_FDS, |process| {
        Some(limit(process.limits().ok()?.max_open_files.soft_limit))
    }),
    reading(&c::PROCESS_THREADS, |process| {
        let threads = process.stat().ok()?.num_threads;
        u64::try_from(threads).ok().map(float)
    }),
    reading(&c::PROCESS_START_TIME, |process| {
        let boot = procfs::boot_time_secs().ok()?;
        Some(float(boot) + seconds(process.stat().ok()?.starttime))
    }),
];

#[cfg(target_os = "linux")]
const fn reading(family: &'static Family, read: fn(&Reader) -> Option<f64>) -> ProcessFamily {
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
fn limit(value: procfs::process::LimitValue) -> f64 {
    use procfs::process::LimitValue;

    match value {
        LimitValue::Value(value) => float(value),
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
            cpu.unwrap().value().unwrap()
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
