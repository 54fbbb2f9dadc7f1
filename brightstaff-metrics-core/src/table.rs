//! A table of named children that only grows, up to a cap, and whose readers never take a lock.
//!
//! `prometheus::MetricVec` hashes label values back to back, so that two pairs of open labels can
//! meet in one series, and holds its lock while a scrape clones every child. Here keys are compared
//! whole, and neither a reader nor a scrape ever waits: since children are never removed and their
//! number is capped, a fixed array of slots that are each set once is enough.

use std::{
    hash::{BuildHasher, Hasher},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use foldhash::fast::RandomState;
use prometheus::IntCounter;

use crate::labels::OTHER;

/// A child that knows the values of its open labels.
pub(crate) trait Keyed<const N: usize> {
    fn key(&self) -> [&str; N];
}

pub(crate) struct Table<V, const N: usize> {
    /// Open addressing, linear probing. At least half of the slots stay free, so every probe ends.
    slots: Box<[OnceLock<Arc<V>>]>,
    /// How many more children there may be. Written by who holds `growing`.
    free: AtomicUsize,
    growing: Mutex<()>,
    hasher: RandomState,
    /// Holds what has no slot of its own, from when it is first needed.
    other: OnceLock<Arc<V>>,
}

impl<V: Keyed<N>, const N: usize> Table<V, N> {
    /// Holds `reserved` from the start (a key given twice, once), and has room for `cap` more.
    pub(crate) fn new(reserved: Vec<V>, cap: usize) -> Self {
        let slots = ((reserved.len() + cap).max(1) * 2).next_power_of_two();
        let table = Self {
            slots: (0..slots).map(|_| OnceLock::new()).collect(),
            free: AtomicUsize::new(cap),
            growing: Mutex::new(()),
            hasher: RandomState::default(),
            other: OnceLock::new(),
        };
        for value in reserved {
            if value.key() == [OTHER; N] {
                table.other.get_or_init(|| Arc::new(value));
            } else {
                table.place(&Arc::new(value));
            }
        }
        table
    }

    #[inline]
    pub(crate) fn get(&self, key: [&str; N]) -> Option<&Arc<V>> {
        self.probe(key)
            .map_while(OnceLock::get)
            .find(|value| value.key() == key)
    }

    /// The child of this key, made if need be; that of `other` where the cap leaves no room for it.
    pub(crate) fn get_or_insert(
        &self,
        key: [&str; N],
        folded: &IntCounter,
        make: impl Fn([&str; N]) -> V,
    ) -> &Arc<V> {
        self.insert(key, &make)
            .unwrap_or_else(|| self.fold(key, folded, make))
    }

    /// The child of this key where there is one; else that of `other`.
    pub(crate) fn get_or_fold(
        &self,
        key: [&str; N],
        folded: &IntCounter,
        make: impl Fn([&str; N]) -> V,
    ) -> &Arc<V> {
        self.get(key)
            .unwrap_or_else(|| self.fold(key, folded, make))
    }

    fn insert(&self, key: [&str; N], make: impl Fn([&str; N]) -> V) -> Option<&Arc<V>> {
        if let Some(found) = self.get(key) {
            return Some(found);
        }
        if key == [OTHER; N] {
            return None;
        }
        // Who sees that the room is gone sees all who took it, too.
        if self.free.load(Ordering::Acquire) == 0 {
            return self.get(key);
        }
        // One at a time, so that two that race for the last room with the same key both find it. No
        // reader and no scrape waits here, and neither does who finds no room.
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = self.get(key) {
            return Some(found);
        }
        let left = self.free.load(Ordering::Relaxed).checked_sub(1)?;
        let placed = self.place(&Arc::new(make(key)));
        self.free.store(left, Ordering::Release);
        Some(placed)
    }

    /// The child of `other`. Counts what is folded into it: all but what is called so itself.
    fn fold(&self, key: [&str; N], folded: &IntCounter, make: impl Fn([&str; N]) -> V) -> &Arc<V> {
        if key != [OTHER; N] {
            folded.inc();
        }
        self.other.get_or_init(|| Arc::new(make([OTHER; N])))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &V> + Clone {
        let slots = self.slots.iter().chain([&self.other]);
        slots.filter_map(|slot| slot.get().map(Arc::as_ref))
    }

    /// Puts a child in the first free slot of its probe, unless its key is there already. Tells
    /// which child holds the key now.
    fn place(&self, value: &Arc<V>) -> &Arc<V> {
        for slot in self.probe(value.key()) {
            let placed = slot.get_or_init(|| Arc::clone(value));
            if placed.key() == value.key() {
                return placed;
            }
        }
        unreachable!("children never outnumber half of the slots")
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
    fn probe(&self, key: [&str; N]) -> impl Iterator<Item = &OnceLock<Arc<V>>> {
        let mask = self.slots.len() - 1;
        // Truncation only drops bits that the mask drops too.
        #[expect(clippy::cast_possible_truncation)]
        let start = self.hash(key) as usize & mask;
        (0..self.slots.len()).map(move |step| &self.slots[(start + step) & mask])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Pair(String, String);

    impl Keyed<2> for Pair {
        fn key(&self) -> [&str; 2] {
            [&self.0, &self.1]
        }
    }

    fn pair([a, b]: [&str; 2]) -> Pair {
        Pair(a.to_owned(), b.to_owned())
    }

    fn folded() -> IntCounter {
        IntCounter::new("folded", "folded").unwrap()
    }

    #[test]
    fn keys_are_compared_whole() {
        let table = Table::new(vec![], 4);
        table.get_or_insert(["open", "ai-gpt"], &folded(), pair);
        assert!(table.get(["openai", "-gpt"]).is_none());
        assert!(table.get(["open", "ai-gpt"]).is_some());
    }

    #[test]
    fn the_cap_spares_the_reserved() {
        let reserved = [["a", "b"], ["a", "b"], ["a", "c"]];
        let table = Table::new(reserved.map(pair).into(), 2);
        let folded = folded();
        for n in 0..5 {
            let b = n.to_string();
            let placed = table.get_or_insert(["x", &b], &folded, pair);
            assert_eq!(placed.key() == ["x", &b], n < 2, "{n}");
        }
        assert_eq!(folded.get(), 3);
        assert_eq!(table.iter().count(), 4 + 1);
        assert!(table.get(["a", "c"]).is_some());
    }

    #[test]
    fn other_is_there_once_and_takes_no_room() {
        for reserved in [vec![], vec![pair(["other", "other"])]] {
            let table = Table::new(reserved, 1);
            let folded = folded();
            table.get_or_insert(["other", "other"], &folded, pair);
            assert_eq!(folded.get(), 0, "it is called so itself");
            table.get_or_fold(["a", "b"], &folded, pair);
            assert_eq!(folded.get(), 1);
            table.get_or_insert(["a", "b"], &folded, pair);
            assert_eq!(folded.get(), 1);
            let keys: Vec<_> = table.iter().map(Keyed::key).collect();
            assert_eq!(keys, [["a", "b"], ["other", "other"]]);
        }
    }

    #[test]
    fn threads_that_race_agree() {
        let table = Table::new(vec![], 60);
        let folded = folded();
        let child = |n: usize| {
            let b = n.to_string();
            Arc::as_ptr(table.get_or_insert(["m", &b], &folded, pair)) as usize
        };
        let seen: Vec<Vec<_>> = std::thread::scope(|scope| {
            let all = || (0..100).map(child).collect();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(all)).collect();
            let threads = threads.into_iter();
            threads.map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(table.iter().count(), 60 + 1);
        let other = table.get_or_fold(["no", "room"], &folded, pair);
        let other = Arc::as_ptr(other) as usize;
        for n in 0..100 {
            let mut children: Vec<_> = seen.iter().map(|seen| seen[n]).collect();
            children.sort_unstable();
            children.dedup();
            assert_eq!(children.len(), 1, "{n} is {children:?}, and other {other}");
        }
    }
}
