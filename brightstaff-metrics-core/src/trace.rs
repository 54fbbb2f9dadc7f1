//! Which trace a request belongs to, by W3C Trace Context.

use std::num::NonZeroU64;

use http::{HeaderMap, HeaderName};

/// The trace of an inbound request, and the span in which it was sent, where the trace is sampled: what an
/// exemplar names, so that a bucket of a histogram leads to a request that fell into it.
///
/// An adapter reads it from the `traceparent` of each request that it measures. A call that a handler makes itself
/// is told of it: see [`UpstreamCall::in_trace`](crate::UpstreamCall::in_trace).
///
/// ```
/// use brightstaff_metrics_core::TraceContext;
///
/// let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let trace = TraceContext::parse(traceparent).unwrap();
/// assert_eq!(trace.trace_id(), *b"0af7651916cd43dd8448eb211c80319c");
///
/// let not_sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
/// assert!(TraceContext::parse(not_sampled).is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// Big-endian halves: as one number, they would be aligned to 16 bytes.
    trace_id: [u64; 2],
    span_id: NonZeroU64,
}

/// The header that names the trace of a request.
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

impl TraceContext {
    /// A trace that is sampled, by the ids of the trace and the span, as the SDK of OpenTelemetry has them; `None`
    /// where one is all zeros, which names nothing.
    ///
    /// ```
    /// use brightstaff_metrics_core::TraceContext;
    ///
    /// // of an `opentelemetry::trace::SpanContext`: `trace_id().to_bytes()`, `span_id().to_bytes()`
    /// let trace = TraceContext::new([0x0a; 16], [0xb7; 8]).unwrap();
    /// assert_eq!(trace.span_id(), *b"b7b7b7b7b7b7b7b7");
    /// assert!(TraceContext::new([0; 16], [0xb7; 8]).is_none());
    /// ```
    #[must_use]
    pub fn new(trace_id: [u8; 16], span_id: [u8; 8]) -> Option<Self> {
        let id = u128::from_be_bytes(trace_id);
        #[expect(clippy::cast_possible_truncation, reason = "halves")]
        let trace_id = [(id >> 64) as u64, id as u64];
        Self::of_words(trace_id, u64::from_be_bytes(span_id))
    }

    /// Reads the value of a `traceparent` header (W3C Trace Context, level 2). `None` where it is not one, or the
    /// trace is not sampled: then nothing can be found under its id.
    #[must_use]
    pub fn parse(traceparent: impl AsRef<[u8]>) -> Option<Self> {
        Self::of_bytes(traceparent.as_ref())
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_at_checked(2)?;
        let version = hex(version)?;
        // "Version ff is forbidden."
        if version == 0xff {
            return None;
        }
        let (fields, more) = rest.split_at_checked(FIELDS_BYTES)?;
        // Of a higher version this much is read, where "either the end of the string or a dash" follows.
        let known = more.is_empty() || version > 0 && more[0] == b'-';
        let dashes = [0, 33, 50].iter().all(|&at| fields[at] == b'-');
        if !known || !dashes {
            return None;
        }
        let trace_id = [hex(&fields[1..17])?, hex(&fields[17..33])?];
        let trace = Self::of_words(trace_id, hex(&fields[34..50])?)?;
        let is_sampled = hex(&fields[51..])? & SAMPLED != 0;
        is_sampled.then_some(trace)
    }

    /// Reads the headers of a request: the `traceparent`, if there is exactly one.
    ///
    /// ```
    /// use brightstaff_metrics_core::TraceContext;
    ///
    /// let mut headers = http::HeaderMap::new();
    /// assert!(TraceContext::of(&headers).is_none());
    /// let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    /// headers.insert("traceparent", traceparent.parse()?);
    /// assert!(TraceContext::of(&headers).is_some());
    /// # Ok::<_, http::header::InvalidHeaderValue>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        // Most requests have none.
        let first = headers.get(&TRACEPARENT)?;
        let second = headers.get_all(&TRACEPARENT).iter().nth(1);
        match second {
            None => Self::parse(first),
            Some(_) => None,
        }
    }

    /// The id of the trace, in 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> [u8; 32] {
        let [high, low] = self.trace_id.map(digits);
        std::array::from_fn(|at| if at < 16 { high[at] } else { low[at - 16] })
    }

    /// The id of the span, in 16 lower-case hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> [u8; 16] {
        digits(self.span_id.get())
    }

    pub(crate) fn words(self) -> ([u64; 2], u64) {
        (self.trace_id, self.span_id.get())
    }

    pub(crate) fn of_words(trace_id: [u64; 2], span_id: u64) -> Option<Self> {
        let span_id = NonZeroU64::new(span_id)?;
        (trace_id != [0, 0]).then_some(Self { trace_id, span_id })
    }
}

