use std::borrow::Cow;

use axum::http::{
    HeaderMap, HeaderValue, Method, StatusCode, Uri,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING},
};

use super::{
    Request,
    body::{ModelRequest, UsageChoice},
    credentials,
    destination::Outgoing,
    directory::Candidate,
    error::Refusal,
    headers::strip_request,
    hidden_usage::Asking,
    upload::{Cut, Uploads},
};
use crate::config::IncludeUsage;

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
        let asks = self.asking(candidate).is_some_and(Asking::is_by_gateway);
        self.body.settle(candidate.model.as_deref(), asks)
    }

    pub(super) fn outgoing(&self, candidate: &Candidate) -> Result<Outgoing<'_>, Refusal> {
        let model = candidate.model.as_deref();
        let asking = self.asking(candidate);
        let mut headers = self.headers.clone();
        if asking == Some(Asking::Hidden) {
            // What is to be taken out must be seen.
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        let mut query = self.uri.query().map(Cow::Borrowed);
        if candidate.among_several {
            credentials::strip(&mut headers, &mut query);
        }
        Ok(Outgoing {
            method: self.method.clone(),
            path: self.path(),
            query,
            headers,
            body: self
                .body
                .for_destination(model, asking.is_some_and(Asking::is_by_gateway))?,
        })
    }

    /// The path as the destination knows it.
    fn path(&self) -> &str {
        forwarded_path(self.uri.path())
    }

    /// Who asks this candidate for usage; nothing where that is told anyway, or there is none.
    pub(super) fn asking(&self, candidate: &Candidate) -> Option<Asking> {
        let include_usage = candidate.destination.include_usage?;
        if !COMPLETIONS.contains(&self.path()) {
            return None;
        }
        match self.body.usage {
            UsageChoice::NoStream => None,
            UsageChoice::Wanted => Some(Asking::Client),
            UsageChoice::Declined => Some(Asking::Declined),
            UsageChoice::Open => Some(match include_usage {
                IncludeUsage::Hidden => Asking::Hidden,
                IncludeUsage::Shown => Asking::Shown,
                IncludeUsage::Off => Asking::Nobody,
            }),
        }
    }
}

/// The path as the destination knows it: from `/v1` on.
pub(super) fn forwarded_path(path: &str) -> &str {
    path.strip_prefix("/agents").unwrap_or(path)
}
