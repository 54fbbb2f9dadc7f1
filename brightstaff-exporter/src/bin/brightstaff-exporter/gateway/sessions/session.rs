use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};

use super::super::error::Refusal;
use crate::config;

/// The header that is meant for gateways: what is wrong with it is told. Others are the clients' own.
const OWN_HEADER: HeaderName = HeaderName::from_static("x-session-id");

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
    session_headers: Box<[HeaderName]>,
    tenant_header: Option<HeaderName>,
}

impl Naming {
    pub(super) fn new(config: &config::Sessions) -> Self {
        Self {
            session_headers: config.session_header.as_slice().into(),
            tenant_header: config.tenant_header.clone(),
        }
    }

    /// The session that a request to this alias belongs to, if it says so.
    pub(in super::super) fn session(
        &self,
        alias: &Arc<str>,
        headers: &HeaderMap,
    ) -> Result<Option<Session>, Refusal> {
        let Some(id) = self.session_id(headers)? else {
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

    /// That of the first header that has one.
    fn session_id<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a str>, Refusal> {
        for name in &self.session_headers {
            match id(headers, name) {
                Ok(None) => {}
                Ok(id) => return Ok(id),
                Err(refusal) if *name == OWN_HEADER => return Err(refusal),
                // Its client cannot know that anyone reads it here.
                Err(_) => {}
            }
        }
        Ok(None)
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

    fn naming(session_header: &[&'static str]) -> Naming {
        let names = session_header.iter().copied();
        Naming::new(&config::Sessions {
            session_header: names.map(HeaderName::from_static).collect(),
            tenant_header: Some(HeaderName::from_static("x-tenant")),
            ..config::Sessions::default()
        })
    }

    fn session(naming: &Naming, sent: &[(&'static str, &str)]) -> Result<Option<Session>, Refusal> {
        let sent = sent.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        naming.session(&"a".into(), &sent.collect())
    }

    #[test]
    fn tenants_have_sessions_of_their_own() {
        let naming = naming(&["x-session-id"]);
        let of = |tenant| session(&naming, &[("x-session-id", "s"), ("x-tenant", tenant)]).unwrap();
        let without = session(&naming, &[("x-session-id", "s")]).unwrap();
        assert_ne!(of("one"), of("two"));
        assert_ne!(of("one"), without);
        assert_eq!(of("one"), of("one"));
    }

    #[test]
    fn what_cannot_be_an_id_is_refused() {
        let naming = naming(&["x-session-id"]);
        assert_eq!(session(&naming, &[]).unwrap(), None);
        for id in ["", &"x".repeat(MAX_ID_BYTES + 1), "\u{e4}"] {
            assert!(session(&naming, &[("x-session-id", id)]).is_err(), "{id}");
        }
    }

    #[test]
    fn the_first_header_that_names_a_session_counts() {
        let naming = naming(&["x-mine", "x-session-id", "session-id"]);
        let id = |sent: &[(&'static str, &str)]| {
            let session = session(&naming, sent).unwrap();
            session.map(|session| session.id.into_string())
        };
        let all = [("session-id", "c"), ("x-session-id", "b"), ("x-mine", "a")];
        assert_eq!(id(&all).as_deref(), Some("a"));
        assert_eq!(id(&all[..2]).as_deref(), Some("b"));
        assert_eq!(id(&all[..1]).as_deref(), Some("c"));
        assert_eq!(id(&[("x-litellm-session-id", "d")]), None);
        // Those of the clients' own are passed over where they cannot be one.
        let long = "x".repeat(MAX_ID_BYTES + 1);
        assert_eq!(id(&[("x-mine", &long), all[0]]).as_deref(), Some("c"));
        assert_eq!(id(&[("session-id", "")]), None);
        // Ours is not, whatever stands beside it.
        assert!(session(&naming, &[("x-session-id", &long), all[0]]).is_err());
    }

    #[test]
    fn what_agents_send_by_themselves_names_their_sessions() {
        let naming = Naming::new(&config::Sessions::default());
        for header in [
            "x-session-id",
            "x-claude-code-session-id",
            "session-id",
            "session_id",
            "x-session-affinity",
            "x-litellm-session-id",
            "helicone-session-id",
            "x-openwebui-chat-id",
        ] {
            let named = session(&naming, &[(header, "s")]).unwrap();
            assert_eq!(&*named.unwrap().id, "s", "{header}");
        }
    }
}
