//! The text of a registry: encoded once at a time for all who scrape it, and kept compressed.

mod body;
mod encoding;
mod gzip;
mod negotiation;

pub(crate) use self::{
    body::{Compressed, Text, held},
    encoding::{Encoder, Exposition},
    negotiation::negotiate,
};
#[cfg(feature = "otlp")]
pub(crate) use self::{encoding::TURN_BYTES, gzip::Gzip};
