use std::borrow::Cow;

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header::CONTENT_ENCODING},
};

use super::{
    body::ModelRequest, credentials, destination::Outgoing, directory::Candidate, error::Refusal,
    headers::strip_request,
};

/// Where streams tell their usage only if asked.
const COMPLETIONS: [&str; 2] = ["/v1/chat/completions", "/v1/completions"];

/// A request that was read to its end, ready to be sent to any number of candidates.
#[derive(Debug)]
pub(super) struct Inbound {
    method: axum::http::Method,
    path: String,
    query: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: ModelRequest,
}

impl Inbound {
    pub(super) async fn read(request: Request, limit: usize) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let encoding = parts.headers.get(CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| encoding != "identity") {
            let fault = "the request body is compressed, which hides its model: send it plain";
            return Err(Refusal::request("unsupported_encoding", fault)
                .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let body = ModelRequest::read(body, limit).await?;
        strip_request(&mut parts.headers);
        Ok(Self {
            method: parts.method,
            path: forwarded_path(parts.uri.path()).to_owned(),
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers,
            body,
        })
    }

    pub(super) fn outgoing(&self, candidate: &Candidate) -> Outgoing<'_> {
        let ask_usage = candidate.destination.include_usage && COMPLETIONS.contains(&&*self.path);
        let model = candidate.model.as_deref();
        let mut headers = self.headers.clone();
        let mut query = self.query.as_deref().map(Cow::Borrowed);
        if candidate.among_several {
            credentials::strip(&mut headers, &mut query);
        }
        Outgoing {
            method: self.method.clone(),
            path: &self.path,
            query,
            headers,
            body: self.body.for_destination(model, ask_usage),
        }
    }
}

/// The path as the destination knows it: from `/v1` on.
pub(super) fn forwarded_path(path: &str) -> &str {
    path.strip_prefix("/agents").unwrap_or(path)
}
