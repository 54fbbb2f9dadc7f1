use std::borrow::Cow;

use axum::http::{HeaderMap, Method, StatusCode, Uri, header::CONTENT_ENCODING};

use super::{
    Request,
    body::ModelRequest,
    credentials,
    destination::Outgoing,
    directory::Candidate,
    error::Refusal,
    headers::strip_request,
    upload::{Cut, Uploads},
};

/// Where streams tell their usage only if asked.
const COMPLETIONS: [&str; 2] = ["/v1/chat/completions", "/v1/completions"];

/// A request that was read to its end, ready to be sent to any number of candidates.
#[derive(Debug)]
pub(super) struct Inbound {
    method: Method,
    uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: ModelRequest,
}

impl Inbound {
    /// Never ends where the client left before it had sent everything, since there is nobody to answer.
    pub(super) async fn read(request: Request, uploads: &Uploads) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let encoding = parts.headers.get(CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| encoding != "identity") {
            let fault = "the request body is compressed, which hides its model: send it plain";
            return Err(Refusal::request("unsupported_encoding", fault)
                .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let client = body.client();
        let bytes = match uploads.read(body).await {
            Ok(bytes) => bytes,
            Err(Cut::Refused(refusal)) => return Err(refusal),
            Err(Cut::Left) => match client.left().await {},
        };
        let body = ModelRequest::parse(bytes, &uploads.budget)?;
        strip_request(&mut parts.headers);
        Ok(Self {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            body,
        })
    }

    /// Gets ready for the only candidate that there is.
    pub(super) fn settle(&mut self, candidate: &Candidate) -> Result<(), Refusal> {
        let ask_usage = self.asks_usage(candidate);
        self.body.settle(candidate.model.as_deref(), ask_usage)
    }

    /// Whether the client sent credentials that pass where the destination has none of its own.
    pub(super) fn has_credentials(&self) -> bool {
        credentials::are_in(&self.headers, self.uri.query())
    }

    pub(super) fn outgoing(&self, candidate: &Candidate) -> Result<Outgoing<'_>, Refusal> {
        let model = candidate.model.as_deref();
        let ask_usage = self.asks_usage(candidate);
        let mut headers = self.headers.clone();
        let mut query = self.uri.query().map(Cow::Borrowed);
        if candidate.among_several {
            credentials::strip(&mut headers, &mut query);
        }
        Ok(Outgoing {
            method: self.method.clone(),
            path: self.path(),
            query,
            headers,
            body: self.body.for_destination(model, ask_usage)?,
        })
    }

    /// The path as the destination knows it.
    fn path(&self) -> &str {
        forwarded_path(self.uri.path())
    }

    fn asks_usage(&self, candidate: &Candidate) -> bool {
        candidate.destination.include_usage && COMPLETIONS.contains(&self.path())
    }
}

/// The path as the destination knows it: from `/v1` on.
pub(super) fn forwarded_path(path: &str) -> &str {
    path.strip_prefix("/agents").unwrap_or(path)
}
