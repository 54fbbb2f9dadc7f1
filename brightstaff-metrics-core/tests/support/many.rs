//! Many streams at a time, for the test of what they hold and for the bench that reports it.

#![allow(clippy::unwrap_used)] // Nothing here fails.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use allocation_counter::measure;
use brightstaff_metrics_core::{Metrics, ObservedBody, prometheus::Registry};
use bytes::Bytes;
use http_body::{Body, Frame};

/// Frames of one stream. Half of them pass before the others are counted.
const FRAMES: usize = 20;

/// The tokens that each stream reports.
const TOKENS: usize = 7;

/// Drives so many streams through their calls, all at the same time, a frame each by turns, and gives the bytes that
/// each held beyond its body when half of it had passed.
/// Panics where what was counted in the end is not what happened.
pub(crate) fn held_by_each(streams: usize) -> u64 {
    let metrics = Metrics::builder()
        .process(false)
        .upstreams([("openai", "gpt-4o")])
        .register(&Registry::new())
        .unwrap();
    let script = script();
    let mut bare: Vec<Script> = Vec::new();
    let of_bodies = measure(|| bare = (0..streams).map(|_| Script::of(&script)).collect());
    drop(bare);
    let mut open: Vec<ObservedBody<Script>> = Vec::new();
    let held = measure(|| {
        open = (0..streams).map(|_| observe(&metrics, &script)).collect();
        for _ in 0..FRAMES / 2 {
            open.iter_mut().for_each(pass_one);
        }
    });
    let in_flight = format!(r#"brightstaff_llm_upstream_in_flight{{provider="openai"}} {streams}"#);
    assert!(metrics.render().contains(&in_flight));
    for _ in FRAMES / 2..=FRAMES {
        open.iter_mut().for_each(pass_one);
    }
    drop(open);
    assert_truth(&metrics.render(), streams);
    let bytes = held.bytes_current - of_bodies.bytes_current;
    u64::try_from(bytes).unwrap() / streams as u64
}

fn observe(metrics: &Metrics, script: &Arc<[Bytes]>) -> ObservedBody<Script> {
    let response = http::Response::builder()
        .header("content-type", "text/event-stream")
        .body(Script::of(script))
        .unwrap();
    let call = metrics.upstream("openai", "gpt-4o").start();
    call.observe(response).into_body()
}

fn pass_one(body: &mut ObservedBody<Script>) {
    let mut context = Context::from_waker(Waker::noop());
    let polled = Pin::new(body).poll_frame(&mut context);
    assert!(polled.is_ready(), "a script never waits");
}

fn assert_truth(text: &str, streams: usize) {
    let pair = r#"model="gpt-4o",provider="openai""#;
    for line in [
        format!(
            r#"brightstaff_llm_upstream_requests_total{{error_class="none",{pair},status_class="2xx"}} {streams}"#
        ),
        r#"brightstaff_llm_upstream_in_flight{provider="openai"} 0"#.to_owned(),
        format!(
            r#"brightstaff_llm_tokens_total{{kind="completion",{pair}}} {}"#,
            streams * TOKENS
        ),
        format!("brightstaff_llm_time_to_first_token_seconds_count{{{pair}}} {streams}"),
    ] {
        assert!(text.lines().any(|one| one == line), "{line} in:\n{text}");
    }
}

/// A stream of chat, each event of which comes in two frames.
fn script() -> Arc<[Bytes]> {
    let word = r#"data: {"id":"chatcmpl-A1","object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"word"},"finish_reason":null}]}

"#;
    let last = format!(
        r#"data: {{"object":"chat.completion.chunk","choices":[{{"index":0,"delta":{{}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,"completion_tokens":{TOKENS}}}}}

data: [DONE]

"#
    );
    let events = std::iter::repeat_n(word, FRAMES / 2 - 1).chain([&*last]);
    let frames = events.flat_map(|event| {
        let (front, back) = event.split_at(event.len() / 2);
        [front, back].map(|half| Bytes::copy_from_slice(half.as_bytes()))
    });
    let frames: Arc<[Bytes]> = frames.collect();
    assert_eq!(frames.len(), FRAMES);
    frames
}

/// A body that is there already.
#[derive(Debug)]
struct Script {
    frames: Arc<[Bytes]>,
    at: usize,
}

impl Script {
    fn of(frames: &Arc<[Bytes]>) -> Self {
        Self {
            frames: Arc::clone(frames),
            at: 0,
        }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = self.frames.get(self.at).cloned();
        self.at += 1;
        Poll::Ready(frame.map(|bytes| Ok(Frame::data(bytes))))
    }
}
