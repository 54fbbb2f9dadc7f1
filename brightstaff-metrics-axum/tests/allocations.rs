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
    // The floor has what axum takes to box any layer.
    let [_bare, floor, ours, innermost] = all(inside());
    assert_eq!(
        ours,
        floor + 1,
        "in the router: its mark is one entry too many"
    );
    assert_eq!(innermost, floor, "in the router, without a mark");
    let [bare, _floor, ours] = all(around());
    assert_eq!(ours, bare, "around the router");
}

/// 1 KB of JSON, whose call is told by the handler or implied.
#[test]
fn a_call_allocates_little() {
    let [bare, _floor, explicit, implicit] = all(calls());
    assert!(explicit <= bare + 8, "explicit");
    assert!(implicit <= bare + 8, "implicit");
}
