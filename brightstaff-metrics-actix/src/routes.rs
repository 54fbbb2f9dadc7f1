//! The routes that requests took, to know the next request for one without asking actix to match its path anew.

use std::{cell::RefCell, ops::Range, rc::Rc};

use actix_web::dev::{Path, Url};
use brightstaff_metrics_core::adapter::KnownTemplate;

/// So many routes are known again, the first to be seen. Others are named as truly, but slower.
pub(crate) const MAX_ROUTES: usize = 256;

/// The routes of one worker: actix makes the services, and their routes, for each of them.
#[derive(Debug, Default)]
pub(crate) struct Routes(RefCell<Vec<Rc<Route>>>);

impl Routes {
    /// The route that such a path most likely takes.
    pub(crate) fn like(&self, path: &str) -> Option<Rc<Route>> {
        let routes = self.0.borrow();
        let mut like = None;
        for route in routes.iter().filter(|route| route.looks_like(path)) {
            if route.parameters.is_empty() {
                return Some(Rc::clone(route));
            }
            like = like.or(Some(route));
        }
        like.map(Rc::clone)
    }

    /// The route that a request took for certain.
    pub(crate) fn of(&self, matched: &Path<Url>) -> Option<Rc<Route>> {
        let routes = self.0.borrow();
        routes.iter().find(|route| route.took(matched)).cloned()
    }

    /// A request with this template took a route that was not known.
    pub(crate) fn learn(&self, template: &str, matched: &Path<Url>) {
        let mut routes = self.0.borrow_mut();
        if routes.len() < MAX_ROUTES
            && let Some(route) = Route::new(template, matched)
        {
            routes.push(Rc::new(route));
        }
    }
}

/// A template, and what shows that a request took its route.
///
/// Actix tells of a routed request only its parameters. But it keeps the name of each for as long as the
/// process runs, at an address of its own for each resource and scope: so the same addresses, with the same
/// text around the values, are the same template, even where two differ by their patterns or guards alone.
#[derive(Debug)]
pub(crate) struct Route {
    template: KnownTemplate,
    parameters: Box<[Parameter]>,
    /// What stands behind the last parameter.
    end: Box<[u8]>,
}

#[derive(Debug)]
struct Parameter {
    /// The text of the template before it.
    before: Box<[u8]>,
    /// The address and the length of its name.
    name: (usize, usize),
    /// Whether it takes all that is left.
    tail: bool,
}

impl Route {
    pub(crate) fn template(&self) -> &KnownTemplate {
        &self.template
    }

    /// `None` where the template does not tell what the path looks like: one of several patterns of a resource,
    /// of which actix tells the first.
    fn new(template: &str, matched: &Path<Url>) -> Option<Self> {
        let mut names = matched.iter().map(|(name, _)| name);
        let mut parameters = Vec::new();
        let mut start = 0;
        while let Some(parameter) = parameter(template, start) {
            let text = &template[parameter.clone()];
            let inside = text.trim_end_matches('*');
            let inside = &inside[1..inside.len() - 1];
            let (name, pattern) = inside.split_once(':').unwrap_or((inside, ""));
            let given = names.next().filter(|given| *given == name)?;
            parameters.push(Parameter {
                before: template.as_bytes()[start..parameter.start].into(),
                name: address(given),
                tail: text.ends_with('*') || pattern == ".*",
            });
            start = parameter.end;
        }
        let route = Self {
            template: KnownTemplate::new(template),
            parameters: parameters.into(),
            end: template.as_bytes()[start..].into(),
        };
        route.took(matched).then_some(route)
    }

    /// Whether the request took this route.
    pub(crate) fn took(&self, matched: &Path<Url>) -> bool {
        if matched.segment_count() != self.parameters.len() {
            return false;
        }
        let mut path = matched.as_str().as_bytes();
        for (parameter, (name, value)) in self.parameters.iter().zip(matched.iter()) {
            if parameter.name != address(name) {
                return false;
            }
            let rest = path.strip_prefix(&*parameter.before);
            match rest.and_then(|rest| rest.strip_prefix(value.as_bytes())) {
                Some(rest) => path = rest,
                None => return false,
            }
        }
        *path == *self.end
    }

    /// Whether a path may take this route: without the patterns of its parameters.
    fn looks_like(&self, path: &str) -> bool {
        let mut path = path.as_bytes();
        for (n, parameter) in self.parameters.iter().enumerate() {
            let Some(rest) = path.strip_prefix(&*parameter.before) else {
                return false;
            };
            let next = self.parameters.get(n + 1).map(|next| &next.before);
            let value = parameter.value(rest, next.unwrap_or(&self.end));
            if value == 0 && !parameter.tail {
                return false;
            }
            path = &rest[value..];
        }
        *path == *self.end
    }
}

impl Parameter {
    /// How long a value most likely is, with this behind it in the template.
    fn value(&self, path: &[u8], behind: &[u8]) -> usize {
        if self.tail {
            return path.len();
        }
        let segment = path.iter().position(|byte| *byte == b'/');
        let segment = segment.unwrap_or(path.len());
        if behind.is_empty() || behind[0] == b'/' {
            return segment;
        }
        let found = path[..segment]
            .windows(behind.len())
            .position(|at| at == behind);
        found.unwrap_or(segment)
    }
}

/// Where the next parameter of a template is, with the braces of its pattern and the star of a tail.
fn parameter(template: &str, from: usize) -> Option<Range<usize>> {
    let start = from + template[from..].find('{')?;
    let mut depth = 0_usize;
    for (at, byte) in template.bytes().enumerate().skip(start) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let end = at + 1;
            let tail = template[end..].starts_with('*');
            return Some(start..end + usize::from(tail));
        }
    }
    None
}

fn address(name: &str) -> (usize, usize) {
    (name.as_ptr().addr(), name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_routes_are_known_again() {
        let routes = Routes::default();
        for n in 0..2 * MAX_ROUTES {
            let template = format!("/{n}");
            let matched = Path::new(Url::new(template.parse().unwrap()));
            routes.learn(&template, &matched);
            assert_eq!(routes.of(&matched).is_some(), n < MAX_ROUTES);
        }
        assert_eq!(routes.0.borrow().len(), MAX_ROUTES);
        assert!(routes.like("/17").is_some() && routes.like("/x").is_none());
    }

    #[test]
    fn a_template_that_does_not_tell_the_path_is_none() {
        let matched = |path: &str| {
            let mut matched = Path::new(Url::new(path.parse().unwrap()));
            matched.add_static("id", "17");
            matched
        };
        let route = |template, path| Route::new(template, &matched(path));
        assert!(route("/a/{id}", "/a/17").is_some());
        for (template, path) in [
            ("/a/{id}", "/b/17"),
            ("/a/{id}", "/a/18"),
            ("/a/{other}", "/a/17"),
            ("/a/{id}/{more}", "/a/17/18"),
            ("/a", "/a"),
            ("/a/{id", "/a/17"),
        ] {
            assert!(route(template, path).is_none(), "{template} {path}");
        }
    }
}
