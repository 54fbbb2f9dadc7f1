use std::sync::Arc;

use super::{
    handler::{self, CORS_PREFLIGHT, Endpoint, NOT_FOUND},
    name::Name,
    paths::PathMap,
    series::Handler,
};
use crate::{Exchange, Metrics, Observer, Upstream, labels::Method};

/// A request that arrives, as its framework tells of it: what its handler is named by.
///
/// For authors of adapters.
pub trait Arrival {
    /// The method.
    fn method(&self) -> Method;

    /// The path as the client sent it, wherever the adapter is nested.
    fn path(&self) -> &str;

    /// The template of the route that matched. Asked for only where nothing else decides, since it
    /// costs something in some frameworks.
    fn template(&self) -> Option<&str>;

    /// Whether the template is there already: then it is asked for whatever the path looks like, which
    /// may have been rewritten before it was routed.
    const TEMPLATE_IS_CHEAP: bool = false;

    /// The prefix that a service is nested at, where that is all that its framework knows.
    fn prefix(&self) -> Option<&str> {
        None
    }

    /// The name that the request brings along.
    fn given(&self) -> Option<&str>;

    /// Whether there is such a header; `name` is in lower case.
    fn has_header(&self, name: &str) -> bool;

    /// Whether the method is CONNECT, and the server drops the body of a 2xx to it, as HTTP has none
    /// there (RFC 9110, section 9.3.6).
    fn is_connect(&self) -> bool {
        false
    }
}

/// What a user tells an adapter, and what it does with each request that arrives: the same for every
/// framework.
///
/// For authors of adapters; what an application sees of it are the adapter's own methods.
#[derive(Clone, Debug)]
pub struct Arrivals {
    metrics: Metrics,
    names: PathMap<Name>,
    endpoints: [Name; Endpoint::ALL.len()],
    skipped: PathMap<()>,
    preflight: Name,
    fallback: Name,
    /// Shared, since it goes along with each request that it is for.
    implicit: Option<Arc<Upstream>>,
}

impl Arrivals {
    /// Records in these metrics.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            names: PathMap::default(),
            endpoints: Endpoint::ALL.map(|endpoint| Name::new(endpoint.handler())),
            skipped: PathMap::default(),
            preflight: Name::new(CORS_PREFLIGHT),
            fallback: Name::new(NOT_FOUND),
            implicit: None,
        }
    }

    /// Names the handler of a path or template. A wildcard at its end (`/files/{*path}`, and in
    /// actix's words `/files/{path:.*}` or `/files/{path}*`) covers all that is under it; the longest
    /// such prefix wins.
    pub fn handler(&mut self, path: &str, name: &str) {
        self.names.insert(path, Name::new(name));
    }

    /// Names the handler of requests for which nothing else is known.
    pub fn fallback(&mut self, name: &str) {
        self.fallback = Name::new(name);
    }

    /// Does not measure a path or template, which may end in a wildcard.
    pub fn skip(&mut self, path: &str) {
        self.skipped.insert(path, ());
    }

    /// Measures the answers of the well-known LLM endpoints as calls to this provider.
    pub fn implicit(&mut self, provider: &str) {
        self.implicit = Some(Arc::new(self.metrics.answering(provider)));
    }

    /// A request arrived: who observes its answer, and as whose call it is measured implicitly.
    ///
    /// `chosen` is the name that the user's closure gives.
    pub fn arrive<'a, A: Arrival>(
        &'a self,
        request: &'a A,
        chosen: impl FnOnce(&'a A) -> Option<&'a str>,
    ) -> (Observer, Option<Arc<Upstream>>) {
        if self.skipped.get(request).is_some() {
            return (Observer::default(), None);
        }
        let start = self.metrics.now();
        let method = request.method();
        let handler = self.handler_of(request, method, chosen);
        let mut exchange = Exchange::start(handler, method, start);
        if method == Method::Other && request.is_connect() {
            exchange.connect();
        }
        let implicit = self.implicit.as_ref().filter(|_| is_llm_call(request));
        (Observer::exchange(exchange), implicit.cloned())
    }

    /// The handler of a request: the first whose name is known, in the order of the contract.
    fn handler_of<'a, A: Arrival>(
        &'a self,
        request: &'a A,
        method: Method,
        chosen: impl FnOnce(&'a A) -> Option<&'a str>,
    ) -> &'a Arc<Handler> {
        let named = |name: &'a Name| name.handler(&self.metrics);
        let called = |name: &'a str| self.metrics.handler(name);
        let routed = |template: &'a str| self.metrics.handler_of_route(template);
        let endpoint = |path| {
            let endpoint = Endpoint::of(method, path)?;
            Some(named(&self.endpoints[endpoint as usize]))
        };
        let template = || request.template();
        let preflight = || is_preflight(request).then(|| named(&self.preflight));
        let given = request.given().map(called);
        given
            .or_else(|| self.names.get(request).map(named))
            .or_else(|| chosen(request).map(called))
            .or_else(|| endpoint(request.path()))
            .or_else(|| endpoint(template()?))
            .or_else(preflight)
            .or_else(|| template().map(routed))
            .or_else(|| request.prefix().map(routed))
            .unwrap_or_else(|| named(&self.fallback))
    }
}

