use std::sync::{Arc, OnceLock};

use super::series::Pair;
use crate::{
    buckets::Buckets,
    labels::{OTHER, UNKNOWN},
    table::{Keyed, Room},
};

/// How many models of a provider may get series that nobody declared, where it is not said.
pub(crate) const DEFAULT_OPEN_MODELS: usize = 50;

/// How many providers may be named after the registration.
pub(crate) const MAX_LATER_PROVIDERS: usize = 64;

/// A provider that the gateway named: its calls carry its name, whatever becomes of them.
pub(crate) struct Provider {
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
    pub(crate) fn new(name: &str, open_models: usize, aside: bool) -> Self {
        Self {
            name: name.into(),
            open_models,
            aside,
            room: Room::new(open_models),
            unknown: OnceLock::new(),
            other: OnceLock::new(),
        }
    }

    /// How many slots are set aside for it.
    pub(crate) fn set_aside(&self) -> usize {
        if self.aside { self.open_models } else { 0 }
    }

    /// The rooms that a model needs a place in which nobody declared.
    pub(crate) fn rooms<'a>(&'a self, rest: &'a Room) -> impl Iterator<Item = &'a Room> + Clone {
        let rest = (!self.aside).then_some(rest);
        [&self.room].into_iter().chain(rest)
    }

    /// The place of a pair that takes no slot.
    pub(crate) fn of(&self, model: &str) -> Option<&OnceLock<Arc<Pair>>> {
        match model {
            UNKNOWN => Some(&self.unknown),
            OTHER => Some(&self.other),
            _ => None,
        }
    }

    pub(crate) fn unknown(&self, buckets: &Buckets) -> &Arc<Pair> {
        self.unknown
            .get_or_init(|| Arc::new(Pair::new(&self.name, UNKNOWN, buckets)))
    }

    pub(crate) fn other(&self, buckets: &Buckets) -> &Arc<Pair> {
        self.other
            .get_or_init(|| Arc::new(Pair::new(&self.name, OTHER, buckets)))
    }

    /// The pairs that take no slot, as far as they have their series.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = &Pair> + Clone {
        let places = [&self.unknown, &self.other].into_iter();
        places.filter_map(|place| place.get().map(Arc::as_ref))
    }
}

impl Keyed<1> for Provider {
    fn key(&self) -> [&str; 1] {
        [&self.name]
    }
}
