//! What a row of `BENCHMARKS.md` is made of.

/// A figure, by the bench that gives it and the name that it has there: `BENCH: GROUP/FUNCTION` of Criterion, or
/// `BENCH: NAME` of a line `figure NAME = VALUE`; `instructions: FILE/FUNCTION/ID` of what callgrind counts.
pub(super) type Id = &'static str;

/// A row: one thing that costs, and the least and the usual that others pay for it.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// What reasons are kept by.
    pub(super) id: &'static str,
    pub(super) what: &'static str,
    pub(super) unit: Unit,
    /// What is there without any metrics: subtracted from all the others.
    pub(super) bare: Option<Id>,
    /// The least that does the same.
    pub(super) floor: Option<Id>,
    pub(super) peers: &'static [(&'static str, Id)],
    pub(super) ours: Id,
    pub(super) targets: &'static [Target],
    /// Whether the picture shows it.
    pub(super) drawn: bool,
}

/// What the figures of a row count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Nanoseconds, of which less is better.
    Nanos,
    /// Nanoseconds a byte; shown as gigabytes a second.
    NanosPerByte,
    Millis,
    Bytes,
    Instructions,
    Allocations,
    /// A plain number.
    Times,
}

/// What is to be reached. Times are compared with what was measured beside them: no two machines give the same.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// So many times the floor at most.
    OfFloor(f64),
    /// So many times the first peer at most.
    OfPeer(f64),
    /// So many units at most. For what is counted.
    AtMost(f64),
    /// So many units at least.
    AtLeast(f64),
}

/// What runs to give figures.
pub(super) struct Bench {
    /// What its figures are told apart by.
    pub(super) name: &'static str,
    pub(super) package: &'static str,
    /// Cargo's name of it, of which two packages may have one.
    pub(super) target: &'static str,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By Criterion: once a round.
    Criterion,
    /// Takes its own medians: once.
    Figures,
    /// `cargo xtask bench-sidecar`, whose ratios are the figures: once.
    Sidecar,
}
