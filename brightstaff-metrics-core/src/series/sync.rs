//! What the [table](crate::table) stands on, in one place: its tests have a model checker's instead.

pub(crate) use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicU32, AtomicUsize, Ordering},
};

pub(crate) use foldhash::fast::RandomState;
