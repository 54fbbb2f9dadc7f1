use std::{error::Error, io, sync::Arc, time::Duration};

use axum::http::{self, Extensions, StatusCode};
use brightstaff_metrics_core::labels::ErrorClass;
use hyper_util::client::legacy::{self, connect::Connected};

use super::{outbound::Begun, traffic::Traffic};

/// Why there is no response.
#[derive(Debug)]
pub(in crate::gateway) struct Failure {
    pub(in crate::gateway) class: ErrorClass,
    /// For the log: an error and its causes in one line. Neither a URL nor a header is in it.
    pub(in crate::gateway) cause: String,
    ending: Ending,
}

/// How the connection ended, as far as it matters for what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// The server says that it did nothing with the request, or not one byte of it went out on a
    /// connection that had served others.
    Unsent,
    /// A connection that had served others ended without a byte of a response.
    DiedReused,
    /// The same of one that was made for this request.
    DiedNew,
    /// It ended within the head of the response.
    DiedInHead,
    Otherwise,
}

impl Failure {
    fn new(class: ErrorClass, cause: impl Into<String>) -> Self {
        Self {
            class,
            cause: cause.into(),
            ending: Ending::Otherwise,
        }
    }

    /// No head came in time.
    pub(in crate::gateway) fn late(waited: Duration) -> Self {
        Self::new(ErrorClass::Timeout, format!("no headers after {waited:?}"))
    }

    /// The response has a status that can only come before another, like a change of protocols that
    /// nobody asked for.
    pub(super) fn informational(status: StatusCode) -> Self {
        let status = status.as_u16();
        let cause = format!("status {status}, which nothing asked for, is no response");
        Self::new(ErrorClass::Parse, cause)
    }

    /// It was to change protocols, and ended instead.
    pub(super) fn upgrade(error: &hyper::Error) -> Self {
        Self::new(ErrorClass::Other, chain(error))
    }

    pub(super) fn url(error: &http::Error) -> Self {
        Self::new(ErrorClass::Other, error.to_string())
    }

    pub(super) fn of(error: &legacy::Error, connected: Option<&Connected>, begun: &Begun) -> Self {
        let ending = Ending::of(error, connected, begun);
        let mut cause = chain(error);
        if let Some(fault) = ending.fault() {
            cause = format!("{fault}: {cause}");
        }
        Self {
            class: ErrorClass::from(error),
            cause,
            ending,
        }
    }

    /// Whether the request may go out once more; `written`: even where the server may have read it.
    pub(super) fn may_repeat(&self, written: bool) -> bool {
        match self.ending {
            Ending::Unsent => true,
            Ending::DiedReused => written,
            Ending::DiedNew | Ending::DiedInHead | Ending::Otherwise => false,
        }
    }

    /// What the client is told behind the upstream's name.
    pub(in crate::gateway) fn fault(&self) -> String {
        let plain = match self.class {
            ErrorClass::Timeout => "did not respond in time",
            ErrorClass::Connect => "cannot be reached",
            _ => "gave no response that can be read",
        };
        let fault = self.ending.fault().unwrap_or(plain);
        match self.ending {
            Ending::DiedReused => format!(
                "{fault}: set retry_reused = true to have such a request sent a second time"
            ),
            _ => fault.to_owned(),
        }
    }
}

impl Ending {
    fn of(error: &legacy::Error, connected: Option<&Connected>, begun: &Begun) -> Self {
        if is_refused(error) {
            return Self::Unsent;
        }
        let Some(connected) = connected.filter(|_| is_closed(error)) else {
            return Self::Otherwise;
        };
        let mut extensions = Extensions::new();
        connected.get_extras(&mut extensions);
        let Some(traffic) = extensions.get::<Arc<Traffic>>() else {
            return Self::Otherwise;
        };
        // On HTTP/2 others share the connection: what came after the start may be ours.
        let begun = if connected.is_negotiated_h2() {
            begun.started
        } else {
            begun.taken()
        };
        let reused = traffic.wrote_before(begun);
        if traffic.read_since(begun) {
            Self::DiedInHead
        } else if reused && !traffic.wrote_since(begun) {
            Self::Unsent
        } else if reused {
            Self::DiedReused
        } else {
            Self::DiedNew
        }
    }

    fn fault(self) -> Option<&'static str> {
        match self {
            Self::Unsent | Self::DiedReused | Self::DiedNew => {
                Some("closed the connection before it responded")
            }
            Self::DiedInHead => Some("closed the connection before its response's head was whole"),
            Self::Otherwise => None,
        }
    }
}

fn sources<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Whether the other end, or the network, ended the connection.
fn is_closed(error: &legacy::Error) -> bool {
    use io::ErrorKind as E;
    sources(error).any(|source| {
        let http = source.downcast_ref::<hyper::Error>();
        let io = source.downcast_ref::<io::Error>();
        http.is_some_and(|error| {
            error.is_incomplete_message() || error.is_canceled() || error.is_closed()
        }) || io.is_some_and(|error| {
            matches!(
                error.kind(),
                E::ConnectionReset
                    | E::ConnectionAborted
                    | E::BrokenPipe
                    | E::NotConnected
                    | E::UnexpectedEof
            )
        })
    })
}

/// Whether an HTTP/2 server says that it did not process the request (RFC 9113, section 8.7).
fn is_refused(error: &legacy::Error) -> bool {
    let said = sources(error).find_map(|source| source.downcast_ref::<h2::Error>());
    said.is_some_and(|error| {
        let reason = error.reason();
        error.is_remote()
            && (error.is_go_away() && reason == Some(h2::Reason::NO_ERROR)
                || error.is_reset() && reason == Some(h2::Reason::REFUSED_STREAM))
    })
}

/// An error and its causes in one line.
pub(in crate::gateway) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes: Vec<String> = sources(error).map(ToString::to_string).collect();
    causes.join(": ")
}
