//! Series: counters, gauges and histograms, the tables and sets that hold them, and the walk over all.

mod exemplars;
mod foreign;
mod histogram;
mod interop;
mod label_set;
mod native;
#[cfg(feature = "otlp")]
mod otlp;
mod protobuf;
mod scalar;
mod sequence_lock;
mod sets;
mod sync;
mod table;
mod text;
mod walk;
mod wire;

// What `table.rs` finds beside itself, here as in its tests.
use crate::labels;

#[cfg(feature = "otlp")]
pub(crate) use self::otlp::{OtlpWriter, Request, Settings, Totals, resource};
pub(crate) use self::{
    exemplars::{Exemplar, Traced},
    foreign::for_library,
    histogram::Histogram,
    interop::{Gathered, desc},
    label_set::{LabelSet, Labels},
    native::Native,
    protobuf::ProtobufWriter,
    scalar::{Counter, Gauge},
    sets::{CounterSet, LazySet, RareSet},
    table::{Keyed, Room, Table},
    text::{Dialect, TextWriter, header},
    walk::{Children, Group, Visitor, walk_groups},
};
