use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    Context,
    pair::{InFlight, Pair},
    provider::{DEFAULT_OPEN_MODELS, MAX_LATER_PROVIDERS, Provider},
};
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
    /// there, is for their models alone.
    pub(crate) fn new(
        context: Arc<Context>,
        declared: &[(String, String)],
        providers: Vec<Provider>,
        cap: usize,
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
            pairs: Table::new(reserved, cap),
            providers,
            in_flight,
            rest: Room::new(rest),
        }
    }

    pub(crate) fn id(&self) -> usize {
        self.id
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The provider is named: its failures carry its name from now on, and those that no model answered have
    /// their series.
    pub(crate) fn name(&self, provider: &str) {
        let make =
            |[name]: [&str; 1]| Provider::new(&self.context, name, DEFAULT_OPEN_MODELS, false);
        if let Some(named) = self.providers.insert([provider], [].into_iter(), make) {
            self.show_in_flight(provider);
            if self.pairs.get([provider, UNKNOWN]).is_none() {
                named.unknown();
            }
        }
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
        let (pair, folded) = match self.providers.get([call.provider]) {
            Some(named) => match call.model {
                UNKNOWN | OTHER => (self.unearned(named, call.model), false),
                _ => match self.earn(call, named.rooms(&self.rest)) {
                    Some(pair) => (pair, false),
                    None => (self.unearned(named, OTHER), true),
                },
            },
            None => match self.earn(call, std::iter::once(&self.rest)) {
                Some(pair) => (pair, false),
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

    /// The children of its own, where a call has some or earns them.
    // What `impl Trait` asks for cannot be elided yet.
    #[allow(single_use_lifetimes)]
    fn earn<'a>(
        &self,
        call: Call<'_>,
        rooms: impl Iterator<Item = &'a Room> + Clone,
    ) -> Option<&Arc<Pair>> {
        let key = [call.provider, call.model];
        let known = self.pairs.get(key);
        if known.is_some() || !call.success {
            return known;
        }
        let earned = self.pairs.insert(key, rooms, |key| self.pair(key))?;
        self.show_in_flight(call.provider);
        Some(earned)
    }

    fn pair(&self, [provider, model]: [&str; 2]) -> Pair {
        Pair::new(&self.context, provider, model)
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
        } = self;
        // Nothing is told twice, should a pair have been earned while its provider was being named.
        let only_there = |pair: &&Pair| pairs.get(pair.key()).is_none();
        let takes_no_slot = || {
            let pairs = providers.iter().flat_map(Provider::pairs);
            pairs.filter(only_there)
        };
        walk_groups(|| in_flight.iter(), visitor);
        walk_groups(|| pairs.iter().chain(takes_no_slot()), visitor);
    }
}

static NEXT_ID: AtomicUsize = AtomicUsize::new(0);
