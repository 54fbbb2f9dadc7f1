//! Requests that go on behind their response.

use std::panic::{AssertUnwindSafe, catch_unwind};

use brightstaff_metrics_core::{
    Head, Metrics, UpgradeMark, UpgradedRequest,
    adapter::{LayerMarks, RequestMetrics, ResponseObserver},
};

use crate::{CHAT, interrupted, told};

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
