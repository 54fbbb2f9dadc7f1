//! A table of named children that only grows, up to a cap, and whose readers never take a lock.
//!
//! `prometheus::MetricVec` hashes label values back to back, so that two pairs of open labels can
//! meet in one series, and holds its lock while a scrape clones every child. Here keys are compared
//! whole, and neither a reader nor a scrape ever waits: since children are never removed and their
//! number is capped, a fixed array of places that are each set once, one behind the other, is enough.

use std::{
    hash::{BuildHasher, Hasher},
    sync::PoisonError,
};

// Relative, since the tests compile this file a second time, with the primitives of a model checker.
use super::{
    labels::OTHER,
    sync::{Arc, AtomicU32, AtomicUsize, Mutex, OnceLock, Ordering, RandomState},
};

/// A child that knows the values of its open labels.
pub(crate) trait Keyed<const N: usize> {
    fn key(&self) -> [&str; N];
}

/// How many more children of some kind there may be. Taken from by who may let the table grow.
pub(crate) struct Room(AtomicUsize);

impl Room {
    pub(crate) fn new(children: usize) -> Self {
        Self(AtomicUsize::new(children))
    }

    /// Who sees that the room is gone sees all who took it, too.
    fn is_gone(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }

    /// Only one thread at a time takes, or gives.
    fn take(&self) {
        let left = self.0.load(Ordering::Relaxed);
        self.0.store(left - 1, Ordering::Release);
    }

    /// Gives as many places of this room to another one, where there are as many.
    fn give(&self, places: usize, to: &Self) -> bool {
        let left = self.0.load(Ordering::Relaxed).checked_sub(places);
        let Some(left) = left else { return false };
        self.0.store(left, Ordering::Release);
        let more = to.0.load(Ordering::Relaxed) + places;
        to.0.store(more, Ordering::Release);
        true
    }
}

pub(crate) struct Table<V, const N: usize> {
    /// The children in the order of their making, each there once its place is set. None is set before the one
    /// in front of it, so that who goes through them stops at the first that is not.
    children: Box<[OnceLock<Arc<V>>]>,
    /// Where a key's child stands among them, from 1 on; 0 is a free slot. Open addressing, linear probing. At least
    /// half of the slots stay free, so every probe ends.
    ///
    /// A slot is taken before the child is there, and counts as free until then: who finds a child among all
    /// finds it by its key, too.
    slots: Box<[AtomicU32]>,
    /// Room for children beyond the reserved ones. Taken only while `growing` is held.
    free: Room,
    /// Room for children that are reserved later. As above.
    later: Room,
    /// How many children there are. Held by who makes one more.
    growing: Mutex<usize>,
    hasher: RandomState,
    /// Holds what has no slot of its own, from when it is first needed.
    other: OnceLock<Arc<V>>,
}

impl<V: Keyed<N>, const N: usize> Table<V, N> {
    /// Holds `reserved` from the start (a key given twice, once), and has room for `cap` more.
    pub(crate) fn new(reserved: Vec<V>, cap: usize) -> Self {
        Self::with_later(reserved, cap, 0)
    }

    /// The same, with room for `later` more that the cap does not bound.
    pub(crate) fn with_later(reserved: Vec<V>, cap: usize, later: usize) -> Self {
        let places = reserved.len() + cap + later;
        let slots = (places.max(1) * 2).next_power_of_two();
        let table = Self {
            children: (0..places).map(|_| OnceLock::new()).collect(),
            slots: (0..slots).map(|_| AtomicU32::new(0)).collect(),
            free: Room::new(cap),
            later: Room::new(later),
            growing: Mutex::new(0),
            hasher: RandomState::default(),
            other: OnceLock::new(),
        };
        let mut made = 0;
        for value in reserved {
            if value.key() == [OTHER; N] {
                table.other.get_or_init(|| Arc::new(value));
            } else if table.get(value.key()).is_none() {
                table.place(&mut made, value);
            }
        }
        Self {
            growing: Mutex::new(made),
            ..table
        }
    }

    #[inline]
    pub(crate) fn get(&self, key: [&str; N]) -> Option<&Arc<V>> {
        let mut found = self.probe(key).map_while(|slot| {
            // What is read of the child is ordered by its own place.
            let place = slot.load(Ordering::Relaxed) as usize;
            // Of a free slot this is past the end.
            self.children.get(place.wrapping_sub(1))?.get()
        });
        found.find(|value| value.key() == key)
    }

