//! Which bytes of a stream stay away from the client, and which have to wait until that is known.

use std::ops::Range;

use super::{
    event::tells_usage_only,
    finish::FinishReason,
    lines::{Place, event_end},
    member::{NullUsage, keys},
};

/// The longest event that is held back until it is whole, in bytes, and the most of any other: one that is
/// longer passes as it is. Those that tell usage have some hundreds.
pub(super) const MAX_HELD: usize = 64 << 10;

/// Reads a stream in order, in pieces of any size.
#[derive(Clone, Debug, Default)]
pub(super) struct Scanner {
    /// Where the stream stands, less what is held.
    place: Place,
    finish: FinishReason,
    phase: Phase,
    /// The last byte was taken out: a `\r`, with which goes the `\n` behind it.
    cut_cr: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// No choice has its finish reason, so that no event can be the one that tells usage.
    #[default]
    Generating,
    /// The same of the rest of this event, or it is too long to be the one.
    Passing,
    /// The next event may be the one: none passes before it is whole.
    Finished,
    /// The one is gone.
    Done,
}

impl Scanner {
    /// Looks through `text`, which begins with what was held. What is to be `cut` is put there in order. The bytes from
    /// the place on that this returns are to be held; where the stream is at its `end`, there are none.
    pub(super) fn scan(&mut self, text: &[u8], end: bool, cut: &mut Vec<Range<usize>>) -> usize {
        let mut at = self.rest_of_line_break(text, cut);
        while at < text.len() {
            let from = at;
            let event = match self.phase {
                Phase::Generating => self.finish.find(&text[at..]).map(|n| (at + n, false)),
                Phase::Passing => Some((at, self.place.is_start())),
                Phase::Finished => Some((at, true)),
                Phase::Done => None,
            };
            let whole = event.and_then(|(at, is_start)| event_end(text, at, is_start));
            let stop = whole.unwrap_or(text.len());
            if self.phase == Phase::Finished {
                if whole.is_none() && !end {
                    if stop - at <= MAX_HELD {
                        return at;
                    }
                    self.phase = Phase::Passing;
                    continue;
                }
                if stop - at <= MAX_HELD && tells_usage_only(&text[at..stop]) {
                    cut.push(at..stop);
                    self.cut_cr = text[stop - 1] == b'\r';
                    self.phase = Phase::Done;
                    self.place.advance(&text[at..stop]);
                    at = stop;
                    continue;
                }
            }
            let held = self.null_usages(&text[..stop], at, whole.is_some() || end, cut);
            at = held.unwrap_or(stop);
            self.place.advance(&text[from..at]);
            match (self.phase, event) {
                (Phase::Generating, Some((finish, _))) if finish <= at => {
                    self.phase = Phase::Passing;
                }
                (Phase::Generating, _) => self.finish.advance(&text[from..at]),
                _ => {}
            }
            if self.phase == Phase::Passing && whole.is_some() {
                self.phase = Phase::Finished;
            }
            if held.is_some() {
                break;
            }
        }
        at
    }

    /// Passes the `\n` that belongs to a `\r` before it, which is no line of its own.
    fn rest_of_line_break(&mut self, text: &[u8], cut: &mut Vec<Range<usize>>) -> usize {
        if !text.starts_with(b"\n") || !self.place.is_after_cr() {
            self.cut_cr &= text.is_empty();
            return 0;
        }
        if std::mem::take(&mut self.cut_cr) {
            cut.push(0..1);
        }
        self.place.advance(b"\n");
        1
    }

    /// Cuts `"usage": null` out of the events from `from` on. Returns from where on the text has to be held, since its
    /// last event has more to come; with `whole`, it has not.
    fn null_usages(
        &self,
        text: &[u8],
        from: usize,
        whole: bool,
        cut: &mut Vec<Range<usize>>,
    ) -> Option<usize> {
        for key in keys(&text[from..]) {
            let Some(member) = NullUsage::at(&text[from..], key) else {
                continue;
            };
            let (start, end) = (from + member.start, from + member.end);
            let event_end = event_end(text, end, false);
            let stop = event_end.unwrap_or(text.len());
            if stop - start > MAX_HELD || !self.place.is_data(&text[from..], member.start) {
                continue;
            }
            if event_end.is_none() && !whole {
                return Some(start);
            }
            if NullUsage::is_of_event(&text[end..stop]) {
                let range = member.cut(&text[from..]);
                cut.push(from + range.start..from + range.end);
            }
        }
        if whole {
            return None;
        }
        let begun = from + NullUsage::begun(&text[from..])?;
        (text.len() - begun <= MAX_HELD).then_some(begun)
    }
}
