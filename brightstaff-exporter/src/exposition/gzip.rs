//! Text that is compressed as it comes, into chunks.

use std::{
    io::{self, Write},
    sync::Arc,
};

use bytes::{Buf, Bytes};
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Status};

/// Compresses what is written to it.
pub(crate) struct Gzip {
    deflate: Deflate,
    full: Vec<Bytes>,
    /// The chunk that is being filled, as far as that.
    chunk: Vec<u8>,
    filled: usize,
}

/// What was compressed: chunks that can be shared, none of them empty.
#[derive(Clone, Debug)]
pub(crate) struct Chunks {
    chunks: Arc<[Bytes]>,
    /// The first that is left, and how much of it was taken.
    next: usize,
    taken: usize,
    left: usize,
}

/// How much of its output stands in one piece, in bytes. A larger output is not moved as it grows.
const CHUNK_BYTES: usize = 16 * 1024;

/// The least that searches for what was there before more than once: for a third more time than the first level it
/// leaves a fifth less. From the next one on it takes twice as long, for next to nothing.
const LEVEL: i32 = 2;

/// How zlib is told that it is to be gzip, and to look back by half of what it could, 16 KiB.
const WINDOW_BITS: i32 = 16 + 14;

/// With that window it takes 223 KiB of memory, instead of 371 with what zlib takes by itself, and a tenth more time.
const MEM_LEVEL: i32 = 6;

impl Gzip {
    pub(crate) fn new() -> Self {
        let config = DeflateConfig {
            window_bits: WINDOW_BITS,
            mem_level: MEM_LEVEL,
            ..DeflateConfig::new(LEVEL)
        };
        Self {
            deflate: Deflate::new_with_config(config),
            full: Vec::new(),
            chunk: vec![0; CHUNK_BYTES],
            filled: 0,
        }
    }

    pub(crate) fn finish(mut self) -> io::Result<Chunks> {
        while self.compress(&[], DeflateFlush::Finish)?.0 != Status::StreamEnd {}
        if self.filled > 0 {
            self.chunk.truncate(self.filled);
            self.chunk.shrink_to_fit();
            self.full.push(self.chunk.into());
        }
        let chunks: Arc<[Bytes]> = self.full.into();
        Ok(Chunks {
            left: chunks.iter().map(Bytes::len).sum(),
            chunks,
            next: 0,
            taken: 0,
        })
    }

    /// Compresses as much as the chunk has room for, and tells how much that was.
    fn compress(&mut self, text: &[u8], flush: DeflateFlush) -> io::Result<(Status, usize)> {
        if self.filled == CHUNK_BYTES {
            let full = std::mem::replace(&mut self.chunk, vec![0; CHUNK_BYTES]);
            self.full.push(full.into());
            self.filled = 0;
        }
        let (read, written) = (self.deflate.total_in(), self.deflate.total_out());
        let status = self
            .deflate
            .compress(text, &mut self.chunk[self.filled..], flush)
            .map_err(|error| io::Error::other(error.as_str()))?;
        self.filled += difference(self.deflate.total_out(), written);
        Ok((status, difference(self.deflate.total_in(), read)))
    }
}

fn difference(total: u64, before: u64) -> usize {
    usize::try_from(total - before).expect("what is in memory has a size")
}

impl Write for Gzip {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut read = 0;
        while read < text.len() {
            read += self.compress(&text[read..], DeflateFlush::NoFlush)?.1;
        }
        Ok(read)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Chunks {
    /// The next chunk, if there is one.
    pub(super) fn next_chunk(&mut self) -> Option<Bytes> {
        let chunk = self.chunks.get(self.next)?.slice(self.taken..);
        self.advance(chunk.len());
        Some(chunk)
    }
}

impl Buf for Chunks {
    fn remaining(&self) -> usize {
        self.left
    }

    fn chunk(&self) -> &[u8] {
        let chunk = self.chunks.get(self.next);
        chunk.map_or(&[], |chunk| &chunk[self.taken..])
    }

    fn advance(&mut self, mut count: usize) {
        self.left -= count;
        while count > 0 {
            let step = count.min(self.chunk().len());
            self.taken += step;
            count -= step;
            if self.chunk().is_empty() {
                (self.next, self.taken) = (self.next + 1, 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// What hardly shrinks.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let step = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        (0..len).map(step).collect()
    }

    #[test]
    fn what_was_written_is_read_again() {
        for (text, count) in [
            (Vec::new(), 1),
            (b"# TYPE a counter\na 1\n".repeat(20_000), 1),
            (noise(1000), 1),
            (noise(300_000), 19),
        ] {
            for piece in [1, 1000, 1_000_000] {
                let mut gzip = Gzip::new();
                for piece in text.chunks(piece) {
                    gzip.write_all(piece).unwrap();
                }
                let chunks = gzip.finish().unwrap();
                assert_eq!(chunks.chunks.len(), count);
                assert!(chunks.chunks.iter().all(|chunk| chunk.len() <= CHUNK_BYTES));
                let mut all = Vec::new();
                let mut rest = chunks.clone();
                while let Some(chunk) = rest.next_chunk() {
                    assert!(!chunk.is_empty());
                    all.extend_from_slice(&chunk);
                }
                assert_eq!((rest.remaining(), all.len()), (0, chunks.remaining()));
                let mut read = Vec::new();
                let mut decoder = flate2::bufread::GzDecoder::new(chunks.reader());
                decoder.read_to_end(&mut read).unwrap();
                assert!(read == text);
                let mut decoder = flate2::read::GzDecoder::new(&all[..]);
                read.clear();
                decoder.read_to_end(&mut read).unwrap();
                assert!(read == text);
            }
        }
    }
}
