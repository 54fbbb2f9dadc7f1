//! The fast path of a stream: an event that differs from one before it only in free text, in numbers or
//! in white space says nothing that the one before did not say.
//!
//! Chunks of a response are alike but for a word of text. Comparing with the last one that said nothing
//! new costs a few vectorised comparisons; the parts that vary are found as they first differ. What is compared
//! is a JSON document, or a server-sent event with all of its lines, which so need not be found first, and may come
//! in pieces of any size.

mod content;
mod hole;
mod trace;

use std::ops::Range;

use content::Pass;

#[cfg(test)]
pub(crate) use hole::BOUND;
use hole::{Holds, Hole};
pub(crate) use trace::Trace;

use crate::meter::steps;

/// The longest event that is remembered.
pub(crate) const MAX_EVENT: usize = 1024;
/// The most parts of it that may vary.
const MAX_HOLES: usize = 12;

/// An event to compare with.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// The event as it came; empty where none is known.
    text: Vec<u8>,
    /// Where the JSON is in it: nothing else may vary.
    json: Range<usize>,
    holes: [Hole; MAX_HOLES],
    /// How many of the holes are known, in the order of the text.
    known: usize,
    /// Whether the numbers in it count.
    counts: bool,
    /// What the last event of this shape counted, where they do: to be told once another comes.
    counted: Option<Counts>,
}

/// How an event compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk<'a> {
    /// So far it has the shape.
    On,
    /// It has the shape, and this follows.
    Whole(&'a [u8]),
    /// It differs, at the latest in these bytes.
    Off(&'a [u8]),
}

impl Shape {
    pub(crate) const NONE: Self = Self {
        text: Vec::new(),
        json: 0..0,
        holes: [Hole::NONE; MAX_HOLES],
        known: 0,
        counts: false,
        counted: None,
    };

    #[inline]
    pub(crate) fn is_none(&self) -> bool {
        self.text.is_empty()
    }

    /// Remembers an event with one whole JSON value, already scanned, in it. One that is too long is not
    /// remembered. With `counts`, the values of its numbers matter.
    pub(crate) fn learn(&mut self, event: &[u8], json: Range<usize>, counts: bool) {
        self.forget();
        if event.len() <= MAX_EVENT && !is_off() {
            self.text.extend_from_slice(event);
            self.json = json;
            self.counts = counts;
        }
    }

    /// Makes the known event longer, by what belongs to its last line.
    pub(crate) fn extend(&mut self, byte: u8) {
        if !self.is_none() {
            self.text.push(byte);
        }
    }

    pub(crate) fn forget(&mut self) {
        self.text.clear();
        self.known = 0;
        self.counted = None;
    }

    /// An event of this shape passed, and had these counts.
    #[inline]
    pub(crate) fn count(&mut self, counts: &Counts) {
        if self.counts {
            self.counted = Some(*counts);
        }
    }

    /// Passes over events that have this shape, in the parts that are known to vary, and are all here: what follows
    /// them, and how many they are. The trace is at its start, and stays there.
    #[inline(always)]
    pub(crate) fn pass<'a>(&mut self, bytes: &'a [u8], trace: &mut Trace) -> (&'a [u8], u64) {
        let (mut rest, mut events) = (bytes, 0);
        while !rest.is_empty()
            && let Some(behind) = self.whole(0..self.text.len(), rest, trace.counts_mut())
        {
            self.count(trace.counts());
            rest = behind;
            events += 1;
        }
        (rest, events)
    }

    /// What follows such an event, or the part of it that has this place in the text; its counts.
    // Of its two callers the one is called by every chunk, and as its own frame this would cost that a tenth.
    #[inline(always)]
    fn whole<'a>(
        &self,
        part: Range<usize>,
        event: &'a [u8],
        counts: &mut Counts,
    ) -> Option<&'a [u8]> {
        let mut rest = event;
        let mut start = part.start;
        for (hole, count) in self.holes[..self.known].iter().zip(counts) {
            rest = rest.strip_prefix(self.text.get(start..hole.start())?)?;
            // Most are texts: asked first, as that is cheaper than to be sent on by a table.
            let pass = if hole.holds == Holds::Text {
                content::text(rest)
            } else {
                let (pass, counted) = content::over(hole.holds, rest);
                *count = counted;
                pass
            };
            let Pass::To(len) = pass else { return None };
            rest = rest.get(len..)?;
            start = hole.end();
        }
        let behind = rest.strip_prefix(self.text.get(start..part.end)?)?;
        steps::add(event.len() - behind.len());
        Some(behind)
    }

    /// Compares on, from where the trace has come to. Finds out on the way which parts may vary.
    pub(crate) fn walk<'a>(&mut self, trace: &mut Trace, bytes: &'a [u8]) -> Walk<'a> {
        self.walk_to(trace, bytes, self.text.len())
    }

    /// Whether a JSON document has the shape of the one that is known. One whose numbers count never has.
    #[inline(never)]
    pub(crate) fn fits(&mut self, document: &[u8]) -> bool {
        if self.is_none() || self.counts {
            return false;
        }
        let whole = self.whole(self.json.clone(), document, &mut [0; MAX_HOLES]);
        whole == Some(&[]) || self.comes_to_fit(document)
    }

    /// The same, where a part of it may vary that was not known to.
    #[inline(never)]
    fn comes_to_fit(&mut self, document: &[u8]) -> bool {
        let end = self.json.end;
        let mut trace = Trace::at(self.json.start);
        let mut rest = document;
        loop {
            rest = match self.walk_to(&mut trace, rest, end) {
                Walk::Whole([]) => return true,
                Walk::Whole(behind) => behind,
                Walk::Off(_) => return false,
                Walk::On => match self.inside(&trace) {
                    Some(hole) => return trace.may_end(hole) && hole.end() == end,
                    None => &[],
                },
            };
            if !self.widen(&mut trace, rest.first().copied()) {
                return false;
            }
        }
    }

    fn walk_to<'a>(&mut self, trace: &mut Trace, bytes: &'a [u8], end: usize) -> Walk<'a> {
        let mut rest = bytes;
        loop {
            if let Some(hole) = self.inside(trace) {
                match trace.pass(hole, rest) {
                    Pass::To(len) => {
                        steps::add(len);
                        rest = &rest[len..];
                    }
                    Pass::On => return Walk::On,
                    Pass::Off => return Walk::Off(rest),
                }
            }
            let next = self.holes[..self.known].get(trace.holes());
            let part = &self.text[trace.place()..next.map_or(end, |hole| hole.start())];
            let same = common(part, rest);
            steps::add(same + 1);
            trace.advance(same);
            rest = &rest[same..];
            if same < part.len() {
                match rest.first() {
                    None => return Walk::On,
                    Some(&byte) if self.widen(trace, Some(byte)) => {}
                    Some(_) => return Walk::Off(rest),
                }
            } else if next.is_some() {
                trace.enter();
            } else {
                return Walk::Whole(rest);
            }
        }
    }

    /// The hole that the trace is inside of.
    fn inside(&self, trace: &Trace) -> Option<Hole> {
        let hole = self.holes[..self.known].get(trace.holes());
        hole.filter(|_| trace.is_inside()).copied()
    }

    /// Makes a hole where the event differs, if the meaning allows it, and lets the trace enter it.
    fn widen(&mut self, trace: &mut Trace, byte: Option<u8>) -> bool {
        let json = &self.text[self.json.clone()];
        let Some(mut hole) = trace
            .place()
            .checked_sub(self.json.start)
            .filter(|&at| at <= json.len())
            .and_then(|at| Hole::at(json, at, byte))
        else {
            return false;
        };
        hole.shift(self.json.start);
        if self.counts && hole.holds == Holds::Number {
            hole.holds = Holds::Count;
        }
        let place = trace.holes();
        let known = &self.holes[..self.known];
        let clear = known[..place].iter().all(|other| other.end < hole.start)
            && known[place..].iter().all(|other| hole.end < other.start);
        let passed = &self.text[hole.start().min(trace.place())..trace.place()];
        if !clear || self.known == MAX_HOLES || !trace.enter_at(hole, passed) {
            return false;
        }
        self.holes.copy_within(place..self.known, place + 1);
        self.holes[place] = hole;
        if let Some(counted) = &mut self.counted {
            counted.copy_within(place..self.known, place + 1);
            counted[place] = 0;
        }
        self.known += 1;
        true
    }
}

