//! Requests that are passed on, and their responses.

use std::{borrow::Cow, sync::Arc};

use axum::http::{Response, Uri, Version};
use bytes::Bytes;

use super::{
    Request, Shared,
    decode::Coding,
    destination::Destination,
    directory::{Candidate, Choice},
    endpoint::{Asked, Model},
    entrance::{Passed, ResponseBody},
    error::Refusal,
    failover::{OneTry, ask_in_turn},
    form,
    headers::strip_hop_by_hop,
    hidden_usage,
    inbound::{Inbound, InboundHead},
    pass::{Through, unmeasured},
    routing::Routing,
    upload::Cut,
};

/// Who is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whom<'a> {
    /// The agent of the request's model.
    Agent,
    /// This one, whatever the model.
    Named(&'a Arc<Destination>),
    /// The provider of the request's model, or of its API.
    Fitting,
}

/// Passes a request on.
pub(super) async fn forward(
    shared: &Shared,
    whom: Whom<'_>,
    asked: &Asked<'_>,
    request: Box<Request>,
) -> Result<Response<ResponseBody>, Refusal> {
    if let Whom::Named(destination) = whom {
        destination.check(asked, request.method())?;
    }
    let named = |model: Option<&str>| match whom {
        Whom::Named(destination) => Ok(shared.directory.candidate(destination, model)),
        Whom::Agent | Whom::Fitting => shared.directory.provider_of(asked, model),
    };
    match asked.row.model {
        Model::Body if reads_model(whom, asked) => {
            if let Some(boundary) = form::boundary(request.headers()) {
                Coding::refuse_form(request.headers())?;
                let search = form::Search::new(boundary);
                return Box::pin(forward_form(shared, whom, asked, request, search)).await;
            }
            forward_json(shared, whom, asked, request).await
        }
        Model::Query => {
            let uri = request.uri().clone();
            let candidate = named(model_in_query(&uri).as_deref())?;
            Box::pin(forward_as_it_comes(shared, candidate, asked, request)).await
        }
        Model::Body | Model::Path | Model::Absent => {
            let candidate = named(asked.model_in_path().as_deref())?;
            if candidate.destination.asks_usage(asked) {
                let mut inbound = Inbound::read(request, asked, &shared.uploads).await?;
                inbound
                    .head
                    .asks_for(candidate.model.as_deref().unwrap_or_default());
                return forward_to(&candidate, &mut inbound).await;
            }
            Box::pin(forward_as_it_comes(shared, candidate, asked, request)).await
        }
    }
}

/// Whether the body has to be read for its model: to know where it goes, or what is measured.
fn reads_model(whom: Whom<'_>, asked: &Asked<'_>) -> bool {
    asked.is_call() || !matches!(whom, Whom::Named(_))
}

fn model_in_query(uri: &Uri) -> Option<Cow<'_, str>> {
    let mut parameters = form_urlencoded::parse(uri.query()?.as_bytes());
    parameters
        .find(|(name, _)| name == "model")
        .map(|(_, model)| model)
}

async fn forward_as_it_comes(
    shared: &Shared,
    candidate: Candidate,
    asked: &Asked<'_>,
    request: Box<Request>,
) -> Result<Response<ResponseBody>, Refusal> {
    candidate.destination.check(asked, request.method())?;
    let (parts, body) = request.into_parts();
    let head = InboundHead::new(asked, parts);
    head.asks_for(candidate.model.as_deref().unwrap_or_default());
    let through = Through::new(head, Bytes::new(), body, &shared.uploads);
    through.pass(&candidate).await
}

async fn forward_json(
    shared: &Shared,
    whom: Whom<'_>,
    asked: &Asked<'_>,
    request: Box<Request>,
) -> Result<Response<ResponseBody>, Refusal> {
    let mut inbound = Inbound::read(request, asked, &shared.uploads).await?;
    inbound.head.asks_for(inbound.body.model());
    let routing = Routing::start(shared);
    let candidate = match choose(shared, whom, asked, inbound.body.model())? {
        Choice::Direct(candidate) => candidate,
        Choice::Alias(alias) if asked.is_call() => {
            let plan = routing.plan(alias, &inbound.head.headers).await?;
            inbound.settle_coding(&alias.candidates);
            let mut response = Box::pin(ask_in_turn(plan, &inbound)).await?;
            pass_on(&mut response);
            return Ok(response.map(ResponseBody::Passed));
        }
        // There is nothing to decide between for who asks about the model.
        Choice::Alias(alias) => alias.candidates[0].clone(),
    };
    forward_to(&candidate, &mut inbound).await
}

