//! The gateway as a process of its own, between clients and upstreams on real sockets.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

mod support;

mod access;
mod addresses;
mod connections;
mod credentials;
mod drain;
mod errors;
mod forward;
mod hangups;
mod keys;
mod malformed;
mod origins;
mod routing;
mod secrets;
mod series;
mod sessions;
mod stalls;
mod start;
mod tls;
mod uploads;
mod usage;
