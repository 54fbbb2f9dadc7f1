//! What the commands do.

mod reload;
mod serve;
mod signals;
mod simulate;

pub(crate) use self::{
    serve::{Serve, serve},
    simulate::{Simulate, simulate},
};
