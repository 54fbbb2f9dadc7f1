//! The layer allocates nothing of its own but, where there may be another further in, its entry in the request's
//! extensions.

#![cfg(feature = "matched-path")]
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/apps.rs"]
mod apps;

use apps::{App, Apps, around, calls, inside, request};

/// Allocations of one request, once the series are there and a first request went through.
fn allocations(app: &mut App) -> u64 {
    app(request());
    allocation_counter::measure(|| assert_eq!(app(request()), 200)).count_total
}

/// Those of each app.
fn all<const N: usize>(apps: Apps) -> [u64; N] {
    let counts = apps.into_iter().map(|(name, mut app)| {
        let count = allocations(&mut app);
        println!("{name}: {count}");
        count
    });
    counts.collect::<Vec<_>>().try_into().unwrap()
}

#[test]
fn the_layer_allocates_next_to_nothing() {
    let [_bare, floor, ours] = all(inside());
    assert!(ours <= floor + 1, "in the router");
    let [bare, _floor, ours] = all(around());
    assert_eq!(ours, bare, "around the router");
    let [bare, floor, explicit, implicit] = all(calls());
    let _ = (bare, floor, explicit, implicit);
}
