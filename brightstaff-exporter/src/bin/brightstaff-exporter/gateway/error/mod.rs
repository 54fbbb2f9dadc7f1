//! Answers that the gateway itself makes, in the shape of the errors of the API that was asked.

mod shape;

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{ACCEPT_ENCODING, ALLOW, CONNECTION, RETRY_AFTER, UPGRADE, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use brightstaff_metrics_core::{NoUpstream, labels::ErrorClass};

use super::{budget::Exhausted, client::Failure, decode, request_id::RequestId};
use crate::config::Api;

const MODEL_NOT_FOUND: &str = "model_not_found";
const UPSTREAM_ERROR: &str = "upstream_error";

/// Why a request gets no provider's response.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    code: &'static str,
    param: Option<&'static str>,
    message: String,
    /// In how many seconds to come again.
    retry_after: Option<u16>,
    /// The methods that the path takes, where it does not take this one.
    allow: Option<HeaderValue>,
    /// The request was not read to its end, and will not be.
    closes: bool,
}

impl Refusal {
    /// The request is at fault.
    pub(super) fn request(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "invalid_request_error",
            code,
            param: None,
            message: message.into(),
            retry_after: None,
            allow: None,
            closes: false,
        }
    }

    /// The client has not shown that it may use the gateway.
    pub(super) fn unauthorized(code: &'static str, message: impl Into<String>) -> Self {
        Self::request(code, message).with_status(StatusCode::UNAUTHORIZED)
    }

    /// The path takes these methods only.
    pub(super) fn method(allow: HeaderValue) -> Self {
        Self {
            allow: Some(allow),
            ..Self::request("method_not_allowed", "this path takes another method")
                .with_status(StatusCode::METHOD_NOT_ALLOWED)
        }
    }

    /// No destination is known for this model.
    pub(super) fn model(message: impl Into<String>) -> Self {
        Self {
            param: Some("model"),
            ..Self::request(MODEL_NOT_FOUND, message)
        }
    }

    /// What it is called, in the shapes that have a place for that.
    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    pub(super) fn is_unknown_model(&self) -> bool {
        self.code == MODEL_NOT_FOUND
    }

    /// Whether a destination was asked, and gave no response.
    pub(super) fn is_upstream(&self) -> bool {
        self.kind == UPSTREAM_ERROR
    }

    #[cfg(test)]
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// A destination gave no response.
    pub(super) fn upstream(destination: &str, failure: &Failure) -> Self {
        let (status, code) = match failure.class {
            ErrorClass::Timeout => (StatusCode::GATEWAY_TIMEOUT, "upstream_timeout"),
            ErrorClass::Connect => (StatusCode::BAD_GATEWAY, "upstream_unreachable"),
            _ => (StatusCode::BAD_GATEWAY, "upstream_failed"),
        };
        let fault = failure.fault();
        Self {
            status,
            kind: UPSTREAM_ERROR,
            ..Self::request(code, format!("upstream {destination} {fault}"))
        }
    }

    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Ends the connection of HTTP/1 that the request came on, since the rest of it is not read.
    pub(super) fn closing(self) -> Self {
        Self {
            closes: true,
            ..self
        }
    }

    pub(super) fn with_param(self, param: &'static str) -> Self {
        Self {
            param: Some(param),
            ..self
        }
    }
}

/// The gateway is at fault, for now: it holds as many bytes of requests as it may.
impl From<Exhausted> for Refusal {
    fn from(_: Exhausted) -> Self {
        let message = "too many request bodies are held at once: try again";
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            kind: "server_error",
            retry_after: Some(1),
            ..Self::request("overloaded", message)
        }
    }
}

impl Refusal {
    /// The response, in the shape of the errors of the API that was asked. The request's id goes where that API's
    /// clients look for it.
    pub(super) fn into_response_for(self, api: Api, id: &RequestId) -> Response {
        let mut response = (self.status, Json(shape::body(&self, api, id))).into_response();
        let headers = response.headers_mut();
        shape::headers(&self, api, id, headers);
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, allow);
        }
        if self.closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.status == StatusCode::UPGRADE_REQUIRED {
            // RFC 9110, section 15.5.22.
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2.
            let challenge = HeaderValue::from_static("Bearer");
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if self.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            // RFC 9110, section 15.5.16.
            let codings = HeaderValue::from_static(decode::ACCEPTED);
            headers.insert(ACCEPT_ENCODING, codings);
        }
        response.extensions_mut().insert(NoUpstream);
        response
    }
}
