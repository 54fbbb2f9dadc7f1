//! What is shown, for programs.

use serde_json::{Map, Value, json};

use super::{
    pairs::Pair,
    quantile::Quantile,
    text::is_plain,
    view::{Shown, Summary},
};

/// One object in one line. What would act on a terminal is escaped in it, though JSON would let it be.
pub(super) fn json(url: &str, summary: &Summary) -> String {
    let object = json!({
        "url": url,
        "version": summary.version,
        "commit": summary.commit,
        "up_seconds": summary.up_seconds,
        "memory_bytes": summary.memory_bytes,
        "notes": summary.notes,
        "shown": summary.shown.as_ref().map(shown),
    });
    escaped(&object.to_string())
}

fn shown(of: &Shown) -> Value {
    let totals = &of.totals;
    let failed = totals.failed_per_second.iter();
    let failed = failed.map(|(class, rate)| ((*class).to_owned(), json!(rate)));
    let warnings = of.warnings.iter().map(|warning| {
        json!({ "title": warning.title, "detail": warning.detail, "critical": warning.critical })
    });
    json!({
        "seconds": of.seconds,
        "requests_per_second": totals.requests_per_second,
        "calls_per_second": totals.calls_per_second,
        "requests_in_flight": totals.requests_in_flight,
        "calls_in_flight": totals.calls_in_flight,
        "tokens_in_per_second": totals.tokens_in_per_second,
        "tokens_out_per_second": totals.tokens_out_per_second,
        "ttft_p50": quantile(totals.p50),
        "ttft_p95": quantile(totals.p95),
        "failed_calls_per_second": failed.collect::<Map<_, _>>(),
        "warnings": warnings.collect::<Value>(),
        "pairs": of.pairs.iter().map(pair).collect::<Value>(),
    })
}

/// Counts are of the time shown. What is not a number, since nothing was measured, is null.
fn pair(of: &Pair) -> Value {
    json!({
        "provider": of.provider,
        "model": of.model,
        "calls": of.calls,
        "calls_cancelled": of.of("cancelled"),
        "calls_ok": of.good(),
        "ttft_p50": quantile(of.p50),
        "ttft_p95": quantile(of.p95),
        "tokens_per_second_per_stream": of.speed(),
        "tokens_in": of.tokens_in,
        "tokens_out": of.tokens_out,
        "usage_missing": of.usage_missing,
        "calls_2xx": of.succeeded_2xx,
        "provider_in_flight": of.in_flight,
    })
}

/// A bound is no value, and is named for what it is.
fn quantile(of: Quantile) -> Value {
    match of {
        Quantile::None => Value::Null,
        Quantile::At(seconds) => json!({ "seconds": seconds }),
        Quantile::Below(seconds) => json!({ "below_seconds": seconds }),
        Quantile::Above(seconds) => json!({ "above_seconds": seconds }),
    }
}

/// JSON whose strings are letters alone.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_plain(c) {
            text.push(c);
        } else {
            let units = c.encode_utf16(&mut [0; 2]).to_vec();
            text.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_escaped() {
        let hostile = "\x1b[2J\u{9b}31m\u{7f}\u{202e}\u{e0001}\n\"é";
        let told = escaped(&json!({ "name": hostile }).to_string());
        assert!(told.chars().all(is_plain), "{told}");
        let read: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(read["name"], hostile);
    }
}
