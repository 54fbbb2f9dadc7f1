//! The cases of the contract on the core alone: its guards and bodies, driven as a server would.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/case.rs"]
mod case;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "support/received.rs"]
mod received;
#[path = "support/script.rs"]
mod script;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use brightstaff_metrics_core::{
    HandlerName, Head, NoUpstream, ObservedBody, TraceContext, UpstreamObserved,
    adapter::{IncomingRequest, LayerMarks, PendingCall, RequestMetrics, ResponseObserver},
    labels::RequestMethod,
};
use case::{Case, Connection, Request};
use futures_util::future::poll_fn;
use gateway::{Gateway, play_all, settle};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::Body;
use received::Received;
use script::{Answer, Stage};

#[test]
fn core_keeps_the_contract() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    play_all(&cases, "core", cfg!(feature = "compression"), play);
}

#[test]
fn only_the_driver_of_core_writes_goldens() {
    let golden = Path::new(env!("CARGO_TARGET_TMPDIR")).join("written_by_whom.prom");
    let (old, new) = ("# HELP a\na 1\n", "# HELP b\na 1\n");
    std::fs::write(&golden, old).unwrap();
    for (server, update) in [("axum", true), ("actix", true), ("core", false)] {
        assert!(settle(server, update, &golden, new).is_some(), "{server}");
        assert_eq!(settle(server, update, &golden, old), None, "{server}");
        assert_eq!(std::fs::read_to_string(&golden).unwrap(), old, "{server}");
    }
    assert_eq!(settle("core", true, &golden, new), None);
    assert_eq!(std::fs::read_to_string(&golden).unwrap(), new);
}

fn play(case: &Case, gateways: &[Gateway]) {
    let layers: Vec<_> = gateways
        .iter()
        .map(|gateway| layer(case, gateway))
        .collect();
    let requests = case.requests.iter();
    let sendings = requests.flat_map(|request| (0..request.times).map(move |n| (request, n)));
    let sendings: Vec<_> = sendings.collect();
    let at_once = match case.connection {
        Connection::Shared => sendings.len(),
        _ => 1,
    };
    for sendings in sendings.chunks(at_once) {
        let mut received: Vec<_> = sendings.iter().map(|_| None).collect();
        let exchanges = sendings.iter().zip(&mut received);
        let exchanges = exchanges.map(|(&(request, n), received)| {
            let hung_up = Arc::new(AtomicBool::new(false));
            let hang_up = Arc::clone(&hung_up);
            let layer = &layers[request.registry];
            let stage = Stage {
                gateway: gateways[request.registry].clone(),
                hang_up: Arc::new(move || hang_up.store(true, Ordering::Relaxed)),
            };
            let exchange: Exchange<'_> =
                Box::pin(exchange(case, layer, stage, request, n, received));
            (exchange, hung_up)
        });
        run(exchanges.collect());
        for (&(request, _), received) in sendings.iter().zip(&received) {
            request.check(received.as_ref());
        }
    }
}

/// What an adapter keeps of its configuration.
fn layer(case: &Case, gateway: &Gateway) -> RequestMetrics {
    let mut layer = RequestMetrics::from(&gateway.metrics);
    if let Some(provider) = &case.implicit {
        layer.implicit(provider);
    }
    for path in &case.skip {
        layer.skip(path);
    }
    layer
}

/// A request as its adapter tells of it, whose handler the case knows.
struct Arriving {
    method: RequestMethod,
    path: String,
    handler: Option<String>,
    headers: HeaderMap,
}

