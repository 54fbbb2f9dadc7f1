//! How requests end, and who measures them, as adapters tell it.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

mod layers;
mod upgrades;

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
