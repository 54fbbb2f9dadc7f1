//! The gateway as a process of its own, between clients and upstreams on real sockets.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

mod support;

mod addresses;
mod drain;
mod errors;
mod forward;
mod hangups;
mod http2;
mod keys;
mod odd;
mod proxies;
mod reuse;
mod routing;
mod series;
mod sessions;
mod silence;
mod start;
mod tls;
mod usage;
