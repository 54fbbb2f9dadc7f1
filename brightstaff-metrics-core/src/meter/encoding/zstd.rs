//! Zstandard (RFC 8878).
//!
//! The decoder wants whole blocks, and hands out what leaves its window, or all at the end of a frame.
//! So blocks are collected here, one at a time: a block has at most 128 KiB, and decodes to no more.

use std::fmt;

use ruzstd::decoding::FrameDecoder;

use super::stage::{Decode, Fault, Step};

/// Windows of up to 8 MiB, which is what decoders must support (section 3.1.1.1.2).
const MAX_WINDOW: u64 = 1 << 23;
/// Section 3.1.1.2.4.
const MAX_BLOCK: usize = 128 << 10;
/// An empty raw block that is the last of its frame.
const LAST_BLOCK: [u8; 3] = [1, 0, 0];

const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// Decodes zstd frames, one behind the other.
pub(crate) struct Zstd {
    decoder: FrameDecoder,
    at: At,
    /// The part at hand, until it is whole.
    part: Vec<u8>,
    /// How long the part is to be.
    want: usize,
    /// The block at hand is the last of its frame, and a checksum follows it.
    last: bool,
    checksum: bool,
    /// The decoder may hold decoded bytes.
    draining: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Magic,
    Descriptor,
    Header,
    SkipLength,
    Skip(u32),
    BlockHeader,
    Block,
    Checksum,
}

impl Zstd {
    pub(crate) fn new() -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        Self {
            decoder,
            at: At::Magic,
            part: Vec::new(),
            want: MAGIC.len(),
            last: false,
            checksum: false,
            draining: false,
        }
    }

    /// The part at hand grows by `more` bytes, to be judged again.
    fn grow(&mut self, at: At, more: usize) {
        self.at = at;
        self.want = self.part.len() + more;
    }

    fn expect(&mut self, at: At, want: usize) {
        self.part.clear();
        self.grow(at, want);
    }

    /// The part at hand is whole.
    fn whole(&mut self) -> Result<(), Fault> {
        match self.at {
            At::Magic if self.part == MAGIC => self.grow(At::Descriptor, 1),
            // Section 3.1.2: frames to skip.
            At::Magic if self.part[0] & 0xF0 == 0x50 && self.part[1..] == [0x2A, 0x4D, 0x18] => {
                self.expect(At::SkipLength, 4);
            }
            At::Magic => return Err(Fault::Corrupt),
            At::Descriptor => {
                let descriptor = self.part[MAGIC.len()];
                self.checksum = descriptor & 4 != 0;
                self.grow(At::Header, header_len(descriptor));
            }
            At::Header => {
                self.decoder
                    .init(self.part.as_slice())
                    .map_err(|_| Fault::Unsupported)?;
                self.expect(At::BlockHeader, 3);
            }
            At::SkipLength => {
                let length = [self.part[0], self.part[1], self.part[2], self.part[3]];
                self.expect(At::Skip(u32::from_le_bytes(length)), 0);
            }
            At::BlockHeader => {
                let header = u32::from_le_bytes([self.part[0], self.part[1], self.part[2], 0]);
                self.last = header & 1 != 0;
                let size = usize::try_from(header >> 3).map_err(|_| Fault::Corrupt)?;
                let content = match (header >> 1) & 3 {
                    1 if size <= MAX_BLOCK => 1,
                    0 | 2 if size <= MAX_BLOCK => size,
                    _ => return Err(Fault::Corrupt),
                };
                self.grow(At::Block, content);
            }
            At::Block => {
                self.decode()?;
                match (self.last, self.checksum) {
                    (false, _) => self.expect(At::BlockHeader, 3),
                    (true, true) => self.expect(At::Checksum, 4),
                    (true, false) => self.expect(At::Magic, MAGIC.len()),
                }
            }
            // The checksum is the client's to verify.
            At::Checksum => self.expect(At::Magic, MAGIC.len()),
            At::Skip(_) => {}
        }
        Ok(())
    }

    /// Decodes the block at hand.
    fn decode(&mut self) -> Result<(), Fault> {
        let decoded = self.decoder.decode_from_to(&self.part, &mut []);
        decoded.map_err(|_| Fault::Corrupt)?;
        self.draining = true;
        Ok(())
    }

    fn drain(&mut self, output: &mut [u8]) -> Result<usize, Fault> {
        let written = std::io::Read::read(&mut self.decoder, output).map_err(|_| Fault::Corrupt)?;
        self.draining = written > 0;
        Ok(written)
    }
}

/// Bytes of the header behind its descriptor (section 3.1.1.1.1).
fn header_len(descriptor: u8) -> usize {
    let single_segment = descriptor & 0x20 != 0;
    let window = usize::from(!single_segment);
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content = [usize::from(single_segment), 2, 4, 8][usize::from(descriptor >> 6)];
    window + dictionary + content
}

impl Decode for Zstd {
    /// Until it leaves the window, or the frame ends.
    fn holds_back(&self) -> u64 {
        MAX_WINDOW
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        let mut read = 0;
        loop {
            if self.draining {
                let written = self.drain(output)?;
                if written > 0 {
                    return Ok(Step { read, written });
                }
            }
            if let At::Skip(left) = self.at {
                let skipped = (input.len() - read).min(usize::try_from(left).unwrap_or(usize::MAX));
                read += skipped;
                match left - u32::try_from(skipped).unwrap_or(left) {
                    0 => self.expect(At::Magic, MAGIC.len()),
                    left => {
                        self.at = At::Skip(left);
                        return Ok(Step { read, written: 0 });
                    }
                }
            }
            let more = (self.want - self.part.len()).min(input.len() - read);
            self.part.extend_from_slice(&input[read..read + more]);
            read += more;
            if self.part.len() < self.want {
                return Ok(Step { read, written: 0 });
            }
            self.whole()?;
        }
    }

    fn finish(&mut self) -> Result<(), Fault> {
        if matches!(self.at, At::BlockHeader | At::Block) {
            // The frame was cut. What it said so far still lies in the window.
            self.part.clear();
            self.part.extend(LAST_BLOCK);
            self.decode()?;
            self.expect(At::Magic, MAGIC.len());
        }
        Ok(())
    }
}

impl fmt::Debug for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zstd")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
