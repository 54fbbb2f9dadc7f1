use std::sync::Arc;

use axum::http::{HeaderValue, Method, Response, Uri};

use super::{
    Request,
    endpoint::{Endpoint, Named},
    entrance::{ResponseBody, whole},
    error::Refusal,
    request_id::RequestId,
};
use crate::{config::Api, log::access::Line};

/// What of a request its response has to fit.
#[derive(Debug)]
pub(super) struct Reply {
    id: RequestId,
    /// That of the access log, if there is one.
    line: Option<Arc<Line>>,
    method: Method,
    uri: Uri,
    /// Its client says that it speaks Anthropic's API.
    is_anthropic: bool,
}

impl Reply {
    pub(super) fn to(request: &mut Request) -> Self {
        Self {
            id: RequestId::settle(request.headers_mut()),
            line: request.extensions().get().cloned(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            is_anthropic: request.headers().contains_key("anthropic-version"),
        }
    }

    pub(super) fn is_to_head(&self) -> bool {
        self.method == Method::HEAD
    }

    /// The response, where there is one, or the one that says why there is none.
    pub(super) fn respond(
        &self,
        answered: Result<Response<ResponseBody>, Refusal>,
        providers: &[Named],
    ) -> Response<ResponseBody> {
        let response = match answered {
            Ok(response) => response,
            Err(refusal) => {
                if let Some(line) = &self.line {
                    line.refused(refusal.code());
                }
                return whole(refusal.into_response_for(self.api(providers), &self.id));
            }
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

    /// Whose errors the client reads: looked for where there is one to tell.
    fn api(&self, providers: &[Named]) -> Api {
        let by_client = |api: Api| {
            if self.is_anthropic {
                Api::Anthropic
            } else {
                api
            }
        };
        match Endpoint::at(providers, &self.method, self.uri.path()) {
            Endpoint::Shared(asked) | Endpoint::Models(asked) if asked.is_common() => {
                by_client(asked.api)
            }
            // Its paths are OpenAI's, and its errors are its own.
            Endpoint::Provider(place, asked)
                if asked.api == Api::OpenAi && providers[place].api == Api::Mistral =>
            {
                Api::Mistral
            }
            Endpoint::Agent(asked)
            | Endpoint::Decide(asked)
            | Endpoint::Models(asked)
            | Endpoint::Agents(asked)
            | Endpoint::Provider(_, asked)
            | Endpoint::Shared(asked) => asked.api,
            Endpoint::OtherMethod(row, _) => row.api,
            Endpoint::Nothing | Endpoint::Bad => by_client(Api::OpenAi),
        }
    }
}
