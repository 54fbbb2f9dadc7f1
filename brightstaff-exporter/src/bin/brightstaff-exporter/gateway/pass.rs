//! Requests whose bodies pass as they come.

use axum::http::Response;
use brightstaff_metrics_core::{NoUpstream, TraceContext};
use bytes::Bytes;
use http_body::Body as _;

use super::{
    client::{Content, Failure},
    directory::Candidate,
    entrance::ResponseBody,
    error::Refusal,
    forward::pass_on,
    hidden_usage,
    inbound::InboundHead,
    passing::{Passing, Upload},
    upload::{Cut, Uploads},
};
use crate::serve::{Client, RequestBody};

/// A request of which at most the first bytes were read.
#[derive(Debug)]
pub(super) struct Through<'a> {
    head: InboundHead<'a>,
    content: Content,
    upload: Option<(Upload, Client)>,
}

impl<'a> Through<'a> {
    /// `first`: what of the body was read.
    pub(super) fn new(
        head: InboundHead<'a>,
        first: Bytes,
        rest: RequestBody,
        uploads: &Uploads,
    ) -> Self {
        if rest.is_end_stream() {
            return Self {
                head,
                content: Content::Whole(first),
                upload: None,
            };
        }
        let client = rest.client();
        let (passing, upload) = Passing::new(first, rest, uploads.timeout);
        Self {
            head,
            content: Content::Passing(Box::new(passing)),
            upload: Some((upload, client)),
        }
    }

    /// Sends it to this candidate, as a call if it is one.
    pub(super) async fn pass(
        self,
        candidate: &Candidate,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let trace = TraceContext::of(&self.head.headers);
        let call = self.head.asked.is_call();
        let call = call.then(|| {
            let call = candidate.upstream.start().in_trace(trace);
            let call = call.operation(self.head.asked.row.operation());
            call.with_listener(self.head.listener.clone())
        });
        let whole = match &self.content {
            Content::Whole(bytes) => Some(bytes.clone()),
            Content::Passing(_) => None,
        };
        let (head, upload) = (&self.head, self.upload.as_ref());
        let again = || whole.map(|bytes| head.outgoing(candidate, Content::Whole(bytes)));
        let first = head.outgoing(candidate, self.content);
        let sent = candidate
            .destination
            .send(first, again, upload.map(|(upload, _)| upload))
            .await;
        let mut response = match sent {
            Ok(response) => match call {
                Some(call) => hidden_usage::observe(call, response, None).map(ResponseBody::Passed),
                None => unmeasured(response.map(ResponseBody::Unmeasured)),
            },
            Err(failure) => {
                // A call that is dropped is cancelled, by the client or for it.
                let failure = broken_off(self.upload, failure).await?;
                if let Some(call) = call {
                    call.fail(failure.class);
                }
                return Err(Refusal::upstream(&candidate.destination.name, &failure));
            }
        };
        pass_on(&mut response);
        Ok(response)
    }
}

/// The failure of an upstream, unless it was the client that failed: then it is told so, if it is there.
async fn broken_off(
    upload: Option<(Upload, Client)>,
    failure: Failure,
) -> Result<Failure, Refusal> {
    let Some((upload, client)) = upload else {
        return Ok(failure);
    };
    match upload.cut() {
        None => Ok(failure),
        Some(Cut::Refused(refusal)) => Err(refusal),
        Some(Cut::Left) => match client.left().await {},
    }
}

/// A response of which no call is to be made.
pub(super) fn unmeasured(mut response: Response<ResponseBody>) -> Response<ResponseBody> {
    response.extensions_mut().insert(NoUpstream);
    response
}
