use std::borrow::Cow;

use axum::http::{HeaderMap, Method};

use super::{
    Model, Task,
    pattern::model,
    table::{PASSTHROUGH, Row, TABLE},
};
use crate::config::Api;

/// What a provider is asked for.
#[derive(Clone, Debug)]
pub(in super::super) struct Asked<'p> {
    /// As the API writes it, below the base.
    pub(in super::super) path: Cow<'p, str>,
    pub(in super::super) row: &'static Row,
    /// It goes right below the base as it is, whatever version it names.
    pub(in super::super) verbatim: bool,
    /// Whose errors its client reads.
    pub(in super::super) api: Api,
    /// Whether the row takes this method: a provider may take others.
    fits: bool,
}

/// The paths that have the same names in several APIs: they are the provider's own, whoever it is.
const COMMON: [&str; 4] = ["/v1/models", "/v1/files", "/v1/batches", "/v1/rerank"];

/// The one row that tells nothing but that OpenAI's paths begin so.
const ANY_OF_OPENAI: &str = "/v1/**";

/// Where streams tell their usage only if asked.
const IF_ASKED: [&str; 4] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/openai/deployments/{model}/chat/completions",
    "/openai/deployments/{model}/completions",
];

/// How many rows at the start of the table are asked all the time; none has a place in its path.
const USUAL: usize = 6;

impl<'p> Asked<'p> {
    /// What is asked all the time.
    pub(in super::super) fn usual() -> impl Iterator<Item = Asked<'static>> {
        let rows = TABLE[..USUAL].iter();
        rows.map(Asked::exactly)
    }

    /// What stands at the path of this row, which has no places.
    pub(super) fn exactly(row: &'static Row) -> Self {
        Self {
            path: row.pattern.into(),
            row,
            verbatim: false,
            api: row.api,
            fits: true,
        }
    }

    /// What is asked at a path that names no provider: a row for the method, or one that takes another.
    pub(super) fn shared(
        method: &Method,
        path: Cow<'p, str>,
    ) -> Result<Self, Option<&'static Row>> {
        let path = without_doubled_version(path);
        match find(&path, method, None) {
            Ok(row) => Ok(Self::of(row, path)),
            Err(Some(row)) => Err(Some(row)),
            Err(None) => {
                let versioned = format!("/v1{path}");
                match find(&versioned, method, None) {
                    // Nothing but what is known may do without.
                    Ok(row) if is_known(row) => Ok(Self::of(row, versioned.into())),
                    Err(Some(row)) => Err(Some(row)),
                    _ => Err(None),
                }
            }
        }
    }

    /// What is asked of a provider of this API, behind its name.
    pub(super) fn of_provider(api: Api, method: &Method, path: Cow<'p, str>) -> Self {
        let path = without_doubled_version(path);
        // OpenAI's paths where this provider has them.
        for below in api.openai_below() {
            let Some(rest) = path
                .strip_prefix(below)
                .filter(|rest| rest.starts_with('/'))
            else {
                continue;
            };
            if let Ok(row) = find(&format!("/v1{rest}"), method, None)
                && row.api == Api::OpenAi
                && is_known(row)
            {
                return Self {
                    verbatim: true,
                    ..Self::of(row, path)
                };
            }
        }
        let own = |row: &'static Row, path| Self {
            api: if is_common(row) { api } else { row.api },
            fits: row.verb.takes(method),
            ..Self::of(row, path)
        };
        if let Some(row) = known(&path, method, api) {
            return own(row, path);
        }
        let versioned = format!("/v1{path}");
        if let Some(row) = known(&versioned, method, api) {
            return own(row, versioned.into());
        }
        // A version behind something else: what that is, the provider knows.
        let inner = path.find("/v1/").filter(|at| *at > 0);
        if let Some(row) = inner.and_then(|at| known(&path[at..], method, api)) {
            return Self {
                verbatim: true,
                ..own(row, path)
            };
        }
        own(passthrough(api), path)
    }

    fn of(row: &'static Row, path: Cow<'p, str>) -> Self {
        let path = if row.pattern.ends_with("**") {
            path
        } else {
            without_slash(path)
        };
        Self {
            path,
            row,
            verbatim: false,
            api: row.api,
            fits: true,
        }
    }

    /// The kind of the request, by which its handler is named.
    pub(in super::super) fn task(&self) -> Task {
        self.row.task
    }

    /// Whether it is an LLM call.
    pub(in super::super) fn is_call(&self) -> bool {
        self.fits && self.row.task.is_call()
    }

    /// Whether it may be asked with the operator's key unless `allow` says more.
    pub(in super::super) fn is_open(&self) -> bool {
        self.fits && self.row.task.is_open()
    }

    /// Whether its streams tell their usage only if the request asks for that.
    pub(in super::super) fn has_usage_if_asked(&self) -> bool {
        self.is_call() && IF_ASKED.contains(&self.row.pattern)
    }

    /// The model that the path names, decoded.
    pub(in super::super) fn model_in_path(&self) -> Option<Cow<'_, str>> {
        if self.row.model != Model::Path {
            return None;
        }
        let found = model(self.row.pattern, &self.path);
        found.map(super::decoded)
    }

    /// Whether any provider answers it that speaks an API of its own: the path is its, too.
    pub(in super::super) fn is_common(&self) -> bool {
        is_common(self.row)
    }

    /// The same as the preflight before it: it has no body, is no call, and names no model.
    pub(in super::super) fn in_advance(self) -> Self {
        Self {
            row: passthrough(self.row.api),
            fits: false,
            ..self
        }
    }

    /// Anthropic's SDKs say who they are, at paths of that API and of OpenAI's alike.
    pub(in super::super) fn heed(&mut self, headers: &HeaderMap) {
        if self.is_common() && headers.contains_key("anthropic-version") {
            self.api = Api::Anthropic;
        }
    }

    /// Whether it is the list of models that the gateway can tell itself.
    pub(super) fn is_list(&self) -> bool {
        self.path == "/v1/models" && self.row.task == Task::ListModels
    }
}

