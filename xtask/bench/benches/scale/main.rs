//! What does not show in the time of one request: the memory of a stream and of a pair, and what scrapes do to those
//! who record. Prints figures for `cargo xtask bench`: `figure NAME = VALUE`.

#![allow(clippy::unwrap_used)] // Nothing here fails.

mod allocations;
#[path = "../../../../brightstaff-metrics-core/tests/support/many.rs"]
mod many;
mod memory;
mod scrapes;
mod stall;

fn main() {
    allocations::report();
    memory::report();
    figure(
        "held by each of 10,000 streams",
        many::held_by_each(10_000) as f64,
    );
    scrapes::report();
    stall::report();
}

fn figure(name: &str, value: f64) {
    println!("figure {name} = {value}");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
