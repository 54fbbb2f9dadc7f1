//! What comes out of an observed body is what went in; and every way in which it can end.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::{
    collections::VecDeque,
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use brightstaff_metrics_core::{
    Head, Metrics, ObservedBody, UpstreamObserved, adapter::RequestMetrics,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use http_body::{Body, Frame, SizeHint};
use prometheus::{Registry, TextEncoder};

/// What a body does at one poll.
enum Step {
    Data(&'static str),
    Trailers,
    Pending,
    Error,
    Panic,
}

/// A body that follows a script.
struct Script {
    steps: VecDeque<Step>,
    hint: SizeHint,
    knows_its_end: bool,
}

impl Script {
    fn new(steps: impl Into<VecDeque<Step>>) -> Self {
        Self {
            steps: steps.into(),
            hint: SizeHint::new(),
            knows_its_end: false,
        }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready(match self.steps.pop_front() {
            None => None,
            Some(Step::Data(data)) => Some(Ok(Frame::data(Bytes::from_static(data.as_bytes())))),
            Some(Step::Trailers) => {
                let value = HeaderValue::from_static("yes");
                let trailers = HeaderMap::from_iter([(http::header::ETAG, value)]);
                Some(Ok(Frame::trailers(trailers)))
            }
            Some(Step::Pending) => return Poll::Pending,
            Some(Step::Error) => Some(Err("broken")),
            Some(Step::Panic) => panic!("as the script says"),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.knows_its_end && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

/// A call whose response has this body, and the registry that is told of it.
fn observe(body: Script) -> (Registry, ObservedBody<Script>) {
    let registry = Registry::new();
    let builder = Metrics::builder().process(false);
    let metrics = builder
        .upstreams([("openai", "gpt-4o")])
        .register(&registry)
        .unwrap();
    let call = metrics.upstream("openai", "gpt-4o").start();
    let response = Response::builder()
        .header("content-type", "application/json")
        .body(body)
        .unwrap();
    (registry, call.observe(response).into_body())
}

#[test]
fn responses_are_marked_where_a_layer_would_measure_them_again() {
    let metrics = Metrics::unregistered();
    let marked = || {
        let call = metrics.upstream("openai", "gpt-4o").start();
        let response = call.observe(Response::new(http_body_util::Empty::<Bytes>::new()));
        let mark = response.extensions().get::<UpstreamObserved>();
        mark.is_some()
    };
    let mut layer = RequestMetrics::from(&metrics);
    assert!(!marked());
    layer.llm_endpoint("/api/chat", "openai");
    assert!(marked());
}

fn poll(body: &mut ObservedBody<Script>) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
    pin!(body).poll_frame(&mut Context::from_waker(Waker::noop()))
}

/// The error class of the only call, or nothing while it goes on.
fn recorded(registry: &Registry) -> Option<String> {
    let text = TextEncoder::new()
        .encode_to_string(&registry.gather())
        .unwrap();
    let mut calls = text.lines().filter_map(|line| {
        let labels = line.strip_prefix("brightstaff_llm_upstream_requests_total{error_class=\"")?;
        let (class, _) = labels.split_once('"')?;
        match line.rsplit_once(' ')?.1 {
            "0" => None,
            "1" => Some(class.to_owned()),
            count => panic!("{class} was counted {count} times"),
        }
    });
    let class = calls.next();
    assert!(calls.next().is_none(), "the call was counted twice");
    class
}

#[test]
fn frames_pass_in_the_poll_that_brings_them() {
    let steps = [
        Step::Data("{\"a\":"),
        Step::Pending,
        Step::Data(""),
        Step::Data("1}"),
        Step::Trailers,
    ];
    let mut script = Script::new(steps);
    script.hint.set_lower(3);
    script.hint.set_upper(9);
    let (registry, mut body) = observe(script);

    assert_eq!(
        (body.size_hint().lower(), body.size_hint().upper()),
        (3, Some(9))
    );
    let data = |body: &mut _, expected: &str| match poll(body) {
        Poll::Ready(Some(Ok(frame))) => assert_eq!(frame.into_data().unwrap(), expected),
        other => panic!("{other:?}"),
    };
    data(&mut body, "{\"a\":");
    assert!(poll(&mut body).is_pending());
    data(&mut body, "");
    data(&mut body, "1}");
    assert_eq!(recorded(&registry), None);
    match poll(&mut body) {
        Poll::Ready(Some(Ok(frame))) => assert_eq!(frame.into_trailers().unwrap()["etag"], "yes"),
        other => panic!("{other:?}"),
    }
    // Nothing can follow trailers: the call ends with them.
    assert_eq!(recorded(&registry).unwrap(), "none");
    assert!(matches!(poll(&mut body), Poll::Ready(None)));
    drop(body);
    assert_eq!(recorded(&registry).unwrap(), "none");
}

#[test]
fn the_declared_length_is_an_end() {
    let mut script = Script::new([Step::Data("{}")]);
    script.hint.set_exact(2);
    let (registry, mut body) = observe(script);
    assert!(poll(&mut body).is_ready());
    // Servers drop the body here, without a poll to its end.
    assert_eq!(recorded(&registry).unwrap(), "none");
}

#[test]
fn a_body_that_knows_its_end_tells_it() {
    let mut script = Script::new([Step::Data("{}")]);
    script.knows_its_end = true;
    let (registry, mut body) = observe(script);
    assert!(!body.is_end_stream());
    assert!(poll(&mut body).is_ready());
    assert!(body.is_end_stream());
    assert_eq!(recorded(&registry).unwrap(), "none");
}

#[test]
fn an_empty_body_is_at_its_end_from_the_start() {
    let mut script = Script::new([]);
    script.knows_its_end = true;
    let (registry, _body) = observe(script);
    assert_eq!(recorded(&registry).unwrap(), "none");
}

#[test]
fn a_drop_before_the_end_is_a_cancel() {
    let (registry, mut body) = observe(Script::new([Step::Data("{"), Step::Pending]));
    assert!(poll(&mut body).is_ready());
    assert!(poll(&mut body).is_pending());
    assert_eq!(recorded(&registry), None);
    drop(body);
    assert_eq!(recorded(&registry).unwrap(), "cancelled");
}

#[test]
fn an_error_of_the_body_passes_and_is_counted_once() {
    let (registry, mut body) = observe(Script::new([Step::Data("{"), Step::Error]));
    assert!(poll(&mut body).is_ready());
    assert!(matches!(poll(&mut body), Poll::Ready(Some(Err("broken")))));
    assert_eq!(recorded(&registry).unwrap(), "stream");
    drop(body);
    assert_eq!(recorded(&registry).unwrap(), "stream");
}

#[test]
fn a_panic_that_someone_caught_is_no_cancel() {
    let (registry, mut body) = observe(Script::new([Step::Data("{"), Step::Panic]));
    assert!(poll(&mut body).is_ready());
    let caught = catch_unwind(AssertUnwindSafe(|| poll(&mut body)));
    assert!(caught.is_err());
    drop(body);
    assert_eq!(recorded(&registry).unwrap(), "other");
}

#[test]
fn a_call_that_a_panic_drops_is_no_cancel() {
    let registry = Registry::new();
    let builder = Metrics::builder().upstreams([("openai", "gpt-4o")]);
    let metrics = builder.process(false).register(&registry).unwrap();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _call = metrics.upstream("openai", "gpt-4o").start();
        panic!("in a handler");
    }));
    assert!(caught.is_err());
    assert_eq!(recorded(&registry).unwrap(), "other");
}

/// Also where the panic is outside of everything that the guard watches.
#[test]
fn a_request_that_a_panic_drops_is_no_cancel() {
    use brightstaff_metrics_core::{adapter, labels::RequestMethod};

    let registry = Registry::new();
    let metrics = Metrics::builder().process(false);
    let metrics = metrics.register(&registry).unwrap();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let mut exchange = adapter::begin(&metrics, "llm_chat", RequestMethod::Post);
        exchange.head(&Head::new(200));
        panic!("in a layer around");
    }));
    assert!(caught.is_err());
    let text = TextEncoder::new()
        .encode_to_string(&registry.gather())
        .unwrap();
    let cancelled =
        "brightstaff_http_requests_cancelled_total{handler=\"llm_chat\",phase=\"body\"} 0";
    assert!(text.contains(cancelled), "{text}");
    let in_flight = "brightstaff_http_in_flight_requests{handler=\"llm_chat\"} 0";
    assert!(text.contains(in_flight), "{text}");
}

