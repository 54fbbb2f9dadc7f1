use std::sync::Arc;

use super::{
    Extensions, IncomingRequest, LayerMarks, NewMarks, PendingCall, RequestGuard,
    aside::Aside,
    endpoint::{self, CORS_PREFLIGHT, Endpoint, NOT_FOUND, UNMATCHED},
    known_handler::{AtHead, KnownHandler},
    paths::PathMap,
};
use crate::{
    families::{FoundHandler, HttpFamilies, UpstreamFamilies},
    labels::{MAX_LABEL_BYTES, MAX_TEMPLATE_BYTES, Operation, RequestMethod},
    listener::Listener,
    upstream::Upstream,
};

/// What a layer measures of requests, and what it calls their handlers: the same for every framework.
///
/// Made of [`Metrics`](crate::Metrics), by `From`. What an application sees of it are the adapter's own methods.
#[derive(Clone)]
pub struct RequestMetrics {
    http: Arc<HttpFamilies>,
    upstream: Arc<UpstreamFamilies>,
    names: PathMap<KnownHandler>,
    endpoints: [KnownHandler; Endpoint::ALL.len()],
    skipped: PathMap<()>,
    preflight: KnownHandler,
    fallback: KnownHandler,
    /// What those are that got an answer, unless the application named them all.
    answered: Option<Arc<Aside>>,
    /// The same of those for the path of a well-known endpoint by another method, which may be the endpoint's.
    answered_or_refused: [Arc<Aside>; Endpoint::ALL.len()],
    /// Of those that have a name, and may be the endpoint's all the same.
    refused: [Arc<Aside>; Endpoint::ALL.len()],
    /// For the well-known endpoints.
    implicit: Option<Upstream>,
    llm_endpoints: PathMap<Upstream>,
    /// The application says that no layer is further in.
    innermost: bool,
}

/// What of a request is measured.
#[derive(Debug)]
#[must_use = "what is not moved on ends here"]
#[non_exhaustive]
pub struct Begun {
    /// The request itself, unless it is skipped, or measured by a layer further out.
    pub request: Option<RequestGuard>,
    /// Its response as a call to a provider.
    pub call: Option<PendingCall>,
    /// To be put in the extensions of the request, for layers further in.
    pub marks: Option<NewMarks>,
}

impl Begun {
    // By value: where nobody listens, its parts stay wherever they are best.
    #[cold]
    fn listened(mut self, listener: Option<Listener>) -> Self {
        if let Some(listener) = listener {
            if let Some(call) = &mut self.call {
                call.listen(listener.clone());
            }
            if let Some(request) = &mut self.request {
                request.listen(listener);
            }
        }
        self
    }
}

/// Those that belong to each endpoint if they are refused.
fn refused(http: &Arc<HttpFamilies>, answered: Option<&str>) -> [Arc<Aside>; Endpoint::ALL.len()] {
    Endpoint::ALL.map(|endpoint| {
        let refused = Some(endpoint.handler());
        Aside::at_head(AtHead::new(http, answered, refused))
    })
}

impl RequestMetrics {
    pub(crate) fn new(http: &Arc<HttpFamilies>, upstream: &Arc<UpstreamFamilies>) -> Self {
        http.measured.layer();
        Self {
            http: Arc::clone(http),
            upstream: Arc::clone(upstream),
            names: PathMap::default(),
            endpoints: Endpoint::ALL.map(|endpoint| KnownHandler::new(endpoint.handler())),
            skipped: PathMap::default(),
            preflight: KnownHandler::new(CORS_PREFLIGHT),
            fallback: KnownHandler::new(NOT_FOUND),
            answered: Some(Aside::at_head(AtHead::new(http, Some(UNMATCHED), None))),
            answered_or_refused: refused(http, Some(UNMATCHED)),
            refused: refused(http, None),
            implicit: None,
            llm_endpoints: PathMap::default(),
            innermost: false,
        }
    }

