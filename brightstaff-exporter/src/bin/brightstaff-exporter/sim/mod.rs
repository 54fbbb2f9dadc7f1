//! Simulated providers on loopback: real HTTP, real streams, in the shapes of every provider's API, and an exact
//! record of what each call was answered.
//!
//! A call that names a plan (see [`book::PLAN_HEADER`]) is answered as planned: with an error, a
//! break, a slow start. Any other call gets a sound response, the same one whenever it is asked.

mod behaviour;
pub(crate) mod book;
mod call;
mod play;
mod script;
mod serve;
mod wire;

pub(crate) use self::{
    behaviour::{Behaviour, Content, Fault, Packing, Refusal},
    book::Book,
    call::{Call, Finish, Marks, Usage},
    serve::{Provider, Serves, Simulator},
};
