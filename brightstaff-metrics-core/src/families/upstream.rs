use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use super::{
    Context,
    pair::{InFlight, Pair},
    provider::{DEFAULT_OPEN_MODELS, MAX_LATER_PROVIDERS, Provider},
};
#[cfg(feature = "otlp")]
use crate::series::GenAiOperations;
use crate::{
    catalogue::Family,
    labels::{OTHER, OverflowLabel, UNKNOWN},
    series::{Group as _, Keyed as _, Room, Table, Visitor, walk_groups},
};

/// The families of calls to providers, by pair of provider and model.
pub(crate) struct UpstreamFamilies {
    /// Which of the process's they are, from 0 in the order of their making: what marks name them by.
    id: usize,
    context: Arc<Context>,
    pairs: Table<Pair, 2>,
    providers: Table<Provider, 1>,
    /// Of providers that were named, and of those of a pair that earned a slot.
    in_flight: Table<InFlight, 1>,
    /// What is left of the cap for pairs whose provider has no room set aside.
    rest: Room,
    /// Whether some layer measures responses as calls: then those of calls that are told have to be marked.
    implied: AtomicBool,
    /// Held by who declares something after the registration.
    declaring: Mutex<()>,
}

/// A call that ended, by whom it went to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) provider: &'a str,
    pub(crate) model: &'a str,
    /// One of them could not be a label value, and stands as `other`.
    pub(crate) unfit: bool,
    /// Its status was a 2xx.
    pub(crate) success: bool,
}

