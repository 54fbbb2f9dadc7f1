//! Random candidates: whatever they do, each attempt is a call, and what is counted is what happened.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{CALLS, DECISIONS, SEARCHES, SKIPS, STREAM, routed, status};
use crate::support::{ByHand, CHAT, Connection, eventually};

/// What a candidate does with one request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Chat,
    SoundStream,
    Status(u16),
    /// With a `Retry-After` that outlasts the test.
    Busy(u16),
    /// The connection ends without a byte.
    Reset,
    /// Nothing comes at all.
    Silent,
    /// A stream whose first event is an error.
    ErrorEvent,
    /// JSON that is an error.
    ErrorJson,
    /// A stream that ends before its first event.
    NoEvent,
}

const SOUND: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
const ERROR: &str =
    "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n";

impl Act {
    fn random(random: &mut StdRng, silent: &mut usize) -> Self {
        match random.random_range(0..14) {
            0..4 => Self::Chat,
            4 => Self::SoundStream,
            5 => Self::Status(500),
            6 => Self::Status([400, 401, 404][random.random_range(0..3)]),
            7 => Self::Status(429),
            8 => Self::Busy([429, 503][random.random_range(0..2)]),
            9 => Self::Reset,
            10 if *silent > 0 => {
                *silent -= 1;
                Self::Silent
            }
            10 | 11 => Self::ErrorEvent,
            12 => Self::ErrorJson,
            _ => Self::NoEvent,
        }
    }

    /// All that it sends; `None` where it says nothing.
    fn says(self) -> Option<String> {
        Some(match self {
            Self::Chat => CHAT.to_owned(),
            Self::SoundStream => format!("{STREAM}{SOUND}"),
            Self::Status(code) => status(code, "", "{}"),
            Self::Busy(code) => status(code, "retry-after: 600\r\n", "{}"),
            Self::ErrorEvent => format!("{STREAM}{ERROR}"),
            Self::ErrorJson => status(200, "", r#"{"error":{"message":"no"}}"#),
            Self::NoEvent => STREAM.to_owned(),
            Self::Reset | Self::Silent => return None,
        })
    }

    /// The status and the class of its call.
    fn call(self) -> (&'static str, &'static str) {
        match self {
            Self::Chat | Self::SoundStream => ("2xx", "none"),
            Self::Status(429) | Self::Busy(429) => ("4xx", "rate_limit"),
            Self::Status(400..500) => ("4xx", "status"),
            Self::Status(_) | Self::Busy(_) => ("5xx", "status"),
            Self::Reset => ("error", "other"),
            Self::Silent => ("error", "timeout"),
            Self::ErrorEvent | Self::ErrorJson | Self::NoEvent => ("2xx", "stream"),
        }
    }

    /// What the client gets if it is the last one.
    fn client_sees(self) -> (u16, String) {
        let Some(text) = self.says() else {
            return (if self == Self::Silent { 504 } else { 502 }, String::new());
        };
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), body.to_owned())
    }
}

/// The keys of the route.
#[derive(Clone, Debug)]
struct Rules {
    retry_on: Vec<u16>,
    first_event: bool,
    respect: bool,
    after: u32,
}

impl Rules {
    fn random(random: &mut StdRng) -> Self {
        let mut statuses = vec![401, 404];
        statuses.retain(|_| random.random_bool(0.5));
        Self {
            retry_on: statuses,
            first_event: random.random_bool(0.7),
            respect: random.random_bool(0.6),
            after: random.random_range(0..4),
        }
    }

    fn keys(&self) -> String {
        let Self {
            retry_on,
            first_event,
            respect,
            after,
        } = self;
        let mut list: Vec<_> = retry_on.iter().map(u16::to_string).collect();
        list.extend(first_event.then(|| "'first_event_error'".to_owned()));
        let list = list.join(", ");
        format!(
            "retry_on = [{list}]\nfirst_event_timeout = '10m'\nrespect_retry_after = {respect}\nmax_retry_after = '1h'
             cool_down_after = {after}\ncool_down = '1h'"
        )
    }

    fn accepts(&self, act: Act) -> bool {
        match act {
            Act::Chat | Act::SoundStream => true,
            Act::Status(code) => code < 429 && !self.retry_on.contains(&code),
            Act::Busy(_) | Act::Reset | Act::Silent => false,
            Act::ErrorEvent | Act::ErrorJson | Act::NoEvent => !self.first_event,
        }
    }
}

/// What has to come of it, by the rules alone: nothing of the gateway's is in here.
#[derive(Default)]
struct Oracle {
    failures: [u32; CANDIDATES],
    cools: [bool; CANDIDATES],
    busy: [bool; CANDIDATES],
    counts: BTreeMap<String, f64>,
}

const CANDIDATES: usize = 3;

impl Oracle {
    fn count(&mut self, series: String) {
        *self.counts.entry(series).or_default() += 1.0;
    }

