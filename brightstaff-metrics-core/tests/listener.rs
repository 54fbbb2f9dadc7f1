//! What listeners hear of requests and calls: once each, what was recorded.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    time::Duration,
};

use brightstaff_metrics_core::{
    Clock, EndListener, EndedCall, EndedRequest, HandlerName, Head, Listener, Metrics, RequestEnd,
    adapter::{self, IncomingRequest, LayerMarks, RequestMetrics, ResponseObserver},
    labels::{ErrorClass, RequestMethod},
};

/// Keeps what it hears as text.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl EndListener for Heard {
    fn call_ended(&self, call: &EndedCall<'_>) {
        let usage = call.facts.map(|facts| facts.usage).unwrap_or_default();
        self.0.lock().unwrap().push(format!(
            "call {}/{} {:?} {} {:?} {:?} {:?} {:?}+{:?}",
            call.provider,
            call.model,
            call.status,
            call.error_class,
            call.duration,
            call.time_to_first_byte,
            call.time_to_first_token,
            usage.prompt,
            usage.completion,
        ));
    }

    fn request_ended(&self, request: &EndedRequest<'_>) {
        self.0.lock().unwrap().push(format!(
            "request {} {} {:?} {} {:?} {:?} {}",
            request.handler,
            request.method,
            request.status,
            request.end,
            request.duration,
            request.time_to_headers,
            request.bytes,
        ));
    }
}

impl Heard {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

struct Gateway {
    metrics: Metrics,
    clock: Clock,
    heard: Arc<Heard>,
}

fn gateway() -> Gateway {
    let clock = Clock::manual();
    let registry = prometheus::Registry::new();
    let builder = Metrics::builder().process(false).clock(clock.clone());
    let metrics = builder.upstreams([("openai", "gpt-4o")]);
    Gateway {
        metrics: metrics.register(&registry).unwrap(),
        clock,
        heard: Arc::default(),
    }
}

impl Gateway {
    fn listener(&self) -> Listener {
        Arc::clone(&self.heard).into()
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A request that was listened to, up to the end that `end` makes.
    fn heard(&self, end: impl FnOnce(adapter::RequestGuard)) -> String {
        let mut guard = adapter::begin(&self.metrics, "chat", RequestMethod::Post);
        guard.listen(self.listener());
        self.pass(1);
        end(guard);
        let mut heard = self.heard.take();
        assert_eq!(heard.len(), 1, "{heard:?}");
        heard.remove(0)
    }

    /// The sum of all series whose line begins so.
    fn value(&self, series: &str) -> f64 {
        let text = self.metrics.render();
        let series = format!("brightstaff_{series}");
        let lines = text.lines().filter(|line| line.starts_with(&series));
        lines
            .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
            .sum()
    }
}

#[test]
fn a_request_is_told_with_what_was_recorded_of_it() {
    let gateway = gateway();
    let ok = Head::new(200).end_of_stream(false);
    let whole = gateway.heard(|mut guard| {
        guard.head(&ok);
        gateway.pass(1);
        guard.bytes(3);
        guard.bytes(4);
        guard.complete();
        guard.complete();
        guard.bytes(5);
    });
    assert_eq!(whole, "request chat POST Some(200) complete 2s Some(1s) 7");
    let declared = gateway.heard(|mut guard| {
        guard.head(&Head::new(500).content_length(2).end_of_stream(false));
        guard.bytes(2);
    });
    assert_eq!(
        declared,
        "request chat POST Some(500) complete 1s Some(1s) 2"
    );
    let bodiless = gateway.heard(|mut guard| guard.head(&Head::new(204)));
    assert_eq!(
        bodiless,
        "request chat POST Some(204) complete 1s Some(1s) 0"
    );
    let failed = gateway.heard(|mut guard| {
        guard.head(&ok);
        guard.fail();
    });
    assert_eq!(failed, "request chat POST Some(200) error 1s Some(1s) 0");
    let short = gateway.heard(|mut guard| {
        guard.head(&Head::new(200).content_length(2).end_of_stream(false));
        guard.bytes(1);
        guard.complete();
    });
    assert_eq!(short, "request chat POST Some(200) error 1s Some(1s) 1");
    let left = gateway.heard(drop);
    assert_eq!(left, "request chat POST None cancelled 1s None 0");
    let no_status = gateway.heard(|mut guard| guard.fail());
    assert_eq!(no_status, "request chat POST None error 1s None 0");
    assert_eq!(gateway.value("http_requests_total"), 7.0);
    assert_eq!(gateway.value("http_requests_cancelled_total"), 1.0);
    assert_eq!(gateway.value("http_requests_interrupted_total"), 2.0);
}

struct Request(Option<Listener>);

impl IncomingRequest for Request {
    fn method(&self) -> RequestMethod {
        RequestMethod::Post
    }
    fn path(&self) -> &'static str {
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
    fn listener(&self) -> Option<Listener> {
        self.0.clone()
    }
}

#[test]
fn a_request_and_its_implicit_call_are_told_in_this_order() {
    let gateway = gateway();
    let mut requests = RequestMetrics::from(&gateway.metrics);
    requests.implicit("openai");
    let begun = requests.begin(&Request(Some(gateway.listener())), &LayerMarks::default());
    let mut observer = ResponseObserver::from(begun.request);
    let head = Head::new(200).content_type("text/event-stream");
    observer.head(&head, begun.call);
    observer.watch_body(|| ());
    observer.data(b"data: {}\n\n");
    drop(observer);
    assert_eq!(
        gateway.heard.take(),
        [
            "call openai/unknown Some(200) cancelled 0ns Some(0ns) None None+None",
            "request llm_chat POST Some(200) cancelled 0ns Some(0ns) 10",
        ]
    );

    let begun = requests.begin(&Request(Some(gateway.listener())), &LayerMarks::default());
    let mut observer = ResponseObserver::from(begun.request);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        observer.watch(|| panic!("as asked"));
    }));
    assert!(panicked.is_err());
    drop(observer);
    drop(begun.call);
    assert_eq!(
        gateway.heard.take(),
        ["request llm_chat POST None panic 0ns None 0"]
    );
    drop(requests.begin(&Request(None), &LayerMarks::default()));
    assert!(gateway.heard.take().is_empty());
}