    /// Names the handler of a path or template. A wildcard at its end (`/files/{*path}`, and in
    /// actix's words `/files/{path:.*}` or `/files/{path}*`) covers all that is under it; the longest
    /// such prefix wins.
    pub fn handler(&mut self, path: &str, name: &str) {
        self.names.insert(path, KnownHandler::new(name));
    }

    /// Names the handler of requests for which nothing else is known. Unless this does, they are
    /// [`NOT_FOUND`](crate::handler::NOT_FOUND), and from a head with 1xx, 2xx or 3xx on
    /// [`UNMATCHED`](crate::handler::UNMATCHED).
    pub fn fallback(&mut self, name: &str) {
        self.answered = None;
        self.answered_or_refused = self.refused.clone();
        self.fallback = KnownHandler::new(name);
    }

    /// Does not measure a path or template, which may end in a wildcard.
    pub fn skip(&mut self, path: &str) {
        self.skipped.insert(path, ());
    }

    /// Measures the responses of the well-known LLM endpoints as calls to this provider.
    pub fn implicit(&mut self, provider: &str) {
        self.implicit = Some(self.implied(provider));
    }

    /// Measures the responses to POST requests for this path or template, which may end in a wildcard, as
    /// calls to this provider.
    pub fn llm_endpoint(&mut self, path: &str, provider: &str) {
        let upstream = self.implied(provider);
        self.llm_endpoints.insert(path, upstream);
    }

    fn implied(&self, provider: &str) -> Upstream {
        self.upstream.imply();
        Upstream::implicit(&self.upstream, provider)
    }

    /// No layer of the same metrics is further in: requests need no marks for one. Where there is one all the same, both
    /// measure.
    pub fn innermost(&mut self) {
        self.innermost = true;
    }

    /// An adapter tells of each service that it makes with these: where there is one, no other can be further in,
    /// and its requests need no marks. An adapter that tells of none leaves marks on all requests.
    pub fn serve(&self) {
        self.http.measured.service();
    }

    /// The marks that a request has in its extensions, where there can be any.
    #[inline]
    #[must_use]
    pub fn marks(&self, extensions: &impl Extensions) -> LayerMarks {
        if self.http.measured.once() {
            LayerMarks::default()
        } else {
            LayerMarks::of(extensions)
        }
    }

    /// A request arrived, which has passed layers with these marks.
    #[inline]
    pub fn begin<R: IncomingRequest>(&self, request: &R, outer: &LayerMarks) -> Begun {
        let id = self.upstream.id();
        let left = outer.left(id);
        let marks = |call| {
            let further_in = !self.innermost && !self.http.measured.once();
            further_in.then(|| outer.with(id, call)).flatten()
        };
        if self.skipped.get(request).is_some() {
            return Begun {
                request: None,
                call: None,
                marks: marks(true),
            };
        }
        let start = self.http.context().clock.now();
        let method = request.method();
        let implicit = self.call_of(request, method).filter(|_| left.call);
        let measured = left.request || implicit.is_some();
        let trace = measured.then(|| request.trace()).flatten();
        let call = implicit.map(|implicit| PendingCall::new(implicit, start, trace));
        let guard = left.request.then(|| {
            let (handler, at_head) = self.handler_of(request, method);
            let mut guard = RequestGuard::start(handler, method, start);
            guard.ask_at_head(at_head);
            guard.in_trace(trace);
            if method == RequestMethod::Other && request.is_connect() {
                guard.connect();
            }
            guard
        });
        let begun = Begun {
            request: guard,
            marks: marks(call.is_some()),
            call,
        };
        if Listener::are_there() {
            return begun.listened(request.listener());
        }
        begun
    }

    /// Where the framework has routed the request only by the time of its head: names its handler once more.
    pub fn rename(&self, guard: &mut RequestGuard, request: &impl IncomingRequest) {
        let (handler, at_head) = self.handler_of(request, request.method());
        guard.rename(handler);
        guard.ask_at_head(at_head);
    }

