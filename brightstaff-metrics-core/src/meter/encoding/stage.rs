//! One decoder behind the other, and the bound on what they may do.

use super::brotli::Brotli;
use super::gzip::Gzip;
use super::inflate::Deflate;
use super::zstd::Zstd;

/// More encodings on one body than any server applies.
const MAX_STAGES: usize = 3;

/// Decoded bytes that are handed on at a time.
const PIECE: usize = 8 * 1024;

/// What may be decoded of any body, however small it is: 4 MiB.
pub(super) const FREE_BYTES: u64 = 4 << 20;
/// What may be decoded in one push, however small it is: 1 MiB. A push happens inside a poll, and holds its
/// thread for as long as it takes.
pub(super) const FREE_BYTES_PER_PUSH: u64 = 1 << 20;
/// What may be decoded beyond either, for each byte that came. Recorded streams compress to a forty-fifth at
/// the best, and only where nothing flushes them, which keeps them far below 4 MiB.
pub(super) const MAX_RATIO: u64 = 32;

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
pub(crate) trait Decode: std::fmt::Debug + Send + Sync {
    /// Takes what it can of `input` and writes what it can to `output`. No progress asks for more input.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault>;

    /// How many bytes of output may come long after the input that they are made of.
    fn holds_back(&self) -> u64 {
        0
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
    budget: Budget,
}

/// How many bytes may still be decoded, in all stages together.
#[derive(Clone, Copy, Debug)]
struct Budget {
    in_all: u64,
    /// In the push at hand.
    per_push: u64,
}

impl Budget {
    /// This many bytes of the body were read. Those that wait to be read earn nothing yet: a bomb may stand
    /// before them.
    fn earn(&mut self, read: usize) {
        let more = u64::try_from(read).unwrap_or(u64::MAX);
        let more = more.saturating_mul(MAX_RATIO);
        self.in_all = self.in_all.saturating_add(more);
        self.per_push = self.per_push.saturating_add(more);
    }

    fn spend(&mut self, written: usize) -> Result<(), Fault> {
        let written = u64::try_from(written).unwrap_or(u64::MAX);
        let left = |budget: u64| budget.checked_sub(written).ok_or(Fault::Unsupported);
        *self = Self {
            in_all: left(self.in_all)?,
            per_push: left(self.per_push)?,
        };
        Ok(())
    }
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
            budget: Budget {
                in_all: FREE_BYTES,
                per_push: 0,
            },
        })
    }

    /// Whether what is handed on may come long after the bytes that it is made of.
    pub(crate) fn holds_back(&self) -> bool {
        self.held_back() > 0
    }

    fn held_back(&self) -> u64 {
        self.decoders
            .iter()
            .map(|decoder| decoder.holds_back())
            .sum()
    }

    /// Decodes on, and hands on what comes out.
    pub(crate) fn push(&mut self, bytes: &[u8], take: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        self.start_push();
        run(&mut self.decoders, bytes, true, &mut self.budget, take)
    }

    /// Hands on what the decoders still hold.
    pub(crate) fn finish(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        self.start_push();
        for first in 0..self.decoders.len() {
            self.decoders[first].finish()?;
            run(
                &mut self.decoders[first..],
                &[],
                false,
                &mut self.budget,
                take,
            )?;
        }
        Ok(())
    }

    /// What earlier pushes brought, and was held back, is not held against the one that lets it go.
    fn start_push(&mut self) {
        self.budget.per_push = FREE_BYTES_PER_PUSH + self.held_back();
    }
}

