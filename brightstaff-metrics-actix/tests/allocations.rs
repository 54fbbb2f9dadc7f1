//! The middleware allocates nothing of its own, and little where it measures a call as well.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/apps.rs"]
mod apps;

use apps::{PATHS, Send, apps};

/// Allocations of one request, once the series are there and a first request went through.
fn allocations(send: &mut Send, path: &str) -> u64 {
    for _ in 0..2 {
        assert_eq!(send(path), 200);
    }
    allocation_counter::measure(|| assert_eq!(send(path), 200)).count_total
}

#[test]
fn the_middleware_allocates_next_to_nothing() {
    let [(_, mut bare), _, (_, mut measured), _, (_, mut implicit)] =
        <[_; 5]>::try_from(apps()).ok().unwrap();
    for path in PATHS {
        let bare = allocations(&mut bare, path);
        assert_eq!(allocations(&mut measured, path), bare, "{path}");
    }
    let [known, ..] = PATHS;
    let bare = allocations(&mut bare, known);
    // Its mark, the call, and the meter of its response.
    assert!(allocations(&mut implicit, known) <= bare + 3);
}