#[test]
fn streams_are_observed_alike() {
    use brightstaff_metrics_core::Head;
    use futures_core::Stream;

    let registry = Registry::new();
    let builder = Metrics::builder().upstreams([("openai", "gpt-4o")]);
    let metrics = builder.process(false).register(&registry).unwrap();
    let call = metrics.upstream("openai", "gpt-4o").start();
    let chunks = ["{", "}"].map(|chunk| Ok::<_, Infallible>(Bytes::from_static(chunk.as_bytes())));
    let head = Head::new(200).content_type("application/json");
    let mut stream = pin!(call.observe_stream(&head, futures_util::stream::iter(chunks)));
    let mut seen = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(chunk)) = stream.as_mut().poll_next(&mut context) {
        assert_eq!(recorded(&registry), None);
        seen.extend(chunk.unwrap());
    }
    assert_eq!(seen, b"{}");
    assert_eq!(recorded(&registry).unwrap(), "none");
}

/// A stream in one zstd frame, all of whose events come out of the decoder at its end.
#[cfg(feature = "compression")]
#[test]
fn what_is_known_late_is_not_timed() {
    use brightstaff_metrics_core::Head;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    let stream = concat!(
        "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n",
        "data: {\"object\":\"chat.completion.chunk\",\"choices\":[],",
        "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":12}}\n\n",
        "data: [DONE]\n\n",
    );
    let samples = |encoding: Option<&str>, body: &[u8]| {
        let registry = Registry::new();
        let builder = Metrics::builder().upstreams([("openai", "gpt-4o")]);
        let metrics = builder.process(false).register(&registry).unwrap();
        let mut call = metrics.upstream("openai", "gpt-4o").start();
        let head = Head::new(200).content_type("text/event-stream");
        call.head(&head.content_encoding(encoding));
        body.iter().for_each(|byte| call.data(&[*byte]));
        call.finish();
        let text = TextEncoder::new()
            .encode_to_string(&registry.gather())
            .unwrap();
        [
            "llm_tokens_total{kind=\"completion\",",
            "llm_time_to_first_byte_seconds_count{",
            "llm_time_to_first_token_seconds_count{",
            "llm_time_per_output_token_seconds_count{",
        ]
        .map(|family| {
            let mut lines = text.lines();
            let line = lines.find(|line| line.starts_with(&format!("brightstaff_{family}")));
            line.unwrap().rsplit(' ').next().unwrap().to_owned()
        })
    };
    assert_eq!(samples(None, stream.as_bytes()), ["12", "1", "1", "1"]);
    let frame = compress_to_vec(stream.as_bytes(), CompressionLevel::Fastest);
    assert_eq!(samples(Some("zstd"), &frame), ["12", "1", "0", "0"]);
}
