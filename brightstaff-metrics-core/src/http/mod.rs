//! Inbound requests.

mod arrival;
mod exchange;
pub mod handler;
mod name;
mod paths;
mod series;

pub use arrival::{Arrival, Arrivals};
pub use exchange::Exchange;
pub(crate) use series::{Handler, HttpSeries};
