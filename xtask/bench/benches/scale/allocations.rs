//! What one request allocates, once its series are there and one like it went through; and what a scrape holds.

use std::io;

use allocation_counter::measure;
use brightstaff_metrics_core::{
    exposition::{Exposition, Format},
    prometheus::{Encoder as _, TextEncoder},
};

use crate::{figure, stall};

#[path = "../../../../brightstaff-metrics-actix/tests/support/apps.rs"]
mod actix;
#[path = "../../../../brightstaff-metrics-axum/tests/support/apps.rs"]
mod axum;

pub(crate) fn report() {
    let groups = [
        ("inside", axum::inside()),
        ("around", axum::around()),
        ("calls", axum::calls()),
    ];
    for (group, apps) in groups {
        for (name, mut app) in apps {
            let count = settled(|| assert_eq!(app(axum::request()), 200));
            figure(&format!("allocations/axum/{group}/{name}"), count as f64);
        }
    }
    for (name, mut send) in actix::apps() {
        let counts = actix::PATHS.map(|path| settled(|| assert_eq!(send(path), 200)));
        let most = counts.into_iter().max().unwrap_or_default();
        figure(&format!("allocations/actix/{name}"), most as f64);
    }
    scrape();
}

/// Of one time after others, which make what is made once.
fn settled(mut once: impl FnMut()) -> u64 {
    (0..10).for_each(|_| once());
    measure(once).count_total
}

/// What it holds at most beyond what it writes.
fn scrape() {
    let (registry, metrics) = stall::ours();
    let ours = measure(|| {
        let exposition = Exposition::of(&registry);
        exposition.write(Format::Text, &mut io::sink()).unwrap();
    });
    drop(metrics);
    figure("held by a scrape/ours", ours.bytes_max as f64);
    let (registry, _counters) = stall::library();
    let library = measure(|| {
        let encoder = TextEncoder::new();
        encoder.encode(&registry.gather(), &mut io::sink()).unwrap();
    });
    figure("held by a scrape/prometheus", library.bytes_max as f64);
}
