//! Series: counters, gauges and histograms, the tables and sets that hold them, and the walk over all.

mod foreign;
mod histogram;
mod interop;
mod label_set;
mod protobuf;
mod scalar;
mod sets;
mod sync;
mod table;
mod text;
mod walk;
mod wire;

// What `table.rs` finds beside itself, here as in its tests.
use crate::labels;

pub(crate) use self::{
    foreign::as_gauges,
    histogram::Histogram,
    interop::{Gathered, desc},
    label_set::LabelSet,
    protobuf::ProtobufWriter,
    scalar::{Counter, Gauge},
    sets::{CounterSet, LazySet},
    table::{Keyed, Room, Table},
    text::{Dialect, TextWriter, header},
    walk::{Children, Group, Visitor, walk_groups},
    wire::Message,
};
