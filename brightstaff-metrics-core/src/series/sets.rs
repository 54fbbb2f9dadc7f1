//! Children that differ by a closed label alone.

use std::{marker::PhantomData, sync::OnceLock};

use super::{Children, Counter, Visitor};
use crate::{
    catalogue::Family,
    clock::WallTime,
    labels::{Index, Label},
};

/// One counter for each value of a closed label, all there from the start.
pub(crate) struct CounterSet<L>(Box<[Counter]>, PhantomData<L>);

impl<L: Label> CounterSet<L> {
    /// The values of open labels stand before that of the closed one.
    pub(crate) fn new(family: &Family, open: &[&str], created: WallTime) -> Self {
        let child = |label: &L| Counter::new(family, &[open, &[label.as_str()]].concat(), created);
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
