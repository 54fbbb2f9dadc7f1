//! What an event says of the response.

use super::Reader;
use crate::meter::apis::{self, Api};
use crate::meter::calls::Calls;
use crate::meter::event::MAX_KIND;
use crate::meter::said::Said;
use crate::meter::seen::Seen;
use crate::meter::short::Short;
use crate::meter::spec::{self, Verdict};
use crate::meter::usage::{self, Counts, Slot, Update};

impl Reader {
    /// Takes what the event says of the whole response; what it says of the stream is the verdict.
    pub(super) fn judge(&mut self, name: &Short<MAX_KIND>) -> Verdict {
        self.event.close();
        self.event.name(name);
        self.recognise();
        let event = &self.event;
        let (mut verdict, calls) = match self.family {
            Some(api) => {
                let spec = api.spec();
                let api = Some(api);
                let said = Said { event, api };
                ((spec.judge)(&said), (spec.calls)(&said))
            }
            None => (spec::unknown(event), Calls::Unknown),
        };
        self.facts.details.tool_calls = self.calls.take(calls, &event.calls);
        verdict.end |= self.invoke && event.seen(Seen::GUARDRAIL);
        self.facts.recognised |= self.family.is_some() || verdict.error;
        if self.learned {
            self.plain = Some(*name);
            if verdict.end || verdict.finish || verdict.error || calls.adds() {
                self.shape.forget();
            }
        }
        self.choices.add(self.event.choices);
        self.finished |= verdict.finish;
        self.take_counts(&verdict);
        verdict
    }

    fn take_counts(&mut self, verdict: &Verdict) {
        let event = &self.event;
        let facts = &mut self.facts;
        if facts.model.is_none() {
            facts.model = event.model;
        }
        if !event.reason.is_empty() {
            facts.details.reason = event.reason;
        }
        if !event.tier.is_empty() {
            facts.details.tier = event.tier;
        }
        facts.details.cost = event.cost.or(facts.details.cost);
        facts.timed |= event.seen(Seen::SECONDS);
        let ended = facts.error || verdict.error || self.ended || verdict.end || self.finished;
        facts.usage_final |= verdict.final_usage || (ended && event.counts.any_or_metrics());
        if !event.counts.any_or_metrics() && !self.guessed {
            return;
        }
        let update = self.family.map_or(Update::Each, |api| api.spec().update);
        self.counts.update(&event.counts, update);
        let usage = self
            .family
            .map_or(usage::inclusive as fn(&Counts) -> _, |api| api.spec().usage);
        facts.usage = usage(&self.counts);
        let details = &mut facts.details;
        details.cache_write_5m = self.counts.get(Slot::CacheWrite5m);
        details.cache_write_1h = self.counts.get(Slot::CacheWrite1h);
        details.prompt_audio = self.counts.get(Slot::PromptAudio);
        details.prompt_image = self.counts.get(Slot::PromptImage);
        details.completion_audio = self.counts.get(Slot::CompletionAudio);
        details.completion_image = self.counts.get(Slot::CompletionImage);
    }

    /// Until the first token, a later event may know better who speaks.
    fn recognise(&mut self) {
        if !self.guessed && self.facts.first_token_event.is_some() {
            return;
        }
        if let Some((api, sure)) = apis::recognise(&self.event)
            && (sure || self.guessed)
        {
            self.family = Some(api);
            self.guessed = !sure;
        }
        self.facts.api = if self.invoke {
            Some(Api::BedrockInvoke)
        } else {
            self.family
        };
    }

    pub(super) fn record(&mut self, verdict: Verdict) {
        let facts = &mut self.facts;
        if verdict.token && facts.first_token_event.is_none() {
            facts.first_token_event = Some(facts.events);
        }
        facts.events += 1;
        facts.reasoning_streamed |= verdict.reasoning;
        facts.error |= verdict.error;
        self.ended |= verdict.end;
        // A choice that comes after the others' end has to finish too.
        facts.terminal = self.ended || (self.finished && self.choices.all_finished());
        facts.choices = self.choices.count();
    }
}
