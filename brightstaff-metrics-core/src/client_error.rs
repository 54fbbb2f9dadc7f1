//! What the errors of HTTP clients mean for a call.

#![cfg(any(feature = "reqwest-0_13", feature = "hyper-util-0_1"))]

use std::{error::Error, io};

use crate::labels::ErrorClass;

#[cfg(feature = "reqwest-0_13")]
impl From<&reqwest::Error> for ErrorClass {
    /// Time-outs, those of the connection included, are `timeout`; connections that could not be
    /// made `connect`; answers that are not HTTP, or not what was to be decoded, `parse`; all else
    /// `other`.
    fn from(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() {
            Self::Connect
        } else if error.is_decode() {
            Self::Parse
        } else {
            of_source(error)
        }
    }
}

#[cfg(feature = "hyper-util-0_1")]
impl From<&hyper_util::client::legacy::Error> for ErrorClass {
    /// Time-outs, those of the connection included, are `timeout`; connections that could not be
    /// made `connect`; answers that are not HTTP `parse`; all else `other`.
    fn from(error: &hyper_util::client::legacy::Error) -> Self {
        match of_source(error) {
            Self::Other if error.is_connect() => Self::Connect,
            Self::Parse if error.is_connect() => Self::Connect,
            class => class,
        }
    }
}

/// Reads the chain of sources.
fn of_source(error: &(dyn Error + 'static)) -> ErrorClass {
    let mut class = ErrorClass::Other;
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(error) = source.downcast_ref::<io::Error>() {
            if error.kind() == io::ErrorKind::TimedOut {
                return ErrorClass::Timeout;
            }
        } else if let Some(error) = source.downcast_ref::<hyper::Error>() {
            if error.is_timeout() {
                return ErrorClass::Timeout;
            } else if error.is_parse() {
                class = ErrorClass::Parse;
            }
        }
        next = source.source();
    }
    class
}