fn is_llm_call(request: &impl Arrival) -> bool {
    let method = request.method();
    // All of them are asked by POST: the template is not worth its price for any other method.
    method == Method::Post
        && (handler::is_llm_call(method, request.path())
            || request
                .template()
                .is_some_and(|path| handler::is_llm_call(method, path)))
}

fn is_preflight(request: &impl Arrival) -> bool {
    request.method() == Method::Options
        && request.has_header("origin")
        && request.has_header("access-control-request-method")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[derive(Default)]
    struct Request {
        post: bool,
        path: &'static str,
        template: Option<&'static str>,
        prefix: Option<&'static str>,
        given: Option<&'static str>,
        asked: Cell<bool>,
    }

    impl Arrival for Request {
        fn method(&self) -> Method {
            if self.post { Method::Post } else { Method::Get }
        }
        fn path(&self) -> &str {
            self.path
        }
        fn template(&self) -> Option<&str> {
            self.asked.set(true);
            self.template
        }
        fn prefix(&self) -> Option<&str> {
            self.prefix
        }
        fn given(&self) -> Option<&str> {
            self.given
        }
        fn has_header(&self, _: &str) -> bool {
            false
        }
    }

    fn name(arrivals: &Arrivals, request: &Request, chosen: Option<&'static str>) -> String {
        let handler = arrivals.handler_of(request, request.method(), |_| chosen);
        handler.name().to_owned()
    }

    #[test]
    fn only_templates_may_be_long() {
        let registry = prometheus::Registry::new();
        let builder = Metrics::builder().process(false);
        let arrivals = Arrivals::new(builder.register(&registry).unwrap());
        let long = |bytes| -> &'static str { "x".repeat(bytes).leak() };
        for (template, given, named) in [
            (Some(long(512)), None, long(512)),
            (Some(long(513)), None, "other"),
            (None, Some(long(128)), long(128)),
            // There is a handler of this name by now, which a request may not bring along.
            (None, Some(long(512)), "other"),
            (None, Some(long(129)), "other"),
            (None, Some("a\tb"), "other"),
        ] {
            let request = Request {
                template,
                given,
                ..Request::default()
            };
            assert_eq!(name(&arrivals, &request, None), named);
        }
        let text = prometheus::TextEncoder::new();
        let text = text.encode_to_string(&registry.gather()).unwrap();
        let folded = "brightstaff_metrics_label_overflow_total{label=\"handler\"} 4";
        assert!(text.contains(folded), "{text}");
    }

    #[test]
    fn names_go_in_the_order_of_the_contract() {
        let mut arrivals = Arrivals::new(Metrics::unregistered());
        let mut request = Request {
            post: true,
            path: "/v1/messages",
            template: Some("/v1/{what}"),
            prefix: Some("/v1"),
            given: Some("given"),
            ..Request::default()
        };
        arrivals.handler("/v1/messages", "mapped");
        assert_eq!(name(&arrivals, &request, Some("chosen")), "given");
        request.given = None;
        assert_eq!(name(&arrivals, &request, Some("chosen")), "mapped");
        let mut arrivals = Arrivals::new(Metrics::unregistered());
        assert_eq!(name(&arrivals, &request, Some("chosen")), "chosen");
        assert_eq!(name(&arrivals, &request, None), "llm_chat");
        assert!(!request.asked.get(), "nobody needed the template");
        request.path = "/v1/other";
        assert_eq!(name(&arrivals, &request, None), "/v1/{what}");
        request.template = None;
        assert_eq!(name(&arrivals, &request, None), "/v1");
        request.prefix = None;
        assert_eq!(name(&arrivals, &request, None), "not_found");
        arrivals.fallback("unmatched");
        assert_eq!(name(&arrivals, &request, None), "unmatched");
    }

    #[test]
    fn the_template_is_asked_for_only_where_it_decides() {
        let mut arrivals = Arrivals::new(Metrics::unregistered());
        arrivals.skip("/healthz");
        arrivals.handler("/files/{id}", "files");
        arrivals.implicit("openai");
        let request = Request {
            post: true,
            path: "/v1/messages",
            ..Request::default()
        };
        let (_, implicit) = arrivals.arrive(&request, |_| None);
        assert!(implicit.is_some());
        assert!(!request.asked.get());
        let request = Request {
            path: "/files/17",
            template: Some("/files/{id}"),
            ..Request::default()
        };
        assert_eq!(name(&arrivals, &request, None), "files");
        assert!(request.asked.get());
    }
}
