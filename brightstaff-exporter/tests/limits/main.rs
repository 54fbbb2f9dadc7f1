//! What scrapers may take, over real sockets. Each of them does what would once have stopped the program that it
//! scrapes.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

mod support;

mod connections;
mod scrapes;