impl UpstreamFamilies {
    /// `cap` bounds the pairs that are not declared. What `providers` set aside, where all of it fits in
    /// there, is for their models alone. `later` bounds what is declared after that.
    pub(crate) fn new(
        context: Arc<Context>,
        declared: &[(String, String)],
        providers: Vec<Provider>,
        cap: usize,
        later: usize,
    ) -> Self {
        let aside = providers.iter().map(Provider::set_aside).sum();
        let rest = cap.checked_sub(aside).unwrap_or(cap);
        let shut_out = rest == 0 && !providers.iter().all(Provider::is_aside);
        let rest = if shut_out { cap } else { rest };
        let in_flight = providers.iter().map(|provider| {
            let [name] = provider.key();
            InFlight::new(&context, name)
        });
        let in_flight = Table::new(in_flight.collect(), MAX_LATER_PROVIDERS + cap);
        let providers = Table::new(providers, MAX_LATER_PROVIDERS);
        let mut reserved = Vec::new();
        for (provider, model) in declared {
            let pair = Pair::new(&context, provider, model);
            let named = providers.get([provider]);
            match named.and_then(|named: &Arc<Provider>| named.place(model)) {
                Some(place) => drop(place.set(Arc::new(pair))),
                None => reserved.push(pair),
            }
        }
        // The first failure of a model that nobody declared has to show.
        for provider in providers.iter().filter(|provider| provider.set_aside() > 0) {
            provider.other();
        }
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            context,
            pairs: Table::with_later(reserved, cap, later),
            providers,
            in_flight,
            rest: Room::new(rest),
            implied: AtomicBool::new(false),
            declaring: Mutex::new(()),
        }
    }

    /// The provider is named from now on, if it was not, and room for as many of its models is set aside, if that was
    /// kept for later. `false` where no more providers can be named.
    pub(crate) fn declare_provider(&self, provider: &str, open_models: usize) -> bool {
        let _alone = self
            .declaring
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // What nobody named is called so.
        if provider == OTHER || self.providers.get([provider]).is_some() {
            return true;
        }
        let aside = self.pairs.raise_cap(open_models);
        let Some(named) = self.insert_provider(provider, open_models, aside) else {
            return false;
        };
        if named.set_aside() > 0 {
            self.unearned(named, OTHER);
        }
        true
    }

    /// The pair has its series from now on, if it had none, and its provider is named. `false` where no room for it is
    /// left of what was kept for later.
    pub(crate) fn declare_pair(&self, provider: &str, model: &str) -> bool {
        let _alone = self
            .declaring
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let named = self.insert_provider(provider, DEFAULT_OPEN_MODELS, false);
        match (named, model) {
            (Some(named), UNKNOWN | OTHER) => {
                self.unearned(named, model);
                true
            }
            (None, _) if provider != OTHER => false,
            _ => self
                .pairs
                .reserve([provider, model], |key| self.pair(key))
                .is_some(),
        }
    }

    pub(crate) fn id(&self) -> usize {
        self.id
    }

    /// Some layer measures responses as calls from now on.
    pub(crate) fn imply(&self) {
        self.implied.store(true, Ordering::Relaxed);
    }

    /// Whether one does.
    pub(crate) fn are_implied(&self) -> bool {
        self.implied.load(Ordering::Relaxed)
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The provider is named: its failures carry its name from now on, and those that no model answered have
    /// their series.
    pub(crate) fn name(&self, provider: &str) {
        if let Some(named) = self.insert_provider(provider, DEFAULT_OPEN_MODELS, false) {
            self.unearned(named, UNKNOWN);
        }
    }

    /// The provider of this name, named now if it was not; `None` where no more can be.
    fn insert_provider(
        &self,
        provider: &str,
        open_models: usize,
        aside: bool,
    ) -> Option<&Arc<Provider>> {
        let make = |[name]: [&str; 1]| Provider::new(&self.context, name, open_models, aside);
        let name = || self.providers.insert([provider], [].into_iter(), make);
        // A pair of this provider that earns its slot is there before, and is used on, or never will be.
        let named = self.pairs.alone(name)?;
        self.show_in_flight(provider);
        Some(named)
    }

    /// The children of a pair that has some.
    pub(crate) fn get(&self, provider: &str, model: &str) -> Option<&Arc<Pair>> {
        self.pairs.get([provider, model]).or_else(|| {
            let named = self.providers.get([provider])?;
            named.place(model)?.get()
        })
    }

    /// The gauge of a provider's calls in flight; that of `other` where no provider of this name was named, and
    /// none has earned a slot yet.
    pub(crate) fn in_flight(&self, provider: &str) -> &Arc<InFlight> {
        self.in_flight.get([provider]).unwrap_or_else(|| {
            self.in_flight
                .other(|[name]| InFlight::new(&self.context, name))
        })
    }

    /// Gives a provider its own gauge of calls in flight.
    fn show_in_flight(&self, provider: &str) {
        let make = |[name]: [&str; 1]| InFlight::new(&self.context, name);
        self.in_flight.insert([provider], [].into_iter(), make);
    }

    /// The children in which a call that ended is recorded. Only a 2xx earns a pair a slot, so that names
    /// which no provider knows take none; else the model is `other`, and the provider, too, where nobody
    /// named it, and one overflow is counted.
    pub(crate) fn admit(&self, call: Call<'_>) -> &Arc<Pair> {
        let is_unnamed = || self.providers.get([call.provider]).is_none();
        let (pair, folded) = match self.providers.get([call.provider]) {
            Some(named) => match call.model {
                UNKNOWN | OTHER => (self.unearned(named, call.model), false),
                _ => match self.earn(call, named.rooms(&self.rest), || true) {
                    Some(pair) => (pair, false),
                    None => (self.unearned(named, OTHER), true),
                },
            },
            None => match self.earn(call, std::iter::once(&self.rest), is_unnamed) {
                Some(pair) => (pair, false),
                // It was named meanwhile.
                None if !is_unnamed() => return self.admit(call),
                None => {
                    let called_so = [call.provider, call.model] == [OTHER; 2];
                    (self.pairs.other(|key| self.pair(key)), !called_so)
                }
            },
        };
        if folded || call.unfit {
            self.context.folded(OverflowLabel::Upstream);
        }
        pair
    }

    /// The provider's `unknown` or `other`, which takes no slot, unless it earned one before it was named.
    fn unearned<'a>(&'a self, named: &'a Provider, model: &str) -> &'a Arc<Pair> {
        let [name] = named.key();
        let earned = self.pairs.get([name, model]);
        earned.unwrap_or_else(|| match model {
            UNKNOWN => named.unknown(),
            _ => named.other(),
        })
    }

    /// The children of its own, where a call has some or earns them, which `may` can deny while nobody is named.
    // What `impl Trait` asks for cannot be elided yet.
    #[allow(single_use_lifetimes)]
    fn earn<'a>(
        &self,
        call: Call<'_>,
        rooms: impl Iterator<Item = &'a Room> + Clone,
        may: impl FnOnce() -> bool,
    ) -> Option<&Arc<Pair>> {
        let key = [call.provider, call.model];
        let known = self.pairs.get(key);
        if known.is_some() || !call.success {
            return known;
        }
        let make = |key: [&str; 2]| self.pair(key);
        let earned = self.pairs.insert_if(may, key, rooms, make)?;
        self.show_in_flight(call.provider);
        Some(earned)
    }

    fn pair(&self, [provider, model]: [&str; 2]) -> Pair {
        Pair::new(&self.context, provider, model)
    }

    /// What the `gen_ai` view tells, by provider and model: nothing where it is off.
    #[cfg(feature = "otlp")]
    pub(crate) fn gen_ai(&self) -> impl Iterator<Item = ([&str; 2], &GenAiOperations)> {
        let takes_no_slot = self.providers.iter().flat_map(Provider::pairs);
        let pairs = self.pairs.iter().chain(takes_no_slot);
        pairs.filter_map(|pair| Some((pair.key(), pair.gen_ai()?)))
    }

    pub(crate) const FAMILIES: [&'static Family; 10] = {
        let [in_flight] = InFlight::FAMILIES;
        let [a, b, c, d, e, f, g, h, i] = Pair::FAMILIES;
        [in_flight, a, b, c, d, e, f, g, h, i]
    };

    pub(crate) fn walk(&self, visitor: &mut dyn Visitor) {
        let Self {
            id: _,
            context: _,
            pairs,
            providers,
            in_flight,
            rest: _,
            implied: _,
            declaring: _,
        } = self;
        let takes_no_slot = || providers.iter().flat_map(Provider::pairs);
        walk_groups(|| in_flight.iter(), visitor);
        walk_groups(|| pairs.iter().chain(takes_no_slot()), visitor);
    }
}

