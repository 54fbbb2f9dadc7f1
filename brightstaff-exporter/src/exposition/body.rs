//! The two ways in which an exposition leaves.

use std::{
    convert::Infallible,
    io::Read,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes, buf::Reader};
use flate2::bufread::GzDecoder;
use http_body::{Body, Frame, SizeHint};

use super::{Exposition, gzip::Chunks};

/// An exposition as it is kept, chunk by chunk.
pub(crate) struct Compressed<T> {
    left: Chunks,
    /// Goes when the body and all that it gave do: where a server writes it, once it is written.
    kept: Arc<T>,
}

impl<T> Compressed<T> {
    pub(crate) fn new(exposition: Exposition, kept: T) -> Self {
        Self {
            left: exposition.gzip,
            kept: Arc::new(kept),
        }
    }
}

impl<T: Send + Sync + 'static> Body for Compressed<T> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let body = self.get_mut();
        let chunk = body.left.next_chunk();
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(held(chunk, Arc::clone(&body.kept))))))
    }

    fn is_end_stream(&self) -> bool {
        !self.left.has_remaining()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.remaining() as u64)
    }
}

/// Bytes that keep something for as long as they are: until they are written, where a server writes them.
pub(crate) fn held(bytes: Bytes, kept: impl Send + 'static) -> Bytes {
    struct Held<T> {
        bytes: Bytes,
        _kept: T,
    }
    impl<T> AsRef<[u8]> for Held<T> {
        fn as_ref(&self) -> &[u8] {
            &self.bytes
        }
    }
    Bytes::from_owner(Held { bytes, _kept: kept })
}

/// An exposition's text, inflated as fast as it is taken, so that a slow reader holds no more of it than one piece.
pub(crate) struct Text<T> {
    decoder: GzDecoder<Reader<Chunks>>,
    left: u64,
    /// Goes when the body does.
    _kept: T,
}

/// In bytes: inflated on the thread that writes it, so that it must not take long.
const PIECE: u64 = 32 * 1024;

impl<T> Text<T> {
    pub(crate) fn new(exposition: Exposition, kept: T) -> Self {
        Self {
            decoder: GzDecoder::new(exposition.gzip.reader()),
            left: exposition.text_len,
            _kept: kept,
        }
    }
}

impl<T: Unpin> Body for Text<T> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let text = self.get_mut();
        let piece = usize::try_from(text.left.min(PIECE)).expect("a piece fits into memory");
        if piece == 0 {
            return Poll::Ready(None);
        }
        let mut bytes = vec![0; piece];
        text.decoder
            .read_exact(&mut bytes)
            .expect("what was compressed here is sound");
        text.left -= piece as u64;
        Poll::Ready(Some(Ok(Frame::data(bytes.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
