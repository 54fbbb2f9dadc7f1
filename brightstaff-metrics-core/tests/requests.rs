//! How requests end, and who measures them, as adapters tell it.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::panic::{AssertUnwindSafe, catch_unwind};

use brightstaff_metrics_core::{
    HandlerName, Head, Metrics,
    adapter::{IncomingRequest, LayerMarks, RequestMetrics, ResponseObserver},
    labels::RequestMethod,
};

struct Request(&'static str);

impl IncomingRequest for Request {
    fn method(&self) -> RequestMethod {
        RequestMethod::Post
    }
    fn path(&self) -> &str {
        self.0
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

/// The series of requests and calls that are not 0, shortened.
fn told(metrics: &Metrics) -> Vec<String> {
    let text = metrics.render();
    let told = text.lines().filter(|line| {
        let family = ["http_requests", "llm_upstream", "http_in_flight"];
        let of_it = |name: &&str| line.starts_with(&format!("brightstaff_{name}"));
        family.iter().any(of_it) && !line.ends_with(" 0") && !line.contains("seconds")
    });
    let short = told.map(|line| line.trim_start_matches("brightstaff_").to_owned());
    short.collect()
}

const CHAT: Request = Request("/v1/chat/completions");
const OK: &str = r#"http_requests_total{handler="llm_chat",method="POST",status_class="2xx"} 1"#;

/// A request whose response has this head, up to the end that `end` makes.
fn ended(head: &Head<'_>, end: impl FnOnce(ResponseObserver)) -> Vec<String> {
    let metrics = Metrics::unregistered();
    let requests = RequestMetrics::from(&metrics);
    let begun = requests.begin(&CHAT, &LayerMarks::default());
    let mut observer = ResponseObserver::from(begun.request);
    observer.head(head, None);
    end(observer);
    told(&metrics)
}

fn interrupted(reason: &str) -> String {
    format!("http_requests_interrupted_total{{handler=\"llm_chat\",reason=\"{reason}\"}} 1")
}

#[test]
fn a_body_that_fails_is_interrupted() {
    let fails = |mut observer: ResponseObserver| {
        observer.watch_body(|| ());
        observer.data(b"some");
        observer.fail();
    };
    assert_eq!(
        ended(&Head::new(200), fails),
        [interrupted("error"), OK.to_owned()]
    );
}

#[test]
fn a_body_that_is_short_is_interrupted() {
    let head = Head::new(200).content_length(5);
    let short = |mut observer: ResponseObserver| {
        observer.watch_body(|| ());
        observer.data(b"four");
        observer.complete();
    };
    assert_eq!(ended(&head, short), [interrupted("error"), OK.to_owned()]);
    let whole = |mut observer: ResponseObserver| {
        observer.watch_body(|| ());
        observer.data(b"fives");
    };
    assert_eq!(ended(&head, whole), [OK]);
}

#[test]
fn a_body_that_panics_is_interrupted() {
    let panics = |mut observer: ResponseObserver| {
        let poll = || observer.watch_body(|| panic!("in the poll"));
        assert!(catch_unwind(AssertUnwindSafe(poll)).is_err());
    };
    assert_eq!(
        ended(&Head::new(200), panics),
        [interrupted("panic"), OK.to_owned()]
    );
}

#[test]
fn a_body_that_nobody_asks_for_is_no_cancel() {
    assert_eq!(ended(&Head::new(200), drop), [OK]);
    let left = |mut observer: ResponseObserver| {
        observer.watch_body(|| ());
    };
    let cancelled = r#"http_requests_cancelled_total{handler="llm_chat",phase="body"} 1"#;
    assert_eq!(ended(&Head::new(200), left), [cancelled, OK]);
}

/// What of a request a layer begins to measure: the request, and its response as a call.
fn passes(extensions: &mut http::Extensions, layer: &RequestMetrics) -> (bool, bool) {
    let begun = layer.begin(&CHAT, &layer.marks(extensions));
    if let Some(marks) = begun.marks {
        marks.put(extensions);
    }
    (begun.request.is_some(), begun.call.is_some())
}

#[test]
fn an_inner_layer_measures_what_the_outer_does_not() {
    let metrics = Metrics::unregistered();
    let plain = RequestMetrics::from(&metrics);
    let mut implicit = RequestMetrics::from(&metrics);
    implicit.implicit("openai");
    let others = RequestMetrics::from(&Metrics::unregistered());

    let mut request = http::Extensions::default();
    assert_eq!(passes(&mut request, &plain), (true, false));
    assert_eq!(passes(&mut request, &others), (true, false));
    assert_eq!(passes(&mut request, &implicit), (false, true));
    assert_eq!(passes(&mut request, &implicit), (false, false));
    assert_eq!(passes(&mut request, &others), (false, false));

    let mut request = http::Extensions::default();
    assert_eq!(passes(&mut request, &implicit), (true, true));
    assert_eq!(passes(&mut request, &plain), (false, false));
}

#[test]
fn only_where_no_layer_can_be_further_in_requests_have_no_marks() {
    let metrics = Metrics::unregistered();
    let layer = RequestMetrics::from(&metrics);
    let marked = |layer: &RequestMetrics| {
        let mut request = http::Extensions::default();
        assert_eq!(passes(&mut request, layer), (true, false));
        !request.is_empty()
    };
    assert!(marked(&layer), "of an adapter that tells of no service");
    layer.serve();
    assert!(!marked(&layer), "the only service");
    layer.serve();
    assert!(marked(&layer), "one of two");

    let metrics = Metrics::unregistered();
    let [outer, inner] = [0; 2].map(|_| RequestMetrics::from(&metrics));
    outer.serve();
    assert!(marked(&outer), "the other may be another adapter's");
    inner.serve();
    assert!(marked(&outer), "one of another layer");
}

#[test]
fn the_innermost_layer_leaves_no_mark_and_heeds_those_of_others() {
    let metrics = Metrics::unregistered();
    let outer = RequestMetrics::from(&metrics);
    let mut innermost = RequestMetrics::from(&metrics);
    innermost.innermost();
    let mut request = http::Extensions::default();
    assert_eq!(passes(&mut request, &innermost), (true, false));
    assert!(request.is_empty());
    assert_eq!(passes(&mut request, &outer), (true, false));
    assert_eq!(passes(&mut request, &innermost), (false, false));
}

#[test]
fn a_request_that_is_skipped_is_nobodys() {
    let metrics = Metrics::unregistered();
    let mut skipping = RequestMetrics::from(&metrics);
    skipping.skip(CHAT.0);
    skipping.implicit("openai");
    let mut request = http::Extensions::default();
    assert_eq!(passes(&mut request, &skipping), (false, false));
    assert_eq!(
        passes(&mut request, &RequestMetrics::from(&metrics)),
        (false, false)
    );
    assert_eq!(told(&metrics), [""; 0]);
}

#[test]
fn an_inner_layer_alone_measures_a_call() {
    let metrics = Metrics::unregistered();
    let mut inner = RequestMetrics::from(&metrics);
    inner.implicit("openai");
    let mut request = http::Extensions::default();
    passes(&mut request, &RequestMetrics::from(&metrics));
    let begun = inner.begin(&CHAT, &LayerMarks::of(&request));
    let mut observer = ResponseObserver::from(begun.request);
    observer.head(&Head::new(503), begun.call);
    observer.complete();
    let calls: Vec<_> = told(&metrics)
        .into_iter()
        .filter(|line| line.starts_with("llm_"))
        .collect();
    assert_eq!(
        calls,
        [
            r#"llm_upstream_requests_total{error_class="status",model="unknown",provider="openai",status_class="5xx"} 1"#
        ]
    );
}

/// Also where the call ended before its response was made anew.
#[test]
fn a_marked_response_is_no_second_call() {
    let metrics = Metrics::unregistered();
    let mut requests = RequestMetrics::from(&metrics);
    requests.implicit("openai");
    let begun = requests.begin(&CHAT, &LayerMarks::default());
    let mut call = metrics.upstream("openai", "gpt-4o").start();
    let open = call.mark();
    call.head(&Head::new(503).content_length(0));
    let ended = call.mark();
    let pending = begun.call.unwrap();
    assert!(pending.unless_marked(Some(&ended), false).is_none());

    let others = Metrics::unregistered();
    let mut requests = RequestMetrics::from(&others);
    requests.implicit("openai");
    for mark in [open, ended] {
        let pending = requests.begin(&CHAT, &LayerMarks::default()).call.unwrap();
        assert!(pending.unless_marked(Some(&mark), false).is_some());
    }
}

#[test]
fn a_folded_request_counts_once_wherever_it_goes() {
    let builder = Metrics::builder().process(false).handler_cap(1);
    let registry = brightstaff_metrics_core::prometheus::Registry::new();
    let metrics = builder.register(&registry).unwrap();
    let mut requests = RequestMetrics::from(&metrics);
    for path in ["/a", "/b", "/c"] {
        requests.handler(path, path);
    }
    let folded = |times: u64| {
        let line = format!("brightstaff_metrics_label_overflow_total{{label=\"handler\"}} {times}");
        metrics.render().lines().any(|found| found == line)
    };
    let begin = |path| {
        requests
            .begin(&Request(path), &LayerMarks::default())
            .request
            .unwrap()
    };
    begin("/a").head(&Head::new(200).content_length(0));
    let mut moves = begin("/b");
    requests.rename(&mut moves, &Request("/c"));
    moves.head(&Head::new(200).content_length(0));
    assert!(folded(1));
    drop(begin("/b"));
    assert!(folded(2));
    let mut comes_home = begin("/b");
    requests.rename(&mut comes_home, &Request("/a"));
    comes_home.head(&Head::new(200).content_length(0));
    assert!(folded(2));
}

#[test]
fn endpoints_of_several_providers_are_calls_to_them() {
    let metrics = Metrics::unregistered();
    let mut requests = RequestMetrics::from(&metrics);
    requests.implicit("openai");
    requests.llm_endpoint("/v1beta/models/{*call}", "gemini");
    requests.llm_endpoint("/api/chat", "ollama");
    for (path, provider) in [
        (
            "/v1beta/models/gemini-2.5-pro:streamGenerateContent",
            "gemini",
        ),
        ("/api/chat", "ollama"),
        ("/v1/chat/completions", "openai"),
    ] {
        let begun = requests.begin(&Request(path), &LayerMarks::default());
        let in_flight = format!("llm_upstream_in_flight{{provider=\"{provider}\"}} 1");
        assert!(told(&metrics).contains(&in_flight), "{path}");
        let mut observer = ResponseObserver::from(begun.request);
        observer.head(&Head::new(500).content_length(0), begun.call);
        let failed = format!(
            "llm_upstream_requests_total{{error_class=\"status\",model=\"unknown\",provider=\"{provider}\",status_class=\"5xx\"}} 1"
        );
        assert!(
            told(&metrics).contains(&failed),
            "{path} {:?}",
            told(&metrics)
        );
    }
    let none = requests.begin(&Request("/v1/moderations"), &LayerMarks::default());
    assert!(none.call.is_none());
}

#[test]
fn a_guard_moves_where_the_head_proves_another_handler() {
    let metrics = Metrics::unregistered();
    let requests = RequestMetrics::from(&metrics);
    let mut guard = requests
        .begin(&Request("/files/1"), &LayerMarks::default())
        .request
        .unwrap();
    assert_eq!(
        told(&metrics),
        [r#"http_in_flight_requests{handler="not_found"} 1"#]
    );
    requests.rename(&mut guard, &CHAT);
    assert_eq!(
        told(&metrics),
        [r#"http_in_flight_requests{handler="llm_chat"} 1"#]
    );
    guard.head(&Head::new(200).content_length(0));
    assert_eq!(told(&metrics), [OK]);
}

mod upgrades {
    use brightstaff_metrics_core::{UpgradeMark, UpgradedRequest};

    use super::*;

    const SWITCHED: &str =
        r#"http_requests_total{handler="llm_chat",method="POST",status_class="1xx"} 1"#;

    /// A 101 that passes a middleware of these metrics.
    fn passes(metrics: &Metrics, mark: &UpgradeMark) {
        let begun = RequestMetrics::from(metrics).begin(&CHAT, &LayerMarks::default());
        let mut observer = ResponseObserver::from(begun.request);
        assert!(observer.switches(101) && !observer.switches(200));
        observer.upgraded(&Head::new(101).content_length(0), mark);
        drop(observer);
    }

    /// What is recorded of one that ends so, before its response passed and behind it.
    #[track_caller]
    fn records(end: fn(UpgradedRequest), expected: &[&str]) {
        let metrics = Metrics::unregistered();
        let upgraded = UpgradedRequest::new();
        passes(&metrics, &upgraded.mark());
        let open = r#"http_in_flight_requests{handler="llm_chat"} 1"#;
        assert_eq!(told(&metrics), [open, SWITCHED]);
        end(upgraded);
        assert_eq!(told(&metrics), expected);

        let metrics = Metrics::unregistered();
        let upgraded = UpgradedRequest::new();
        let mark = upgraded.mark();
        end(upgraded);
        passes(&metrics, &mark);
        assert_eq!(told(&metrics), expected);
    }

    #[test]
    fn a_request_lives_until_what_took_its_connection_over_ends() {
        records(UpgradedRequest::complete, &[SWITCHED]);
        records(UpgradedRequest::fail, &[&interrupted("error"), SWITCHED]);
        let left = r#"http_requests_cancelled_total{handler="llm_chat",phase="body"} 1"#;
        records(drop, &[left, SWITCHED]);
        let panics = |upgraded| {
            let panicking = AssertUnwindSafe(|| {
                let _upgraded = upgraded;
                panic!("as asked");
            });
            assert!(catch_unwind(panicking).is_err());
        };
        records(panics, &[&interrupted("panic"), SWITCHED]);
    }

    #[test]
    fn each_of_several_metrics_measures_it_by_itself() {
        let (one, other) = (Metrics::unregistered(), Metrics::unregistered());
        let upgraded = UpgradedRequest::new();
        passes(&one, &upgraded.mark());
        passes(&other, &upgraded.mark());
        upgraded.complete();
        assert_eq!(told(&one), [SWITCHED]);
        assert_eq!(told(&other), [SWITCHED]);
    }

    #[test]
    fn without_a_holder_it_ends_at_its_head_or_with_its_body() {
        let metrics = Metrics::unregistered();
        let requests = RequestMetrics::from(&metrics);
        let begun = requests.begin(&CHAT, &LayerMarks::default());
        let mut observer = ResponseObserver::from(begun.request);
        observer.head(&Head::new(101), None);
        assert_eq!(told(&metrics), [SWITCHED]);
        drop(observer);

        let begun = requests.begin(&CHAT, &LayerMarks::default());
        let mut observer = ResponseObserver::from(begun.request);
        observer.head(&Head::new(101).upgraded(true), None);
        observer.data(b"a frame");
        let open = r#"http_in_flight_requests{handler="llm_chat"} 1"#;
        assert!(told(&metrics).contains(&open.to_owned()));
        observer.complete();
        assert_eq!(told(&metrics), [SWITCHED.replace("} 1", "} 2")]);
    }
}
