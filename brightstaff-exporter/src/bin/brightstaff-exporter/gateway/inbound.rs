use std::{borrow::Cow, slice, sync::Arc};

use axum::http::{
    HeaderMap, HeaderValue, Method, Uri,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING},
    request::Parts,
};
use brightstaff_metrics_core::Listener;

use super::{
    Request,
    body::{ModelRequest, UsageChoice},
    client::Content,
    credentials,
    decode::{Coding, decode},
    destination::Outgoing,
    directory::Candidate,
    endpoint::{Asked, Model},
    error::Refusal,
    headers::strip_request,
    hidden_usage::Asking,
    upload::{Cut, Uploads},
};
use crate::{config::IncludeUsage, log::access::Line};

/// The head of a request, ready to be sent on.
#[derive(Debug)]
pub(super) struct InboundHead<'a> {
    pub(super) asked: &'a Asked<'a>,
    method: Method,
    uri: Uri,
    pub(super) headers: HeaderMap,
    /// Who hears of its calls.
    pub(super) listener: Option<Listener>,
    /// That of the access log, if there is one.
    line: Option<Arc<Line>>,
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
            listener: parts.extensions.remove(),
            line: parts.extensions.remove(),
        }
    }

    /// Tells the access log what model the client names.
    pub(super) fn asks_for(&self, model: &str) {
        if let Some(line) = &self.line {
            line.asks_for(model);
        }
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// Whether the client sent credentials that pass where the destination has none of its own.
    pub(super) fn has_credentials(&self) -> bool {
        credentials::are_in(&self.headers, self.uri.query())
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
        request: Box<Request>,
        asked: &'a Asked<'a>,
        uploads: &Uploads,
    ) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let coding = Coding::of(&parts.headers)?;
        let client = body.client();
        let bytes = match uploads.read(body).await {
            Ok(bytes) => bytes,
            Err(Cut::Refused(refusal)) => return Err(refusal),
            Err(Cut::Left) => match client.left().await {},
        };
        let (text, encoded) = match coding {
            None => (bytes, None),
            Some(coding) => (
                Box::pin(decode(coding, &bytes, uploads)).await?,
                Some(bytes),
            ),
        };
        Ok(Self {
            body: ModelRequest::parse(text, &uploads.budget)?.with_encoded(encoded),
            head: InboundHead::new(asked, parts),
        })
    }

    /// Gets ready for the only candidate that there is.
    pub(super) fn settle(&mut self, candidate: &Candidate) -> Result<(), Refusal> {
        self.settle_coding(slice::from_ref(candidate));
        let asks = self.asks_usage(candidate);
        let model = self.model_for(candidate);
        self.body.settle(model, asks)
    }

    /// Lets go of the form of the body that none of these candidates gets: they get it as it came, or all of them
    /// get it plain.
    pub(super) fn settle_coding(&mut self, candidates: &[Candidate]) {
        if !self.body.is_encoded() {
            return;
        }
        let changes = |candidate: &Candidate| {
            let asks = self.asks_usage(candidate);
            self.body.changes(self.model_for(candidate), asks)
        };
        if candidates.iter().any(changes) {
            self.body.keep_text();
            self.head.headers.remove(CONTENT_ENCODING);
        } else {
            self.body.keep_encoded();
        }
    }

    pub(super) fn outgoing(&self, candidate: &Candidate) -> Result<Outgoing<'_>, Refusal> {
        let model = self.model_for(candidate);
        let body = self
            .body
            .for_destination(model, self.asks_usage(candidate))?;
        let mut outgoing = self.head.outgoing(candidate, Content::Whole(body));
        if self.asking(candidate) == Some(Asking::Hidden) {
            // What is to be taken out must be seen.
            let plain = HeaderValue::from_static("identity");
            outgoing.headers.insert(ACCEPT_ENCODING, plain);
        }
        Ok(outgoing)
    }

    fn asks_usage(&self, candidate: &Candidate) -> bool {
        let asking = self.asking(candidate);
        asking.is_some_and(Asking::is_by_gateway)
    }

    /// What the body has to name, where that is what decides.
    fn model_for<'c>(&self, candidate: &'c Candidate) -> Option<&'c str> {
        let model = candidate.model.as_deref();
        model.filter(|_| self.head.asked.row.model == Model::Body)
    }

    /// Who asks this candidate for usage; nothing where that is told anyway, or there is none.
    pub(super) fn asking(&self, candidate: &Candidate) -> Option<Asking> {
        let include_usage = candidate.destination.include_usage?;
        if !self.head.asked.has_usage_if_asked() {
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