/// `body`: the input is the body's own, not what a stage made of it.
fn run(
    decoders: &mut [Box<dyn Decode>],
    mut input: &[u8],
    body: bool,
    budget: &mut Budget,
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
        if body {
            budget.earn(read);
        }
        budget.spend(written)?;
        if written > 0 {
            run(behind, &piece[..written], false, budget, take)?;
        } else if read == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
// What `impl Trait` asks for cannot be elided yet.
#[allow(single_use_lifetimes)]
mod tests {
    use std::io::Write as _;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };

    use super::*;

    const MIB: u64 = 1 << 20;
    /// The window that [`zstd`] asks for.
    const WINDOW: u64 = 8 << 20;

    /// An encoder to which this many spaces were written.
    fn write<W: std::io::Write>(mut encoder: W, bytes: u64) -> W {
        let spaces = vec![b' '; usize::try_from(bytes).unwrap()];
        encoder.write_all(&spaces).unwrap();
        encoder
    }

    fn gzip(bytes: u64) -> Vec<u8> {
        let encoder = GzEncoder::new(Vec::new(), Compression::best());
        write(encoder, bytes).finish().unwrap()
    }

    fn zlib(bytes: u64) -> Vec<u8> {
        let encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        write(encoder, bytes).finish().unwrap()
    }

    fn deflate(bytes: u64) -> Vec<u8> {
        let encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        write(encoder, bytes).finish().unwrap()
    }

    fn brotli(bytes: u64) -> Vec<u8> {
        let encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
        write(encoder, bytes).into_inner()
    }

    /// A zstd frame with a window of 2^(10 + 13) bytes, and these blocks in it: their type, the size in
    /// their header, and what follows it (RFC 8878, section 3.1.1.2).
    fn frame<'a>(blocks: impl ExactSizeIterator<Item = (u32, usize, &'a [u8])>) -> Vec<u8> {
        let mut body = vec![0x28, 0xB5, 0x2F, 0xFD, 0, 13 << 3];
        let last = blocks.len() - 1;
        for (at, (kind, size, content)) in blocks.enumerate() {
            let header = u32::try_from(size).unwrap() << 3 | kind << 1 | u32::from(at == last);
            body.extend(&header.to_le_bytes()[..3]);
            body.extend(content);
        }
        body
    }

    /// Blocks of one byte, repeated: four bytes are 128 KiB.
    fn zstd(bytes: u64) -> Vec<u8> {
        let block = 128 << 10;
        let blocks = 0..usize::try_from(bytes).unwrap() / block;
        frame(blocks.map(|_| (1, block, b" ".as_slice())))
    }

    type Encode = fn(u64) -> Vec<u8>;
    const ENCODINGS: [(&str, Encode, u64); 5] = [
        ("gzip", gzip, 0),
        ("deflate", zlib, 0),
        ("deflate", deflate, 0),
        ("br", brotli, 0),
        ("zstd", zstd, WINDOW),
    ];

    fn stages(name: &str) -> Stages {
        Stages::of(&mut name.split(", ")).unwrap()
    }

    /// How many bytes came out of each push, and of the end, and what became of the last.
    fn decoded<'a>(
        name: &str,
        chunks: impl IntoIterator<Item = &'a [u8]>,
    ) -> (Vec<u64>, Result<(), Fault>) {
        let mut stages = stages(name);
        let mut counts = Vec::new();
        for chunk in chunks {
            let mut count = 0;
            let pushed = stages.push(chunk, &mut |decoded| count += decoded.len() as u64);
            counts.push(count);
            if pushed.is_err() {
                return (counts, pushed);
            }
        }
        let mut count = 0;
        let finished = stages.finish(&mut |decoded| count += decoded.len() as u64);
        counts.push(count);
        (counts, finished)
    }

    #[test]
    fn a_push_decodes_no_more_than_its_budget() {
        for (name, encode, held) in ENCODINGS {
            let bomb = encode(16 * MIB);
            let budget = FREE_BYTES_PER_PUSH + held + MAX_RATIO * bomb.len() as u64;
            let (counts, end) = decoded(name, [bomb.as_slice()]);
            assert_eq!(end, Err(Fault::Unsupported), "{name}");
            assert!(counts[0] <= budget, "{name}: {counts:?}");

            // What is within it is decoded.
            let body = encode(MIB);
            let (counts, end) = decoded(name, [body.as_slice()]);
            assert_eq!((counts.iter().sum(), end), (MIB, Ok(())), "{name}");
        }
    }

    #[test]
    fn a_body_decodes_no_more_than_its_budget() {
        for (name, encode, _) in ENCODINGS {
            let bomb = encode(16 * MIB);
            // Byte by byte no push of most comes near its own budget.
            let (counts, end) = decoded(name, bomb.chunks(1));
            assert_eq!(end, Err(Fault::Unsupported), "{name}");
            let sum: u64 = counts.iter().sum();
            let budget = FREE_BYTES + MAX_RATIO * bomb.len() as u64;
            assert!(sum <= budget, "{name}: {sum}");

            // One byte of brotli can stand for 16 MiB, which is more than a push may decode.
            let fits = if name == "br" { MIB } else { 4 * MIB };
            let body = encode(fits);
            let (counts, end) = decoded(name, body.chunks(1));
            assert_eq!((counts.iter().sum(), end), (fits, Ok(())), "{name}");
        }
    }

    /// A long body earns what it may decode in all, but not in one push.
    #[test]
    fn a_push_does_not_spend_what_others_earned() {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        let mut noise = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random.to_le_bytes()
        };
        let plain: Vec<u8> = (0..100_000).flat_map(|_| noise()).collect();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&plain).unwrap();
        let mut body = encoder.finish().unwrap();
        let start = body.len();
        let bomb = gzip(16 * MIB);
        assert!(start as u64 * MAX_RATIO > 16 * MIB);
        body.extend(&bomb);

        let chunks = body[..start].chunks(16 << 10).chain([&body[start..]]);
        let (counts, end) = decoded("gzip", chunks);
        assert_eq!(end, Err(Fault::Unsupported));
        let budget = FREE_BYTES_PER_PUSH + MAX_RATIO * bomb.len() as u64;
        assert!(*counts.last().unwrap() <= budget, "{counts:?}");

        let (counts, end) = decoded("gzip", body.chunks(900));
        assert_eq!(end, Ok(()));
        assert_eq!(counts.iter().sum::<u64>(), plain.len() as u64 + 16 * MIB);
    }

    /// What a stage hands to the next counts, too.
    #[test]
    fn stages_share_a_budget() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&gzip(16 * MIB)).unwrap();
        let bomb = encoder.finish().unwrap();
        let (counts, end) = decoded("gzip, gzip", [bomb.as_slice()]);
        assert_eq!(end, Err(Fault::Unsupported));
        assert!(counts[0] <= FREE_BYTES_PER_PUSH + MAX_RATIO * bomb.len() as u64);
    }

    /// A long stream leaves its window at the end, in one push that brought hardly any of it.
    #[test]
    fn a_window_that_empties_is_no_bomb() {
        let plain = vec![b' '; 6 << 20];
        let blocks = plain.chunks(100_000);
        let body = frame(blocks.map(|raw| (0, raw.len(), raw)));
        let (counts, end) = decoded("zstd", body.chunks(1000));
        assert_eq!(end, Ok(()));
        assert!(counts.iter().max() > Some(&FREE_BYTES_PER_PUSH));
        assert_eq!(counts.iter().sum::<u64>(), plain.len() as u64);
    }
}
