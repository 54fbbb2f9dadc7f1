//! The tokens that clients show the gateway.

use std::{borrow::Cow, fmt};

use axum::http::{HeaderMap, HeaderName, Uri, header::AUTHORIZATION};
use subtle::{Choice, ConstantTimeEq};

use super::super::{Request, credentials, error::Refusal, subprotocols};
use crate::config::{Config, ConfigError, shown_variable};

/// Where the SDKs of OpenAI (and most others), Anthropic, Azure and Google put what they call an API key.
const CARRIERS: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
];

/// The shortest token, in bytes: 16 of base64 are 96 bits, which nobody guesses.
const MIN_TOKEN_BYTES: usize = 16;

/// The most tokens. Each request is compared with all of them.
const MAX_TOKENS: usize = 256;

/// Tokens of which a client must send one. All of them give the same right.
pub(super) struct ClientTokens(Vec<Box<[u8]>>);

impl ClientTokens {
    /// Those of the environment, if the configuration names a variable; else none.
    pub(super) fn of_environment(config: &Config) -> Result<Self, ConfigError> {
        let mut tokens = Vec::new();
        if let Some(variable) = &config.client_tokens_env {
            let fault = |fault: &str| {
                let named = shown_variable(variable);
                ConfigError::new("client_tokens_env", format_args!("{named} {fault}"))
            };
            let text = std::env::var_os(variable);
            let text = text.ok_or_else(|| fault("is not set: set it to the tokens"))?;
            let text = text
                .to_str()
                .ok_or_else(|| fault("holds no text: set it anew"))?;
            parse(text, &mut tokens).map_err(|why| fault(&why))?;
        }
        Ok(Self(tokens))
    }

    /// These, and those that a text holds; or what is wrong with it.
    pub(super) fn and(&self, text: &str) -> Result<Self, String> {
        let mut tokens = self.0.clone();
        parse(text, &mut tokens)?;
        Ok(Self(tokens))
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Removes the token from a request, wherever it stands, so that no upstream gets it; or refuses the
    /// request, where there is none.
    pub(super) fn take(&self, request: &mut Request) -> Result<(), Refusal> {
        if !self.is_shown_in(request.headers()) {
            let fault = "this gateway asks for a client token: send one of its own as \
                         Authorization: Bearer, x-api-key, api-key or x-goog-api-key";
            return Err(Refusal::unauthorized("invalid_client_token", fault));
        }
        // From here on time may tell of tokens: who shows one has nothing to gain from another.
        let holds = |headers: &HeaderMap, name: &HeaderName| {
            let mut values = headers.get_all(name).iter();
            values.any(|value| self.is_part_of(value.as_bytes()))
        };
        // The protocols beside it stay.
        subprotocols::strip(request.headers_mut(), |name| {
            self.is_part_of(name.as_bytes())
        });
        credentials::strip_headers(request.headers_mut(), holds);
        let mut query = request.uri().query().map(Cow::Borrowed);
        credentials::strip_parameters(&mut query, |value| self.is_part_of(value.as_bytes()));
        if query.as_deref() != request.uri().query() {
            let uri = with_query(request.uri(), query.as_deref());
            let fault = "a part of the query is no query by itself";
            *request.uri_mut() = uri.ok_or_else(|| Refusal::request("invalid_url", fault))?;
        }
        Ok(())
    }

    fn is_shown_in(&self, headers: &HeaderMap) -> bool {
        let mut keys = subprotocols::keys(headers);
        keys.any(|key| self.is_one(key.as_bytes())) || self.is_carried_in(headers)
    }

    fn is_carried_in(&self, headers: &HeaderMap) -> bool {
        CARRIERS.iter().any(|name| {
            let mut values = headers.get_all(name).iter();
            values.any(|value| {
                let value = value.as_bytes();
                let shown = if name == AUTHORIZATION {
                    bearer(value)
                } else {
                    Some(value)
                };
                shown.is_some_and(|shown| self.is_one(shown.trim_ascii()))
            })
        })
    }

    /// Takes as long for every token, and for each that differs: only the length can be told.
    pub(super) fn is_one(&self, shown: &[u8]) -> bool {
        let none = Choice::from(0);
        let found = self
            .0
            .iter()
            .fold(none, |found, token| found | token.ct_eq(shown));
        found.into()
    }

    fn is_part_of(&self, value: &[u8]) -> bool {
        let mut tokens = self.0.iter();
        tokens.any(|token| value.windows(token.len()).any(|part| part == &**token))
    }
}

impl fmt::Debug for ClientTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientTokens").field(&self.0.len()).finish()
    }
}

