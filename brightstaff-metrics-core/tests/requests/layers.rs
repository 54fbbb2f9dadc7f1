//! Which of several layers measures a request, and which its call.

use brightstaff_metrics_core::{
    Head, Metrics,
    adapter::{LayerMarks, RequestMetrics, ResponseObserver},
};

use crate::{CHAT, told};

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
