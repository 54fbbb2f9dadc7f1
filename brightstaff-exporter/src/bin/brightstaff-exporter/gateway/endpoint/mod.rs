//! What is asked at which path.
//!
//! A path is taken as its client means it: without doubled slashes and, where it is one that the table knows, without a slash
//! at its end, and with the `/v1` that some bases leave out. Whose it is decides, in this order:
//!
//! 1. `/agents/…` and `/routing/…` are the gateway's own;
//! 2. `/{provider}/…` is that provider's, whatever stands behind its name ([`Endpoint::Provider`]);
//! 3. what the [`table`] knows is asked of the provider of its model, or of its API ([`Endpoint::Shared`]);
//! 4. there is nothing at any other path.

mod asked;
mod handler;
mod operation;
mod path;
mod pattern;
mod table;

use std::borrow::Cow;

use axum::http::{HeaderValue, Method};

use self::table::{Row, TABLE, Verb};
pub(super) use self::{asked::Asked, handler::handler, path::decoded};
use crate::config::Api;

/// The kinds of requests to providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Chat,
    Embeddings,
    Images,
    Audio,
    Rerank,
    Moderations,
    ListModels,
    Models,
    Files,
    Batches,
    CountTokens,
    Realtime,
    Passthrough,
}

impl Task {
    /// Whether it is an LLM call, and recorded as one: it lets a model generate or embed, and is answered with that.
    pub(super) fn is_call(self) -> bool {
        matches!(
            self,
            Self::Chat | Self::Embeddings | Self::Images | Self::Audio | Self::Rerank
        )
    }

    /// Whether it may be asked with the operator's key unless `allow` says more: what models do and are, and nothing that the
    /// account keeps.
    pub(super) fn is_open(self) -> bool {
        !matches!(self, Self::Files | Self::Batches | Self::Passthrough)
    }
}

/// Where a request tells its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    Absent,
    /// In the field `model` of its JSON, or of its form.
    Body,
    Path,
    Query,
}

/// A provider that paths can begin with.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) name: Box<str>,
    pub(super) api: Api,
}

/// What the gateway answers at a path.
#[derive(Debug)]
pub(super) enum Endpoint<'p> {
    /// A request to the agent of its model: its path, from `/v1` on.
    Agent(Asked<'p>),
    /// `/routing/…`: where it would be passed on to.
    Decide(Asked<'p>),
    /// The models that clients can name.
    Models(Asked<'p>),
    Agents(Asked<'p>),
    /// A request to the provider that its path begins with, by its place among them.
    Provider(usize, Asked<'p>),
    /// A request to the provider of its model, or of its API.
    Shared(Asked<'p>),
    /// A path that takes another method.
    OtherMethod(&'static Row, HeaderValue),
    Nothing,
    /// No path of a client that means well.
    Bad,
}

impl<'p> Endpoint<'p> {
    pub(super) fn at(providers: &[Named], method: &Method, path: &'p str) -> Self {
        let Some(path) = path::plain(path) else {
            return Self::Bad;
        };
        if let Some(own) = own(method, &path) {
            return own;
        }
        if let Some((place, rest)) = named(providers, &path) {
            let api = providers[place].api;
            return Self::Provider(place, Asked::of_provider(api, method, rest));
        }
        match Asked::shared(method, path) {
            Ok(asked) if asked.is_list() => Self::Models(asked),
            Ok(asked) => Self::Shared(asked),
            Err(Some(row)) => Self::OtherMethod(row, row.allow()),
            Err(None) => Self::Nothing,
        }
    }
}

/// Whether a provider of this name could not be told from a path of an API.
pub(crate) fn is_taken(name: &str, api: Api) -> bool {
    const OWN: [&str; 5] = ["agents", "routing", "healthz", "readyz", "metrics"];
    if name == "openai" {
        // Azure's own paths begin with it.
        return api == Api::Azure;
    }
    let starts = |path: &str| path.split('/').nth(1) == Some(name);
    OWN.contains(&name)
        || matches!(name, "v1" | "v1beta" | "v1alpha" | "v1beta1" | "v2")
        || TABLE.iter().any(|row| {
            let without_version = row.pattern.strip_prefix("/v1").unwrap_or_default();
            starts(row.pattern) || starts(without_version)
        })
}

/// What the gateway answers itself, or asks agents for.
fn own<'p>(method: &Method, path: &str) -> Option<Endpoint<'p>> {
    const AGENTS: [&str; 3] = [
        "/agents/v1/chat/completions",
        "/agents/v1/responses",
        "/agents/v1/messages",
    ];
    const DECISIONS: [&str; 3] = [
        "/routing/v1/chat/completions",
        "/routing/v1/responses",
        "/routing/v1/messages",
    ];
    if !path.starts_with("/agents/") && !path.starts_with("/routing/") {
        return None;
    }
    let path = path.trim_end_matches('/');
    let find = |paths: [&'static str; 3]| paths.into_iter().find(|known| *known == path);
    let row = |path: &str| TABLE.iter().find(|row| row.pattern == path);
    let endpoint = if let Some(path) = find(AGENTS) {
        Endpoint::Agent(Asked::exactly(row(&path["/agents".len()..])?))
    } else if let Some(path) = find(DECISIONS) {
        Endpoint::Decide(Asked::exactly(row(&path["/routing".len()..])?))
    } else if path == "/agents/v1/models" {
        Endpoint::Agents(Asked::exactly(row("/v1/models")?))
    } else {
        return Some(Endpoint::Nothing);
    };
    let (Endpoint::Agent(asked) | Endpoint::Decide(asked) | Endpoint::Agents(asked)) = &endpoint
    else {
        return Some(endpoint);
    };
    let row = asked.row;
    Some(if row.verb.takes(method) {
        endpoint
    } else {
        Endpoint::OtherMethod(row, row.allow())
    })
}

/// The provider that a path begins with, and the path behind its name.
fn named<'p>(providers: &[Named], path: &Cow<'p, str>) -> Option<(usize, Cow<'p, str>)> {
    let first = path[1..].split('/').next()?;
    let name = decoded(first);
    let place = providers
        .iter()
        .position(|provider| *provider.name == *name)?;
    let rest = 1 + first.len();
    Some(match path {
        _ if path.len() == rest => (place, Cow::Borrowed("/")),
        Cow::Borrowed(path) => (place, Cow::Borrowed(&path[rest..])),
        Cow::Owned(path) => (place, Cow::Owned(path[rest..].to_owned())),
    })
}

impl Row {
    /// The methods that it takes, for the header `allow`.
    fn allow(&self) -> HeaderValue {
        HeaderValue::from_static(match self.verb {
            Verb::Post => "POST",
            Verb::Get | Verb::Any => "GET,HEAD",
        })
    }
}

impl Verb {
    fn takes(self, method: &Method) -> bool {
        match self {
            Self::Get => method == Method::GET || method == Method::HEAD,
            Self::Post => method == Method::POST,
            Self::Any => true,
        }
    }
}
