//! The budget against a flood: as many names as the caps let in, each as long as a name can be.

use brightstaff_metrics_core::{
    HandlerName, Head, Metrics,
    adapter::{IncomingRequest, LayerMarks, RequestMetrics, ResponseObserver},
    labels::{ErrorClass, Fallback, RequestMethod, RouteKind},
};
use prometheus::{Registry, TextEncoder};

use super::budget::{self, Gateway, Reading};

/// What a flood asks for of each label, which is more than there is room for.
const NAMES: usize = 250;
/// The default caps, and `other`.
const FLOODED: Gateway = Gateway {
    handlers: 201,
    providers: 201,
    pairs: 201,
    selected: 201,
};

/// A name of this many bytes, each of which is escaped, but for the number that tells it from others.
fn worst(bytes: usize, n: usize) -> String {
    format!("{n:03}{}", "\"".repeat(bytes - 3))
}

struct Request {
    method: RequestMethod,
    template: String,
}

impl IncomingRequest for Request {
    const TEMPLATE_IS_CHEAP: bool = true;

    fn method(&self) -> RequestMethod {
        self.method
    }
    fn path(&self) -> &'static str {
        "/"
    }
    fn template(&self) -> Option<&str> {
        Some(&self.template)
    }
    fn given_name(&self) -> Option<HandlerName> {
        None
    }
    fn has_header(&self, _: &str) -> bool {
        false
    }
}

/// Every method, every class of status, on as many routes as it takes.
fn flood_handlers(metrics: &Metrics) {
    let requests = RequestMetrics::from(metrics);
    let begin = |request: &_| {
        ResponseObserver::from(requests.begin(request, &LayerMarks::default()).request)
    };
    for n in 0..NAMES {
        for &method in RequestMethod::ALL {
            let template = worst(512, n);
            let request = Request { method, template };
            for status in [100, 200, 300, 400, 500] {
                let mut observer = begin(&request);
                observer.head(&Head::new(status).content_length(0), None);
            }
            // Cancelled before the headers, and in the body.
            drop(begin(&request));
            let mut observer = begin(&request);
            observer.head(&Head::new(200), None);
            observer.watch_body(|| ());
            // Interrupted.
            let mut observer = begin(&request);
            observer.head(&Head::new(200), None);
            observer.fail();
        }
    }
}

fn flood_upstreams(metrics: &Metrics) {
    let usage = r#"{"object":"chat.completion","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":4294967296,"completion_tokens":4294967296,"prompt_tokens_details":{"cached_tokens":7},"completion_tokens_details":{"reasoning_tokens":7}}}"#;
    for n in 0..NAMES {
        let name = worst(128, n);
        let upstream = metrics.upstream(&name, &name);
        for (status, body) in [
            (200, usage),
            (200, "{}"),
            (200, "no"),
            (429, ""),
            (404, ""),
            (500, ""),
        ] {
            let mut call = upstream.start();
            call.head(&Head::new(status).content_type("application/json"));
            call.data(body.as_bytes());
            call.finish();
        }
        let mut unread = upstream.start();
        unread.head(&Head::new(200).content_encoding("compress"));
        drop(unread);
        for &class in ErrorClass::ALL {
            upstream.start().fail(class);
        }
        for &route in RouteKind::ALL {
            for &fallback in Fallback::ALL {
                let router = metrics.routing();
                router.decision(route, &name, fallback, std::time::Duration::from_secs(1));
            }
        }
    }
}

#[test]
fn no_flood_exceeds_the_budget() {
    let registry = Registry::new();
    let metrics = Metrics::builder().register(&registry).unwrap();
    flood_handlers(&metrics);
    flood_upstreams(&metrics);
    let text = TextEncoder::new()
        .encode_to_string(&registry.gather())
        .unwrap();
    let samples = text.lines().filter(|line| !line.starts_with('#')).count();
    let (series, bytes) = budget::total(FLOODED, Reading::Most);
    println!(
        "{samples} series of {series}, {} bytes of {bytes}",
        text.len()
    );
    assert!(
        samples as u64 <= series,
        "{samples} series, and the budget said {series}"
    );
    assert!(
        text.len() as u64 <= bytes,
        "{} bytes, and the budget said {bytes}",
        text.len()
    );
    // It is a flood: more than what is usual of so many names, and most of what can be.
    let (usual, usual_bytes) = budget::total(FLOODED, Reading::Usual);
    assert!(samples as u64 > usual && text.len() as u64 > 2 * usual_bytes);
    assert!(text.len() as u64 > bytes / 2);
}
