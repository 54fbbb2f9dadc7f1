//! Where web sockets lead.

use std::borrow::Cow;

use axum::http::{Method, Response};

use super::{
    Request, Shared, credentials,
    directory::{Candidate, Choice},
    endpoint::{Asked, Task},
    entrance::ResponseBody,
    error::Refusal,
    forward::Whom,
    pass::unmeasured,
    subprotocols, upgrade,
};

/// Whether a web socket is asked for, or should be.
pub(super) fn are_asked(asked: &Asked<'_>, request: &Request) -> bool {
    upgrade::is_asked(request.headers())
        || asked.task() == Task::Realtime && matches!(*request.method(), Method::GET | Method::HEAD)
}

/// Passes a request for a web socket on to the one that is asked. Where that is a matter of the model, the query names it;
/// of an alias the first candidate is asked, since a socket that opened tells nobody whether it failed.
pub(super) async fn open(
    shared: &Shared,
    whom: Whom<'_>,
    asked: &Asked<'_>,
    mut request: Box<Request>,
) -> Result<Response<ResponseBody>, Refusal> {
    let uri = request.uri().clone();
    let mut query = uri.query().map(Cow::Borrowed);
    let named = match asked.model_in_path() {
        Some(_) => None,
        None => query.as_deref().and_then(model),
    };
    let candidate = choose(shared, whom, asked, named.as_deref())?;
    let destination = &candidate.destination;
    destination.check(asked, request.method())?;
    if candidate.among_several {
        let offered = subprotocols::harmless(request.headers());
        credentials::strip(request.headers_mut(), &mut query);
        subprotocols::put(request.headers_mut(), offered);
    }
    if let (Some(named), Some(model)) = (named, candidate.model.as_deref())
        && named != model
    {
        query = query.map(|query| Cow::Owned(with_model(&query, model)));
    }
    let path = destination.path(asked);
    let response = upgrade::pass(destination, path, query, request).await;
    response.map(unmeasured)
}

fn choose(
    shared: &Shared,
    whom: Whom<'_>,
    asked: &Asked<'_>,
    named: Option<&str>,
) -> Result<Candidate, Refusal> {
    let directory = &shared.directory;
    let choice = match (whom, named) {
        (Whom::Named(destination), _) => return Ok(directory.candidate(destination, None)),
        (Whom::Agent, named) => directory.agent(named.unwrap_or_default())?,
        (Whom::Fitting, Some(named)) => directory.model(asked, named)?,
        (Whom::Fitting, None) => {
            return directory.provider_of(asked, asked.model_in_path().as_deref());
        }
    };
    match choice {
        Choice::Direct(candidate) => Ok(candidate),
        Choice::Alias(alias) => {
            let first = alias.candidates.first().cloned();
            first.ok_or_else(|| Refusal::model("the alias leads nowhere"))
        }
    }
}

fn model(query: &str) -> Option<String> {
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let (_, model) = parameters.find(|(name, _)| name == "model")?;
    Some(model.into_owned())
}

/// The query with another model's name, and every other byte as it was.
fn with_model(query: &str, model: &str) -> String {
    let pieces = query.split_inclusive('&').map(|piece| {
        let (parameter, end) = match piece.strip_suffix('&') {
            Some(parameter) => (parameter, "&"),
            None => (piece, ""),
        };
        let decoded = form_urlencoded::parse(parameter.as_bytes()).next();
        if decoded.is_none_or(|(name, _)| name != "model") {
            return Cow::Borrowed(piece);
        }
        let value: String = form_urlencoded::byte_serialize(model.as_bytes()).collect();
        Cow::Owned(format!("model={value}{end}"))
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_renamed_in_a_query() {
        for (query, named, renamed) in [
            ("model=p/m", Some("p/m"), "model=a%2Fb"),
            ("a=%2F&model=p%2Fm&b=", Some("p/m"), "a=%2F&model=a%2Fb&b="),
            ("%6dodel=m&", Some("m"), "model=a%2Fb&"),
            ("models=m&a=model", None, "models=m&a=model"),
        ] {
            assert_eq!(model(query).as_deref(), named, "{query}");
            assert_eq!(with_model(query, "a/b"), renamed);
        }
    }
}
