//! Request bodies, read to their end within limits.

use std::{error::Error, io, sync::Arc, thread, time::Duration};

use axum::http::StatusCode;
use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;
use tokio::sync::Semaphore;

use super::{
    budget::{Budget, Buffer},
    error::Refusal,
};
use crate::config::Config;

/// What request bodies are bounded by.
#[derive(Debug)]
pub(super) struct Uploads {
    pub(super) budget: Arc<Budget>,
    pub(super) max_bytes: usize,
    /// How many long bodies may be decoded at once.
    pub(super) decoders: Arc<Semaphore>,
    pub(super) timeout: Duration,
}

/// Why there is no whole body.
#[derive(Debug)]
pub(super) enum Cut {
    Refused(Refusal),
    /// The client went away before it had sent everything.
    Left,
}

impl Uploads {
    /// With what `before` bounds, where it takes its place: what its requests hold counts on.
    pub(super) fn new(config: &Config, before: Option<&Self>) -> Self {
        let most = config.max_buffered_bytes;
        let (budget, decoders) = match before {
            Some(before) => {
                before.budget.set_max(most);
                (Arc::clone(&before.budget), Arc::clone(&before.decoders))
            }
            None => (Budget::new(most), Arc::new(Semaphore::new(processors()))),
        };
        Self {
            budget,
            max_bytes: config.max_request_bytes,
            decoders,
            timeout: config.request_body_timeout,
        }
    }

    /// Reads a body. One that announces more than it may have is refused before a byte of it is asked
    /// for, which a client that expects a `100 Continue` waits for.
    ///
    /// What is announced reserves nothing, since announcing is free; what has come does, as it comes.
    pub(super) async fn read<B>(&self, body: B) -> Result<Bytes, Cut>
    where
        B: Body<Data = Bytes, Error: Error + 'static> + Unpin,
    {
        let announced = body.size_hint();
        let least = usize::try_from(announced.lower()).unwrap_or(usize::MAX);
        if least > self.max_bytes {
            return Err(self.too_large());
        }
        let some = usize::from(announced.exact() != Some(0));
        if !self.budget.has_room(some) {
            return Err(full());
        }
        let most = if announced.exact().is_some() {
            least
        } else {
            self.max_bytes
        };
        match tokio::time::timeout(self.timeout, self.collect(body, most)).await {
            Ok(Ok(buffer)) => Ok(buffer.freeze()),
            Ok(Err(cut)) => Err(cut),
            Err(_) => Err(self.late()),
        }
    }

    /// Reads the start of a body: until there is enough of it, or this many bytes, or no more.
    pub(super) async fn read_head<B>(
        &self,
        body: &mut B,
        most: usize,
        mut enough: impl FnMut(&[u8]) -> bool,
    ) -> Result<Bytes, Cut>
    where
        B: Body<Data = Bytes, Error: Error + 'static> + Unpin,
    {
        let mut buffer = Buffer::new(&self.budget);
        let read = async {
            while buffer.len() < most && !enough(buffer.as_ref()) {
                let Some(frame) = body.frame().await else {
                    break;
                };
                let frame = frame.map_err(|error| broken(&error))?;
                if let Some(data) = frame.data_ref() {
                    buffer.push(data, usize::MAX).map_err(|_| full())?;
                }
            }
            Ok(())
        };
        match tokio::time::timeout(self.timeout, read).await {
            Ok(read) => read.map(|()| buffer.freeze()),
            Err(_) => Err(self.late()),
        }
    }

    fn late(&self) -> Cut {
        let fault = format!("the request body did not arrive within {:?}", self.timeout);
        let refusal = Refusal::request("request_timeout", fault);
        let refusal = refusal.with_status(StatusCode::REQUEST_TIMEOUT);
        Cut::Refused(refusal.closing())
    }

    async fn collect<B>(&self, mut body: B, most: usize) -> Result<Buffer, Cut>
    where
        B: Body<Data = Bytes, Error: Error + 'static> + Unpin,
    {
        let mut buffer = Buffer::new(&self.budget);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(&error))?;
            let Some(data) = frame.data_ref() else {
                continue;
            };
            if data.len() > self.max_bytes - buffer.len() {
                return Err(self.too_large());
            }
            buffer.push(data, most).map_err(|_| full())?;
        }
        Ok(buffer)
    }

    fn too_large(&self) -> Cut {
        let message = format!("the request body is longer than {} bytes", self.max_bytes);
        let refusal = Refusal::request("request_too_large", message);
        let refusal = refusal.with_status(StatusCode::PAYLOAD_TOO_LARGE);
        Cut::Refused(refusal.closing())
    }
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn full() -> Cut {
    Cut::Refused(Refusal::from(super::budget::Exhausted).closing())
}

/// Either the chunks are none, of a client that is there to be told; or there are no more of them, and
/// nobody is there. A stream of HTTP/2 that breaks cannot be answered in any case.
pub(super) fn broken(error: &(dyn Error + 'static)) -> Cut {
    use io::ErrorKind::{InvalidData, InvalidInput};
    let mut cause = error.source();
    while let Some(error) = cause {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|error| matches!(error.kind(), InvalidData | InvalidInput)) {
            let message = "the request body is not chunked as HTTP wants it";
            let refusal = Refusal::request("invalid_body", message);
            return Cut::Refused(refusal.closing());
        }
        cause = error.source();
    }
    Cut::Left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_configuration_takes_over_is_bounded_together() {
        let config = |max_buffered_bytes| Config {
            max_buffered_bytes,
            ..Config::default()
        };
        let before = Uploads::new(&config(1000), None);
        let mut held = Buffer::new(&before.budget);
        held.grow(1000).unwrap();
        let after = Uploads::new(&config(1500), Some(&before));
        assert!(after.budget.has_room(500) && !after.budget.has_room(501));
        let lower = Uploads::new(&config(400), Some(&after));
        assert!(!lower.budget.has_room(1), "what is held stays");
        drop(held);
        assert!(lower.budget.has_room(400) && !lower.budget.has_room(401));
        let one = before.decoders.try_acquire().unwrap();
        assert_eq!(lower.decoders.available_permits(), processors() - 1);
        drop(one);
    }
}