/// Passes on what was read to the only candidate that there is.
async fn forward_to(
    candidate: &Candidate,
    inbound: &mut Inbound<'_>,
) -> Result<Response<ResponseBody>, Refusal> {
    let asked = inbound.head.asked;
    candidate.destination.check(asked, inbound.head.method())?;
    inbound.settle(candidate)?;
    let mut response = if asked.is_call() {
        let response = call(candidate, inbound).await?;
        response.map(ResponseBody::Passed)
    } else {
        unmeasured(Box::pin(ask(candidate, inbound)).await?)
    };
    pass_on(&mut response);
    Ok(response)
}

/// A form is read as far as its model, and passes from there on: so an alias leads it to one candidate alone.
async fn forward_form(
    shared: &Shared,
    whom: Whom<'_>,
    asked: &Asked<'_>,
    request: Box<Request>,
    mut search: form::Search,
) -> Result<Response<ResponseBody>, Refusal> {
    let (parts, mut body) = request.into_parts();
    let head = InboundHead::new(asked, parts);
    let over = |form: &[u8]| search.is_over(form);
    let mut first = match shared
        .uploads
        .read_head(&mut body, form::HEAD_BYTES, over)
        .await
    {
        Ok(first) => first,
        Err(Cut::Refused(refusal)) => return Err(refusal),
        Err(Cut::Left) => match body.client().left().await {},
    };
    let named = search.model(&first);
    let (model, place) = named.map_or(("", None), |(model, place)| (model, Some(place)));
    head.asks_for(model);
    let routing = Routing::start(shared);
    let (candidate, only) = match choose(shared, whom, asked, model)? {
        Choice::Direct(candidate) => (candidate, None),
        Choice::Alias(alias) => {
            let only = OneTry::of(routing.plan(alias, &head.headers).await?, &head);
            (only.candidate().clone(), Some(only))
        }
    };
    candidate.destination.check(asked, head.method())?;
    if let (Some(place), Some(other)) = (place, candidate.model.as_deref())
        && other != model
    {
        first = form::renamed(&first, place, other);
    }
    let through = Through::new(head, first, body, &shared.uploads);
    let response = through.pass(&candidate).await;
    if let Some(only) = only {
        only.conclude(&response);
    }
    response
}

fn choose<'s>(
    shared: &'s Shared,
    whom: Whom<'_>,
    asked: &Asked<'_>,
    model: &str,
) -> Result<Choice<'s>, Refusal> {
    match whom {
        Whom::Agent => shared.directory.agent(model),
        Whom::Named(destination) => {
            let model = Some(model).filter(|model| !model.is_empty());
            let candidate = shared.directory.candidate(destination, model);
            Ok(Choice::Direct(candidate))
        }
        Whom::Fitting => shared.directory.model(asked, model),
    }
}

/// One call: recorded once, when its response's body ends or there is none.
pub(super) async fn call(
    candidate: &Candidate,
    inbound: &Inbound<'_>,
) -> Result<Response<Passed>, Refusal> {
    let outgoing = inbound.outgoing(candidate)?;
    let trace = brightstaff_metrics_core::TraceContext::of(&inbound.head.headers);
    let call = candidate.upstream.start().in_trace(trace);
    let call = call.operation(inbound.head.asked.row.operation());
    let call = call.with_listener(inbound.head.listener.clone());
    let again = || inbound.outgoing(candidate).ok();
    match candidate.destination.send(outgoing, again, None).await {
        Ok(response) => {
            let asking = inbound.asking(candidate);
            let asking = asking.map(|asking| (asking, &candidate.destination.usage_warned));
            Ok(hidden_usage::observe(call, response, asking))
        }
        Err(failure) => {
            call.fail(failure.class);
            Err(Refusal::upstream(&candidate.destination.name, &failure))
        }
    }
}

/// A request that is no call.
async fn ask(
    candidate: &Candidate,
    inbound: &Inbound<'_>,
) -> Result<Response<ResponseBody>, Refusal> {
    let outgoing = inbound.outgoing(candidate)?;
    let again = || inbound.outgoing(candidate).ok();
    match candidate.destination.send(outgoing, again, None).await {
        Ok(response) => Ok(response.map(ResponseBody::Unmeasured)),
        Err(failure) => Err(Refusal::upstream(&candidate.destination.name, &failure)),
    }
}

/// Makes of a destination's response the one that goes to the client.
pub(super) fn pass_on<B>(response: &mut Response<B>) {
    strip_hop_by_hop(response.headers_mut());
    // The version is a matter of each connection: an upstream's HTTP/1.0 would cost the client its
    // chunks.
    *response.version_mut() = Version::default();
}
