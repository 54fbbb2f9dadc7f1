//! Answers that the gateway itself makes, in the shape of OpenAI's errors.

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use brightstaff_metrics_core::{NoUpstream, labels::ErrorClass};
use serde_json::json;

use super::{budget::Exhausted, client::Failure};

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
            closes: false,
        }
    }

    /// The client has not shown that it may use the gateway.
    pub(super) fn unauthorized(code: &'static str, message: impl Into<String>) -> Self {
        Self::request(code, message).with_status(StatusCode::UNAUTHORIZED)
    }

    /// No destination is known for this model.
    pub(super) fn model(message: impl Into<String>) -> Self {
        Self {
            param: Some("model"),
            ..Self::request(MODEL_NOT_FOUND, message)
        }
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

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "error": {
                "message": self.message,
                "type": self.kind,
                "param": self.param,
                "code": self.code,
            }
        });
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if self.closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2.
            let challenge = HeaderValue::from_static("Bearer");
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(NoUpstream);
        response
    }
}
