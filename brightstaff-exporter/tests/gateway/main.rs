//! The gateway as a process of its own, between clients and upstreams on real sockets.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

mod support;

mod access_log;
mod addresses;
mod connections;
mod credentials;
mod drain;
mod encodings;
mod endpoints;
mod error_shapes;
mod errors;
mod failover;
mod forward;
mod hangups;
mod hosts;
mod http2;
mod keys;
mod log;
mod malformed;
mod odd;
mod origins;
mod otlp;
mod passing;
mod probes;
mod proxies;
#[cfg(feature = "redis")]
mod redis;
mod refused;
mod reload;
mod request_ids;
mod reuse;
mod routing;
mod scrapers;
mod secrets;
mod series;
mod sessions;
mod silence;
mod socket_ends;
mod socket_refusals;
mod sockets;
mod stalls;
mod start;
mod tls;
mod tokens;
mod traces;
mod uploads;
mod usage;
