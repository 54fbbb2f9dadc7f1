//! The cases of the contract on the core alone: its guards and bodies, driven as a server would.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/case.rs"]
mod case;
#[path = "support/gateway.rs"]
mod gateway;
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
use http::{Response, header::CONTENT_LENGTH};
use http_body::Body;
use script::{Answer, Stage};

#[test]
fn core_keeps_the_contract() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    play_all(&cases, |case, gateways| {
        if case.compression && !cfg!(feature = "compression") {
            return false;
        }
        for request in &case.requests {
            for n in 0..request.times {
                exchange(case, &gateways[request.registry], request, n);
            }
        }
        true
    });
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
        return;
    };
    assert_eq!(Some(answer.status().as_u16()), request.status());
    let provider = case.implicit.as_deref();
    let implicit = provider
        .filter(|_| handler::is_llm_call(method, &path))
        .filter(|_| answer.extensions().get::<UpstreamObserved>().is_none())
        .filter(|_| answer.extensions().get::<NoUpstream>().is_none())
        .map(|provider| gateway.metrics.answering(provider));
    serve(answer, method, observer, implicit.as_ref());
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
/// to its end, or until the client hangs up.
fn serve(answer: Answer, method: Method, mut observer: Observer, implicit: Option<&Upstream>) {
    observer.head(&Head::of(&answer), implicit);
    let length = answer.headers().get(CONTENT_LENGTH);
    let length = length.map(|length| length.to_str().unwrap().parse().unwrap());
    let mut left = length.or_else(|| answer.body().size_hint().exact());
    let bodiless = method == Method::Head || matches!(answer.status().as_u16(), 204 | 304);
    let mut body = pin!(ObservedBody::new(answer.into_body(), observer));
    let mut context = Context::from_waker(Waker::noop());
    while !bodiless && !body.is_end_stream() && left != Some(0) {
        let polled = catch_unwind(AssertUnwindSafe(|| body.as_mut().poll_frame(&mut context)));
        let Ok(Poll::Ready(Some(Ok(frame)))) = polled else {
            return;
        };
        if let (Some(left), Some(data)) = (&mut left, frame.data_ref()) {
            *left -= data.len() as u64;
        }
    }
}