    /// The handler of a request, the first that is known in the order of the contract, and those that its status may tell
    /// it has instead.
    fn handler_of<'a, R: IncomingRequest>(
        &'a self,
        request: &'a R,
        method: RequestMethod,
    ) -> (FoundHandler<'a>, Option<&'a Arc<Aside>>) {
        if let Some(named) = self.named(request) {
            return (named, None);
        }
        let at = match Endpoint::at(request.path()) {
            Some(endpoint) if endpoint.takes(method) => return (self.endpoint(endpoint), None),
            at => at,
        };
        self.routed(request, method, at)
    }

    /// What the application calls it.
    fn named<'a, R: IncomingRequest>(&'a self, request: &'a R) -> Option<FoundHandler<'a>> {
        if let Some(name) = request.given_name() {
            return Some(self.http.handler(name.as_str(), MAX_LABEL_BYTES));
        }
        if let Some(named) = self.names.get(request) {
            return Some(named.series(&self.http));
        }
        let name = request.chosen_name()?;
        Some(self.http.handler(name.as_str(), MAX_LABEL_BYTES))
    }

    /// What its route calls it. `at`: the endpoint whose path it asks by another method.
    fn routed<'a, R: IncomingRequest>(
        &'a self,
        request: &'a R,
        method: RequestMethod,
        at: Option<Endpoint>,
    ) -> (FoundHandler<'a>, Option<&'a Arc<Aside>>) {
        let template = |name| self.http.handler(name, MAX_TEMPLATE_BYTES);
        let refused = |at: Option<Endpoint>| at.map(|endpoint| &self.refused[endpoint as usize]);
        // A template may be a well-known path where the path itself is another spelling of it.
        let known = request.known_template();
        let likely = if known.is_none() {
            request.likely_template()
        } else {
            None
        };
        let spelt = match (known, likely) {
            (Some(known), _) => known.endpoint(),
            (None, Some(likely)) => Endpoint::at(likely),
            (None, None) => None,
        };
        if let Some(endpoint) = spelt.filter(|endpoint| endpoint.takes(method)) {
            return (self.endpoint(endpoint), None);
        }
        if is_preflight(request, method) {
            return (self.preflight.series(&self.http), None);
        }
        let routed = known.map(|known| known.series(&self.http));
        let routed = routed.or_else(|| likely.map(template));
        if let Some(routed) = routed.or_else(|| request.prefix().map(template)) {
            return (routed, refused(at.or(spelt)));
        }
        let answered = match at {
            Some(endpoint) => Some(&self.answered_or_refused[endpoint as usize]),
            None => self.answered.as_ref(),
        };
        (self.fallback.series(&self.http), answered)
    }

    fn endpoint(&self, endpoint: Endpoint) -> FoundHandler<'_> {
        self.endpoints[endpoint as usize].series(&self.http)
    }

    /// The provider whose call the response is, and what it is for, where the endpoint says it.
    fn call_of<R: IncomingRequest>(
        &self,
        request: &R,
        method: RequestMethod,
    ) -> Option<(&Upstream, Option<Operation>)> {
        // All of them are asked by POST: the template is not worth its price for any other method.
        if method != RequestMethod::Post {
            return None;
        }
        if let Some(upstream) = self.llm_endpoints.get(request) {
            return Some((upstream, None));
        }
        let implicit = self.implicit.as_ref()?;
        let operation = |path| endpoint::operation(method, path);
        // These endpoints have no parameters: a template is one of them where it is the path, or another
        // spelling of it.
        let spelt = || R::TEMPLATE_IS_CHEAP || request.path().contains('%');
        let routed = || operation(spelt().then(|| request.template()).flatten()?);
        let operation = operation(request.path()).or_else(routed)?;
        Some((implicit, Some(operation)))
    }
}

#[inline]
fn is_preflight(request: &impl IncomingRequest, method: RequestMethod) -> bool {
    method == RequestMethod::Options
        && request.has_header("origin")
        && request.has_header("access-control-request-method")
}

