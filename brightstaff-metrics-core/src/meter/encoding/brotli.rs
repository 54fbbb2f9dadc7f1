//! Brotli (RFC 7932).

use std::fmt;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::stage::{Decode, Fault, Step};

/// Decodes brotli, with windows of up to 4 MiB (`lgwin` 22, the default of every encoder).
pub(crate) struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Start,
    Data,
    End,
}

impl Brotli {
    pub(crate) fn new() -> Self {
        let alloc = StandardAlloc::default;
        Self {
            state: Box::new(BrotliState::new_strict(alloc(), alloc(), alloc())),
            at: At::Start,
        }
    }
}

impl Decode for Brotli {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        match (self.at, input) {
            (At::Start, []) => return Ok(Step::default()),
            // Section 9.1: the low four bits of the first byte are 13 or 15 for windows of 2^23, 2^24.
            (At::Start, [first, ..]) if matches!(first & 0x0F, 13 | 15) => {
                return Err(Fault::Unsupported);
            }
            // What follows the stream is of no interest.
            (At::End, _) => {
                return Ok(Step {
                    read: input.len(),
                    written: 0,
                });
            }
            _ => self.at = At::Data,
        }
        let (mut unread, mut read) = (input.len(), 0);
        let (mut room, mut written) = (output.len(), 0);
        let result = BrotliDecompressStream(
            &mut unread,
            &mut read,
            input,
            &mut room,
            &mut written,
            output,
            &mut 0,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => return Err(Fault::Corrupt),
            BrotliResult::ResultSuccess => self.at = At::End,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok(Step { read, written })
    }
}

impl fmt::Debug for Brotli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brotli")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
