//! Children that differ by a closed label alone.

use std::{marker::PhantomData, sync::OnceLock};

use super::{Children, Counter, Labels, Visitor};
use crate::{
    catalogue::Family,
    labels::{Index, Label},
};

/// One counter for each value of a closed label, all there from the start.
pub(crate) struct CounterSet<L>(Box<[Counter]>, PhantomData<L>);

impl<L: Label> CounterSet<L> {
    /// The values of open labels stand before that of the closed one.
    pub(crate) fn new(family: &Family, open: &[&str], labels: &mut Labels) -> Self {
        let child = |label: &L| {
            let values = [open, &[label.as_str()]].concat();
            Counter::new(labels.of(family, &values))
        };
        Self(L::ALL.iter().map(child).collect(), PhantomData)
    }

    pub(crate) fn get(&self, label: L) -> &Counter {
        &self.0[label.index()]
    }
}

impl<L> Children for CounterSet<L> {
    fn visit(&self, visitor: &mut dyn Visitor) {
        self.0.visit(visitor);
    }
}

/// One child for each value of a closed label, or of a pair of them, each made at its first use.
pub(crate) struct LazySet<T, L>(Box<[OnceLock<T>]>, PhantomData<L>);

impl<T, L: Index> LazySet<T, L> {
    pub(crate) fn new() -> Self {
        Self(
            (0..L::COUNT).map(|_| OnceLock::new()).collect(),
            PhantomData,
        )
    }

    pub(crate) fn get(&self, label: L) -> Option<&T> {
        self.0[label.index()].get()
    }

    pub(crate) fn get_or_init(&self, label: L, make: impl FnOnce() -> T) -> &T {
        self.0[label.index()].get_or_init(make)
    }
}

impl<T: Children, L> Children for LazySet<T, L> {
    fn visit(&self, visitor: &mut dyn Visitor) {
        self.0.visit(visitor);
    }
}

/// The same for children of which few are ever made: it takes no memory for those that are not, and looks for one
/// among those that are.
pub(crate) struct RareSet<T, L>(OnceLock<Box<Rare<T>>>, PhantomData<L>);

struct Rare<T> {
    index: usize,
    child: T,
    /// The one that was made after it.
    next: OnceLock<Box<Self>>,
}

impl<T, L: Index> RareSet<T, L> {
    pub(crate) fn new() -> Self {
        Self(OnceLock::new(), PhantomData)
    }

    pub(crate) fn get_or_init(&self, label: L, make: impl Fn() -> T) -> &T {
        let index = label.index();
        let mut place = &self.0;
        loop {
            // Where two threads make the next one at once, one of them may find another child than its own there, and
            // goes on behind it.
            let rare = place.get_or_init(|| {
                Box::new(Rare {
                    index,
                    child: make(),
                    next: OnceLock::new(),
                })
            });
            if rare.index == index {
                return &rare.child;
            }
            place = &rare.next;
        }
    }
}

impl<T, L> RareSet<T, L> {
    /// In the order in which they were made.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let first = self.0.get();
        let all = std::iter::successors(first, |rare| rare.next.get());
        all.map(|rare| &rare.child)
    }
}

impl<T: Children, L> Children for RareSet<T, L> {
    fn visit(&self, visitor: &mut dyn Visitor) {
        for child in self.iter() {
            child.visit(visitor);
        }
    }
}

impl<T: Children> Children for OnceLock<T> {
    fn visit(&self, visitor: &mut dyn Visitor) {
        if let Some(child) = self.get() {
            child.visit(visitor);
        }
    }
}

impl<T: Children, const N: usize> Children for [T; N] {
    fn visit(&self, visitor: &mut dyn Visitor) {
        self.as_slice().visit(visitor);
    }
}

impl<T: Children> Children for [T] {
    fn visit(&self, visitor: &mut dyn Visitor) {
        for child in self {
            child.visit(visitor);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;
    use crate::labels::{ErrorClass, StatusClass};

    #[test]
    fn rare_children_are_made_once_and_found_again() {
        let labels: Vec<_> = StatusClass::ALL
            .iter()
            .flat_map(|status| ErrorClass::ALL.iter().map(|class| (*status, *class)))
            .collect();
        let set = RareSet::<usize, (StatusClass, ErrorClass)>::new();
        let (made, start) = (AtomicUsize::new(0), Barrier::new(4));
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (labels, set, made, start) = (&labels, &set, &made, &start);
                scope.spawn(move || {
                    start.wait();
                    // Each in an order of its own.
                    let labels = labels.iter().cycle().skip(thread * 13).take(labels.len());
                    for &label in labels {
                        let make = || {
                            made.fetch_add(1, Ordering::Relaxed);
                            label.index()
                        };
                        assert_eq!(*set.get_or_init(label, make), label.index());
                    }
                });
            }
        });
        assert_eq!(set.iter().count(), labels.len());
        assert_eq!(made.load(Ordering::Relaxed), labels.len());
    }
}
