//! Traffic for a gateway that is not there: played into core, and written down.

use std::{
    collections::BTreeMap,
    panic::{self, AssertUnwindSafe},
    time::Duration,
};

use anyhow::Result;
use brightstaff_metrics_core::{
    Clock, Head, Metrics,
    adapter::{self, ResponseObserver},
    catalogue::{
        Family, HTTP_CANCELLED, HTTP_INTERRUPTED, HTTP_REQUEST_DURATION, HTTP_REQUESTS,
        LABEL_OVERFLOW, REQUEST_TOKENS, ROUTER_DECISION_DURATION, ROUTER_DECISIONS,
        ROUTING_SERVICE_REQUESTS, SESSION_CACHE_EVENTS, TIME_PER_OUTPUT_TOKEN, TIME_TO_FIRST_BYTE,
        TIME_TO_FIRST_TOKEN, TOKEN_DETAILS, TOKENS, UPSTREAM_DURATION, UPSTREAM_REQUESTS,
        USAGE_MISSING,
    },
    labels::{ErrorClass, Fallback, RequestMethod, RouteKind, RoutingOutcome, SessionCacheEvent},
};
use prometheus::Registry;

use crate::api::Labels;

/// The pairs that the gateway declares.
const PAIRS: [(&str, &str); 3] = [
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet-4-5"),
];
const HANDLERS: [&str; 3] = ["llm_chat", "llm_chat", "agent_chat"];

/// One thing that happened: a counter rose, or a histogram got a sample.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) family: &'static Family,
    pub(super) labels: Labels,
    /// By how much the counter rose, or the histogram's count.
    pub(super) rise: f64,
    pub(super) sample: Option<f64>,
}

/// A gateway, and what happened to it.
#[derive(Debug)]
pub(super) struct Gateway {
    pub(super) registry: Registry,
    metrics: Metrics,
    clock: Clock,
    played: usize,
    pub(super) events: Vec<Event>,
}

/// How a call goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plot {
    Well,
    /// 429.
    Limited,
    /// 500, which the gateway passes on.
    Failed,
    /// The client leaves in the middle of the stream.
    HungUp,
    /// For a model that nobody declared and no provider has.
    Unknown,
    /// The client leaves before there are headers.
    Abandoned,
    /// The service has an error, and no response.
    Unanswered,
    /// The provider's stream breaks, and with it the gateway's response.
    Broken,
    /// The call ends well, and the code that makes the gateway's response of it panics.
    Panicked,
}

impl Gateway {
    pub(super) fn new() -> Result<Self> {
        let registry = Registry::new();
        let clock = Clock::manual();
        let metrics = Metrics::builder()
            .version("1.0.0")
            .git_sha("abc123")
            .upstreams(PAIRS)
            .clock(clock.clone())
            .register(&registry)?;
        Ok(Self {
            registry,
            metrics,
            clock,
            played: 0,
            events: Vec::new(),
        })
    }

    /// The next request. Where nothing shall fail, nothing does.
    pub(super) fn play(&mut self, failing: bool) {
        let n = self.played;
        self.played += 1;
        let plot = match n % 12 {
            _ if !failing => Plot::Well,
            7 => Plot::Limited,
            8 => Plot::Failed,
            9 => Plot::HungUp,
            10 => Plot::Unknown,
            11 => Plot::Abandoned,
            5 => Plot::Unanswered,
            3 => Plot::Broken,
            6 => Plot::Panicked,
            _ => Plot::Well,
        };
        let handler = HANDLERS[n % 3];
        if handler == "agent_chat" {
            self.route(n, failing);
        }
        let request = adapter::begin(&self.metrics, handler, RequestMethod::Post);
        let mut response = ResponseObserver::from(Some(request));
        if matches!(plot, Plot::Abandoned | Plot::Unanswered) {
            self.unanswered(response, handler, plot);
            return;
        }
        let (status, spent) = self.call(n, plot);
        let class = if status == 429 {
            "4xx"
        } else if status == 500 {
            "5xx"
        } else {
            "2xx"
        };
        self.rise(
            &HTTP_REQUESTS,
            &[
                ("handler", handler),
                ("method", "POST"),
                ("status_class", class),
            ],
            1.0,
        );
        response.head(&Head::new(status), None);
        self.end(response, handler, plot);
        self.sample(&HTTP_REQUEST_DURATION, &[("handler", handler)], spent);
    }

