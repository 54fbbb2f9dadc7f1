//! The shapes of errors, one for each API, as its documentation and its SDKs have them.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::Refusal;
use crate::{config::Api, gateway::request_id::RequestId};

/// Who says so, in the errors of Google's form: whose the reasons are.
const DOMAIN: &str = "brightstaff-exporter";

/// Where the SDKs of Anthropic and AWS look for the id of a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const AMZN_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Where AWS' SDKs look for the type of an error.
const AMZN_ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// What stands in the body.
pub(super) fn body(refusal: &Refusal, api: Api, id: &RequestId) -> Value {
    let Refusal {
        status,
        kind,
        code,
        param,
        message,
        ..
    } = refusal;
    match api {
        // https://platform.openai.com/docs/guides/error-codes; Azure's are the same.
        Api::OpenAi | Api::Azure => json!({
            "error": { "message": message, "type": kind, "param": param, "code": code }
        }),
        // https://docs.claude.com/en/api/errors
        Api::Anthropic => json!({
            "type": "error",
            "error": { "type": anthropic_type(*status), "message": message },
            "request_id": id.as_str(),
        }),
        // https://google.aip.dev/193, and google/rpc/error_details.proto
        Api::Gemini => json!({
            "error": {
                "code": status.as_u16(),
                "message": message,
                "status": google_status(*status),
                "details": [
                    {
                        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                        "reason": code.to_ascii_uppercase(),
                        "domain": DOMAIN,
                    },
                    {
                        "@type": "type.googleapis.com/google.rpc.RequestInfo",
                        "requestId": id.as_str(),
                    },
                ],
            }
        }),
        // https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html; https://docs.cohere.com/reference/errors
        Api::Bedrock | Api::Cohere => json!({ "message": message }),
        // https://docs.ollama.com/api/errors
        Api::Ollama => json!({ "error": message }),
        // As api.mistral.ai answers: its reference describes no error but the 422 of a body that does not fit.
        Api::Mistral => json!({
            "object": "error", "message": message, "type": kind, "param": param, "code": code
        }),
    }
}

/// What stands in the headers.
pub(super) fn headers(refusal: &Refusal, api: Api, id: &RequestId, headers: &mut HeaderMap) {
    match api {
        Api::Anthropic => {
            headers.insert(REQUEST_ID, id.value().clone());
        }
        Api::Bedrock => {
            headers.insert(AMZN_REQUEST_ID, id.value().clone());
            let kind = HeaderValue::from_static(bedrock_type(refusal.status));
            headers.insert(AMZN_ERROR_TYPE, kind);
        }
        _ => {}
    }
}

/// By the table of the documentation; `timeout_error` stands in the SDKs alone. Other 4xx "may also" be
/// `invalid_request_error`.
fn anthropic_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        504 => "timeout_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

/// The name in google/rpc/code.proto whose HTTP status this is, or else the nearest one.
fn google_status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        408 | 504 => "DEADLINE_EXCEEDED",
        409 => "ABORTED",
        426 => "FAILED_PRECONDITION",
        429 => "RESOURCE_EXHAUSTED",
        400..=499 => "INVALID_ARGUMENT",
        501 => "UNIMPLEMENTED",
        502 | 503 => "UNAVAILABLE",
        _ => "INTERNAL",
    }
}

/// The errors of Bedrock's runtime, by the status that each has:
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>. There is none for a 401.
fn bedrock_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 | 403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 | 504 => "ModelTimeoutException",
        429 => "ThrottlingException",
        400..=499 => "ValidationException",
        502 | 503 => "ServiceUnavailableException",
        _ => "InternalServerException",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(refusal: &Refusal, api: Api) -> (Value, Vec<(String, String)>) {
        let id = RequestId::of_test("req-1");
        let body = body(refusal, api, &id);
        let mut map = HeaderMap::new();
        headers(refusal, api, &id, &mut map);
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        (body, map.iter().map(text).collect())
    }

    fn refusal() -> Refusal {
        Refusal::model("the model `m` is not known here")
    }

    #[test]
    fn each_api_has_its_own_shape() {
        let message = "the model `m` is not known here";
        let openai = json!({ "error": {
            "message": message,
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }});
        assert_eq!(told(&refusal(), Api::OpenAi), (openai.clone(), vec![]));
        assert_eq!(told(&refusal(), Api::Azure), (openai, vec![]));
        let anthropic = json!({
            "type": "error",
            "error": { "type": "invalid_request_error", "message": message },
            "request_id": "req-1",
        });
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![header("request-id", "req-1")];
        assert_eq!(told(&refusal(), Api::Anthropic), (anthropic, headers));
        let gemini = json!({ "error": {
            "code": 400,
            "message": message,
            "status": "INVALID_ARGUMENT",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "MODEL_NOT_FOUND",
                    "domain": "brightstaff-exporter",
                },
                { "@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "req-1" },
            ],
        }});
        assert_eq!(told(&refusal(), Api::Gemini), (gemini, vec![]));
        let bedrock = vec![
            header("x-amzn-requestid", "req-1"),
            header("x-amzn-errortype", "ValidationException"),
        ];
        assert_eq!(
            told(&refusal(), Api::Bedrock),
            (json!({ "message": message }), bedrock)
        );
        assert_eq!(
            told(&refusal(), Api::Cohere),
            (json!({ "message": message }), vec![])
        );
        assert_eq!(
            told(&refusal(), Api::Ollama),
            (json!({ "error": message }), vec![])
        );
        let mistral = json!({
            "object": "error",
            "message": message,
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        });
        assert_eq!(told(&refusal(), Api::Mistral), (mistral, vec![]));
    }

    #[test]
    fn a_status_has_its_type_in_each_api() {
        for (status, anthropic, google, bedrock) in [
            (
                400,
                "invalid_request_error",
                "INVALID_ARGUMENT",
                "ValidationException",
            ),
            (
                401,
                "authentication_error",
                "UNAUTHENTICATED",
                "AccessDeniedException",
            ),
            (
                403,
                "permission_error",
                "PERMISSION_DENIED",
                "AccessDeniedException",
            ),
            (
                404,
                "not_found_error",
                "NOT_FOUND",
                "ResourceNotFoundException",
            ),
            (
                405,
                "invalid_request_error",
                "INVALID_ARGUMENT",
                "ValidationException",
            ),
            (
                408,
                "invalid_request_error",
                "DEADLINE_EXCEEDED",
                "ModelTimeoutException",
            ),
            (
                413,
                "request_too_large",
                "INVALID_ARGUMENT",
                "ValidationException",
            ),
            (
                415,
                "invalid_request_error",
                "INVALID_ARGUMENT",
                "ValidationException",
            ),
            (
                426,
                "invalid_request_error",
                "FAILED_PRECONDITION",
                "ValidationException",
            ),
            (
                429,
                "rate_limit_error",
                "RESOURCE_EXHAUSTED",
                "ThrottlingException",
            ),
            (500, "api_error", "INTERNAL", "InternalServerException"),
            (
                502,
                "api_error",
                "UNAVAILABLE",
                "ServiceUnavailableException",
            ),
            (
                503,
                "overloaded_error",
                "UNAVAILABLE",
                "ServiceUnavailableException",
            ),
            (
                504,
                "timeout_error",
                "DEADLINE_EXCEEDED",
                "ModelTimeoutException",
            ),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(anthropic_type(status), anthropic, "{status}");
            assert_eq!(google_status(status), google, "{status}");
            assert_eq!(bedrock_type(status), bedrock, "{status}");
        }
    }
}
