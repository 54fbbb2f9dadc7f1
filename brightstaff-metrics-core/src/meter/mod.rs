//! The stream meter: bytes in, facts out.
//!
//! A [`Meter`] reads the body of a provider's response as it passes, in chunks of any size, and knows from
//! it which API speaks, which model answered, when the first token came, how many tokens were used, and
//! how the response ended. It knows no clock, no metrics and no framework, keeps at most 4 KiB per stream
//! (a decompressor's window apart) whatever passes, and never fails: what cannot be read is told as
//! [`Facts::usage_missing`].
//!
//! ```
//! use brightstaff_metrics_core::meter::{End, Meter};
//!
//! let mut meter = Meter::new(Some("text/event-stream"), None);
//! meter.push(b"data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}],");
//! assert_eq!(meter.facts().first_token_event, None);
//! meter.push(b"\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1}}\n\n");
//! assert_eq!(meter.facts().first_token_event, Some(0));
//! meter.push(b"data: [DONE]\n\n");
//! meter.finish();
//!
//! let facts = meter.facts();
//! assert_eq!((facts.usage.prompt, facts.usage.completion), (Some(9), Some(1)));
//! assert_eq!((facts.events, facts.end()), (2, End::Complete));
//! ```

mod apis;
mod body;
mod calls;
mod capture;
mod choices;
mod details;
mod encoding;
mod event;
mod facts;
mod failure;
mod finish;
mod framing;
mod json;
mod model;
mod paths;
mod places;
mod reader;
mod said;
mod seam;
mod seen;
mod short;
mod spec;
mod steps;
mod usage;

use std::fmt;

pub use apis::Api;
use body::Body;
pub(crate) use body::Promise;
pub use details::Details;
use encoding::Encoding;
pub use facts::{End, Facts, Usage};
pub use model::Model;

/// Reads one response's body.
pub struct Meter {
    encoding: Encoding,
    body: Body,
    timely: bool,
    finished: bool,
}

impl Meter {
    /// A meter for a body with these `Content-Type` and `Content-Encoding` headers, as received.
    #[must_use]
    pub fn new(content_type: Option<&str>, content_encoding: Option<&str>) -> Self {
        let mut meter = Self::plain(Promise::of(content_type));
        if content_encoding.is_some() {
            meter.encoding = Encoding::of(content_encoding);
            meter.timely = meter.encoding.is_timely();
            if matches!(meter.encoding, Encoding::Unread) {
                meter.body.give_up(true);
            }
        }
        meter
    }

    /// A meter for a body that is not encoded.
    // In one place, and into its own: copies of it would cost more than its making.
    #[inline(never)]
    pub(crate) fn plain(promise: Promise) -> Self {
        Self {
            encoding: Encoding::Identity,
            body: Body::new(promise),
            timely: true,
            finished: false,
        }
    }

    /// Reads the next bytes of the body, in time linear in what they decode to. Compare [`Meter::facts`] before
    /// and after to take an instant.
    ///
    /// Of a compressed body, at most 4 MiB and 32 times what came are decoded in all, and at most 1 MiB and
    /// 32 times these bytes in one push (of `zstd` 8 MiB more, which come out of its window). A body that
    /// would be more is given up as
    /// [`UsageMissing::UnsupportedEncoding`](crate::labels::UsageMissing::UnsupportedEncoding).
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        if self.finished {
            return;
        }
        match &mut self.encoding {
            Encoding::Identity => self.body.push(bytes),
            #[cfg(feature = "compression")]
            Encoding::Known(stages) => {
                let pushed = stages.push(bytes, &mut |decoded| self.body.push(decoded));
                self.settle(pushed);
            }
            Encoding::Unread => {}
        }
    }

    /// The body ended by HTTP's rules: a last event that nothing closes is dispatched, if it is whole.
    /// Anything pushed or finished after that is ignored.
    ///
    /// It does no harm to call this where the body broke or was dropped, and lets what a decompressor still
    /// holds count; only [`Facts::end`] says nothing then.
    pub fn finish(&mut self) {
        if self.finished {
            return;
        }
        #[cfg(feature = "compression")]
        if let Encoding::Known(stages) = &mut self.encoding {
            let finished = stages.finish(&mut |decoded| self.body.push(decoded));
            self.settle(finished);
        }
        self.finished = true;
        self.body.finish();
    }

    /// Whether facts come with the bytes that tell them, so that an instant taken of them means something.
    ///
    /// A decoder of `zstd` hands out what leaves its window, and the rest at the end of a frame: tokens and
    /// ending are right then, but known late.
    #[must_use]
    pub const fn is_timely(&self) -> bool {
        self.timely
    }

    /// What is known so far.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        self.body.facts()
    }

    /// Gives a body up that cannot be decoded further.
    #[cfg(feature = "compression")]
    fn settle(&mut self, decoded: Result<(), encoding::Fault>) {
        if let Err(fault) = decoded {
            self.encoding = Encoding::Unread;
            self.body.give_up(fault == encoding::Fault::Unsupported);
        }
    }
}

/// Tells what was learned, and nothing of the response: guards that hold a meter are logged.
impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter")
            .field("facts", self.facts())
            .finish_non_exhaustive()
    }
}
