//! What gateways do by themselves: the response is kept as it passes, and read at its end.

use std::time::Instant;

use axum::body::Body;
use futures_util::StreamExt;
use prometheus::{CounterVec, HistogramVec, histogram_opts, opts};
use serde_json::Value;

#[derive(Clone)]
pub(crate) struct Vecs {
    calls: CounterVec,
    duration: HistogramVec,
    tokens: CounterVec,
}

impl Vecs {
    pub(crate) fn new() -> Self {
        let counter = |name, labels: &[&str]| CounterVec::new(opts!(name, "help"), labels).unwrap();
        let labels = ["provider", "model", "outcome"];
        Self {
            calls: counter("calls_total", &labels),
            duration: HistogramVec::new(histogram_opts!("call_seconds", "help"), &labels).unwrap(),
            tokens: counter("tokens_total", &["provider", "model", "kind"]),
        }
    }

    pub(crate) fn keep(self, body: Body) -> Body {
        let mut kept = Kept {
            vecs: self,
            start: Instant::now(),
            bytes: Vec::new(),
        };
        Body::from_stream(body.into_data_stream().map(move |chunk| {
            if let Ok(chunk) = &chunk {
                kept.bytes.extend_from_slice(chunk);
            }
            chunk
        }))
    }
}

struct Kept {
    vecs: Vecs,
    start: Instant,
    bytes: Vec<u8>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        let labels = ["openai", "gpt-4o", "ok"];
        self.vecs.calls.with_label_values(&labels).inc();
        let elapsed = self.start.elapsed().as_secs_f64();
        self.vecs
            .duration
            .with_label_values(&labels)
            .observe(elapsed);
        let text = String::from_utf8_lossy(&self.bytes);
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        for event in data.filter_map(|data| serde_json::from_str::<Value>(data).ok()) {
            for (kind, count) in [
                ("prompt", "prompt_tokens"),
                ("completion", "completion_tokens"),
            ] {
                if let Some(count) = event["usage"][count].as_f64() {
                    let labels = ["openai", "gpt-4o", kind];
                    self.vecs.tokens.with_label_values(&labels).inc_by(count);
                }
            }
        }
    }
}
