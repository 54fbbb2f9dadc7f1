//! Calls to providers, attempt by attempt.

use brightstaff_metrics_core::catalogue as c;

use super::{Between, Made, Span, Truth};
use crate::{
    demo::{client::Ending, setup::AGENT},
    sim::{Call, Finish},
};

pub(super) fn add(truth: &mut Truth, made: &Made, attempts: &[&Call]) {
    for (index, call) in attempts.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| attempts[before]);
        let after = attempts.get(index + 1).copied();
        Attempt::new(made, call, before, after).add(truth);
    }
}

/// One call, among the other attempts of its request.
struct Attempt<'a> {
    made: &'a Made,
    call: &'a Call,
    pair: [(&'static str, &'a str); 2],
    start: Between,
    end: Between,
    /// `none`, or what went wrong.
    class: &'static str,
}

impl<'a> Attempt<'a> {
    fn new(
        made: &'a Made,
        call: &'a Call,
        before: Option<&'a Call>,
        after: Option<&'a Call>,
    ) -> Self {
        let seen = &made.seen;
        // An attempt starts after the one before it was refused.
        let refused = before.and_then(|before| before.answered).map(|(_, at)| at);
        let start = Between::new(refused.unwrap_or(seen.sent), call.arrived);
        let end = match (seen.ending, after) {
            (Ending::HungUp(_), None) => Between::new(seen.ended, call.ended),
            (_, None) => Between::new(call.body_ended(), seen.ended),
            (_, Some(after)) => Between::new(call.body_ended(), after.arrived),
        };
        let agent = made.order.handler == "agent_chat";
        let model = if agent { AGENT } else { &*call.model };
        Self {
            made,
            call,
            pair: [("provider", &*call.upstream), ("model", model)],
            start,
            end,
            class: error_class(call),
        }
    }

    fn add(&self, truth: &mut Truth) {
        let status = match self.call.answered {
            Some((status, _)) => format!("{}xx", status / 100),
            None => "error".to_owned(),
        };
        let [provider, model] = self.pair;
        let labels = [
            ("status_class", &*status),
            ("error_class", self.class),
            provider,
            model,
        ];
        truth.count(c::UPSTREAM_REQUESTS.name, labels, 1);
        // Nothing is in flight any more, and every provider that was ever called says so.
        truth.count(c::UPSTREAM_IN_FLIGHT.name, [provider], 0);
        let outcome = if self.ended_well() { "ok" } else { "error" };
        let duration = Span::from(self.start, self.end);
        let labels = [("outcome", outcome), provider, model];
        truth.time(c::UPSTREAM_DURATION.name, labels, duration);
        if self.call.succeeded() {
            if self.call.streamed {
                self.add_stream(truth);
            }
            self.add_usage(truth);
        }
    }

    /// The gateway passes an instant after the provider made it, and before the client saw it.
    fn add_stream(&self, truth: &mut Truth) {
        let (call, seen) = (self.call, &self.made.seen);
        let passed =
            |provider, client: Option<_>| Between::new(provider, client.unwrap_or(seen.ended));
        if let Some(at) = call.first_byte {
            let took = Span::from(self.start, passed(at, seen.first_byte));
            truth.time(c::TIME_TO_FIRST_BYTE.name, self.pair, took);
        }
        let Some(at) = call.first_token else { return };
        let first_token = passed(at, seen.first_token);
        let took = Span::from(self.start, first_token);
        truth.time(c::TIME_TO_FIRST_TOKEN.name, self.pair, took);
        let hidden = match call.usage.reasoning {
            Some(reasoning) if !call.usage.reasoning_streamed => reasoning,
            _ => 0,
        };
        let tokens = call.usage.completion.map_or(0, |tokens| tokens - hidden);
        if let (true, Some(at), 2..) = (self.ended_well(), call.terminal, tokens) {
            let took = Span::from(first_token, passed(at, seen.terminal)).divided(tokens - 1);
            truth.time(c::TIME_PER_OUTPUT_TOKEN.name, self.pair, took);
        }
    }

    fn add_usage(&self, truth: &mut Truth) {
        let usage = self.call.usage;
        let [provider, model] = self.pair;
        for (kind, tokens) in [("prompt", usage.prompt), ("completion", usage.completion)] {
            let labels = [("kind", kind), provider, model];
            truth.count(c::TOKENS.name, labels, tokens.unwrap_or(0));
            if let (Some(tokens), true) = (tokens, self.ended_well()) {
                truth.size(c::REQUEST_TOKENS.name, labels, tokens);
            }
        }
        for (kind, tokens) in [
            ("cache_read", usage.cache_read),
            ("cache_write", usage.cache_write),
            ("reasoning", usage.reasoning),
        ] {
            let labels = [("kind", kind), provider, model];
            truth.count(c::TOKEN_DETAILS.name, labels, tokens.unwrap_or(0));
        }
        if !self.call.settled {
            let reason = if self.ended_well() {
                "not_reported"
            } else {
                "interrupted"
            };
            truth.count(
                c::USAGE_MISSING.name,
                [("reason", reason), provider, model],
                1,
            );
        }
    }

    fn ended_well(&self) -> bool {
        self.class == "none"
    }
}

impl Call {
    /// Whether its status was a 2xx.
    pub(super) fn succeeded(&self) -> bool {
        matches!(self.answered, Some((200..300, _)))
    }

    /// From when on the gateway may have seen the end of the body. The body of a refusal is nobody's
    /// to read, so that its head may be all.
    pub(super) fn body_ended(&self) -> std::time::Instant {
        match self.answered {
            Some((_, at)) if !self.succeeded() => at,
            _ => self.ended,
        }
    }
}

fn error_class(call: &Call) -> &'static str {
    let unfinished = call.streamed && call.terminal.is_none();
    match (call.answered, call.finish) {
        (None, _) => "cancelled",
        (Some((429, _)), _) => "rate_limit",
        _ if !call.succeeded() => "status",
        (_, Finish::Error | Finish::Cut) => "stream",
        (_, Finish::End) if unfinished => "stream",
        (_, Finish::HungUp) if unfinished || !call.streamed => "cancelled",
        (_, Finish::End | Finish::HungUp) => "none",
    }
}
