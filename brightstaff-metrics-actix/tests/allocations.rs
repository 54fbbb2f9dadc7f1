//! The middleware allocates nothing of its own, and little where it measures a call as well.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/apps.rs"]
mod apps;

use apps::{Send, apps};

/// Allocations of one request, once the series are there and a first request went through.
fn allocations(send: &mut Send, path: &str) -> u64 {
    for _ in 0..2 {
        assert_eq!(send(path), 200);
    }
    allocation_counter::measure(|| assert_eq!(send(path), 200)).count_total
}

#[test]
fn the_middleware_allocates_next_to_nothing() {
    let [(_, mut bare), (_, mut measured), (_, mut implicit)] =
        <[_; 3]>::try_from(apps()).ok().unwrap();
    let known = "/v1/chat/completions";
    let bare_known = allocations(&mut bare, known);
    assert_eq!(allocations(&mut measured, known), bare_known);
    // Its mark, the call, and the meter of its response.
    assert!(allocations(&mut implicit, known) <= bare_known + 3);

    for routed in ["/v1/files", "/v1/files/17"] {
        let bare_routed = allocations(&mut bare, routed);
        assert_eq!(allocations(&mut measured, routed), bare_routed);
    }
}
