//! Series: counters, gauges and histograms, the tables and sets that hold them, and the walk over all.

mod exemplars;
mod foreign;
#[cfg(feature = "otlp")]
mod gen_ai;
mod histogram;
mod interop;
mod label_set;
mod native;
#[cfg(feature = "otlp")]
mod native_histogram;
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
#[cfg(feature = "otlp")]
pub(crate) use self::{
    gen_ai::{Calls as GenAiCalls, Operations as GenAiOperations},
    native_histogram::{LocalSamples, NativeHistogram},
    otlp::{GenAiView, OtlpWriter, Request, Settings, Totals, resource},
};