    /// The child of this key, made if need be; that of `other`, and `folded` called, where the cap leaves no room
    /// for it. What is called `other` itself is not folded.
    pub(crate) fn get_or_insert(
        &self,
        key: [&str; N],
        folded: impl FnOnce(),
        make: impl Fn([&str; N]) -> V,
    ) -> &Arc<V> {
        self.insert(key, [].into_iter(), &make).unwrap_or_else(|| {
            if key != [OTHER; N] {
                folded();
            }
            self.other(make)
        })
    }

    /// The child of this key, made if need be; `None` where the cap, or one of these other rooms, which are of
    /// this table alone, leaves none for it.
    // What `impl Trait` asks for cannot be elided yet.
    #[allow(single_use_lifetimes)]
    pub(crate) fn insert<'a>(
        &self,
        key: [&str; N],
        rooms: impl Iterator<Item = &'a Room> + Clone,
        make: impl Fn([&str; N]) -> V,
    ) -> Option<&Arc<V>> {
        self.insert_if(|| true, key, rooms, make)
    }

    /// The same, but makes none where `may` says no. What others do [`alone`](Self::alone) is done before `may` is
    /// asked, or after the child is there.
    // As above.
    #[allow(single_use_lifetimes)]
    pub(crate) fn insert_if<'a>(
        &self,
        may: impl FnOnce() -> bool,
        key: [&str; N],
        rooms: impl Iterator<Item = &'a Room> + Clone,
        make: impl Fn([&str; N]) -> V,
    ) -> Option<&Arc<V>> {
        if let Some(found) = self.get(key) {
            return Some(found);
        }
        if key == [OTHER; N] {
            return None;
        }
        let gone = || self.free.is_gone() || rooms.clone().any(Room::is_gone);
        if gone() {
            return self.get(key);
        }
        // One at a time, so that two that race for the last room with the same key both find it. No
        // reader and no scrape waits here, and neither does who finds no room.
        let mut made = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = self.get(key) {
            return Some(found);
        }
        if gone() || !may() {
            return None;
        }
        let placed = self.place(&mut made, make(key));
        self.free.take();
        rooms.for_each(Room::take);
        Some(placed)
    }

    /// The child of this key, made if need be in a place that was kept for later; `None` where none is left.
    pub(crate) fn reserve(&self, key: [&str; N], make: impl Fn([&str; N]) -> V) -> Option<&Arc<V>> {
        let mut made = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = self.get(key) {
            return Some(found);
        }
        if self.later.is_gone() || key == [OTHER; N] {
            return None;
        }
        let placed = self.place(&mut made, make(key));
        self.later.take();
        Some(placed)
    }

    /// Raises the cap by as many places that were kept for later, if there are as many.
    pub(crate) fn raise_cap(&self, places: usize) -> bool {
        self.alone(|| self.later.give(places, &self.free))
    }

    /// Does this while nobody inserts.
    pub(crate) fn alone<T>(&self, act: impl FnOnce() -> T) -> T {
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        act()
    }

    /// The child of `other`, made if need be.
    pub(crate) fn other(&self, make: impl Fn([&str; N]) -> V) -> &Arc<V> {
        self.other.get_or_init(|| Arc::new(make([OTHER; N])))
    }

    /// All children in the order of their making; that of `other` the last, if there is one.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &V> + Clone {
        let children = self.children.iter().map_while(OnceLock::get);
        children.chain(self.other.get()).map(Arc::as_ref)
    }

    /// Adds a child whose key is not there yet.
    fn place(&self, made: &mut usize, value: V) -> &Arc<V> {
        let is_free = |slot: &&AtomicU32| slot.load(Ordering::Relaxed) == 0;
        let slot = self.probe(value.key()).find(is_free);
        let slot = slot.expect("children never outnumber half of the slots");
        let place = &self.children[*made];
        *made += 1;
        let number = u32::try_from(*made).expect("caps are far below 2^32");
        slot.store(number, Ordering::Relaxed);
        place.get_or_init(|| Arc::new(value))
    }

    /// Hashes the bytes alone, without the lengths and ends that `Hash` adds: keys that run together
    /// so are rare, and told apart by [`Keyed::key`].
    #[inline]
    fn hash(&self, key: [&str; N]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for part in key {
            hasher.write(part.as_bytes());
        }
        hasher.finish()
    }

    /// The slots where this key can be, in order.
    #[inline]
    fn probe(&self, key: [&str; N]) -> impl Iterator<Item = &AtomicU32> + use<'_, V, N> {
        let mask = self.slots.len() - 1;
        // Truncation only drops bits that the mask drops too.
        #[expect(clippy::cast_possible_truncation)]
        let start = self.hash(key) as usize & mask;
        (0..self.slots.len()).map(move |step| &self.slots[(start + step) & mask])
    }
}