    fn reason(&self, n: usize) -> Option<&'static str> {
        let cools = self.cools[n].then_some("cooling_down");
        self.busy[n].then_some("retry_after").or(cools)
    }

    /// One request; `next`: what the candidate does. Tells what the client sees.
    fn request(&mut self, rules: &Rules, mut next: impl FnMut(usize) -> Act) -> Act {
        let all_aside = (0..CANDIDATES).all(|n| self.reason(n).is_some());
        let (mut tried, mut last) = (0, None);
        for n in 0..CANDIDATES {
            if let (Some(reason), false) = (self.reason(n), all_aside) {
                self.count(format!(
                    r#"{SKIPS}{{reason="{reason}",selected_model="m{n}"}}"#
                ));
                continue;
            }
            tried += 1;
            let act = next(n);
            last = Some(act);
            let (status, class) = act.call();
            self.count(format!(
                r#"{CALLS}{{error_class="{class}",provider="p{n}",status_class="{status}"}}"#
            ));
            if rules.accepts(act) {
                (self.failures[n], self.cools[n]) = (0, false);
                self.count(format!(
                    r#"{DECISIONS}{{fallback="{}",route="llm",selected_model="m{n}"}}"#,
                    tried > 1
                ));
                let outcome = if tried > 1 { "recovered" } else { "first_try" };
                self.count(format!(r#"{SEARCHES}{{outcome="{outcome}",route="llm"}}"#));
                return act;
            }
            self.busy[n] |= rules.respect && matches!(act, Act::Busy(_));
            self.failures[n] += 1;
            self.cools[n] |= rules.after > 0 && self.failures[n] >= rules.after;
        }
        self.count(format!(r#"{SEARCHES}{{outcome="exhausted",route="llm"}}"#));
        last.expect("somebody was asked")
    }
}

type Acts = Arc<Mutex<VecDeque<Act>>>;

/// A candidate that does what comes next.
async fn candidate(acts: &Acts) -> ByHand {
    let acts = Arc::clone(acts);
    ByHand::start(move |mut connection: Connection| {
        let acts = Arc::clone(&acts);
        async move {
            while connection.request().await.is_some() {
                let act = acts.lock().unwrap().pop_front().expect("no request more");
                match act.says() {
                    Some(text) if text.starts_with(STREAM) => {
                        drop(connection.write(text).await);
                        return;
                    }
                    Some(text) => drop(connection.write(text).await),
                    None if act == Act::Silent => return connection.closed().await,
                    None => return,
                }
            }
        }
    })
    .await
}

async fn play(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let rules = Rules::random(&mut random);
    let acts: [Acts; CANDIDATES] = Default::default();
    let mut silent = 1;
    let mut planned = VecDeque::new();
    let mut upstreams = Vec::new();
    for acts in &acts {
        upstreams.push(candidate(acts).await);
    }
    let urls: Vec<_> = upstreams.iter().map(|upstream| &*upstream.url).collect();
    let gateway = routed(&urls, &rules.keys()).await;
    let mut oracle = Oracle::default();
    for n in 0..40 {
        let seen = oracle.request(&rules, |n| {
            let act = Act::random(&mut random, &mut silent);
            acts[n].lock().unwrap().push_back(act);
            planned.push_back((n, act));
            act
        });
        let answer = gateway.chat_request("best").send().await.unwrap();
        let (status, body) = seen.client_sees();
        let about = format!("seed {seed}, request {n}: {rules:?} {planned:?}");
        assert_eq!(answer.status(), status, "{about}");
        let text = answer.text().await.unwrap();
        assert!(text == body || body.is_empty(), "{about}: {text}");
        assert!(
            acts.iter().all(|acts| acts.lock().unwrap().is_empty()),
            "{about}"
        );
        planned.clear();
    }
    let attempts: usize = upstreams.iter().map(ByHand::requests).sum();
    let of = |family: &str| {
        let matching = oracle
            .counts
            .iter()
            .filter(|(series, _)| series.starts_with(family));
        matching.map(|(_, count)| count).sum::<f64>()
    };
    #[expect(clippy::cast_precision_loss)]
    let attempts = attempts as f64;
    assert_eq!(of(CALLS), attempts, "seed {seed}");
    eventually("all calls have ended", async || {
        gateway.scrape().await.sum(CALLS) == attempts
    })
    .await;
    let scrape = gateway.scrape().await;
    for (series, count) in &oracle.counts {
        assert_eq!(
            scrape.sum(series),
            *count,
            "seed {seed}: {series} {rules:?}"
        );
    }
    for family in [CALLS, DECISIONS, SKIPS, SEARCHES] {
        assert_eq!(
            scrape.sum(family),
            of(family),
            "seed {seed}: {family} {rules:?}"
        );
    }
    assert_eq!(scrape.sum(SEARCHES), 40.0);
}

#[tokio::test]
async fn each_attempt_is_a_call_whatever_candidates_do() {
    for seed in 0..8 {
        play(seed).await;
    }
}
