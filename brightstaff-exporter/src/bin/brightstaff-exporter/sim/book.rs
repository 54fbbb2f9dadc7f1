//! The book: which calls are to be answered how, and what became of them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use serde_json::Value;
use tokio::sync::Notify;

use super::{Behaviour, Call, Finish, Marks, Usage, call::OpenCall};

/// The header in which a call names its plan. A gateway passes it on like any header.
pub(crate) const PLAN_HEADER: &str = "x-simulated-plan";

/// Plans, and the calls that were made. Shared by the simulated providers and those who plan.
#[derive(Debug, Default)]
pub(crate) struct Book {
    state: Mutex<State>,
    tokens: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    plans: HashMap<u64, Plan>,
    calls: Vec<Call>,
    open: usize,
}

#[derive(Debug)]
struct Plan {
    /// One for each attempt that is yet to come.
    behaviours: VecDeque<Behaviour>,
    attempts: usize,
    reached: Arc<Notify>,
    marks: Option<Marks>,
}

impl Book {
    /// Calls that name this plan are answered so, attempt by attempt; the attempts after those are
    /// answered soundly. Notifies when a call with this plan is in a provider's hands.
    pub(crate) fn plan(
        &self,
        id: u64,
        behaviours: impl IntoIterator<Item = Behaviour>,
    ) -> Arc<Notify> {
        let reached = Arc::new(Notify::new());
        let plan = Plan {
            behaviours: behaviours.into_iter().collect(),
            attempts: 0,
            reached: Arc::clone(&reached),
            marks: None,
        };
        self.state().plans.insert(id, plan);
        reached
    }

    /// No call will name this plan any more.
    pub(crate) fn forget(&self, id: u64) {
        self.state().plans.remove(&id);
    }

    /// Where the instants are in the body of the plan's latest response. Known before its first byte.
    pub(crate) fn marks(&self, id: u64) -> Option<Marks> {
        self.state().plans.get(&id)?.marks
    }

    /// Calls that have not ended.
    pub(crate) fn open(&self) -> usize {
        self.state().open
    }

    /// The output tokens that were sent so far.
    pub(crate) fn tokens(&self) -> u64 {
        self.tokens.load(Ordering::Relaxed)
    }

    pub(super) fn sent(&self, tokens: u64) {
        self.tokens.fetch_add(tokens, Ordering::Relaxed);
    }

    /// Every call with a plan that has ended since the last time; they are in the book no more.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    pub(super) fn arrive(
        self: &Arc<Self>,
        plan: Option<u64>,
        upstream: &Arc<str>,
        request: &Value,
    ) -> (Behaviour, OpenCall) {
        let arrived = Instant::now();
        let mut state = self.state();
        state.open += 1;
        let planned = plan.and_then(|id| state.plans.get_mut(&id));
        let (behaviour, attempt) = match planned {
            Some(plan) => {
                plan.attempts += 1;
                plan.reached.notify_one();
                let behaviour = plan.behaviours.pop_front().unwrap_or_default();
                (behaviour, plan.attempts - 1)
            }
            None => (Behaviour::ordinary(request), 0),
        };
        let call = Call {
            plan,
            attempt,
            upstream: Arc::clone(upstream),
            model: request["model"].as_str().unwrap_or_default().to_owned(),
            streamed: false,
            arrived,
            answered: None,
            first_byte: None,
            first_token: None,
            terminal: None,
            usage: Usage::default(),
            settled: false,
            finish: Finish::HungUp,
            ended: arrived,
        };
        let call = OpenCall {
            call: Some(call),
            book: Arc::clone(self),
        };
        (behaviour, call)
    }

    pub(super) fn mark(&self, plan: Option<u64>, marks: Marks) {
        let mut state = self.state();
        if let Some(plan) = plan.and_then(|id| state.plans.get_mut(&id)) {
            plan.marks = Some(marks);
        }
    }

    pub(super) fn close(&self, call: Call) {
        let mut state = self.state();
        state.open -= 1;
        // Without a plan nobody asks what became of it.
        if call.plan.is_some() {
            state.calls.push(call);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves counts that are still true.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
