//! The gateway as a process of its own, between clients and upstreams on real sockets.

mod support;

mod drain;
mod errors;
mod forward;
mod hangups;
mod keys;
mod routing;
mod sessions;
mod start;
mod tls;
mod usage;
