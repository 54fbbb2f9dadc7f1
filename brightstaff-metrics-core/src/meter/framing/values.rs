//! JSON documents: one, or one a line ([NDJSON](https://github.com/ndjson/ndjson-spec)), or the elements
//! of an array, which is how Gemini streams without `alt=sse`.

use crate::meter::json::is_space;
use crate::meter::reader::Reader;
use crate::meter::seam::{Close, Progress};
use crate::meter::steps;

/// Cuts a body into JSON documents. Content decides which form it is: providers stream NDJSON under
/// `application/json`, and answer with a single document under `application/x-ndjson`.
#[derive(Debug)]
pub(crate) struct Values {
    at: At,
    ndjson: bool,
    array: bool,
    /// Nothing but white space stands before in the line.
    line_start: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Start,
    Between,
    Value,
    /// In a line that is broken.
    Broken,
    /// Behind the array, or a document that is broken.
    End,
}

impl Values {
    /// `ndjson`: the content type says so.
    pub(crate) fn new(ndjson: bool) -> Self {
        Self {
            at: At::Start,
            ndjson,
            array: false,
            line_start: true,
        }
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8], reader: &mut Reader) {
        while let Some((&byte, behind)) = bytes.split_first() {
            steps::add(1);
            match self.at {
                At::End => return,
                At::Broken => match memchr::memchr(b'\n', bytes) {
                    Some(end) => {
                        self.at = At::Between;
                        bytes = &bytes[end..];
                    }
                    None => return,
                },
                At::Value => {
                    bytes = reader.payload(bytes, false);
                    self.settle(reader);
                }
                At::Start | At::Between if is_space(byte) => {
                    self.line_start |= byte == b'\n';
                    bytes = behind;
                }
                At::Start if byte == b'[' => {
                    self.array = true;
                    self.at = At::Between;
                    bytes = behind;
                }
                At::Between if self.array && byte == b',' => bytes = behind,
                At::Between if self.array && byte == b']' => self.at = At::End,
                At::Start | At::Between => {
                    let line = self.line(bytes);
                    self.at = At::Value;
                    bytes = match line {
                        Some(line) => {
                            let rest = reader.payload(line, true).len();
                            &bytes[line.len() - rest..]
                        }
                        None => reader.payload(bytes, false),
                    };
                    self.settle(reader);
                }
            }
        }
    }

    /// The fast path of a stream: a line that is all here, and not the first.
    fn line<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        // Once a line: many values on one must not search it many times.
        if !std::mem::take(&mut self.line_start) || self.array || self.at == At::Start {
            return None;
        }
        let end = memchr::memchr(b'\n', bytes)?;
        steps::add(end);
        Some(&bytes[..end])
    }

    /// The body is over. A document that is not whole says nothing.
    pub(crate) fn finish(&mut self, reader: &mut Reader) {
        if self.at == At::Value {
            if reader.close() {
                self.settle(reader);
            } else {
                reader.end(Close::Dropped);
            }
        }
        self.at = At::End;
    }

    fn settle(&mut self, reader: &mut Reader) {
        let document = Close::Document {
            ndjson: self.ndjson,
            element: self.array,
        };
        self.at = match reader.progress() {
            Progress::Open => return,
            Progress::Whole => At::Between,
            Progress::Broken if !self.array && reader.facts().streaming => At::Broken,
            Progress::Broken => At::End,
        };
        reader.end(document);
    }
}