impl std::fmt::Debug for RequestMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestMetrics")
            .field("names", &self.names)
            .field("skipped", &self.skipped)
            .field("implicit", &self.implicit)
            .field("llm_endpoints", &self.llm_endpoints)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::{
        buckets::Buckets,
        clock::Clock,
        families::Context,
        labels::OverflowLabel,
        request::{HandlerName, KnownTemplate},
        series::Keyed as _,
    };

    #[derive(Default)]
    struct Request {
        chosen: Option<&'static str>,
        post: bool,
        path: &'static str,
        template: Option<&'static str>,
        known: Option<KnownTemplate>,
        prefix: Option<&'static str>,
        given: Option<&'static str>,
        asked: Cell<bool>,
    }

    impl IncomingRequest for Request {
        fn method(&self) -> RequestMethod {
            if self.post {
                RequestMethod::Post
            } else {
                RequestMethod::Get
            }
        }
        fn path(&self) -> &str {
            self.path
        }
        fn template(&self) -> Option<&str> {
            self.asked.set(true);
            self.template
        }
        fn known_template(&self) -> Option<&KnownTemplate> {
            self.known.as_ref()
        }
        fn prefix(&self) -> Option<&str> {
            self.prefix
        }
        fn given_name(&self) -> Option<HandlerName> {
            self.given.map(HandlerName::from)
        }
        fn chosen_name(&self) -> Option<HandlerName> {
            self.chosen.map(HandlerName::from)
        }
        fn has_header(&self, _: &str) -> bool {
            false
        }
    }

    fn request_metrics() -> RequestMetrics {
        let context = Arc::new(Context::new(Clock::manual(), Buckets::default()));
        let http = HttpFamilies::new(Arc::clone(&context), 200);
        let upstream = UpstreamFamilies::new(context, &[], Vec::new(), 200, 0);
        RequestMetrics::new(&Arc::new(http), &Arc::new(upstream))
    }

    fn name(requests: &RequestMetrics, request: &Request) -> String {
        let (found, _) = requests.handler_of(request, request.method());
        let [name] = found.series.key();
        name.to_owned()
    }

    #[test]
    fn only_templates_may_be_long() {
        let requests = request_metrics();
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
            assert_eq!(name(&requests, &request), named);
            drop(requests.begin(&request, &LayerMarks::default()));
        }
        let folded = requests.http.context().overflow(OverflowLabel::Handler);
        assert_eq!(folded, 4);
    }

    #[test]
    fn a_template_that_is_kept_names_as_any_other() {
        for post in [true, false] {
            for template in ["/v1/messages", "/files/{id}", "x".repeat(513).leak()] {
                let request = |template, known| Request {
                    post,
                    path: "/elsewhere",
                    template,
                    known,
                    ..Request::default()
                };
                let told = request(Some(template), None);
                let kept = request(None, Some(KnownTemplate::new(template)));
                let (one, other) = (request_metrics(), request_metrics());
                for _ in 0..2 {
                    assert_eq!(name(&one, &told), name(&other, &kept));
                }
            }
        }
    }

    #[test]
    fn names_go_in_the_order_of_the_contract() {
        let mut requests = request_metrics();
        let mut request = Request {
            post: true,
            path: "/v1/messages",
            template: Some("/v1/{what}"),
            prefix: Some("/v1"),
            given: Some("given"),
            chosen: Some("chosen"),
            ..Request::default()
        };
        requests.handler("/v1/messages", "mapped");
        assert_eq!(name(&requests, &request), "given");
        request.given = None;
        assert_eq!(name(&requests, &request), "mapped");
        let mut requests = request_metrics();
        assert_eq!(name(&requests, &request), "chosen");
        request.chosen = None;
        assert_eq!(name(&requests, &request), "llm_chat");
        assert!(!request.asked.get(), "nobody needed the template");
        request.path = "/v1/other";
        assert_eq!(name(&requests, &request), "/v1/{what}");
        request.template = None;
        assert_eq!(name(&requests, &request), "/v1");
        request.prefix = None;
        assert_eq!(name(&requests, &request), "not_found");
        requests.fallback("unmatched");
        assert_eq!(name(&requests, &request), "unmatched");
    }

    #[test]
    fn what_is_answered_was_found() {
        let mut requests = request_metrics();
        let in_flight = |requests: &RequestMetrics, name| {
            let found = requests.http.handler(name, MAX_LABEL_BYTES);
            found.series.in_flight.get()
        };
        for (status, handler) in [
            (404, "not_found"),
            (500, "not_found"),
            (101, "unmatched"),
            (206, "unmatched"),
            (304, "unmatched"),
        ] {
            let begun = requests.begin(&Request::default(), &LayerMarks::default());
            let mut guard = begun.request.unwrap();
            assert_eq!(in_flight(&requests, "not_found"), 1);
            guard.head(&crate::Head::new(status).end_of_stream(false));
            let bodiless = matches!(status, 101 | 304);
            assert_eq!(
                in_flight(&requests, handler),
                i64::from(!bodiless),
                "{status}"
            );
            drop(guard);
            assert_eq!(in_flight(&requests, "not_found"), 0);
            assert_eq!(in_flight(&requests, "unmatched"), 0);
        }
        requests.fallback("files");
        let begun = requests.begin(&Request::default(), &LayerMarks::default());
        let mut guard = begun.request.unwrap();
        guard.head(&crate::Head::new(200));
        assert_eq!(in_flight(&requests, "files"), 1);
    }

    /// A path and its endpoint are one line: whatever is refused there, by whatever method.
    #[test]
    fn what_an_endpoint_refuses_is_its_own() {
        let requests = request_metrics();
        for (path, template, status, handler) in [
            ("/v1/messages", None, 405, "llm_chat"),
            ("/v1/messages", None, 404, "llm_chat"),
            ("/v1/messages", None, 403, "not_found"),
            ("/v1/messages", None, 200, "unmatched"),
            ("/v1/messages", Some("/v1/messages"), 405, "llm_chat"),
            ("/v1/messages", Some("/v1/messages"), 404, "llm_chat"),
            ("/v1/messages", Some("/v1/messages"), 200, "/v1/messages"),
            ("/v1/messages", Some("/v1/messages"), 500, "/v1/messages"),
            ("/v1/m%65ssages", Some("/v1/messages"), 405, "llm_chat"),
            ("/v1/other", Some("/v1/{what}"), 405, "/v1/{what}"),
        ] {
            let request = Request {
                path,
                template,
                ..Request::default()
            };
            let begun = requests.begin(&request, &LayerMarks::default());
            let mut guard = begun.request.unwrap();
            guard.head(&crate::Head::new(status).end_of_stream(false));
            let found = requests.http.handler(handler, MAX_TEMPLATE_BYTES);
            assert_eq!(
                found.series.in_flight.get(),
                1,
                "{path} {template:?} {status}"
            );
        }
        let mut requests = request_metrics();
        requests.handler("/v1/messages", "mine");
        let request = Request {
            path: "/v1/messages",
            ..Request::default()
        };
        let mut guard = requests
            .begin(&request, &LayerMarks::default())
            .request
            .unwrap();
        guard.head(&crate::Head::new(405).end_of_stream(false));
        let found = requests.http.handler("mine", MAX_LABEL_BYTES);
        assert_eq!(
            found.series.in_flight.get(),
            1,
            "the application's own name stays"
        );
    }

    #[test]
    fn the_template_is_asked_for_only_where_it_decides() {
        let mut requests = request_metrics();
        requests.skip("/healthz");
        requests.handler("/files/{id}", "files");
        requests.implicit("openai");
        let request = Request {
            post: true,
            path: "/v1/messages",
            ..Request::default()
        };
        assert!(
            requests
                .begin(&request, &LayerMarks::default())
                .call
                .is_some()
        );
        assert!(!request.asked.get());
        let request = Request {
            path: "/files/17",
            template: Some("/files/{id}"),
            ..Request::default()
        };
        assert_eq!(name(&requests, &request), "files");
        assert!(request.asked.get());
    }
}