static NEXT_ID: AtomicUsize = AtomicUsize::new(0);

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;
    use crate::{
        buckets::Buckets,
        clock::Clock,
        labels::{ErrorClass, StatusClass},
    };

    fn families() -> UpstreamFamilies {
        let context = Context::new(Clock::manual(), Buckets::default());
        UpstreamFamilies::new(Arc::new(context), &[], Vec::new(), 2, 0)
    }

    fn call(model: &str, success: bool) -> Call<'_> {
        Call {
            provider: "p",
            model,
            unfit: false,
            success,
        }
    }

    /// All pairs of a provider and model that are shown.
    fn shown<'a>(families: &'a UpstreamFamilies, model: &str) -> Vec<&'a Pair> {
        let unearned = families.providers.iter().flat_map(Provider::pairs);
        let pairs = families.pairs.iter().chain(unearned);
        pairs.filter(|pair| pair.key() == ["p", model]).collect()
    }

    /// Whether its pair earns a slot first or its provider is named first: there is one of it, and all is counted
    /// there.
    #[test]
    fn a_pair_that_is_earned_while_its_provider_is_named_is_one() {
        const ROUNDS: usize = 4_000;
        let earned = (0..ROUNDS).filter(|round| {
            let model = [UNKNOWN, OTHER][round % 2];
            let families = families();
            let together = Barrier::new(2);
            let count = |success| {
                let pair = families.admit(call(model, success));
                pair.requests(StatusClass::Success, ErrorClass::None).inc();
            };
            thread::scope(|scope| {
                scope.spawn(|| {
                    together.wait();
                    families.name("p");
                    count(false);
                });
                together.wait();
                count(true);
            });
            count(false);
            let pairs = shown(&families, model);
            let counted = pairs
                .iter()
                .map(|pair| pair.requests(StatusClass::Success, ErrorClass::None).get());
            assert_eq!(counted.collect::<Vec<_>>(), [3], "{model} in round {round}");
            families.pairs.get(["p", model]).is_some()
        });
        println!("earned first in {} of {ROUNDS} rounds", earned.count());
    }
}