impl IncomingRequest for Arriving {
    fn method(&self) -> RequestMethod {
        self.method
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn template(&self) -> Option<&str> {
        None
    }

    fn given_name(&self) -> Option<HandlerName> {
        self.handler.clone().map(HandlerName::from)
    }

    fn has_header(&self, _: &str) -> bool {
        false
    }

    fn trace(&self) -> Option<TraceContext> {
        TraceContext::of(&self.headers)
    }
}

type Exchange<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Runs exchanges in turns, each up to its end or until its client hangs up.
fn run(mut exchanges: Vec<(Exchange<'_>, Arc<AtomicBool>)>) {
    let mut context = Context::from_waker(Waker::noop());
    // Two that wait for each other would do so for ever.
    for _turn in 0..10 {
        exchanges.retain_mut(|(exchange, hung_up)| {
            exchange.as_mut().poll(&mut context).is_pending() && !hung_up.load(Ordering::Relaxed)
        });
    }
    assert!(exchanges.is_empty(), "a case comes to its end");
}

/// One request, from its arrival to the moment when a server is done with the response.
async fn exchange(
    case: &Case,
    layer: &RequestMetrics,
    stage: Stage,
    request: &Request,
    n: usize,
    received: &mut Option<Received>,
) {
    let path = request.path(n);
    let arriving = Arriving {
        method: RequestMethod::from(&*request.method),
        handler: case.handler(request, &path),
        path,
        headers: headers(request),
    };
    let begun = layer.begin(&arriving, &LayerMarks::default());
    let mut observer = ResponseObserver::from(begun.request);
    let Some(answer) = answer(stage, request, &mut observer).await else {
        return;
    };
    let extensions = answer.extensions();
    let implicit = begun.call.and_then(|call| {
        let no_upstream = extensions.get::<NoUpstream>().is_some();
        call.unless_marked(extensions.get::<UpstreamObserved>(), no_upstream)
    });
    serve(answer, request, observer, implicit, received).await;
}

fn headers(request: &Request) -> HeaderMap {
    let field = |(name, value): (&String, &String)| {
        let name: HeaderName = name.parse().unwrap();
        (name, value.parse().unwrap())
    };
    request.headers.iter().map(field).collect()
}

/// What the handler answers, unless it panics.
async fn answer(
    stage: Stage,
    request: &Request,
    observer: &mut ResponseObserver,
) -> Option<Answer> {
    if request.route.is_none() {
        let mut not_found = Response::new(Default::default());
        *not_found.status_mut() = http::StatusCode::NOT_FOUND;
        return Some(not_found);
    }
    let mut handler = pin!(stage.respond(request.answer.clone()));
    poll_fn(|context| {
        let poll = || observer.watch(|| handler.as_mut().poll(context));
        match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

/// Reads a body as far as a server does: not at all where HTTP knows none, up to the declared length, up
/// to its end, or until the client hangs up.
async fn serve(
    answer: Answer,
    request: &Request,
    mut observer: ResponseObserver,
    implicit: Option<PendingCall>,
    received: &mut Option<Received>,
) {
    observer.head(&Head::of(&answer), implicit);
    let (head, body) = answer.into_parts();
    let field = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    let received = received.insert(Received {
        status: head.status.as_u16(),
        headers: head.headers.iter().map(field).collect(),
        ..Received::default()
    });
    let length = received.headers.get("content-length");
    let length = length.map(|length| length.parse().unwrap());
    let mut left = length.or_else(|| body.size_hint().exact());
    let bodiless = request.is_bodiless(received.status);
    let mut body = pin!(ObservedBody::new(body, observer));
    while !bodiless && !body.is_end_stream() && left != Some(0) {
        let polled = poll_fn(|context| {
            let poll = || body.as_mut().poll_frame(context);
            match catch_unwind(AssertUnwindSafe(poll)) {
                Ok(poll) => poll.map(Ok),
                Err(panic) => Poll::Ready(Err(panic)),
            }
        });
        let frame = match polled.await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) | Err(_) => return,
        };
        if let (Some(left), Some(data)) = (&mut left, frame.data_ref()) {
            *left -= data.len() as u64;
        }
        match frame.into_data() {
            Ok(data) => received.body.extend(data),
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap();
                received.trailers = trailers.iter().map(field).collect();
                assert_eq!(received.trailers, request.sent().unwrap().trailers);
            }
        }
    }
    received.whole = true;
}
