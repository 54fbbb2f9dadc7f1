//! What is over, folded into the truth: so that a demo of hours holds no more than one of minutes.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use super::{
    client::Ending,
    truth::{Made, Teller, Truth},
};
use crate::sim::{Book, Call};

/// For how long after its client's end a request may still have a call that ends, or even one that arrives. As long
/// as a client's own patience: by then the gateway has let go.
const GRACE: Duration = Duration::from_secs(60);

/// The first order that is dealt.
const FIRST: u64 = 1;

/// What was made so far.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// Whether every request and every call is kept, since somebody wants to read them.
    keep: bool,
    teller: Teller,
    told: Counts,
    /// What is not told yet, or kept.
    pub(super) made: BTreeMap<u64, Made>,
    pub(super) calls: Vec<Call>,
    /// The order that is told next.
    next: u64,
}

/// How many there were.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) requests: usize,
    pub(super) calls: usize,
    pub(super) streamed: usize,
    pub(super) broken: usize,
    pub(super) hung_up: usize,
}

impl Past {
    /// With `keep` it stays whole, and grows.
    pub(super) fn new(keep: bool) -> Self {
        Self {
            keep,
            next: FIRST,
            ..Self::default()
        }
    }

    /// A request is over for its client.
    pub(super) fn push(&mut self, made: Made) {
        self.made.insert(made.order.id, made);
    }

    /// Takes the calls that have ended, and tells what is over at this instant, in the order in which it was dealt,
    /// which is that of each session.
    pub(super) fn fold(&mut self, book: &Book, now: Instant) {
        self.calls.extend(book.take_calls());
        if self.keep {
            return;
        }
        let mut over = Vec::new();
        while let Some(entry) = self.made.first_entry()
            && *entry.key() == self.next
            && now.saturating_duration_since(entry.get().seen.ended) > GRACE
        {
            over.push(entry.remove());
            self.next += 1;
        }
        let mut by_plan = by_plan(&mut self.calls, self.next);
        for made in over {
            let id = made.order.id;
            book.forget(id);
            let calls = by_plan.remove(&id).unwrap_or_default();
            self.told.add(&made, &calls);
            self.teller.tell(&made, &calls.iter().collect::<Vec<_>>());
        }
    }

    /// The truth of all of it.
    pub(super) fn truth(&self) -> Truth {
        let mut teller = self.teller.clone();
        let mut calls = self.calls.clone();
        let mut by_plan = by_plan(&mut calls, u64::MAX);
        for made in self.made.values() {
            let calls = by_plan.remove(&made.order.id).unwrap_or_default();
            teller.tell(made, &calls.iter().collect::<Vec<_>>());
        }
        teller.truth
    }

    /// How many of all there were.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = self.told;
        for made in self.made.values() {
            counts.add(made, &[]);
        }
        counts.calls += self.calls.len();
        counts.streamed += self.calls.iter().filter(|call| call.streamed).count();
        counts
    }
}

impl Counts {
    fn add(&mut self, made: &Made, calls: &[Call]) {
        self.requests += 1;
        self.calls += calls.len();
        self.streamed += calls.iter().filter(|call| call.streamed).count();
        self.broken += usize::from(made.seen.ending == Ending::Broken);
        self.hung_up += usize::from(matches!(made.seen.ending, Ending::HungUp(_)));
    }
}

/// The calls of the orders before this one, by their order and in the order of their attempts; the others stay.
fn by_plan(calls: &mut Vec<Call>, before: u64) -> HashMap<u64, Vec<Call>> {
    let mut by_plan: HashMap<u64, Vec<Call>> = HashMap::new();
    for call in calls.extract_if(.., |call| call.plan.is_some_and(|plan| plan < before)) {
        by_plan
            .entry(call.plan.unwrap_or_default())
            .or_default()
            .push(call);
    }
    for calls in by_plan.values_mut() {
        calls.sort_by_key(|call| call.attempt);
    }
    by_plan
}
