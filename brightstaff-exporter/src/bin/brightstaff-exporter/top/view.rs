//! What is known of a gateway, scrape by scrape.

use brightstaff_metrics_core::catalogue::{
    BUILD_INFO, HTTP_IN_FLIGHT, HTTP_REQUESTS, PROCESS_RESIDENT_MEMORY, TOKENS,
    UPSTREAM_IN_FLIGHT as CALLS_IN_FLIGHT, UPSTREAM_REQUESTS as CALLS,
};

use super::{
    client::Scraped,
    format::age,
    history::{History, Span, WINDOW_SECONDS},
    pairs::{Pair, first_token, pairs},
    quantile::Quantile,
    warnings::{Warning, is_probe, warnings},
};

/// Over how long rates and quantiles of the whole gateway are taken, in seconds.
const RATE_SECONDS: f64 = 10.0;
const QUANTILE_SECONDS: f64 = 30.0;

/// Why calls fail, as `error_class` says it.
const CLASSES: [&str; 8] = [
    "timeout",
    "connect",
    "parse",
    "rate_limit",
    "status",
    "stream",
    "cancelled",
    "other",
];

#[derive(Debug)]
pub(super) struct View {
    history: History,
    answered: bool,
    lost: Option<Lost>,
}

/// Nobody answers.
#[derive(Debug)]
struct Lost {
    since: f64,
    why: String,
}

/// What there is to show.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// Whether there was a scrape that brought something.
    pub(super) answered: bool,
    /// Why nobody answers, and for how many seconds.
    pub(super) lost: Option<(String, f64)>,
    pub(super) version: Option<String>,
    pub(super) commit: Option<String>,
    pub(super) up_seconds: Option<f64>,
    pub(super) memory_bytes: Option<f64>,
    pub(super) notes: Vec<String>,
    /// None until something is known of a time.
    pub(super) shown: Option<Shown>,
}

/// What happened.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) seconds: f64,
    pub(super) totals: Totals,
    pub(super) warnings: Vec<Warning>,
    pub(super) pairs: Vec<Pair>,
}

/// The whole gateway.
#[derive(Debug)]
pub(super) struct Totals {
    pub(super) requests_per_second: f64,
    pub(super) calls_per_second: f64,
    pub(super) requests_in_flight: f64,
    pub(super) calls_in_flight: f64,
    pub(super) tokens_in_per_second: f64,
    pub(super) tokens_out_per_second: f64,
    pub(super) p50: Quantile,
    pub(super) p95: Quantile,
    /// Calls that failed a second, by class: those that there were within the window.
    pub(super) failed_per_second: Vec<(&'static str, f64)>,
}

impl View {
    pub(super) fn new() -> Self {
        Self {
            history: History::new(),
            answered: false,
            lost: None,
        }
    }

    /// Takes what came of a scrape at this instant, in seconds.
    pub(super) fn take(&mut self, scraped: Result<Scraped, String>, now: f64) {
        match scraped {
            Ok(Scraped { text, date }) => {
                self.history.add(&text, now, date);
                (self.answered, self.lost) = (true, None);
            }
            Err(why) => {
                let since = self.lost.as_ref().map_or(now, |lost| lost.since);
                self.lost = Some(Lost { since, why });
            }
        }
    }

    pub(super) fn summary(&self, now: f64) -> Summary {
        let history = &self.history;
        let latest = |name| history.of(name).find_map(|series| history.latest(series));
        let mut builds = history.of(BUILD_INFO.name);
        let build = builds.find(|series| history.latest(series) == Some(1.0));
        let label = |name| build.map(|series| series.labels.get(name).to_owned());
        Summary {
            answered: self.answered,
            lost: self
                .lost
                .as_ref()
                .map(|lost| (lost.why.clone(), now - lost.since)),
            version: label("version"),
            commit: label("git_sha").map(|sha| sha.chars().take(12).collect()),
            up_seconds: history.started().map(|started| now - started),
            memory_bytes: latest(PROCESS_RESIDENT_MEMORY.name),
            notes: self.notes(),
            shown: history.span().map(|span| self.shown(span)),
        }
    }

    fn notes(&self) -> Vec<String> {
        let history = &self.history;
        let mut notes = Vec::new();
        if history.several() {
            let processes = history.instances();
            notes.push(format!(
                "{processes} processes answer at this address in turn: counts are added up, and lag behind"
            ));
        } else if history.restarted() {
            notes.push("the gateway has been restarted meanwhile: counts go on".to_owned());
        }
        if history.passed_over() {
            notes.push("there are more series than are kept: some are passed over".to_owned());
        }
        notes
    }

    fn shown(&self, span: Span<'_>) -> Shown {
        let pairs = pairs(&self.history, span);
        Shown {
            seconds: span.seconds(),
            totals: self.totals(span),
            warnings: warnings(&self.history, span, &pairs),
            pairs,
        }
    }

    fn totals(&self, window: Span<'_>) -> Totals {
        let history = &self.history;
        let recent = history.recent(RATE_SECONDS).unwrap_or(window);
        let first = first_token(history, history.recent(QUANTILE_SECONDS).unwrap_or(window));
        let per_second = |count: f64| count / recent.seconds();
        let tokens = |kind| history.sum(TOKENS.name, recent, |labels| labels.get("kind") == kind);
        let open = |name| history.of(name).map(|series| history.gauge(series)).sum();
        let of = |class: &str, span| {
            history.sum(CALLS.name, span, |labels| {
                labels.get("error_class") == class
            })
        };
        let failed = CLASSES.iter().filter(|class| of(class, window) > 0.0);
        let requests = history.sum(HTTP_REQUESTS.name, recent, |labels| !is_probe(labels));
        Totals {
            requests_per_second: per_second(requests),
            calls_per_second: per_second(history.sum(CALLS.name, recent, |_| true)),
            requests_in_flight: open(HTTP_IN_FLIGHT.name),
            calls_in_flight: open(CALLS_IN_FLIGHT.name),
            tokens_in_per_second: per_second(tokens("prompt")),
            tokens_out_per_second: per_second(tokens("completion")),
            p50: Quantile::of(0.5, &first),
            p95: Quantile::of(0.95, &first),
            failed_per_second: failed
                .map(|class| (*class, per_second(of(class, recent))))
                .collect(),
        }
    }
}

impl Shown {
    /// Of which time it is.
    pub(super) fn window(&self) -> String {
        if self.seconds >= WINDOW_SECONDS - 5.0 {
            "the last 5 minutes".to_owned()
        } else {
            format!("the last {}", age(self.seconds))
        }
    }
}
