//! Deltas: what was added since the last export that was acknowledged.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;

/// The totals of all series in one export, which the deltas of later ones are taken from once it is acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Nanoseconds since the Unix epoch; 0 where nothing was exported yet.
    pub(crate) at: u64,
    places: HashMap<Arc<[u8]>, Place, RandomState>,
    words: Vec<u64>,
}

/// Where the totals of a series stand among the words.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: usize,
    len: usize,
    form: Form,
}

/// What the totals of a series are made of. Ours are whole, until a registry has the say over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Whole,
    Float,
}

/// The totals of a series before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Before<'a> {
    pub(super) words: &'a [u64],
    pub(super) form: Form,
}

/// Notes the totals of an export, and tells what they were before.
#[derive(Debug)]
pub(super) struct Deltas<'a> {
    before: &'a Totals,
    now: Totals,
    /// The name of the metric, and behind it the attributes of the series that was asked for last.
    key: Vec<u8>,
    name_bytes: usize,
}

impl<'a> Deltas<'a> {
    pub(super) fn new(before: &'a Totals, at: u64) -> Self {
        let places = before.places.len();
        let places = HashMap::with_capacity_and_hasher(places, RandomState::default());
        Self {
            before,
            now: Totals {
                at,
                places,
                words: Vec::with_capacity(before.words.len()),
            },
            key: Vec::new(),
            name_bytes: 0,
        }
    }

    pub(super) fn into_totals(self) -> Totals {
        self.now
    }

    /// When the export before was made.
    pub(super) fn since(&self) -> u64 {
        self.before.at
    }

    /// What follows are series of this metric.
    pub(super) fn metric(&mut self, name: &str) {
        self.key.clear();
        self.key.extend_from_slice(name.as_bytes());
        // No name holds one.
        self.key.push(0);
        self.name_bytes = self.key.len();
    }

    /// Notes the totals of a series; gives those before, if it was there with as many.
    pub(super) fn note(
        &mut self,
        attributes: &[u8],
        totals: &[u64],
        form: Form,
    ) -> Option<Before<'a>> {
        self.key.truncate(self.name_bytes);
        self.key.extend_from_slice(attributes);
        let found = self.before.places.get_key_value(&*self.key);
        let place = Place {
            start: self.now.words.len(),
            len: totals.len(),
            form,
        };
        self.now.words.extend_from_slice(totals);
        let key = found.map_or_else(|| self.key.as_slice().into(), |(key, _)| Arc::clone(key));
        self.now.places.insert(key, place);
        let (_, &Place { start, len, form }) = found?;
        let words = &self.before.words[start..start + len];
        (len == totals.len()).then_some(Before { words, form })
    }
}