/// The counts of an event, by the number of the hole that they stand in; 0 where it holds none.
pub(crate) type Counts = [u32; MAX_HOLES];

/// How far two texts are the same.
#[inline]
fn common(one: &[u8], other: &[u8]) -> usize {
    let len = one.len().min(other.len());
    if one[..len] == other[..len] {
        return len;
    }
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

/// Whether a test has every event read.
#[cfg(not(test))]
const fn is_off() -> bool {
    false
}

#[cfg(test)]
pub(crate) use tests::{is_off, without_shapes};

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{Shape, Trace, Walk};

    thread_local!(static OFF: Cell<bool> = const { Cell::new(false) });

    pub(crate) fn is_off() -> bool {
        OFF.get()
    }

    /// Runs a test in which no event is remembered.
    pub(crate) fn without_shapes<T>(test: impl FnOnce() -> T) -> T {
        OFF.set(true);
        let result = test();
        OFF.set(false);
        result
    }

    const EVENT: &str = r#"{"type":"d","n":12,"text":"Hi","none":"","last":null} "#;

    /// Of a document, and of an event of two lines around it.
    fn shape(counts: bool) -> Shape {
        let mut shape = Shape::NONE;
        let event = framed(EVENT);
        let json = event.len() - 2 - EVENT.len()..event.len() - 2;
        shape.learn(event.as_bytes(), json, counts);
        shape
    }

    fn framed(json: &str) -> String {
        format!("event: d\ndata: {json}\n\n")
    }

    /// Whether an event fits, by itself, with lines around it, and in pieces.
    fn fits(json: &str) -> bool {
        let fits = shape(false).fits(json.as_bytes());
        let event = framed(json);
        for len in 1..=event.len() {
            let (mut shape, mut trace) = (shape(false), Trace::START);
            let mut walk = Walk::On;
            for piece in event.as_bytes().chunks(len) {
                if walk == Walk::On {
                    walk = shape.walk(&mut trace, piece);
                }
            }
            assert_eq!(walk == Walk::Whole(b""), fits, "{json} by {len}");
            let all = 0..shape.text.len();
            let whole = shape.whole(all, event.as_bytes(), &mut [0; 12]);
            assert_eq!(whole, fits.then_some(&b""[..]), "{json}");
        }
        fits
    }

    #[test]
    fn text_numbers_and_white_space_may_vary() {
        for event in [
            EVENT,
            r#"{"type":"d","n":-1.5e3,"text":"\"\\","none":"","last":null}"#,
            r#"{"type":"d","n":123,"text":"","none":"","last":null}  "#,
            r#"{ "type" :"d", "n":1,"text":"a long text { \" }","none":"","last":null }"#,
        ] {
            assert!(fits(event), "{event}");
        }
    }

    #[test]
    fn nothing_else_may_vary() {
        for event in [
            "",
            r#"{"type":"e","n":12,"text":"Hi","none":"","last":null}"#,
            r#"{"type":"d","n":12,"text":"Hi","none":"x","last":null}"#,
            r#"{"type":"d","n":12,"text":"Hi","none":"","last":"x"}"#,
            r#"{"type":"d","n":12,"text":null,"none":"","last":null}"#,
            r#"{"type":"d","n":null,"text":"Hi","none":"","last":null}"#,
            r#"{"type":"d","n":1 2,"text":"Hi","none":"","last":null}"#,
            r#"{"type":"d","n":12,"text":"Hi","none":"","last":nu ll}"#,
            r#"{"type":"d","n":12,"text":"Hi","none":"","last":null,"usage":{}}"#,
            r#"{"type":"d","n":12,"test":"Hi","none":"","last":null}"#,
            r#"{"type":"d","n":12,"text":"Hi","none":"","last":null"#,
        ] {
            assert!(!fits(event), "{event}");
        }
    }

    #[test]
    fn nothing_but_the_json_may_vary() {
        for event in [
            framed(EVENT).replace("event: d", "event: e"),
            framed(EVENT).replace("data: ", "data:"),
            framed(EVENT).replace("\n\n", "\nid: 1\n\n"),
            framed(EVENT).replace("Hi", "H\ni"),
        ] {
            let mut shape = shape(false);
            let walk = shape.walk(&mut Trace::START.clone(), event.as_bytes());
            assert!(matches!(walk, Walk::Off(_)), "{event}");
        }
    }

    /// What a shape says of the beginning of an event, wherever that ends.
    #[test]
    fn what_was_traced_is_told_again() {
        let told = |event: &str, len: usize| {
            let (mut shape, mut trace) = (shape(true), Trace::START);
            for piece in event.as_bytes()[..len].chunks(3) {
                assert_eq!(shape.walk(&mut trace, piece), Walk::On);
            }
            let mut told = Vec::new();
            shape.retrace(&trace, |piece| told.extend_from_slice(piece));
            String::from_utf8(told).unwrap()
        };
        let event = framed(r#"{"type":"d","n":345,"text":"","none":"","last":null}"#);
        for len in 0..event.len() {
            assert_eq!(told(&event, len), event[..len]);
        }
        let event = framed(r#"{"type":"d","n":12,"text":"H\"ello","none":"","last":null} "#);
        let before = event.find("\\\"").unwrap();
        assert_eq!(told(&event, before), &event[..before]);
        assert!(told(&event, before + 1).ends_with("\"x\\"));
        assert!(told(&event, before + 2).ends_with("\"x"));
        assert!(told(&event, before + 11).ends_with("\"x\",\"no"));
    }

    #[test]
    fn the_last_count_is_told() {
        let mut shape = shape(true);
        let mut told = |events: &[(u32, bool)]| {
            for &(number, fits) in events {
                let event = framed(&EVENT.replace("12", &number.to_string()));
                let mut trace = Trace::START;
                let walk = shape.walk(&mut trace, event.as_bytes());
                assert_eq!(walk == Walk::Whole(b""), fits, "{number}");
                if fits {
                    shape.count(trace.counts());
                }
            }
            let mut told = Vec::new();
            let told_any = shape.recount(|piece| told.extend_from_slice(piece));
            assert!(!told_any || shape.counted.is_none());
            String::from_utf8(told).unwrap()
        };
        assert_eq!(told(&[]), "");
        assert!(told(&[(12, true)]).contains("12"));
        assert!(told(&[(12, true), (7, true), (8, true)]).contains("\"n\":8,"));
        // 0 may say that nothing is known.
        assert!(told(&[(9, true), (0, false)]).contains("\"n\":9,"));
    }
}
