//! DEFLATE (RFC 1951), bare or in zlib's wrapping (RFC 1950).

use flate2::{Decompress, FlushDecompress, Status};

use super::stage::{Decode, Fault, Step};

/// One DEFLATE stream.
#[derive(Debug)]
pub(crate) struct Inflate {
    inner: Decompress,
    ended: bool,
}

impl Inflate {
    pub(crate) fn new(zlib: bool) -> Self {
        Self {
            inner: Decompress::new(zlib),
            ended: false,
        }
    }

    /// Makes ready for another bare stream.
    pub(crate) fn reset(&mut self) {
        self.inner.reset(false);
        self.ended = false;
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }
}

impl Decode for Inflate {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        if self.ended {
            return Ok(Step::default());
        }
        let (read, written) = (self.inner.total_in(), self.inner.total_out());
        let status = self.inner.decompress(input, output, FlushDecompress::None);
        let since = |now: u64, then| usize::try_from(now - then).map_err(|_| Fault::Corrupt);
        let step = Step {
            read: since(self.inner.total_in(), read)?,
            written: since(self.inner.total_out(), written)?,
        };
        match status {
            Ok(status) => self.ended = status == Status::StreamEnd,
            // What came before the damage still counts. The next step will fail again.
            Err(_) if step.written > 0 => {}
            Err(_) => return Err(Fault::Corrupt),
        }
        Ok(step)
    }
}

/// The `deflate` coding: zlib by the standard (RFC 9110, section 8.4.1.2), bare from some servers. The
/// first two bytes tell.
#[derive(Debug)]
pub(crate) enum Deflate {
    /// The first byte, if it came alone.
    Unknown(Option<u8>),
    /// A first byte that is still to be read.
    Known(Inflate, Option<u8>),
}

impl Deflate {
    pub(crate) fn new() -> Self {
        Self::Unknown(None)
    }
}

impl Decode for Deflate {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        match self {
            Self::Known(inflate, first @ Some(_)) => {
                let byte = [first.take().unwrap_or_default()];
                let step = inflate.step(&byte, output)?;
                Ok(Step { read: 0, ..step })
            }
            Self::Known(inflate, None) => inflate.step(input, output),
            Self::Unknown(first) => match (*first, input) {
                (None, [byte]) => {
                    *first = Some(*byte);
                    Ok(Step {
                        read: 1,
                        written: 0,
                    })
                }
                (Some(method), [flags, ..]) => {
                    let mut known =
                        Self::Known(Inflate::new(is_zlib(method, *flags)), Some(method));
                    let step = known.step(&[], output)?;
                    *self = known;
                    let rest = self.step(input, &mut output[step.written..])?;
                    Ok(Step {
                        read: rest.read,
                        written: step.written + rest.written,
                    })
                }
                (None, [method, flags, ..]) => {
                    *self = Self::Known(Inflate::new(is_zlib(*method, *flags)), None);
                    self.step(input, output)
                }
                (_, []) => Ok(Step::default()),
            },
        }
    }
}

/// RFC 1950, section 2.2: method 8, a window of at most 32 KiB, and a check sum.
fn is_zlib(method: u8, flags: u8) -> bool {
    method & 0x0F == 8 && method >> 4 <= 7 && u16::from_be_bytes([method, flags]).is_multiple_of(31)
}
