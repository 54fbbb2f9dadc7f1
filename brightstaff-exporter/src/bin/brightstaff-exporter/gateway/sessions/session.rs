use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};

use super::super::error::Refusal;

/// The header that names a session.
const HEADER: HeaderName = HeaderName::from_static("x-session-id");

/// The longest id of a session, and of a tenant, in bytes, so that what is kept is bounded in bytes, too.
const MAX_ID_BYTES: usize = 256;

/// A session, as one alias knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in super::super) struct Session {
    pub(super) alias: Arc<str>,
    /// Empty where no tenants are told apart, or the request names none.
    pub(super) tenant: Box<str>,
    pub(super) id: Box<str>,
}

/// How a request tells its session.
#[derive(Clone, Debug)]
pub(in super::super) struct Naming {
    tenant_header: Option<HeaderName>,
}

impl Naming {
    pub(super) fn new(tenant_header: Option<&HeaderName>) -> Self {
        Self {
            tenant_header: tenant_header.cloned(),
        }
    }

    /// The session that a request to this alias belongs to, if it says so.
    pub(in super::super) fn session(
        &self,
        alias: &Arc<str>,
        headers: &HeaderMap,
    ) -> Result<Option<Session>, Refusal> {
        let Some(id) = id(headers, &HEADER)? else {
            return Ok(None);
        };
        let tenant = self.tenant_header.as_ref();
        let tenant = tenant.map(|header| self::id(headers, header)).transpose()?;
        Ok(Some(Session {
            alias: Arc::clone(alias),
            tenant: tenant.flatten().unwrap_or_default().into(),
            id: id.into(),
        }))
    }
}

fn id<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let Some(id) = headers.get(name) else {
        return Ok(None);
    };
    match id.to_str() {
        Ok(id) if (1..=MAX_ID_BYTES).contains(&id.len()) => Ok(Some(id)),
        _ => {
            let fault = format!("`{name}` must be 1 to {MAX_ID_BYTES} visible ASCII characters");
            Err(Refusal::request("invalid_session", fault))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_have_sessions_of_their_own() {
        let tenant = HeaderName::from_static("x-tenant");
        let naming = Naming::new(Some(&tenant));
        let session = |named: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, "s".parse().unwrap());
            if !named.is_empty() {
                headers.insert(&tenant, named.parse().unwrap());
            }
            naming.session(&"a".into(), &headers).unwrap().unwrap()
        };
        assert_ne!(session("one"), session("two"));
        assert_ne!(session("one"), session(""));
        assert_eq!(session("one"), session("one"));
    }

    #[test]
    fn what_cannot_be_an_id_is_refused() {
        let naming = Naming::new(None);
        let mut headers = HeaderMap::new();
        assert_eq!(naming.session(&"a".into(), &headers).unwrap(), None);
        for id in ["", &"x".repeat(MAX_ID_BYTES + 1)] {
            headers.insert(HEADER, id.parse().unwrap());
            assert!(naming.session(&"a".into(), &headers).is_err(), "{id}");
        }
    }
}
