//! Request bodies that come encoded: decoded beside what passes, as far as their JSON has to be read.
//!
//! The text is held in memory as the body itself is: within the budget of all bodies, and never longer than a body
//! may be. Where nothing of it changes the body passes as it came; where something does, it is sent plain.

mod coding;
mod decoder;

use std::panic;

use axum::http::StatusCode;
use bytes::Bytes;

pub(super) use self::coding::{ACCEPTED, Coding};
use self::decoder::Decoder;
use super::{
    budget::{Buffer, Held},
    error::Refusal,
    upload::Uploads,
};

/// What is decoded where it is asked for: some of the body's bytes, or as many of the text, take less than a
/// millisecond. The rest is decoded on a thread that may be kept busy.
const AT_ONCE_BYTES: usize = 256 << 10;

/// What is decoded at a time.
const PIECE_BYTES: usize = 16 << 10;

/// The text of a body.
///
/// # Errors
///
/// 400 where the body is not what its coding says, to its very end; 413 where the text is longer than a body may be;
/// 503 where there is no room for it.
pub(super) async fn decode(
    coding: Coding,
    body: &Bytes,
    uploads: &Uploads,
) -> Result<Bytes, Refusal> {
    let mut decoding = Decoding::new(coding, body.clone(), uploads);
    let whole = body.len() <= AT_ONCE_BYTES && decoding.run(AT_ONCE_BYTES)?;
    if whole {
        return Ok(decoding.out.freeze());
    }
    // As many as there are processors, so that the threads of the runtime get their share of them.
    let permit = uploads.decoders.clone().acquire_owned().await;
    let rest = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        decoding.run(usize::MAX)?;
        Ok(decoding.out.freeze())
    });
    match rest.await {
        Ok(decoded) => decoded,
        Err(failed) if failed.is_panic() => panic::resume_unwind(failed.into_panic()),
        // The runtime is gone, and this with it.
        Err(_) => std::future::pending().await,
    }
}

/// A body on its way to being text.
#[derive(Debug)]
struct Decoding {
    coding: Coding,
    decoder: Decoder,
    out: Buffer,
    /// What the decoder remembers of the text beside it.
    window: Held,
    max_bytes: usize,
}

impl Decoding {
    fn new(coding: Coding, body: Bytes, uploads: &Uploads) -> Self {
        Self {
            coding,
            decoder: Decoder::new(coding, body),
            out: Buffer::new(&uploads.budget),
            window: Held::new(&uploads.budget),
            max_bytes: uploads.max_bytes,
        }
    }

    /// Decodes until there are so many bytes of text or more. Whether that is all of it.
    fn run(&mut self, bytes: usize) -> Result<bool, Refusal> {
        let mut piece = [0; PIECE_BYTES];
        while self.out.len() < bytes {
            let read = self.decoder.read(&mut piece);
            let written = read.map_err(|_| broken(self.coding))?;
            if written == 0 {
                return Ok(true);
            }
            if written > self.max_bytes - self.out.len() {
                return Err(self.too_large());
            }
            self.out.push(&piece[..written], self.max_bytes)?;
            // It cannot remember more than there was.
            let window = self.coding.max_window_bytes();
            self.window.grow(window.min(self.out.len()))?;
        }
        Ok(false)
    }

    fn too_large(&self) -> Refusal {
        let (coding, most) = (self.coding.name(), self.max_bytes);
        let fault = format!("the request body is {coding} of more than {most} bytes");
        Refusal::request("request_too_large", fault).with_status(StatusCode::PAYLOAD_TOO_LARGE)
    }
}

fn broken(coding: Coding) -> Refusal {
    let coding = coding.name();
    let fault = format!("the request body is not the {coding} that its content-encoding says");
    Refusal::request("invalid_encoding", fault)
}

#[cfg(test)]
mod tests;
