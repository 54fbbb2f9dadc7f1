//! The standard `process_*` families, read from procfs at each scrape.
//!
//! The collector of the `prometheus` crate cuts CPU time to whole seconds, so that the rate of a
//! gateway at 5 % of a core reads 0 for twenty seconds, then 1.

use prometheus::{
    core::{Collector, Desc},
    proto::MetricFamily,
};

#[cfg(target_os = "linux")]
use crate::series::reading;
use crate::{
    catalogue::{self as c, Family},
    series::desc,
};

pub(crate) static FAMILIES: [&Family; 8] = [
    &c::PROCESS_CPU,
    &c::PROCESS_RESIDENT_MEMORY,
    &c::PROCESS_VIRTUAL_MEMORY,
    &c::PROCESS_VIRTUAL_MEMORY_MAX,
    &c::PROCESS_OPEN_FDS,
    &c::PROCESS_MAX_FDS,
    &c::PROCESS_THREADS,
    &c::PROCESS_START_TIME,
];

#[derive(Debug)]
pub(crate) struct ProcessCollector {
    descs: Vec<Desc>,
}

impl ProcessCollector {
    /// `None` where there is nothing to read.
    pub(crate) fn new() -> Option<Self> {
        let readable = !read().is_empty();
        readable.then(|| Self {
            descs: FAMILIES.iter().map(|family| desc(family)).collect(),
        })
    }
}

impl Collector for ProcessCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        read()
    }
}

#[cfg(not(target_os = "linux"))]
fn read() -> Vec<MetricFamily> {
    Vec::new()
}

/// What can be read at this moment; each value stands for itself, so that one that a sandbox hides
/// takes no other with it.
#[cfg(target_os = "linux")]
fn read() -> Vec<MetricFamily> {
    use procfs::process::{LimitValue, Process};

    let Ok(process) = Process::myself() else {
        return Vec::new();
    };
    let mut out = Vec::with_capacity(FAMILIES.len());
    let mut push = |family: &Family, value: Option<f64>| {
        out.extend(value.map(|value| reading(family, value)));
    };
    // All of these are far below 2^52.
    #[expect(clippy::cast_precision_loss)]
    let float = |value: u64| value as f64;
    let limit = |value: LimitValue| match value {
        LimitValue::Value(value) => float(value),
        // As the other client libraries tell it.
        LimitValue::Unlimited => float(u64::MAX),
    };

    if let Ok(stat) = process.stat() {
        let seconds = |ticks: u64| float(ticks) / float(procfs::ticks_per_second());
        push(&c::PROCESS_CPU, Some(seconds(stat.utime + stat.stime)));
        let resident = stat.rss.saturating_mul(procfs::page_size());
        push(&c::PROCESS_RESIDENT_MEMORY, Some(float(resident)));
        push(&c::PROCESS_VIRTUAL_MEMORY, Some(float(stat.vsize)));
        let threads = u64::try_from(stat.num_threads).ok();
        push(&c::PROCESS_THREADS, threads.map(float));
        let boot = procfs::boot_time_secs().ok();
        let start = boot.map(|boot| float(boot) + seconds(stat.starttime));
        push(&c::PROCESS_START_TIME, start);
    }
    let fds = process.fd_count().ok();
    push(&c::PROCESS_OPEN_FDS, fds.map(|fds| float(fds as u64)));
    if let Ok(limits) = process.limits() {
        let fds = limit(limits.max_open_files.soft_limit);
        push(&c::PROCESS_MAX_FDS, Some(fds));
        let memory = limit(limits.max_address_space.soft_limit);
        push(&c::PROCESS_VIRTUAL_MEMORY_MAX, Some(memory));
    }
    out
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_has_fractions() {
        let cpu = || {
            let families = ProcessCollector::new().unwrap().collect();
            let text = prometheus::TextEncoder::new()
                .encode_to_string(&families)
                .unwrap();
            let mut lines = text.lines();
            let line = lines.find_map(|line| line.strip_prefix("process_cpu_seconds_total "));
            line.unwrap().parse::<f64>().unwrap()
        };
        let before = cpu();
        while cpu() == before {
            std::hint::spin_loop();
        }
        assert!(cpu() - before < 1.0, "whole seconds only");
    }
}
