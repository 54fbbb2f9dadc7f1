//! How a body is cut into events.

mod base64;
mod event_stream;
mod payload;
mod sse;
mod values;

pub(crate) use event_stream::EventStream;
pub(crate) use sse::Sse;
pub(crate) use values::Values;
