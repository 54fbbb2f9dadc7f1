use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use super::{Context, pair::Pair};
use crate::{
    labels::{OTHER, UNKNOWN},
    series::{Keyed, Room},
};

/// How many models of a provider may get series that nobody declared, where it is not said.
pub(crate) const DEFAULT_OPEN_MODELS: usize = 50;

/// How many providers may be named after the registration.
pub(super) const MAX_LATER_PROVIDERS: usize = 64;

/// A provider that the gateway named: its calls carry its name, however they end.
pub(crate) struct Provider {
    context: Arc<Context>,
    name: Box<str>,
    open_models: usize,
    aside: bool,
    /// For models that nobody declared.
    room: Room,
    /// Calls that no model answered.
    unknown: OnceLock<Arc<Pair>>,
    /// Calls to models that have no series of their own.
    other: OnceLock<Arc<Pair>>,
}

impl Provider {
    /// `aside`: the room for its open models is set aside for it.
    pub(crate) fn new(context: &Arc<Context>, name: &str, open_models: usize, aside: bool) -> Self {
        Self {
            context: Arc::clone(context),
            name: name.into(),
            open_models,
            aside,
            room: Room::new(open_models),
            unknown: OnceLock::new(),
            other: OnceLock::new(),
        }
    }

    /// Every provider that is named, by these pairs or by itself, with what was said of it last.
    pub(crate) fn named(
        context: &Arc<Context>,
        upstreams: &[(String, String)],
        providers: &[(String, usize)],
    ) -> Vec<Self> {
        let declared = upstreams.iter().map(|(provider, _)| (provider, None));
        let told = providers.iter().map(|(name, models)| (name, Some(*models)));
        let mut named: BTreeMap<&str, Option<usize>> = BTreeMap::new();
        for (name, open_models) in declared.chain(told) {
            // What nobody named is called so.
            if name != OTHER {
                named.insert(name, open_models);
            }
        }
        named
            .into_iter()
            .map(|(name, open_models)| {
                let models = open_models.unwrap_or(DEFAULT_OPEN_MODELS);
                Self::new(context, name, models, open_models.is_some())
            })
            .collect()
    }

    pub(super) fn is_aside(&self) -> bool {
        self.aside
    }

    /// How many slots are set aside for it.
    pub(super) fn set_aside(&self) -> usize {
        if self.aside { self.open_models } else { 0 }
    }

    /// The rooms that a model needs a place in which nobody declared.
    pub(super) fn rooms<'a>(&'a self, rest: &'a Room) -> impl Iterator<Item = &'a Room> + Clone {
        let rest = (!self.aside).then_some(rest);
        [&self.room].into_iter().chain(rest)
    }

    /// The place of a pair that takes no slot.
    pub(super) fn place(&self, model: &str) -> Option<&OnceLock<Arc<Pair>>> {
        match model {
            UNKNOWN => Some(&self.unknown),
            OTHER => Some(&self.other),
            _ => None,
        }
    }

    pub(super) fn unknown(&self) -> &Arc<Pair> {
        self.unknown.get_or_init(|| self.pair(UNKNOWN))
    }

    pub(super) fn other(&self) -> &Arc<Pair> {
        self.other.get_or_init(|| self.pair(OTHER))
    }

    fn pair(&self, model: &str) -> Arc<Pair> {
        Arc::new(Pair::new(&self.context, &self.name, model))
    }

    /// The pairs that take no slot, as far as they have their series.
    pub(super) fn pairs(&self) -> impl Iterator<Item = &Pair> + Clone {
        let places = [&self.unknown, &self.other].into_iter();
        places.filter_map(|place| place.get().map(Arc::as_ref))
    }
}

impl Keyed<1> for Provider {
    fn key(&self) -> [&str; 1] {
        [&self.name]
    }
}
