//! Bearer tokens.

use ring::hmac;

use super::{WebConfigError, users::random_key};

/// The tokens that let in.
///
/// What is kept is a tag of each, made with a key that is drawn at the start: comparing tags takes a time that says
/// nothing of the tokens, not even how long they are.
pub(super) struct Tokens {
    key: hmac::Key,
    tags: Vec<hmac::Tag>,
}

impl Tokens {
    pub(super) fn new<T: AsRef<str>>(
        tokens: impl IntoIterator<Item = T>,
    ) -> Result<Self, WebConfigError> {
        let key = random_key()?;
        let mut tags = Vec::new();
        for (i, token) in tokens.into_iter().enumerate() {
            let token = token.as_ref();
            if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                let number = i + 1;
                return Err(WebConfigError::new(format_args!(
                    "bearer token {number}: not sendable in a header: write visible ASCII without blanks"
                )));
            }
            tags.push(hmac::sign(&key, token.as_bytes()));
        }
        if tags.is_empty() {
            return Err(WebConfigError::new(
                "no bearer token: write one, or several",
            ));
        }
        Ok(Self { key, tags })
    }

    pub(super) fn contain(&self, token: &str) -> bool {
        // All of them, also where the first one fits.
        self.tags.iter().fold(false, |found, tag| {
            found | hmac::verify(&self.key, token.as_bytes(), tag.as_ref()).is_ok()
        })
    }
}
