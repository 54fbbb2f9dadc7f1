//! What the errors of HTTP clients mean for a call.

use std::{error::Error, io};

use crate::labels::ErrorClass;

impl ErrorClass {
    /// What an error of any client means for a call that has no response, by the error and its sources: time-outs,
    /// those of the connection included, are `timeout`; connections that could not be made `connect`; responses
    /// that are not HTTP, or not what was to be decoded, `parse`; all else `other`.
    ///
    /// Errors of the standard library are known by their type, those of hyper, hyper-util, reqwest, tokio, tower
    /// and awc by what they say, so that none of these has to be a dependency here.
    ///
    /// ```
    /// use brightstaff_metrics_core::labels::ErrorClass;
    /// use std::io;
    ///
    /// let error = io::Error::from(io::ErrorKind::ConnectionRefused);
    /// assert_eq!(ErrorClass::of(&error), ErrorClass::Connect);
    /// ```
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut class = Self::Other;
        let mut next = Some(error);
        while let Some(error) = next {
            match of_one(error) {
                Self::Timeout => return Self::Timeout,
                // The response of a proxy that is not HTTP made no connection.
                Self::Connect => class = Self::Connect,
                Self::Parse if class == Self::Other => class = Self::Parse,
                _ => {}
            }
            next = cause(error);
        }
        class
    }
}

/// What is behind an error. An `io::Error` that wraps another one gives that one's source for its own.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// What one error of a chain says by itself.
fn of_one(error: &(dyn Error + 'static)) -> ErrorClass {
    use io::ErrorKind as Kind;

    if let Some(error) = error.downcast_ref::<io::Error>() {
        match error.kind() {
            Kind::TimedOut => return ErrorClass::Timeout,
            Kind::ConnectionRefused
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::AddrNotAvailable => return ErrorClass::Connect,
            _ => {}
        }
    }
    let said = error.to_string();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| said.contains(phrase));
    if says(TIMEOUT) {
        ErrorClass::Timeout
    } else if says(CONNECT) {
        ErrorClass::Connect
    } else if says(PARSE) {
        ErrorClass::Parse
    } else {
        ErrorClass::Other
    }
}

/// hyper and reqwest, tokio's `Elapsed`, tower's `Elapsed`, awc.
const TIMEOUT: &[&str] = &[
    "operation timed out",
    "deadline has elapsed",
    "request timed out",
    "Timeout while waiting for response",
    "Timeout while establishing connection",
    "Timeout out while establishing connection",
];

/// hyper-util, its connectors and the system's resolver, awc.
const CONNECT: &[&str] = &[
    "client error (Connect)",
    "error trying to connect",
    "tcp connect error",
    "dns error",
    "failed to lookup address information",
    "Failed to connect to host",
    "Failed resolving hostname",
];

/// hyper's parser, and reqwest's decoding.
const PARSE: &[&str] = &[
    "invalid HTTP",
    "invalid content-length parsed",
    "unexpected transfer-encoding parsed",
    "message head is too large",
    "error decoding response body",
];

#[cfg(feature = "reqwest-0_13")]
impl From<&reqwest::Error> for ErrorClass {
    /// As [`ErrorClass::of`], by what reqwest knows of its own errors first.
    fn from(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() {
            Self::Connect
        } else if error.is_decode() {
            Self::Parse
        } else {
            Self::of(error)
        }
    }
}

#[cfg(feature = "hyper-util-0_1")]
impl From<&hyper_util::client::legacy::Error> for ErrorClass {
    /// As [`ErrorClass::of`], by what hyper-util knows of its own errors first.
    fn from(error: &hyper_util::client::legacy::Error) -> Self {
        match Self::of(error) {
            Self::Other | Self::Parse if error.is_connect() => Self::Connect,
            class => class,
        }
    }
}
