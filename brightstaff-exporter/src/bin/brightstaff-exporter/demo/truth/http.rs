//! Inbound requests.

use brightstaff_metrics_core::catalogue as c;

use super::{Between, Made, Span, Truth};
use crate::{
    demo::{client::Ending, order::HangUp},
    sim::Call,
};

pub(super) fn add(truth: &mut Truth, made: &Made, attempts: &[&Call]) {
    let (order, seen) = (&made.order, &made.seen);
    let handler = [("handler", order.handler)];
    let class = match seen.head {
        Some((status, _)) => format!("{}xx", status / 100),
        None => "error".to_owned(),
    };
    let method = match order.method.as_str() {
        known @ ("GET" | "POST" | "PUT" | "DELETE" | "PATCH" | "HEAD" | "OPTIONS") => known,
        _ => "OTHER",
    };
    let labels = [("method", method), ("status_class", &class), handler[0]];
    truth.count(c::HTTP_REQUESTS.name, labels, 1);
    // Nothing is in flight any more, and every handler that was ever asked says so.
    truth.count(c::HTTP_IN_FLIGHT.name, handler, 0);
    for hang_up in [HangUp::BeforeHead, HangUp::InBody] {
        let cancelled = seen.ending == Ending::HungUp(hang_up);
        let labels = [("phase", hang_up.phase()), handler[0]];
        truth.count(c::HTTP_CANCELLED.name, labels, cancelled.into());
    }
    // The client has a status, and a body that is not whole: the provider cut it, and the gateway can only do
    // the same. No plan makes the gateway panic.
    let broken = seen.ending == Ending::Broken;
    for (reason, interrupted) in [("error", broken), ("panic", false)] {
        let labels = [("reason", reason), handler[0]];
        truth.count(c::HTTP_INTERRUPTED.name, labels, interrupted.into());
    }

    // It arrives after the client sent it, and before a provider has the call that it led to.
    let last = attempts.last();
    let arrived = attempts.first().map(|call| call.arrived);
    let head = seen.head.map(|(_, at)| at);
    let arrival = Between::new(seen.sent, arrived.or(head).unwrap_or(seen.ended));
    let end = match (seen.ending, last) {
        // The client is gone before the gateway lets go, and the provider learns of it after.
        (Ending::HungUp(_), Some(call)) => Between::new(seen.ended, call.ended),
        // A refusal is passed on or replaced: its head at least was waited for.
        (_, Some(call)) => Between::new(call.body_ended(), seen.ended),
        (_, None) => Between::new(seen.sent, seen.ended),
    };
    truth.time(
        c::HTTP_REQUEST_DURATION.name,
        handler,
        Span::from(arrival, end),
    );
    if let Some(head) = head {
        let answered = last.and_then(|call| call.answered).map(|(_, at)| at);
        let ready = Between::new(answered.unwrap_or(seen.sent), head);
        truth.time(
            c::HTTP_TIME_TO_HEADERS.name,
            handler,
            Span::from(arrival, ready),
        );
    }
}
