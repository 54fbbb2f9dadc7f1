//! What the commands do.

mod pages;
mod reload;
mod serve;
mod signals;
mod simulate;

pub(crate) use self::{
    pages::{Completions, Man},
    serve::{Serve, serve},
    simulate::{Simulate, simulate},
};
