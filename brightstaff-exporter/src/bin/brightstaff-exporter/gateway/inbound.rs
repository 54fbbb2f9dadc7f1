use std::{borrow::Cow, slice};

use axum::http::{HeaderMap, Method, Uri, header::CONTENT_ENCODING};

use super::{
    Request,
    body::ModelRequest,
    credentials,
    decode::{Coding, decode},
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
        let coding = Coding::of(&parts.headers)?;
        let client = body.client();
        let bytes = match uploads.read(body).await {
            Ok(bytes) => bytes,
            Err(Cut::Refused(refusal)) => return Err(refusal),
            Err(Cut::Left) => match client.left().await {},
        };
        let (text, encoded) = match coding {
            None => (bytes, None),
            Some(coding) => (decode(coding, &bytes, uploads).await?, Some(bytes)),
        };
        let body = ModelRequest::parse(text, &uploads.budget)?.with_encoded(encoded);
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
        self.settle_coding(slice::from_ref(candidate));
        let ask_usage = asks_usage(candidate, self.path());
        self.body.settle(candidate.model.as_deref(), ask_usage)
    }

    /// Lets go of the form of the body that none of these candidates gets: they get it as it came, or all of them
    /// get it plain.
    pub(super) fn settle_coding(&mut self, candidates: &[Candidate]) {
        if !self.body.is_encoded() {
            return;
        }
        let changes = |candidate: &Candidate| {
            let ask_usage = asks_usage(candidate, self.path());
            self.body.changes(candidate.model.as_deref(), ask_usage)
        };
        if candidates.iter().any(changes) {
            self.body.keep_text();
            self.headers.remove(CONTENT_ENCODING);
        } else {
            self.body.keep_encoded();
        }
    }

    pub(super) fn outgoing(&self, candidate: &Candidate) -> Result<Outgoing<'_>, Refusal> {
        let model = candidate.model.as_deref();
        let ask_usage = asks_usage(candidate, self.path());
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
}

fn asks_usage(candidate: &Candidate, path: &str) -> bool {
    candidate.destination.include_usage && COMPLETIONS.contains(&path)
}

/// The path as the destination knows it: from `/v1` on.
pub(super) fn forwarded_path(path: &str) -> &str {
    path.strip_prefix("/agents").unwrap_or(path)
}
