//! The gateway as a process of its own, between clients and upstreams on real sockets.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

mod support;

mod addresses;
mod drain;
mod errors;
mod forward;
mod hangups;
mod keys;
mod routing;
mod scrapers;
mod series;
mod sessions;
mod start;
mod tls;
mod usage;
