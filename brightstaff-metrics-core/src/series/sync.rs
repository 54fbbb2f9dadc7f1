//! What the table and the sequence lock stand on, in one place: their tests have a model checker's instead.

pub(crate) use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

pub(crate) use foldhash::fast::RandomState;
