use super::{UpstreamCall, body_reader::Reader};
use crate::{
    labels::StatusClass,
    meter::{Facts, Usage},
};

/// What a caller reports of a response whose bytes it never sees.
#[derive(Debug)]
pub(super) struct ByHand(Facts);

impl ByHand {
    fn new() -> Self {
        Self(Facts::by_hand())
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.0
    }

    fn first_token(&mut self) {
        self.0.streaming = true;
        self.0.first_token_event.get_or_insert(0);
    }

    fn usage(&mut self, usage: Usage) {
        self.0.usage = usage;
        self.0.usage_final = true;
    }

    pub(super) fn finish(&mut self) {
        self.0.terminal = true;
    }
}

/// Reporting by hand, for SDKs that yield typed events instead of bytes: the status, the first generated output
/// of a streamed response, the usage if the SDK reports it, and the end.
///
/// ```
/// use brightstaff_metrics_core::{Metrics, meter::Usage};
///
/// # let metrics = Metrics::unregistered();
/// let mut call = metrics.upstream("openai", "gpt-4o").start();
/// // let mut events = client.chat().create_stream(request).await?; its errors: `call.fail(class)`
/// call.response(200);
/// // while let Some(event) = events.next().await { match event? {
/// call.first_token(); // at each event with generated output: the first counts
/// call.usage(Usage::new(9, 12)); // at the event that has it: the last counts
/// // } }
/// call.finish(); // dropped instead, the call is `cancelled`
/// ```
impl UpstreamCall {
    /// The response has this status, and its bytes will not be seen. Where they are, it is
    /// [`head`](Self::head) instead; whichever comes first counts.
    pub fn response(&mut self, status: u16) {
        let Some(call) = self.open() else { return };
        if call.answered(status) && StatusClass::of(status) == StatusClass::Success {
            call.reader = Some(Reader::ByHand(Box::new(ByHand::new())));
        }
    }

    /// An event with generated output came (text, reasoning, a tool call, media): the first is the first
    /// token, and makes the response a streamed one. Nothing without a [`response`](Self::response) that is a
    /// 2xx.
    pub fn first_token(&mut self) {
        if let Some(call) = self.open()
            && let Some(Reader::ByHand(by_hand)) = &mut call.reader
        {
            by_hand.first_token();
            let upstream = &call.upstream;
            call.timing.event(by_hand.facts(), || upstream.now());
        }
    }

    /// The tokens, as the provider reports them: the last report counts. Nothing without a
    /// [`response`](Self::response) that is a 2xx.
    pub fn usage(&mut self, usage: Usage) {
        if let Some(call) = self.open()
            && let Some(Reader::ByHand(by_hand)) = &mut call.reader
        {
            by_hand.usage(usage);
        }
    }
}
