//! One decoder behind the other, and the bound on what they may do.

use super::brotli::Brotli;
use super::gzip::Gzip;
use super::inflate::Deflate;
use super::zstd::Zstd;

/// More encodings on one body than any server applies.
const MAX_STAGES: usize = 3;

/// Decoded bytes that are handed on at a time.
const PIECE: usize = 8 * 1024;

/// What may be decoded of any body, however small it is: 64 MiB.
const FREE_BYTES: u64 = 64 << 20;
/// What may be decoded beyond that, for each byte that came. Text rarely compresses to a twentieth.
const MAX_RATIO: u64 = 128;

/// Why decoding stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The body is not what its encoding says.
    Corrupt,
    /// A window larger than the cap, a dictionary, or more decoded bytes than the bound.
    Unsupported,
}

/// One step of a decoder.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Step {
    pub(crate) read: usize,
    pub(crate) written: usize,
}

/// A decoder that is fed and drained piece by piece.
pub(crate) trait Decode: std::fmt::Debug + Send {
    /// Takes what it can of `input` and writes what it can to `output`. No progress asks for more input.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault>;

    /// Whether output may come long after the input that it is made of.
    fn holds_back(&self) -> bool {
        false
    }

    /// The input is over: readies what was held back for a last [`Decode::step`].
    fn finish(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

/// The decoders of one body, and their account.
#[derive(Debug)]
pub(crate) struct Stages {
    /// The encoding that was applied last comes first.
    decoders: Vec<Box<dyn Decode>>,
    /// Bytes that may still be decoded.
    left: u64,
}

impl Stages {
    /// `None` if an encoding is not known.
    pub(crate) fn of(names: &mut dyn Iterator<Item = &str>) -> Option<Self> {
        let mut decoders: Vec<Box<dyn Decode>> = Vec::new();
        for name in names {
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            let decoder: Box<dyn Decode> = if is("gzip") || is("x-gzip") {
                Box::new(Gzip::new())
            } else if is("deflate") {
                Box::new(Deflate::new())
            } else if is("br") {
                Box::new(Brotli::new())
            } else if is("zstd") {
                Box::new(Zstd::new())
            } else {
                return None;
            };
            if decoders.len() == MAX_STAGES {
                return None;
            }
            decoders.insert(0, decoder);
        }
        Some(Self {
            decoders,
            left: FREE_BYTES,
        })
    }

    /// Whether what is handed on may come long after the bytes that it is made of.
    pub(crate) fn holds_back(&self) -> bool {
        self.decoders.iter().any(|decoder| decoder.holds_back())
    }

    /// Decodes on, and hands on what comes out.
    pub(crate) fn push(&mut self, bytes: &[u8], take: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.left = self.left.saturating_add(more.saturating_mul(MAX_RATIO));
        run(&mut self.decoders, bytes, &mut self.left, take)
    }

    /// Hands on what the decoders still hold.
    pub(crate) fn finish(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        for first in 0..self.decoders.len() {
            self.decoders[first].finish()?;
            run(&mut self.decoders[first..], &[], &mut self.left, take)?;
        }
        Ok(())
    }
}

fn run(
    decoders: &mut [Box<dyn Decode>],
    mut input: &[u8],
    left: &mut u64,
    take: &mut dyn FnMut(&[u8]),
) -> Result<(), Fault> {
    let Some((decoder, behind)) = decoders.split_first_mut() else {
        take(input);
        return Ok(());
    };
    let mut piece = [0; PIECE];
    loop {
        let Step { read, written } = decoder.step(input, &mut piece)?;
        input = &input[read..];
        *left = left
            .checked_sub(u64::try_from(written).unwrap_or(u64::MAX))
            .ok_or(Fault::Unsupported)?;
        if written > 0 {
            run(behind, &piece[..written], left, take)?;
        } else if read == 0 {
            return Ok(());
        }
    }
}
