//! Requests that are passed on, and their responses.

use axum::http::{Response, Version};
use brightstaff_metrics_core::{ObservedBody, labels::RouteKind};

use super::{
    Request, Shared, destination,
    directory::{Candidate, Choice},
    error::Refusal,
    failover::{Passing, ask_in_turn},
    headers::strip_hop_by_hop,
    inbound::Inbound,
    routing::Routing,
};

/// Passes a request on to where its model leads.
pub(super) async fn forward(
    shared: &Shared,
    route: RouteKind,
    request: Request,
) -> Result<Response<Passing<destination::Answer>>, Refusal> {
    let mut inbound = Inbound::read(request, &shared.uploads).await?;
    let routing = Routing::start(shared);
    let choice = match route {
        RouteKind::Agent => shared.directory.agent(inbound.body.model())?,
        _ => shared.directory.model(inbound.body.model())?,
    };
    let mut response = match choice {
        Choice::Direct(candidate) => {
            inbound.settle(&candidate)?;
            call(&candidate, &inbound).await?.map(Passing::from)
        }
        Choice::Alias(alias) => {
            let plan = routing.plan(alias, &inbound.headers).await?;
            ask_in_turn(plan, &inbound).await?
        }
    };
    pass_on(&mut response);
    Ok(response)
}

/// One call: recorded once, when its response's body ends or there is none.
pub(super) async fn call(
    candidate: &Candidate,
    inbound: &Inbound,
) -> Result<Response<ObservedBody<destination::Answer>>, Refusal> {
    let outgoing = inbound.outgoing(candidate)?;
    let trace = brightstaff_metrics_core::TraceContext::of(&inbound.headers);
    let call = candidate.upstream.start().in_trace(trace);
    let again = || inbound.outgoing(candidate).ok();
    match candidate.destination.send(outgoing, again).await {
        Ok(response) => Ok(call.observe(response)),
        Err(failure) => {
            call.fail(failure.class);
            Err(Refusal::upstream(&candidate.destination.name, &failure))
        }
    }
}

/// Makes of a destination's response the one that goes to the client.
pub(super) fn pass_on<B>(response: &mut Response<B>) {
    strip_hop_by_hop(response.headers_mut());
    // The version is a matter of each connection: an upstream's HTTP/1.0 would cost the client its
    // chunks.
    *response.version_mut() = Version::default();
}
