//! Where web sockets lead.

use std::borrow::Cow;

use axum::http::Response;

use super::{
    Request, Shared, credentials, directory::Choice, entrance::ResponseBody, error::Refusal,
    subprotocols, upgrade,
};

/// The handler of every request for a web socket.
pub(super) const HANDLER: &str = "realtime";

/// What is asked for by nothing else.
pub(super) const PATH: &str = "/v1/realtime";

/// Passes a request for a web socket on to where the model in its query leads, or to the only provider. Of an alias the
/// first candidate is asked: nobody can tell whether a socket that opened failed.
pub(super) async fn answer(
    shared: &Shared,
    mut request: Request,
) -> Result<Response<ResponseBody>, Refusal> {
    if !upgrade::is_asked(request.headers()) {
        return Ok(upgrade::required());
    }
    let uri = request.uri().clone();
    let mut query = uri.query().map(Cow::Borrowed);
    let Some(model) = query.as_deref().and_then(model) else {
        let only = shared.directory.only_provider().ok_or_else(|| {
            let fault = "several providers may be meant: name a model in the query";
            Refusal::request("missing_model", fault).with_param("model")
        })?;
        return upgrade::pass(only, uri.path(), query, request).await;
    };
    let choice = shared.directory.model(&model)?;
    let candidate = match &choice {
        Choice::Direct(candidate) => Some(candidate),
        Choice::Alias(alias) => alias.candidates.first(),
    };
    let candidate = candidate.ok_or_else(|| Refusal::model("the alias leads nowhere"))?;
    if candidate.among_several {
        let offered = subprotocols::harmless(request.headers());
        credentials::strip(request.headers_mut(), &mut query);
        subprotocols::put(request.headers_mut(), offered);
    }
    if let Some(renamed) = candidate.model.as_deref().filter(|name| *name != model) {
        query = query.map(|query| Cow::Owned(with_model(&query, renamed)));
    }
    upgrade::pass(&candidate.destination, uri.path(), query, request).await
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
