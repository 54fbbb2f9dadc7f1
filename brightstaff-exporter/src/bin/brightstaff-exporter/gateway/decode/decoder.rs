//! The decoders, strict to the last byte: what a destination might read otherwise is no body.

use std::{
    fmt,
    io::{self, Read},
};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use bytes::{Buf, Bytes, buf::Reader};
use flate2::{Decompress, FlushDecompress, Status, bufread::MultiGzDecoder};
use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

use super::coding::Coding;

/// A body that is read as text.
pub(super) struct Decoder(Box<dyn Read + Send>);

impl Decoder {
    pub(super) fn new(coding: Coding, body: Bytes) -> Self {
        Self(match coding {
            // In one member or several, each with its check sum (RFC 1952).
            Coding::Gzip => Box::new(MultiGzDecoder::new(body.reader())),
            Coding::Deflate => Box::new(Deflate::new(body)),
            Coding::Brotli => Box::new(Brotli::new(body)),
            Coding::Zstd => Box::new(Zstd::new(body, coding.max_window_bytes())),
        })
    }

    /// Writes some of the text; nothing once the body has ended as it should.
    pub(super) fn read(&mut self, text: &mut [u8]) -> io::Result<usize> {
        self.0.read(text)
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}

/// zlib by the standard (RFC 9110, section 8.4.1.2), bare from some clients.
struct Deflate {
    body: Bytes,
    inner: Decompress,
    ended: bool,
}

impl Deflate {
    fn new(body: Bytes) -> Self {
        // RFC 1950, section 2.2: method 8, a window of at most 32 KiB, and a check sum.
        let zlib = matches!(*body, [method, flags, ..] if method & 0x0F == 8
            && method >> 4 <= 7
            && u16::from_be_bytes([method, flags]).is_multiple_of(31));
        Self {
            body,
            inner: Decompress::new(zlib),
            ended: false,
        }
    }
}

impl Read for Deflate {
    fn read(&mut self, text: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            let (read, written) = (self.inner.total_in(), self.inner.total_out());
            let status = self
                .inner
                .decompress(&self.body, text, FlushDecompress::None)?;
            self.ended = status == Status::StreamEnd;
            let since = |now: u64, then| usize::try_from(now - then).map_err(io::Error::other);
            let read = since(self.inner.total_in(), read)?;
            let written = since(self.inner.total_out(), written)?;
            self.body.advance(read);
            match (read, written) {
                (0, 0) if !self.ended => return Err(cut()),
                (_, 0) => {}
                _ => return Ok(written),
            }
        }
        nothing_behind(&self.body)
    }
}

/// RFC 7932.
struct Brotli {
    body: Bytes,
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    ended: bool,
}

impl Brotli {
    fn new(body: Bytes) -> Self {
        let alloc = StandardAlloc::default;
        Self {
            body,
            // Without the large windows that are no part of the standard.
            state: BrotliState::new_strict(alloc(), alloc(), alloc()),
            ended: false,
        }
    }
}

impl Read for Brotli {
    fn read(&mut self, text: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            let (mut unread, mut read) = (self.body.len(), 0);
            let (mut room, mut written) = (text.len(), 0);
            let result = BrotliDecompressStream(
                &mut unread,
                &mut read,
                &self.body,
                &mut room,
                &mut written,
                text,
                &mut 0,
                &mut self.state,
            );
            self.body.advance(read);
            match result {
                BrotliResult::ResultFailure => return Err(io::ErrorKind::InvalidData.into()),
                BrotliResult::ResultSuccess => self.ended = true,
                BrotliResult::NeedsMoreInput if written == 0 => return Err(cut()),
                BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
            }
            if written > 0 {
                return Ok(written);
            }
        }
        nothing_behind(&self.body)
    }
}

/// Frames, one behind the other (RFC 8878).
struct Zstd {
    body: Reader<Bytes>,
    frame: FrameDecoder,
}

impl Zstd {
    fn new(body: Bytes, max_window_bytes: usize) -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(max_window_bytes as u64);
        Self {
            body: body.reader(),
            frame,
        }
    }

    fn next_frame(&mut self) -> io::Result<()> {
        match self.frame.init(&mut self.body) {
            Ok(()) => Ok(()),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let rest = self.body.get_mut();
                let length = usize::try_from(length).map_err(io::Error::other)?;
                if length > rest.len() {
                    return Err(cut());
                }
                rest.advance(length);
                Ok(())
            }
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

impl Read for Zstd {
    fn read(&mut self, text: &mut [u8]) -> io::Result<usize> {
        while self.frame.can_collect() == 0 {
            if !self.frame.is_finished() {
                // At most 128 KiB of text.
                let block = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = self.frame.decode_blocks(&mut self.body, block);
                decoded.map_err(io::Error::other)?;
            } else if self.body.get_ref().has_remaining() {
                self.next_frame()?;
            } else {
                return Ok(0);
            }
        }
        self.frame.read(text)
    }
}

fn nothing_behind(body: &Bytes) -> io::Result<usize> {
    if body.is_empty() {
        Ok(0)
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

fn cut() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}
