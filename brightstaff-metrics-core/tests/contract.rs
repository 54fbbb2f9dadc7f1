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
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use brightstaff_metrics_core::{
    Head, NoUpstream, ObservedBody, Observer, Upstream, UpstreamObserved, handler, labels::Method,
};
use case::{Case, Request};
use gateway::{Gateway, play_all};
use http::{HeaderName, HeaderValue, Response};
use http_body::Body;
use received::Received;
use script::{Answer, Stage};

#[test]
fn core_keeps_the_contract() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    play_all(
        &cases,
        "core",
        cfg!(feature = "compression"),
        |case, gateways| {
            for request in &case.requests {
                for n in 0..request.times {
                    exchange(case, &gateways[request.registry], request, n);
                }
            }
        },
    );
}

/// One request, from its arrival to the moment when a server is done with the answer.
fn exchange(case: &Case, gateway: &Gateway, request: &Request, n: usize) {
    let path = request.path(n);
    let method = Method::from(&*request.method);
    let mut observer = match case.handler(request, &path) {
        Some(handler) => Observer::exchange(gateway.metrics.exchange(&handler, method)),
        None => Observer::default(),
    };
    let Some(answer) = answer(gateway, request, &mut observer) else {
        return request.check(None);
    };
    let provider = case.implicit.as_deref();
    let implicit = provider
        .filter(|_| handler::is_llm_call(method, &path))
        .filter(|_| answer.extensions().get::<UpstreamObserved>().is_none())
        .filter(|_| answer.extensions().get::<NoUpstream>().is_none())
        .map(|provider| gateway.metrics.answering(provider));
    serve(answer, request, observer, implicit.as_ref());
}

/// What the handler answers, unless it panics or the client hangs up first.
fn answer(gateway: &Gateway, request: &Request, observer: &mut Observer) -> Option<Answer> {
    if request.route.is_none() {
        let mut not_found = Response::new(Default::default());
        *not_found.status_mut() = http::StatusCode::NOT_FOUND;
        return Some(not_found);
    }
    let stage = Stage {
        gateway: gateway.clone(),
        hang_up: Arc::new(|| {}),
    };
    let mut handler = pin!(stage.respond(request.answer.clone()));
    let mut context = Context::from_waker(Waker::noop());
    let poll = || observer.watch(|| handler.as_mut().poll(&mut context));
    match catch_unwind(AssertUnwindSafe(poll)) {
        Ok(Poll::Ready(answer)) => Some(answer),
        Ok(Poll::Pending) | Err(_) => None,
    }
}

/// Reads a body as far as a server does: not at all where HTTP knows none, up to the declared length, up
/// to its end, or until the client hangs up. What comes of it is what the handler sent.
fn serve(answer: Answer, request: &Request, mut observer: Observer, implicit: Option<&Upstream>) {
    observer.head(&Head::of(&answer), implicit);
    let (head, body) = answer.into_parts();
    let field = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    let mut received = Received {
        status: head.status.as_u16(),
        headers: head.headers.iter().map(field).collect(),
        ..Received::default()
    };
    let length = received.headers.get("content-length");
    let length = length.map(|length| length.parse().unwrap());
    let mut left = length.or_else(|| body.size_hint().exact());
    let bodiless = request.is_bodiless(received.status);
    let mut body = pin!(ObservedBody::new(body, observer));
    let mut context = Context::from_waker(Waker::noop());
    received.whole = loop {
        if bodiless || body.is_end_stream() || left == Some(0) {
            break true;
        }
        let polled = catch_unwind(AssertUnwindSafe(|| body.as_mut().poll_frame(&mut context)));
        let frame = match polled {
            Ok(Poll::Ready(Some(Ok(frame)))) => frame,
            polled => break matches!(polled, Ok(Poll::Ready(None))),
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
    };
    request.check(Some(&received));
}
