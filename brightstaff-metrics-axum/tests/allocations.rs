//! The layer allocates nothing of its own, but for its entry in the request's extensions.

#![cfg(feature = "matched-path")]
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/apps.rs"]
mod apps;

use apps::{App, apps, request, send};

/// Allocations of one request, once the series are there and a first request went through.
fn allocations(app: &mut App) -> u64 {
    send(app, request());
    allocation_counter::measure(|| assert_eq!(send(app, request()), 200)).count_total
}

#[test]
fn the_layer_allocates_next_to_nothing() {
    let mut counts = apps().into_iter().map(|(name, mut app)| {
        let count = allocations(&mut app);
        println!("{name}: {count}");
        count
    });
    let mut next = || counts.next().unwrap();
    let (bare, boxed) = (next(), next());
    assert!(next() <= boxed + 1, "in the router");
    assert!(next() <= bare + 1, "around the router");
    let _implicit = next();
}
