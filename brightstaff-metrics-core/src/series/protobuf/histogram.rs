//! A histogram as a message: its classic buckets, its native ones, or both.

use super::{
    super::{Exemplar, Histogram, Native, wire::Message},
    SAMPLE_COUNT, SAMPLE_SUM, label, timestamp,
};

/// Writes the message `Histogram`.
pub(super) fn histogram(message: &mut Message, histogram: &Histogram) {
    let snapshot = histogram.snapshot();
    let mut exemplars: Vec<_> = histogram.exemplars().collect();
    message.unsigned(SAMPLE_COUNT, snapshot.count);
    message.double(SAMPLE_SUM, histogram.sum());
    let mut of_buckets = exemplars.iter().peekable();
    let mut of_bucket = |number| of_buckets.next_if(|(bucket, _)| *bucket == number);
    for (number, (bound, count)) in snapshot.classic.iter().enumerate() {
        bucket(message, *bound, *count, of_bucket(number));
    }
    // The last is implied where it has nothing of its own to say.
    if !snapshot.classic.is_empty()
        && let Some(last) = of_bucket(snapshot.classic.len())
    {
        bucket(message, f64::INFINITY, snapshot.count, Some(last));
    }
    if let Some(native) = &snapshot.native {
        native_buckets(message, native);
    }
    timestamp(message, CREATED, histogram.created());
    if snapshot.native.is_some() {
        // Prometheus (2.53 to 3.14) skips as many as it read of the children before, where it reads no classic buckets:
        // if it reads some without the newest, it warns in each scrape.
        exemplars.sort_by_key(|(_, one)| one.at);
        for (_, one) in &exemplars {
            exemplar(message, EXEMPLARS, one);
        }
    }
}

/// A classic bucket: how many samples there are up to its bound.
pub(super) fn bucket(
    histogram: &mut Message,
    upper_bound: f64,
    cumulative_count: u64,
    latest: Option<&(usize, Exemplar)>,
) {
    histogram.message(BUCKET, |bucket| {
        bucket.unsigned(1, cumulative_count);
        bucket.double(2, upper_bound);
        if let Some((_, latest)) = latest {
            exemplar(bucket, 3, latest);
        }
    });
}

fn native_buckets(message: &mut Message, native: &Native) {
    message.zigzag(SCHEMA, native.schema.into());
    message.double(ZERO_THRESHOLD, native.zero_threshold);
    message.unsigned(ZERO_COUNT, native.zero_count);
    let (spans, deltas) = layout(native);
    for span in &spans {
        message.message(POSITIVE_SPAN, |message| {
            message.zigzag(1, span.offset.into());
            message.unsigned(2, span.length.into());
        });
    }
    message.zigzags(POSITIVE_DELTA, &deltas);
}

/// Buckets one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Span {
    /// How many there are between the last one of the span before and the first of this; the number of the first
    /// bucket itself, for the first span.
    offset: i32,
    length: u32,
}

/// So many empty buckets between two others stand with these in one span, as in Prometheus' own library: they take
/// less room than another span, there and in its storage.
const MAX_GAP: i32 = 2;

/// The spans, and of each of their buckets what its count is more than the one before.
fn layout(native: &Native) -> (Vec<Span>, Vec<i64>) {
    let (mut spans, mut counts) = (Vec::<Span>::new(), Vec::new());
    let mut next = 0;
    for &(number, count) in &native.buckets {
        let gap = number - next;
        match (spans.last_mut(), u32::try_from(gap)) {
            (Some(span), Ok(empty)) if gap <= MAX_GAP => {
                span.length += empty + 1;
                counts.extend((0..gap).map(|_| 0));
            }
            _ => spans.push(Span {
                offset: gap,
                length: 1,
            }),
        }
        counts.push(count.cast_signed());
        next = number + 1;
    }
    if spans.is_empty() {
        // "Use a no-op span (offset 0, length 0) for a native histogram without any observations yet" (metrics.proto):
        // without one it could be a classic one.
        spans.push(Span::default());
    }
    let before = [0].into_iter().chain(counts.iter().copied());
    let deltas = counts.iter().zip(before);
    let deltas = deltas.map(|(count, before)| count - before).collect();
    (spans, deltas)
}

/// Prometheus drops one without a timestamp from a native histogram.
fn exemplar(message: &mut Message, field: u32, exemplar: &Exemplar) {
    let (trace_id, span_id) = (exemplar.trace.trace_id(), exemplar.trace.span_id());
    message.message(field, |message| {
        for (name, id) in [("trace_id", &trace_id[..]), ("span_id", &span_id)] {
            label(message, name, std::str::from_utf8(id).unwrap_or_default());
        }
        message.double(2, exemplar.value);
        timestamp(message, 3, exemplar.at);
    });
}

const BUCKET: u32 = 3;
const SCHEMA: u32 = 5;
const ZERO_THRESHOLD: u32 = 6;
const ZERO_COUNT: u32 = 7;
const POSITIVE_SPAN: u32 = 12;
const POSITIVE_DELTA: u32 = 13;
const CREATED: u32 = 15;
const EXEMPLARS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_empty_buckets_are_skipped() {
        let span = |offset, length| Span { offset, length };
        for (buckets, expected) in [
            (vec![], (vec![span(0, 0)], vec![])),
            (vec![(-159, 2)], (vec![span(-159, 1)], vec![2])),
            (vec![(0, 1), (1, 1)], (vec![span(0, 2)], vec![1, 0])),
            (
                vec![(-2, 5), (-1, 3), (1, 3), (2, 7), (96, 1)],
                (vec![span(-2, 5), span(93, 1)], vec![5, -2, -3, 3, 4, -6]),
            ),
            (
                vec![(5, 1), (8, 1), (12, 1)],
                (vec![span(5, 4), span(3, 1)], vec![1, -1, 0, 1, 0]),
            ),
        ] {
            let native = Native {
                schema: 3,
                zero_threshold: 0.0,
                zero_count: 0,
                buckets,
            };
            assert_eq!(layout(&native), expected);
        }
    }
}
