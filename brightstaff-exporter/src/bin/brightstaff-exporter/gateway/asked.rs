use std::sync::Arc;

use axum::http::{HeaderValue, Response};

use super::{
    Request,
    entrance::{ResponseBody, whole},
    error::{Refusal, api_of},
    request_id::RequestId,
};
use crate::{config::Api, log::access::Line};

/// What of a request its response has to fit.
#[derive(Debug)]
pub(super) struct Asked {
    /// Whose errors its client understands.
    api: Api,
    id: RequestId,
    /// That of the access log, if there is one.
    line: Option<Arc<Line>>,
}

impl Asked {
    pub(super) fn of(request: &mut Request) -> Self {
        Self {
            api: api_of(request.uri().path(), request.headers()),
            id: RequestId::settle(request.headers_mut()),
            line: request.extensions().get().cloned(),
        }
    }

    /// The response, where there is one, or the one that says why there is none.
    pub(super) fn respond(
        &self,
        answered: Result<Response<ResponseBody>, Refusal>,
    ) -> Response<ResponseBody> {
        let response = match answered {
            Ok(response) => response,
            Err(refusal) => return whole(refusal.into_response_for(self.api, &self.id)),
        };
        if let Some(line) = &self.line {
            let headers = response.headers();
            line.answered(|name| headers.get(name).map(HeaderValue::as_bytes));
        }
        response
    }

    /// Puts the id into a response, whoever made it.
    pub(super) fn mark(self, response: &mut Response<ResponseBody>) {
        self.id.mark(response.headers_mut());
    }
}
