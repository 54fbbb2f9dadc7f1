//! A table of named children that only grows, up to a cap, and whose readers never take a lock.
//!
//! `prometheus::MetricVec` hashes label values back to back, so that two pairs of open labels can
//! meet in one series, and holds its lock while a scrape clones every child. Here keys are compared
//! whole, and neither a reader nor a scrape ever waits: since children are never removed and their
//! number is capped, a fixed array of slots that are each set once is enough.

use std::{
    hash::{BuildHasher, Hasher},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use foldhash::fast::RandomState;

/// A child that knows the values of its open labels.
pub(crate) trait Keyed<const N: usize> {
    fn key(&self) -> [&str; N];
}

#[derive(Debug)]
pub(crate) struct Table<V, const N: usize> {
    /// Open addressing, linear probing. At least half of the slots stay free, so every probe ends.
    slots: Box<[OnceLock<Arc<V>>]>,
    free: Mutex<usize>,
    hasher: RandomState,
}

impl<V: Keyed<N>, const N: usize> Table<V, N> {
    /// Holds `reserved` from the start (a key given twice, once), and has room for `cap` more.
    pub(crate) fn new(reserved: Vec<V>, cap: usize) -> Self {
        let slots = (reserved.len().saturating_add(cap).max(1) * 2).next_power_of_two();
        let table = Self {
            slots: (0..slots).map(|_| OnceLock::new()).collect(),
            free: Mutex::new(cap),
            hasher: RandomState::default(),
        };
        for value in reserved {
            table.place(&Arc::new(value));
        }
        table
    }

    #[inline]
    pub(crate) fn get(&self, key: [&str; N]) -> Option<&Arc<V>> {
        self.probe(key)
            .map_while(OnceLock::get)
            .find(|value| value.key() == key)
    }

    /// The child of this key, made if need be; `None` where the cap leaves no room for it.
    pub(crate) fn get_or_insert(
        &self,
        key: [&str; N],
        make: impl FnOnce() -> V,
    ) -> Option<&Arc<V>> {
        if let Some(found) = self.get(key) {
            return Some(found);
        }
        // One at a time, so that two that race for the last room with the same key both find it. No
        // reader and no scrape waits here.
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = self.get(key) {
            return Some(found);
        }
        *free = free.checked_sub(1)?;
        Some(self.place(&Arc::new(make())))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &V> + Clone {
        self.slots
            .iter()
            .filter_map(|slot| slot.get().map(Arc::as_ref))
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

    fn pair(a: &str, b: &str) -> Pair {
        Pair(a.to_owned(), b.to_owned())
    }

    #[test]
    fn keys_are_compared_whole() {
        let table = Table::new(vec![], 4);
        table.get_or_insert(["open", "ai-gpt"], || pair("open", "ai-gpt"));
        assert!(table.get(["openai", "-gpt"]).is_none());
        assert!(table.get(["open", "ai-gpt"]).is_some());
    }

    #[test]
    fn the_cap_spares_the_reserved() {
        let table = Table::new(vec![pair("a", "b"), pair("a", "b"), pair("a", "c")], 2);
        for n in 0..5 {
            let (a, b) = ("x", n.to_string());
            let placed = table.get_or_insert([a, &b], || pair(a, &b)).is_some();
            assert_eq!(placed, n < 2, "{n}");
        }
        assert_eq!(table.iter().count(), 4);
        assert!(table.get(["a", "c"]).is_some());
    }

    #[test]
    fn threads_that_race_agree() {
        let table = Table::new(vec![], 100);
        let first = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        (0..100)
                            .map(|n| {
                                let b = n.to_string();
                                let placed = table.get_or_insert(["m", &b], || pair("m", &b));
                                Arc::as_ptr(placed.unwrap()) as usize
                            })
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            let mut seen = threads.into_iter().map(|thread| thread.join().unwrap());
            let first = seen.next().unwrap();
            assert!(seen.all(|other| other == first));
            first
        });
        assert_eq!(first.len(), table.iter().count());
    }
}