    /// The end of a response that has its status.
    fn end(&mut self, mut response: ResponseObserver, handler: &'static str, plot: Plot) {
        response.watch_body(|| ());
        let (family, label) = match plot {
            Plot::HungUp => {
                drop(response);
                (&HTTP_CANCELLED, ("phase", "body"))
            }
            Plot::Broken => {
                response.fail();
                (&HTTP_INTERRUPTED, ("reason", "error"))
            }
            Plot::Panicked => {
                // Nothing is printed of a panic that is resumed, and somebody catches it further out.
                let poll = || response.watch_body(|| panic::resume_unwind(Box::new(())));
                let caught: Result<(), _> = panic::catch_unwind(AssertUnwindSafe(poll));
                drop((caught, response));
                (&HTTP_INTERRUPTED, ("reason", "panic"))
            }
            _ => return response.complete(),
        };
        self.rise(family, &[("handler", handler), label], 1.0);
    }

    /// A request that never has a status.
    fn unanswered(&mut self, mut response: ResponseObserver, handler: &'static str, plot: Plot) {
        let spent = self.pass(0.02);
        let labels = [("handler", handler), ("method", "POST")];
        self.rise(
            &HTTP_REQUESTS,
            &with(&labels, ("status_class", "error")),
            1.0,
        );
        if plot == Plot::Abandoned {
            drop(response);
            self.rise(
                &HTTP_CANCELLED,
                &[("handler", handler), ("phase", "headers")],
                1.0,
            );
        } else {
            response.fail();
        }
        self.sample(&HTTP_REQUEST_DURATION, &[("handler", handler)], spent);
    }

    /// A call, and how long it took.
    fn call(&mut self, n: usize, plot: Plot) -> (u16, f64) {
        let (provider, model) = match plot {
            Plot::Unknown => ("openai", "nobody-knows"),
            _ => PAIRS[n / 3 % 3],
        };
        let seen = match plot {
            Plot::Unknown => (provider, "other"),
            _ => (provider, model),
        };
        let mut call = self.metrics.upstream(provider, model).start();
        if matches!(plot, Plot::Limited | Plot::Failed | Plot::Unknown) {
            let spent = self.pass(0.03);
            let (status, class) = match plot {
                Plot::Limited => (429, ErrorClass::RateLimit),
                _ => (500, ErrorClass::Status),
            };
            call.head(&Head::new(status));
            call.finish();
            if plot == Plot::Unknown {
                self.rise(&LABEL_OVERFLOW, &[("label", "upstream")], 1.0);
            }
            self.ended(
                seen,
                if status == 429 { "4xx" } else { "5xx" },
                class,
                spent,
            );
            return (status, spent);
        }
        call.head(&Head::new(200).content_type("text/event-stream"));
        #[expect(clippy::cast_precision_loss)]
        let spread = (n % 20) as f64;
        let first_byte = self.pass(0.1 + spread * 0.01);
        call.data(b"data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n");
        let first_token = first_byte + self.pass(0.2 + spread * 0.04);
        call.data(b"data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n");
        let pair = [("provider", seen.0), ("model", seen.1)];
        self.sample(&TIME_TO_FIRST_BYTE, &pair, first_byte);
        self.sample(&TIME_TO_FIRST_TOKEN, &pair, first_token);
        if matches!(plot, Plot::HungUp | Plot::Broken) {
            let class = if plot == Plot::Broken {
                call.fail(ErrorClass::Stream);
                ErrorClass::Stream
            } else {
                drop(call);
                ErrorClass::Cancelled
            };
            self.ended(seen, "2xx", class, first_token);
            self.rise(&USAGE_MISSING, &with(&pair, ("reason", "interrupted")), 1.0);
            return (200, first_token);
        }
        let (prompt, completion, cached) = (100 + n % 50, 11 + n % 10, 40);
        #[expect(clippy::cast_precision_loss)]
        let (tokens, gaps) = ([prompt as f64, completion as f64], (completion - 1) as f64);
        let generated = self.pass(gaps * (0.01 + spread * 0.002));
        let usage = !n.is_multiple_of(11);
        let told = format!(
            ",\"usage\":{{\"prompt_tokens\":{prompt},\"completion_tokens\":{completion},\"prompt_tokens_details\":{{\"cached_tokens\":{cached}}}}}"
        );
        let told = if usage { told.as_str() } else { "" };
        call.data(format!("data: {{\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"stop\"}}]{told}}}\n\ndata: [DONE]\n\n").as_bytes());
        call.finish();
        let spent = first_token + generated;
        self.ended(seen, "2xx", ErrorClass::None, spent);
        if usage {
            self.sample(&TIME_PER_OUTPUT_TOKEN, &pair, generated / gaps);
            for (kind, tokens) in ["prompt", "completion"].into_iter().zip(tokens) {
                let labels = with(&pair, ("kind", kind));
                self.rise(&TOKENS, &labels, tokens);
                self.sample(&REQUEST_TOKENS, &labels, tokens);
            }
            self.rise(
                &TOKEN_DETAILS,
                &with(&pair, ("kind", "cache_read")),
                f64::from(cached),
            );
        } else {
            self.rise(
                &USAGE_MISSING,
                &with(&pair, ("reason", "not_reported")),
                1.0,
            );
        }
        (200, spent)
    }

