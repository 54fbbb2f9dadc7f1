//! Inbound requests.

mod exchange;
pub mod handler;
mod series;

pub use exchange::Exchange;
pub(crate) use series::HttpSeries;
