use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use brightstaff_metrics_core::{HeldCall, labels::UsageMissing};
use memchr::memmem;

use super::Asking;

/// What providers repeat that do not know the question for usage.
const QUESTION: &[u8] = b"stream_options";

/// Warnings of one upstream whose streams are not counted, each given once: every stream would give it.
#[derive(Debug)]
pub(in crate::gateway) struct Warned {
    upstream: Arc<str>,
    of_streams: AtomicBool,
    of_refusals: AtomicBool,
}

impl Warned {
    pub(in crate::gateway) fn new(upstream: Arc<str>) -> Self {
        Self {
            upstream,
            of_streams: AtomicBool::new(false),
            of_refusals: AtomicBool::new(false),
        }
    }

    /// Warns of a stream that ended as it should, but without its usage.
    pub(super) fn look_for_usage(&self, call: &HeldCall, asking: Asking) {
        if call.usage_missing() != Some(UsageMissing::NotReported)
            || self.of_streams.swap(true, Ordering::Relaxed)
        {
            return;
        }
        let why = match asking {
            Asking::Declined => {
                "the client wrote stream_options.include_usage = false: clients that leave it out are counted, and \
                 see no difference"
            }
            Asking::Nobody => {
                "nobody asked for it: write include_usage = \"hidden\", and clients see no difference"
            }
            Asking::Client | Asking::Shown | Asking::Hidden => {
                "stream_options.include_usage asked for it in vain: see whether the provider has another way to \
                 tell it"
            }
        };
        tracing::warn!(
            upstream = %self.upstream,
            "a stream ended without its usage, so that its tokens are not counted; {why} (said once)"
        );
    }

    /// Warns of a refusal of the question that the gateway asked and the client did not.
    pub(super) fn look_for_refusal(&self, chunk: &[u8]) {
        if memmem::find(chunk, QUESTION).is_some()
            && !self.of_refusals.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                upstream = %self.upstream,
                "it refused a request, and names stream_options, which the gateway put in to ask for usage; if it \
                 does not know that, write include_usage = \"off\" (said once)"
            );
        }
    }
}
