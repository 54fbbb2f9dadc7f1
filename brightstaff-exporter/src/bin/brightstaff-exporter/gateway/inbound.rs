use std::borrow::Cow;

use axum::http::{HeaderMap, Method, StatusCode, Uri, header::CONTENT_ENCODING, request::Parts};

use super::{
    Request,
    body::ModelRequest,
    client::Content,
    credentials,
    destination::Outgoing,
    directory::Candidate,
    endpoint::Asked,
    error::Refusal,
    headers::strip_request,
    upload::{Cut, Uploads},
};

/// The head of a request, ready to be sent on.
#[derive(Debug)]
pub(super) struct InboundHead<'a> {
    pub(super) asked: &'a Asked<'a>,
    method: Method,
    uri: Uri,
    pub(super) headers: HeaderMap,
}

/// A request that was read to its end, ready to be sent to any number of candidates.
#[derive(Debug)]
pub(super) struct Inbound<'a> {
    pub(super) head: InboundHead<'a>,
    pub(super) body: ModelRequest,
}

impl<'a> InboundHead<'a> {
    pub(super) fn new(asked: &'a Asked<'a>, mut parts: Parts) -> Self {
        strip_request(&mut parts.headers);
        Self {
            asked,
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
        }
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// The request to a candidate, with this behind its head.
    pub(super) fn outgoing<'s>(&'s self, candidate: &Candidate, body: Content) -> Outgoing<'s> {
        let mut headers = self.headers.clone();
        let mut query = self.uri.query().map(Cow::Borrowed);
        if candidate.among_several {
            credentials::strip(&mut headers, &mut query);
        }
        Outgoing {
            method: self.method.clone(),
            path: candidate.destination.path(self.asked),
            query,
            headers,
            body,
        }
    }
}

impl<'a> Inbound<'a> {
    /// Never ends where the client left before it had sent everything, since there is nobody to answer.
    pub(super) async fn read(
        request: Request,
        asked: &'a Asked<'a>,
        uploads: &Uploads,
    ) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
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
        Ok(Self {
            body: ModelRequest::parse(bytes, &uploads.budget)?,
            head: InboundHead::new(asked, parts),
        })
    }

    /// Gets ready for the only candidate that there is.
    pub(super) fn settle(&mut self, candidate: &Candidate) -> Result<(), Refusal> {
        let ask_usage = self.asks_usage(candidate);
        self.body.settle(candidate.model.as_deref(), ask_usage)
    }

    pub(super) fn outgoing(&self, candidate: &Candidate) -> Result<Outgoing<'_>, Refusal> {
        let model = candidate.model.as_deref();
        let ask_usage = self.asks_usage(candidate);
        let body = self.body.for_destination(model, ask_usage)?;
        Ok(self.head.outgoing(candidate, Content::Whole(body)))
    }

    fn asks_usage(&self, candidate: &Candidate) -> bool {
        candidate.destination.asks_usage(self.head.asked)
    }
}
