//! The middleware allocates nothing of its own where it needs no template, and little where it does.

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
    // The call and the meter of its answer.
    assert!(allocations(&mut implicit, known) <= bare_known + 4);

    // Actix matches the path anew for its template, and puts that together.
    let templated = "/v1/files/17";
    let bare_templated = allocations(&mut bare, templated);
    assert!(allocations(&mut measured, templated) <= bare_templated + 2);
}
