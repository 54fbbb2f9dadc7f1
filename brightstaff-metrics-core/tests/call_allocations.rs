//! What a call allocates once its series are there, and that its pieces change nothing of what is recorded.
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use allocation_counter::measure;
use brightstaff_metrics_core::{
    HandlerName, Head, Metrics, Upstream,
    adapter::{IncomingRequest, LayerMarks, RequestMetrics, ResponseObserver},
    labels::{ErrorClass, RequestMethod},
};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Response, header};
use http_body_util::{BodyExt, Full};
use prometheus::{Registry, TextEncoder};

/// A chat completion of 1 KiB.
fn body() -> String {
    let text = r#"Lorem ipsum \"dolor\" sit amet,\n"#.repeat(20);
    let mut body = format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1790000000,"model":"gpt-4o","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":19,"completion_tokens":97,"total_tokens":116}}}}"#
    );
    body.push_str(&" ".repeat(1024 - body.len()));
    body
}

fn metrics() -> (Registry, Metrics) {
    let registry = Registry::new();
    let builder = Metrics::builder().process(false);
    let builder = builder.upstreams([("openai", "gpt-4o")]);
    let metrics = builder.register(&registry).unwrap();
    (registry, metrics)
}

/// Allocations of a call, once one like it has made what stays.
fn allocations(call: impl Fn()) -> u64 {
    call();
    measure(call).count_total
}

fn head(body: &str) -> Head<'static> {
    let length = body.len() as u64;
    let head = Head::new(200).content_type("application/json");
    head.content_length(length)
}

fn upstream() -> Upstream {
    metrics().1.upstream("openai", "gpt-4o")
}

#[test]
fn a_call_without_a_body_allocates_nothing() {
    let upstream = upstream();
    let fails = || upstream.start().fail(ErrorClass::Connect);
    assert_eq!(allocations(fails), 0);
    for status in [200, 204, 429, 503] {
        let answered = || {
            let mut call = upstream.start();
            call.head(&Head::new(status).content_type("application/json"));
            call.finish();
        };
        assert_eq!(allocations(answered), 0, "{status}");
    }
}

#[test]
fn a_call_has_its_meter_in_one_piece_where_its_body_comes_in_more() {
    let (upstream, body) = (upstream(), body());
    for (pieces, expected) in [(1, 0), (2, 1), (16, 1)] {
        let call = || {
            let mut call = upstream.start();
            call.head(&head(&body));
            let pieces = body.as_bytes().chunks(body.len() / pieces);
            pieces.for_each(|piece| call.data(piece));
        };
        assert_eq!(allocations(call), expected, "{pieces}");
    }
}

fn response(body: &Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.clone()));
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn read(body: impl http_body::Body<Data = Bytes, Error: std::fmt::Debug>) {
    let read = body.collect().now_or_never().unwrap();
    drop(read.unwrap());
}

/// The place of its guard, which moves into the body.
#[test]
fn an_observed_response_costs_one_allocation() {
    let (upstream, body) = (upstream(), Bytes::from(body()));
    let bare = allocations(|| read(response(&body).into_body()));
    let observed = || {
        let call = upstream.start();
        read(call.observe(response(&body)).into_body());
    };
    assert_eq!(allocations(observed) - bare, 1);
}

struct Request;

impl IncomingRequest for Request {
    fn method(&self) -> RequestMethod {
        RequestMethod::Post
    }

    fn path(&self) -> &str {
        "/v1/chat/completions"
    }

    fn template(&self) -> Option<&str> {
        None
    }

    fn given_name(&self) -> Option<HandlerName> {
        None
    }

    fn has_header(&self, _: &str) -> bool {
        false
    }
}

/// The place of the guard of the call.
#[test]
fn a_request_with_an_implicit_call_costs_one_allocation() {
    let (_registry, metrics) = metrics();
    let mut requests = RequestMetrics::from(&metrics);
    requests.implicit("openai");
    let body = body();
    // Marks for layers further in.
    let marks = allocations(|| drop(requests.begin(&Request, &LayerMarks::default()).marks));
    let request = || {
        let begun = requests.begin(&Request, &LayerMarks::default());
        let mut observer = ResponseObserver::from(begun.request);
        observer.head(&head(&body), begun.call);
        observer.data(body.as_bytes());
        drop(observer);
    };
    assert_eq!(allocations(request) - marks, 1);
}

/// What the series say of a body in pieces of this length, durations aside.
fn recorded(body: &str, declared: bool, piece: usize) -> String {
    let (registry, metrics) = metrics();
    let mut call = metrics.upstream("openai", "gpt-4o").start();
    let head = head(body);
    call.head(&if declared {
        head
    } else {
        head.content_length(None)
    });
    body.as_bytes()
        .chunks(piece)
        .for_each(|piece| call.data(piece));
    call.finish();
    let text = TextEncoder::new().encode_to_string(&registry.gather());
    let lines = text.unwrap();
    let lines = lines.lines().filter(|line| !line.contains("_seconds_"));
    lines.fold(String::new(), |lines, line| lines + line + "\n")
}

#[test]
fn one_piece_says_what_many_do() {
    let json = body();
    let error = r#"{"error":{"message":"overloaded"}}"#;
    let stream = r#"data: {"choices":[{"delta":{"content":"a"}}]}"#.to_owned() + "\n\n";
    for body in [&json, &json[..700], error, &stream, "no JSON", " "] {
        let expected = recorded(body, false, 1);
        for piece in [1, 2, 40, body.len()] {
            for declared in [false, true] {
                assert_eq!(recorded(body, declared, piece), expected, "{piece}: {body}");
            }
        }
    }
    let tokens = r#"tokens_total{kind="completion",model="gpt-4o",provider="openai"} 97"#;
    assert!(recorded(&json, true, json.len()).contains(tokens));
}
