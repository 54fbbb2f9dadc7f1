//! Who may scrape: the library's web configuration, over real sockets and real TLS.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

mod access;
mod errors;
mod secured;
mod support;