    /// What every call leaves behind.
    fn ended(
        &mut self,
        (provider, model): (&str, &str),
        status: &str,
        error: ErrorClass,
        spent: f64,
    ) {
        let pair = [("provider", provider), ("model", model)];
        let class = with(&pair, ("status_class", status));
        self.rise(
            &UPSTREAM_REQUESTS,
            &with(&class, ("error_class", error.as_str())),
            1.0,
        );
        let outcome = if error == ErrorClass::None {
            "ok"
        } else {
            "error"
        };
        self.sample(
            &UPSTREAM_DURATION,
            &with(&pair, ("outcome", outcome)),
            spent,
        );
    }

    /// What comes before a call to an agent: a session, a decision, and the routing service.
    fn route(&mut self, n: usize, failing: bool) {
        let fallback = Fallback::from(failing && n % 4 == 1);
        let model = PAIRS[n / 3 % 3].1;
        #[expect(clippy::cast_precision_loss)]
        let elapsed = 0.002 + (n % 10) as f64 * 0.004;
        let router = self.metrics.routing();
        router.decision(
            RouteKind::Agent,
            model,
            fallback,
            Duration::from_secs_f64(elapsed),
        );
        let labels = [
            ("route", "agent"),
            ("selected_model", model),
            ("fallback", fallback.as_str()),
        ];
        self.rise(&ROUTER_DECISIONS, &labels, 1.0);
        self.sample(&ROUTER_DECISION_DURATION, &[("route", "agent")], elapsed);
        let outcome = match n % 5 {
            0 if failing => RoutingOutcome::PolicyError,
            _ => RoutingOutcome::DecisionServed,
        };
        self.metrics.routing_service().request(outcome);
        self.rise(
            &ROUTING_SERVICE_REQUESTS,
            &[("outcome", outcome.as_str())],
            1.0,
        );
        let event = match n % 7 {
            0 if failing => SessionCacheEvent::Error,
            1 | 2 => SessionCacheEvent::Miss,
            _ => SessionCacheEvent::Hit,
        };
        self.metrics.session_cache().event(event);
        self.rise(&SESSION_CACHE_EVENTS, &[("outcome", event.as_str())], 1.0);
    }

    /// Time goes by, a little more than told, so that no sample lies on the bound of a bucket.
    fn pass(&self, seconds: f64) -> f64 {
        let by = Duration::from_secs_f64(seconds + 0.000_07);
        self.clock.advance(by);
        by.as_secs_f64()
    }

    fn rise(&mut self, family: &'static Family, labels: &[(&str, &str)], rise: f64) {
        self.happened(family, labels, rise, None);
    }

    fn sample(&mut self, family: &'static Family, labels: &[(&str, &str)], value: f64) {
        self.happened(family, labels, 1.0, Some(value));
    }

    fn happened(
        &mut self,
        family: &'static Family,
        labels: &[(&str, &str)],
        rise: f64,
        sample: Option<f64>,
    ) {
        let owned = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.events.push(Event {
            family,
            labels: owned.collect::<BTreeMap<_, _>>(),
            rise,
            sample,
        });
    }
}

fn with<'a>(labels: &[(&'a str, &'a str)], one: (&'a str, &'a str)) -> Vec<(&'a str, &'a str)> {
    [labels, &[one]].concat()
}
