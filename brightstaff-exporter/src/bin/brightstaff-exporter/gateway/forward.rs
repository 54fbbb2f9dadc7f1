//! Requests that are passed on, and their responses.

use axum::http::{Response, StatusCode, Version};
use brightstaff_metrics_core::{ObservedBody, labels::RouteKind};

use super::{
    Request, Shared, destination,
    directory::{Candidate, Choice},
    error::Refusal,
    headers::strip_hop_by_hop,
    inbound::Inbound,
    request_id::RequestId,
    routing::{Plan, Routing},
};

type Answer = Response<ObservedBody<destination::Answer>>;

/// Passes a request on to where its model leads.
pub(super) async fn forward(
    shared: &Shared,
    route: RouteKind,
    request: Request,
) -> Result<Answer, Refusal> {
    let mut inbound = Inbound::read(request, &shared.uploads).await?;
    let routing = Routing::start(shared);
    let choice = match route {
        RouteKind::Agent => shared.directory.agent(inbound.body.model())?,
        _ => shared.directory.model(inbound.body.model())?,
    };
    let mut response = match choice {
        Choice::Direct(candidate) => {
            inbound.settle(&candidate)?;
            call(&candidate, &inbound).await?
        }
        Choice::Alias(alias) => {
            let plan = routing.plan(alias, &inbound.headers).await?;
            ask_in_turn(plan, &inbound).await?
        }
    };
    pass_on(&mut response);
    Ok(response)
}

/// Tries one candidate after the other; the last one's response passes, whatever it is.
async fn ask_in_turn(plan: Plan<'_>, inbound: &Inbound) -> Result<Answer, Refusal> {
    let mut place = plan.first();
    let mut response = call(plan.candidate(place), inbound).await;
    for next in plan.others() {
        if accepted(&response) {
            break;
        }
        if let Ok(response) = &response {
            let upstream = &plan.candidate(place).destination.name;
            let status = response.status().as_u16();
            let id = RequestId::of(&inbound.headers);
            let request_id = id.as_ref().map(RequestId::as_str);
            tracing::warn!(%upstream, status, request_id, "passed over");
        }
        // Ends its call before the next one starts.
        drop(response);
        place = next;
        response = call(plan.candidate(place), inbound).await;
    }
    if accepted(&response) {
        plan.accept(place);
    }
    response
}

/// One call: recorded once, when its response's body ends or there is none.
async fn call(candidate: &Candidate, inbound: &Inbound) -> Result<Answer, Refusal> {
    let outgoing = inbound.outgoing(candidate)?;
    let trace = brightstaff_metrics_core::TraceContext::of(&inbound.headers);
    let call = candidate.upstream.start().in_trace(trace);
    let call = call.with_listener(inbound.listener.clone());
    let again = || inbound.outgoing(candidate).ok();
    match candidate.destination.send(outgoing, again).await {
        Ok(response) => Ok(call.observe(response)),
        Err(failure) => {
            call.fail(failure.class);
            Err(Refusal::upstream(&candidate.destination.name, &failure))
        }
    }
}

/// Whether the search ends with this response.
fn accepted(response: &Result<Answer, Refusal>) -> bool {
    response.as_ref().is_ok_and(|response| {
        let status = response.status();
        status != StatusCode::TOO_MANY_REQUESTS && !status.is_server_error()
    })
}

/// Makes of a destination's response the one that goes to the client.
pub(super) fn pass_on<B>(response: &mut Response<B>) {
    strip_hop_by_hop(response.headers_mut());
    // The version is a matter of each connection: an upstream's HTTP/1.0 would cost the client its
    // chunks.
    *response.version_mut() = Version::default();
}