#[test]
fn a_call_is_told_with_what_was_recorded_of_it() {
    const FIRST: &str = r#"data: {"object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"a"}}]}"#;
    const LAST: &str = r#"data: {"object":"chat.completion.chunk","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12}}"#;
    let gateway = gateway();
    let upstream = gateway.metrics.upstream("openai", "gpt-4o");
    let start = |upstream: &brightstaff_metrics_core::Upstream| {
        upstream.start().with_listener(gateway.listener())
    };
    let mut call = start(&upstream);
    gateway.pass(1);
    call.head(&Head::new(200).content_type("text/event-stream"));
    call.data(b": ping\n\n");
    gateway.pass(1);
    call.data(format!("{FIRST}\n\n").as_bytes());
    gateway.pass(1);
    call.data(format!("{LAST}\n\ndata: [DONE]\n\n").as_bytes());
    call.finish();

    // A body in one piece tells no instants.
    let mut call = start(&upstream);
    let body = r#"{"object":"chat.completion","usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    call.head(
        &Head::new(200)
            .content_type("application/json")
            .content_length(body.len() as u64),
    );
    call.data(body.as_bytes());
    drop(call);

    let folded = gateway.metrics.upstream("openai", "never-answered");
    start(&folded).fail(ErrorClass::Connect);
    let mut call = start(&folded);
    call.head(&Head::new(429));
    drop(call);
    drop(start(&upstream).with_listener(None));
    assert_eq!(
        gateway.heard.take(),
        [
            "call openai/gpt-4o Some(200) none 3s Some(1s) Some(2s) Some(9)+Some(12)",
            "call openai/gpt-4o Some(200) none 0ns None None Some(1)+Some(2)",
            "call openai/other None connect 0ns None None None+None",
            "call openai/other Some(429) rate_limit 0ns None None None+None",
        ]
    );
    assert_eq!(gateway.value("llm_upstream_requests_total"), 5.0);
    assert_eq!(gateway.value("llm_upstream_in_flight"), 0.0);
}

#[test]
fn a_held_call_is_told_once_it_is_recorded() {
    let gateway = gateway();
    let upstream = gateway.metrics.upstream("openai", "gpt-4o");
    let mut call = upstream.start().with_listener(gateway.listener());
    let held = call.hold();
    call.response(200);
    call.finish();
    assert!(gateway.heard.take().is_empty());
    held.fail(ErrorClass::Parse);
    assert_eq!(
        gateway.heard.take(),
        ["call openai/gpt-4o Some(200) parse 0ns None None None+None"]
    );
}

/// Panics whenever it is told, and once more as it is dropped.
struct Broken;

impl EndListener for Broken {
    fn call_ended(&self, _: &EndedCall<'_>) {
        panic!("as asked");
    }

    fn request_ended(&self, _: &EndedRequest<'_>) {
        panic!("as asked");
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        panic!("as asked, again");
    }
}

#[test]
fn a_listener_that_panics_changes_nothing() {
    let gateway = gateway();
    let upstream = gateway.metrics.upstream("openai", "gpt-4o");
    let begin = || {
        let mut guard = adapter::begin(&gateway.metrics, "chat", RequestMethod::Get);
        guard.listen(Listener::new(Broken));
        guard
    };
    upstream
        .start()
        .with_listener(Listener::new(Broken))
        .fail(ErrorClass::Timeout);
    drop(begin());
    // What is dropped by a panic is told while that goes on.
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _call = upstream.start().with_listener(Listener::new(Broken));
        let _request = begin();
        panic!("the handler's own");
    }));
    let payload = unwound.unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"the handler's own"));
    assert_eq!(gateway.value("llm_upstream_requests_total"), 2.0);
    assert_eq!(gateway.value("llm_upstream_in_flight"), 0.0);
    assert_eq!(gateway.value("http_requests_total"), 2.0);
    assert_eq!(gateway.value("http_in_flight_requests"), 0.0);
}

#[test]
fn ends_are_called_by_their_names() {
    let names = [
        (RequestEnd::Complete, "complete"),
        (RequestEnd::Cancelled, "cancelled"),
        (RequestEnd::Error, "error"),
        (RequestEnd::Panic, "panic"),
    ];
    for (end, name) in names {
        assert_eq!(end.to_string(), name);
    }
}
