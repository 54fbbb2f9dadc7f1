use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use brightstaff_exporter::socket::Socket;
use bytes::Bytes;

use super::pulse::Pulse;

/// The connection of a client that HTTP was spoken on.
pub(crate) type ClientSocket = Socket<Pulse>;

type Taken = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is done with a connection of HTTP/1 behind a 101, in whose extensions this stands.
///
/// It is a part of the connection's own task: so it has a place among `max_connections`, the drain waits for it, and what
/// cuts the connection off ends it. Nothing else that bounds HTTP does.
#[derive(Clone)]
pub(crate) struct Takeover(Arc<Mutex<Option<Taker>>>);

pub(super) struct Taker(Box<dyn FnOnce(ClientSocket, Bytes) -> Taken + Send>);

impl Takeover {
    /// By what this makes of the socket, and of what was read from it already.
    pub(crate) fn new<F, Fut>(take: F) -> Self
    where
        F: FnOnce(ClientSocket, Bytes) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let taker = Taker(Box::new(move |socket, read| Box::pin(take(socket, read))));
        Self(Arc::new(Mutex::new(Some(taker))))
    }

    /// Once.
    pub(super) fn taker(&self) -> Option<Taker> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Taker {
    pub(super) fn take(self, socket: ClientSocket, read: Bytes) -> Taken {
        (self.0)(socket, read)
    }
}

impl fmt::Debug for Takeover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Takeover").finish_non_exhaustive()
    }
}

impl fmt::Debug for Taker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taker").finish_non_exhaustive()
    }
}
