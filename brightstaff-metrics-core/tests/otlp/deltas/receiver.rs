//! A receiver that adds up the deltas that it was told.

use std::collections::{BTreeMap, btree_map::Entry};

use crate::{
    model::Temporality,
    read::{Point, Series, Value},
};

/// What a receiver of deltas has of a series.
#[derive(Debug)]
pub struct Kept {
    pub value: Value,
    /// When the first one began.
    pub start: u64,
    end: u64,
}

#[derive(Debug, Default)]
pub struct Receiver {
    pub kept: BTreeMap<Series, Kept>,
    /// When the last export was made that came.
    pub last: u64,
}

impl Receiver {
    pub fn take(&mut self, points: &[Point]) {
        for point in points {
            if point.temporality != Some(Temporality::Delta) {
                continue;
            }
            let (start, end) = (point.start, point.time);
            assert!(start <= end, "{point:?}");
            match self.kept.entry(point.series()) {
                Entry::Vacant(entry) => {
                    assert!(start >= self.last || self.last == 0, "{point:?}");
                    let value = point.value.clone();
                    entry.insert(Kept { value, start, end });
                }
                Entry::Occupied(mut entry) => {
                    let kept = entry.get_mut();
                    assert_eq!(start, self.last, "{point:?}");
                    assert!(start >= kept.end, "an interval overlaps another");
                    add(&mut kept.value, &point.value);
                    kept.end = end;
                }
            }
        }
        self.last = points
            .iter()
            .map(|point| point.time)
            .max()
            .unwrap_or(self.last)
            .max(self.last);
    }
}

fn add(kept: &mut Value, delta: &Value) {
    match (kept, delta) {
        (Value::Int(kept), Value::Int(delta)) => {
            assert!(*delta > 0, "nothing was added");
            *kept += delta;
        }
        (Value::Double(kept), Value::Double(delta)) => {
            assert!(*delta > 0.0, "nothing was added");
            *kept += delta;
        }
        (
            Value::Explicit {
                counts,
                bounds,
                sum,
            },
            Value::Explicit {
                counts: more,
                bounds: same,
                sum: more_sum,
            },
        ) => {
            assert_eq!(bounds, same);
            assert!(more.iter().sum::<u64>() > 0, "nothing was added");
            counts
                .iter_mut()
                .zip(more)
                .for_each(|(kept, more)| *kept += more);
            *sum += more_sum;
        }
        (
            Value::Exponential { zero, counts, sum },
            Value::Exponential {
                zero: more_zero,
                counts: more,
                sum: more_sum,
            },
        ) => {
            assert!(
                more_zero + more.values().sum::<u64>() > 0,
                "nothing was added"
            );
            *zero += more_zero;
            for (bucket, more) in more {
                *counts.entry(*bucket).or_default() += more;
            }
            *sum += more_sum;
        }
        (kept, delta) => panic!("{kept:?} and {delta:?}"),
    }
}

/// Sums are floats, once they are told.
fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(1.0)
}

pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Double(one), Value::Double(other)) => close(*one, *other),
        (
            Value::Explicit {
                counts,
                bounds,
                sum,
            },
            Value::Explicit {
                counts: others,
                bounds: other_bounds,
                sum: other,
            },
        ) => counts == others && bounds == other_bounds && close(*sum, *other),
        (
            Value::Exponential { zero, counts, sum },
            Value::Exponential {
                zero: other_zero,
                counts: others,
                sum: other,
            },
        ) => zero == other_zero && counts == others && close(*sum, *other),
        _ => one == other,
    }
}
