//! Traffic for a gateway that is not there: played into core, and written down.

mod routing;
mod upstream;

use std::{
    collections::BTreeMap,
    panic::{self, AssertUnwindSafe},
    time::Duration,
};

use anyhow::Result;
use brightstaff_metrics_core::{
    Clock, Head, Metrics,
    adapter::{self, ResponseObserver},
    catalogue::{Family, HTTP_CANCELLED, HTTP_INTERRUPTED, HTTP_REQUEST_DURATION, HTTP_REQUESTS},
    labels::RequestMethod,
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
