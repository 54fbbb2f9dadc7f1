use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::IncomingRequest;

/// Something for each of some paths or templates.
#[derive(Clone, Debug)]
pub(super) struct PathMap<T> {
    exact: HashMap<Box<str>, T, RandomState>,
    /// For all that is under these prefixes, each of which ends in a slash.
    under: Vec<(Box<str>, T)>,
    /// What stands before the first parameter of those that have one: no path can be equal to them.
    before_parameters: Vec<Box<str>>,
}

impl<T: Clone> PathMap<T> {
    pub(super) fn insert(&mut self, path: &str, value: T) {
        if let Some(prefix) = wildcard(path) {
            self.under.push((prefix.into(), value.clone()));
        }
        if let Some((before, _)) = path.split_once('{') {
            self.before_parameters.push(before.into());
        }
        self.exact.insert(path.into(), value);
    }
}

impl<T> PathMap<T> {
    #[inline]
    pub(super) fn get(&self, request: &impl IncomingRequest) -> Option<&T> {
        if self.exact.is_empty() {
            return None;
        }
        self.find(request)
    }

    fn find<A: IncomingRequest>(&self, request: &A) -> Option<&T> {
        let path = request.path();
        let template = || {
            let asked = A::TEMPLATE_IS_CHEAP || self.may_be_template_of(path);
            asked.then(|| request.template()).flatten()
        };
        self.exact
            .get(path)
            .or_else(|| self.exact.get(template()?))
            .or_else(|| self.longest_prefix(path))
    }

    /// Whether the template of this path can be one of these: up to its first parameter it is the path
    /// itself, or another spelling of it where that has escapes.
    fn may_be_template_of(&self, path: &str) -> bool {
        let mut before = self.before_parameters.iter();
        path.contains('%') || before.any(|before| path.starts_with(&**before))
    }

    fn longest_prefix(&self, path: &str) -> Option<&T> {
        self.under
            .iter()
            .filter(|(prefix, _)| path.starts_with(&**prefix))
            .max_by_key(|(prefix, _)| prefix.len())
            .map(|(_, value)| value)
    }
}

impl<T> Default for PathMap<T> {
    fn default() -> Self {
        Self {
            exact: HashMap::default(),
            under: Vec::new(),
            before_parameters: Vec::new(),
        }
    }
}

/// What stands before the wildcard at the end: axum's `{*name}`, or actix's `{name:.*}` or `{name}*`.
fn wildcard(path: &str) -> Option<&str> {
    let (prefix, parameter) = path.rsplit_once('{')?;
    let all = parameter.starts_with('*') && parameter.ends_with('}')
        || parameter.ends_with(":.*}")
        || parameter.ends_with("}*");
    all.then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_known_in_the_words_of_both() {
        for (path, prefix) in [
            ("/files/{*path}", Some("/files/")),
            ("/files/{path:.*}", Some("/files/")),
            ("/files/{path}*", Some("/files/")),
            ("/{user}/files/{*path}", Some("/{user}/files/")),
            ("/files/{path}", None),
            ("/files/{id:[0-9]*}", None),
            ("/files", None),
        ] {
            assert_eq!(wildcard(path), prefix, "{path}");
        }
    }
}
