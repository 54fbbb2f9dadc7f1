//! Answers that the gateway itself makes, in the shape of OpenAI's errors.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use brightstaff_metrics_core::{NoUpstream, labels::ErrorClass};
use serde_json::json;

use super::client::Failure;

const MODEL_NOT_FOUND: &str = "model_not_found";

/// Why a request gets no provider's answer.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    code: &'static str,
    param: Option<&'static str>,
    message: String,
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
        }
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

    #[cfg(test)]
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// A destination gave no answer.
    pub(super) fn upstream(destination: &str, failure: &Failure) -> Self {
        let (status, code) = match failure.class {
            ErrorClass::Timeout => (StatusCode::GATEWAY_TIMEOUT, "upstream_timeout"),
            ErrorClass::Connect => (StatusCode::BAD_GATEWAY, "upstream_unreachable"),
            _ => (StatusCode::BAD_GATEWAY, "upstream_failed"),
        };
        let fault = failure.fault();
        Self {
            status,
            kind: "upstream_error",
            ..Self::request(code, format!("upstream {destination} {fault}"))
        }
    }

    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(super) fn with_param(self, param: &'static str) -> Self {
        Self {
            param: Some(param),
            ..self
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
        response.extensions_mut().insert(NoUpstream);
        response
    }
}