/// The row of what a provider of this API is asked beside all others.
fn passthrough(api: Api) -> &'static Row {
    let row = PASSTHROUGH.iter().find(|row| row.api == api);
    row.unwrap_or(&PASSTHROUGH[0])
}

fn is_common(row: &Row) -> bool {
    COMMON.iter().any(|path| {
        let rest = row.pattern.strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The first row of this path that takes this method; where there is none but a general one, the first of the path. With
/// an `api`, its own rows come first.
fn find(
    path: &str,
    method: &Method,
    api: Option<Api>,
) -> Result<&'static Row, Option<&'static Row>> {
    let path = match path.trim_end_matches('/') {
        "" => path,
        trimmed => trimmed,
    };
    let matching = || {
        TABLE
            .iter()
            .filter(|row| model(row.pattern, path).is_some())
    };
    let takes = |row: &&'static Row| row.verb.takes(method);
    if let Some(api) = api
        && let Some(row) = matching()
            .filter(takes)
            .find(|row| row.api == api && is_known(row))
    {
        return Ok(row);
    }
    let first = matching().next().ok_or(None)?;
    if takes(&first) {
        return Ok(first);
    }
    match matching().find(takes) {
        Some(row) if is_known(row) || !is_known(first) => Ok(row),
        _ => Err(Some(first)),
    }
}

/// The row of a path that the table knows, and which takes this method or, failing that, another: its provider will say.
fn known(path: &str, method: &Method, api: Api) -> Option<&'static Row> {
    let (Ok(row) | Err(Some(row))) = find(path, method, Some(api)) else {
        return None;
    };
    is_known(row).then_some(row)
}

fn is_known(row: &Row) -> bool {
    row.pattern != ANY_OF_OPENAI
}

/// A base that ends in a version, of a client that puts in another.
fn without_doubled_version(path: Cow<'_, str>) -> Cow<'_, str> {
    if !path.starts_with("/v1/v1/") {
        return path;
    }
    match path {
        Cow::Borrowed(path) => Cow::Borrowed(&path["/v1".len()..]),
        Cow::Owned(path) => Cow::Owned(path["/v1".len()..].to_owned()),
    }
}

fn without_slash(path: Cow<'_, str>) -> Cow<'_, str> {
    if !path.ends_with('/') || path.len() == 1 {
        return path;
    }
    match path {
        Cow::Borrowed(path) => Cow::Borrowed(path.trim_end_matches('/')),
        Cow::Owned(path) => Cow::Owned(path.trim_end_matches('/').to_owned()),
    }
}
