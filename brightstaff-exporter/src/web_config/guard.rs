//! What every request passes.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Access, file::Settings, users::Checked};

/// The router, with what keeps others out before each of its paths, those that do not exist included.
pub(super) fn guard(access: Access, router: Router) -> Router {
    router.layer(middleware::from_fn_with_state(access, check))
}

async fn check(State(access): State<Access>, request: Request, next: Next) -> Response {
    let passage = access.passage(request.headers()).await;
    passage.respond(next.run(request)).await
}

/// What the door says to a request.
pub(crate) struct Passage {
    /// Whose headers all responses get.
    settings: Option<Arc<Settings>>,
    refused: Option<Response>,
}

impl Passage {
    /// This response, or the one that keeps its client out.
    pub(crate) async fn respond(self, response: impl Future<Output = Response>) -> Response {
        let mut response = match self.refused {
            None => response.await,
            Some(refused) => refused,
        };
        for (name, value) in self.settings.iter().flat_map(|settings| &settings.headers) {
            response.headers_mut().insert(name, value.clone());
        }
        response
    }

    fn refused(refused: StatusCode) -> Self {
        Self {
            settings: None,
            refused: Some(status(refused)),
        }
    }
}

impl Access {
    /// Looks at who comes with these headers.
    pub(crate) async fn passage(&self, headers: &HeaderMap) -> Passage {
        let settings = match &self.web {
            None => None,
            Some(web) => match web.settings.current() {
                Ok(settings) => Some(settings),
                // Why, is told to whoever runs this, not to whoever asks.
                Err(_) => return Passage::refused(StatusCode::INTERNAL_SERVER_ERROR),
            },
        };
        let rate = self.web.as_ref().and_then(|web| web.rate.as_ref());
        if rate.is_some_and(|rate| !rate.allows(Instant::now())) {
            return Passage::refused(StatusCode::TOO_MANY_REQUESTS);
        }
        let refused = self.admits(settings.as_deref(), headers).await.err();
        Passage { settings, refused }
    }

    /// Whether who sends these may come in, or else what to answer.
    async fn admits(
        &self,
        settings: Option<&Settings>,
        headers: &HeaderMap,
    ) -> Result<(), Response> {
        let users = settings.and_then(|settings| settings.users.as_deref());
        if users.is_none() && self.tokens.is_none() {
            return Ok(());
        }
        match (Credentials::of(headers), users) {
            (Some(Credentials::Basic(name, password)), Some(users)) => {
                match users.check(&name, &password).await {
                    Checked::Right => return Ok(()),
                    Checked::Wrong => {}
                    Checked::Busy => {
                        let mut response = status(StatusCode::SERVICE_UNAVAILABLE);
                        let later = HeaderValue::from_static("1");
                        response.headers_mut().insert(RETRY_AFTER, later);
                        return Err(response);
                    }
                }
            }
            (Some(Credentials::Bearer(token)), _) => {
                if let Some(tokens) = &self.tokens {
                    let tokens = tokens.current();
                    let tokens = tokens.map_err(|_| status(StatusCode::INTERNAL_SERVER_ERROR))?;
                    if tokens.contain(token) {
                        return Ok(());
                    }
                }
            }
            _ => {}
        }
        let mut response = status(StatusCode::UNAUTHORIZED);
        for (scheme, offered) in [
            ("Basic", users.is_some()),
            ("Bearer", self.tokens.is_some()),
        ] {
            if offered {
                let challenge = HeaderValue::from_static(scheme);
                response.headers_mut().append(WWW_AUTHENTICATE, challenge);
            }
        }
        Err(response)
    }
}

/// What a request shows.
#[derive(Debug, PartialEq, Eq)]
enum Credentials<'a> {
    Basic(String, Vec<u8>),
    Bearer(&'a str),
}

impl<'a> Credentials<'a> {
    fn of(headers: &'a HeaderMap) -> Option<Self> {
        let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, value) = value.split_once(' ')?;
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self::Bearer(value));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = STANDARD.decode(value).ok()?;
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let name = String::from_utf8(decoded[..colon].to_vec()).ok()?;
        Some(Self::Basic(name, decoded[colon + 1..].to_vec()))
    }
}

fn status(status: StatusCode) -> Response {
    let reason = status.canonical_reason().unwrap_or_default();
    (status, format!("{reason}\n")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_as_clients_write_them() {
        let basic =
            |name: &str, password: &str| Some(Credentials::Basic(name.to_owned(), password.into()));
        for (value, credentials) in [
            ("Basic YWxpY2U6c2VjcmV0", basic("alice", "secret")),
            ("basic  YWxpY2U6YTpiOmM=", basic("alice", "a:b:c")),
            ("BASIC Og==", basic("", "")),
            ("Bearer abc", Some(Credentials::Bearer("abc"))),
            ("bEARER  abc ", Some(Credentials::Bearer("abc"))),
            ("Basic YWxpY2U=", None),
            ("Basic !", None),
            ("Digest abc", None),
            ("Basic", None),
            ("", None),
        ] {
            let header = HeaderValue::from_static(value);
            let headers = HeaderMap::from_iter([(AUTHORIZATION, header)]);
            assert_eq!(Credentials::of(&headers), credentials, "{value}");
        }
    }
}