/// Of a `traceparent` behind its version: `-`, the trace, `-`, the span, `-`, the flags.
const FIELDS_BYTES: usize = 53;

/// The flag of a trace that its caller recorded.
const SAMPLED: u64 = 1;

/// Lower-case digits only, as the specification wants them; 16 at most.
fn hex(digits: &[u8]) -> Option<u64> {
    let (mut value, mut all) = (0, 0);
    for &digit in digits {
        let digit = VALUES[usize::from(digit)];
        value = value << 4 | u64::from(digit);
        all |= digit;
    }
    (all < 16).then_some(value)
}

/// What each byte is worth as a digit; a set high bit where it is none.
const VALUES: [u8; 256] = {
    let mut values = [0x80; 256];
    let mut value: u8 = 0;
    while value < 16 {
        values[DIGITS[value as usize] as usize] = value;
        value += 1;
    }
    values
};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn digits(value: u64) -> [u8; 16] {
    let bytes = value.to_be_bytes();
    std::array::from_fn(|at| DIGITS[usize::from(bytes[at / 2] >> (4 - 4 * (at % 2)) & 0xf)])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn parsed(value: &str) -> Option<(String, String)> {
        let trace = TraceContext::parse(value)?;
        let [trace_id, span_id] = [&trace.trace_id()[..], &trace.span_id()[..]]
            .map(|id| String::from_utf8(id.to_vec()).unwrap());
        Some((trace_id, span_id))
    }

    #[test]
    fn a_traceparent_is_read_as_the_specification_says() {
        let ids = parsed(SOUND).unwrap();
        assert_eq!(ids.0, "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(ids.1, "b7ad6b7169203331");
        for sound in [
            SOUND.replace("-01", "-03"),
            SOUND.replace("-01", "-ff"),
            SOUND.replace("00-0", "01-0"),
            // Of a later version only as much is known.
            SOUND.replace("00-0", "cc-0") + "-what-comes-later",
            SOUND.replace("00-0", "fe-0") + "-",
        ] {
            assert_eq!(parsed(&sound).as_ref(), Some(&ids), "{sound}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for unsound in [
            String::new(),
            "00".to_owned(),
            SOUND.replace("-01", "-00"),
            SOUND.replace("-01", "-02"),
            SOUND.replace("-01", "-0"),
            SOUND.replace("-01", "-0g"),
            SOUND.replace("-01", ""),
            SOUND.replace("00-0", "ff-0"),
            SOUND.replace("00-0", "0G-0"),
            SOUND.replace('a', "A"),
            SOUND.replace('-', "_"),
            SOUND.to_owned() + "-",
            SOUND.to_owned() + "-more",
            SOUND.to_owned() + " ",
            SOUND.replace("00-0", "01-0") + "more",
            SOUND.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            SOUND.replace("b7ad6b7169203331", &"0".repeat(16)),
            SOUND.replace("b7ad", "b7\u{e4}"),
        ] {
            assert_eq!(parsed(&unsound), None, "{unsound}");
        }
    }

    #[test]
    fn two_headers_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(&TRACEPARENT, SOUND.parse().unwrap());
        assert!(TraceContext::of(&headers).is_some());
        headers.append(&TRACEPARENT, SOUND.parse().unwrap());
        assert!(TraceContext::of(&headers).is_none());
    }

    #[test]
    fn it_takes_little_room_and_less_where_there_is_none() {
        assert_eq!(size_of::<Option<TraceContext>>(), 24);
    }
}
