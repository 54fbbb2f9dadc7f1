//! Ten thousand streams under way in one process: what each holds is small, and all are told right in the end.

#[path = "support/many.rs"]
mod many;

/// What an observed stream may hold beyond its body, in bytes. It is the call with its meter: no part of what passes.
const HELD_BYTES_MAX: u64 = 4 << 10;

#[test]
fn ten_thousand_streams_hold_little_and_end_right() {
    let held = many::held_by_each(10_000);
    println!("each stream holds {held} bytes");
    assert!(held <= HELD_BYTES_MAX, "each stream holds {held} bytes");
}
