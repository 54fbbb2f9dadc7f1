//! Gzip (RFC 1952), in one member or several.

use super::inflate::Inflate;
use super::stage::{Decode, Fault, Step};

// Flags of the header, section 2.3.1.
const HEADER_CHECKSUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;

/// The fixed part of the header.
const HEADER: u8 = 10;
/// Check sum and length behind the data. They are the client's to verify.
const TRAILER: u16 = 8;

/// Decodes gzip.
#[derive(Debug)]
pub(crate) struct Gzip {
    at: At,
    flags: u8,
    inflate: Inflate,
    /// A member was whole: what follows and is none is padding.
    whole: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Header(u8),
    ExtraLength(Option<u8>),
    Skip(u16, Next),
    Text(Next),
    Data,
    End,
}

/// What follows an optional part of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Name,
    Comment,
    HeaderChecksum,
    Data,
    Member,
}

impl Gzip {
    pub(crate) fn new() -> Self {
        Self {
            at: At::Header(0),
            flags: 0,
            inflate: Inflate::new(false),
            whole: false,
        }
    }

    /// Takes a byte outside the data.
    fn take(&mut self, byte: u8) -> Result<(), Fault> {
        self.at = match self.at {
            At::Header(at) => {
                let right = match at {
                    0 => byte == 0x1F,
                    1 => byte == 0x8B,
                    2 => byte == 8,
                    _ => true,
                };
                if !right {
                    // Anything behind a whole member that is none is padding.
                    return if self.whole {
                        self.at = At::End;
                        Ok(())
                    } else {
                        Err(Fault::Corrupt)
                    };
                }
                match at {
                    3 => {
                        self.flags = byte;
                        At::Header(4)
                    }
                    _ if at + 1 < HEADER => At::Header(at + 1),
                    _ if self.flags & EXTRA != 0 => At::ExtraLength(None),
                    _ => self.optional(Next::Name),
                }
            }
            At::ExtraLength(None) => At::ExtraLength(Some(byte)),
            At::ExtraLength(Some(low)) => match u16::from_le_bytes([low, byte]) {
                0 => self.optional(Next::Name),
                length => At::Skip(length, Next::Name),
            },
            At::Skip(1, next) => self.optional(next),
            At::Skip(left, next) => At::Skip(left - 1, next),
            At::Text(next) if byte == 0 => self.optional(next),
            at => at,
        };
        Ok(())
    }

    /// The next part of the header that is there, or what follows it.
    fn optional(&mut self, next: Next) -> At {
        match next {
            Next::Name if self.flags & NAME != 0 => At::Text(Next::Comment),
            Next::Name => self.optional(Next::Comment),
            Next::Comment if self.flags & COMMENT != 0 => At::Text(Next::HeaderChecksum),
            Next::Comment => self.optional(Next::HeaderChecksum),
            Next::HeaderChecksum if self.flags & HEADER_CHECKSUM != 0 => At::Skip(2, Next::Data),
            Next::HeaderChecksum | Next::Data => At::Data,
            Next::Member => {
                self.inflate.reset();
                self.whole = true;
                At::Header(0)
            }
        }
    }
}

impl Decode for Gzip {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        let mut read = 0;
        while read < input.len() && !matches!(self.at, At::Data | At::End) {
            self.take(input[read])?;
            read += 1;
        }
        if self.at == At::End {
            return Ok(Step {
                read: input.len(),
                written: 0,
            });
        }
        if self.at != At::Data {
            return Ok(Step { read, written: 0 });
        }
        let step = self.inflate.step(&input[read..], output)?;
        if self.inflate.has_ended() {
            self.at = At::Skip(TRAILER, Next::Member);
        }
        Ok(Step {
            read: read + step.read,
            written: step.written,
        })
    }
}
