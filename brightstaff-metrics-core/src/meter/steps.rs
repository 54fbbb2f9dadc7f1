//! Counts what the meter does, so that tests can show that it is linear without a clock.

/// Counts steps of work. Nothing outside of tests.
#[cfg(not(test))]
#[inline(always)]
pub(crate) fn add(_: usize) {}

#[cfg(test)]
pub(crate) use tests::add;

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use crate::meter::Meter;

    thread_local!(static STEPS: Cell<usize> = const { Cell::new(0) });

    pub(crate) fn add(steps: usize) {
        STEPS.set(STEPS.get() + steps);
    }

    /// No byte may cost more than this, whatever stands before it.
    const MAX_PER_BYTE: usize = 32;

    fn steps(content_type: &str, body: &[u8], chunk: usize) -> usize {
        STEPS.set(0);
        let mut meter = Meter::new(Some(content_type), None);
        body.chunks(chunk).for_each(|chunk| meter.push(chunk));
        meter.finish();
        STEPS.get()
    }

    #[test]
    fn hostile_bodies_take_linear_time() {
        let token = r#"{"choices":[{"delta":{"content":"x"}}]}"#;
        let (sse, ndjson, json) = (
            "text/event-stream",
            "application/x-ndjson",
            "application/json",
        );
        for (content_type, start, part) in [
            (sse, String::new(), "data:{}\n\n"),
            (sse, String::new(), "data:\r"),
            (sse, String::new(), "\r"),
            (
                sse,
                format!("data:{token}\n\n"),
                "data: {\"a\":1,\"b\":[2,\"c\"]}\n\n",
            ),
            (
                sse,
                format!("data:{token}\n\n"),
                "data: {\"a\":1 }\n\ndata: {\"a\":\"b\"}\n\n",
            ),
            // Like one before it up to the last byte, and judged anew each time.
            (
                sse,
                format!("data: {token}\n\ndata: {token}\n\n"),
                "data: {\"choices\":[{\"delta\":{\"content\":\"\"}}]}\n:\n\n",
            ),
            (
                sse,
                format!("data: {token}\n\n"),
                "data: {\"a\":1,\"usage\":{\"prompt_tokens\":7}}\n\ndata: {\"a\":2,\"usage\":{\"prompt_tokens\":0}}\n\n",
            ),
            (sse, "data: {\"choices\":".into(), "[{\"delta\":"),
            (sse, "data: \"".into(), "\\\""),
            (sse, "data: {\"".into(), "\\u0075"),
            (sse, "data: ".into(), "[["),
            (sse, "data: {}\n\n".into(), "{\n"),
            (sse, "data: {}\n\n".into(), "{}\n"),
            (sse, "data: {}\n\n".into(), "{\ndata: {}\n\n"),
            (ndjson, String::new(), "{}"),
            (ndjson, format!("{token}\n{token}\n"), "{}"),
            (ndjson, format!("{token}\n{token}\n"), token),
            (ndjson, String::new(), "}\n"),
            (json, "[".into(), "{\"candidates\":[]},"),
            (json, String::new(), "0 "),
            (
                "application/vnd.amazon.eventstream",
                String::new(),
                "\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0",
            ),
        ] {
            for length in [4 << 10, 64 << 10] {
                let body = start.clone() + &part.repeat(length / part.len());
                for chunk in [1, 7, body.len()] {
                    let steps = steps(content_type, body.as_bytes(), chunk);
                    let most = MAX_PER_BYTE * body.len();
                    assert!(
                        steps <= most,
                        "{steps} steps for {} bytes of {part:?}",
                        body.len()
                    );
                }
            }
        }
    }
}