/// Reads tokens with commas or line ends between them. What is wrong is told of the token's number.
fn parse(text: &str, tokens: &mut Vec<Box<[u8]>>) -> Result<(), String> {
    let before = tokens.len();
    let parts = text.split([',', '\n', '\r']).map(str::trim);
    for (n, token) in (1..).zip(parts.filter(|part| !part.is_empty())) {
        if token.len() < MIN_TOKEN_BYTES {
            return Err(format!(
                "holds a token, number {n}, that is shorter than {MIN_TOKEN_BYTES} bytes: make one \
                 with openssl rand -hex 32"
            ));
        }
        if !is_token(token) {
            return Err(format!(
                "holds a token, number {n}, of other characters than letters, digits and -._~+/=: \
                 make one with openssl rand -hex 32"
            ));
        }
        if tokens.len() == MAX_TOKENS {
            return Err(format!("holds more tokens than {MAX_TOKENS}: remove some"));
        }
        tokens.push(token.as_bytes().into());
    }
    if tokens.len() == before {
        return Err("holds no token: write one a line, or with commas between them".to_owned());
    }
    Ok(())
}

/// RFC 6750, section 2.1.
fn is_token(text: &str) -> bool {
    let byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    text.trim_end_matches('=').bytes().all(byte)
}

/// What stands behind the scheme, whose case does not matter (RFC 9110, section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
}

fn with_query(uri: &Uri, query: Option<&str>) -> Option<Uri> {
    let path = uri.path();
    let target = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target.try_into().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ClientTokens, String> {
        let mut tokens = Vec::new();
        parse(text, &mut tokens)?;
        Ok(ClientTokens(tokens))
    }

    #[test]
    fn tokens_stand_one_a_line_or_between_commas() {
        let (one, two, three) = (
            "0123456789abcdef",
            "fedcba9876543210",
            "AAAAAAAAAAAAAAAAAAAA==",
        );
        let tokens = read(&format!("{one}\r\n\n  {two} ,{three},\n")).unwrap();
        assert_eq!(tokens.0.len(), 3);
        for token in [one, two, three] {
            assert!(tokens.is_one(token.as_bytes()), "{token}");
        }
        for other in [
            "",
            "0123456789abcde",
            "0123456789abcdeF",
            "0123456789abcdef0",
        ] {
            assert!(!tokens.is_one(other.as_bytes()), "{other}");
        }
        assert!(!format!("{tokens:?}").contains(one));
    }

    #[test]
    fn what_is_no_token_is_refused_and_not_repeated() {
        for (text, why) in [
            ("", "no token"),
            (" ,\n,", "no token"),
            ("0123456789abcde", "shorter than 16"),
            ("0123456789abcdef\n# secret of a client", "other characters"),
            ("\"0123456789abcdef\"", "other characters"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(why), "{refused}");
            assert!(
                !refused.contains("0123456789") && !refused.contains("secret of"),
                "{refused}"
            );
        }
    }

    #[test]
    fn tokens_are_bounded_in_number() {
        let tokens = |count: usize| {
            let tokens = (0..count).map(|n| format!("{n:016}"));
            read(&tokens.collect::<Vec<_>>().join("\n"))
        };
        assert_eq!(tokens(MAX_TOKENS).unwrap().0.len(), MAX_TOKENS);
        assert!(
            tokens(MAX_TOKENS + 1)
                .unwrap_err()
                .contains("more tokens than 256")
        );
    }

    #[test]
    fn a_scheme_is_read_in_any_case() {
        assert_eq!(bearer(b"bEARER abc"), Some(&b"abc"[..]));
        assert_eq!(bearer(b"Basic abc"), None);
        assert_eq!(bearer(b"Bearer"), None);
    }
}
