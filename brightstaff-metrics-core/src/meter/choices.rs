//! Several responses to one question: which of them were seen, and which have finished.

/// Choices by their index, those from the 64th on as one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choices {
    seen: u64,
    finished: u64,
}

impl Choices {
    pub(crate) const NONE: Self = Self {
        seen: 0,
        finished: 0,
    };

    pub(crate) fn add(&mut self, more: Self) {
        self.seen |= more.seen;
        self.finished |= more.finished;
    }

    /// Whether every choice that was seen has finished.
    pub(crate) const fn all_finished(self) -> bool {
        self.seen & !self.finished == 0
    }

    pub(crate) const fn count(self) -> u32 {
        self.seen.count_ones()
    }
}

/// The choice at hand: its members come in any order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element {
    open: bool,
    /// Its place in the list, where it has no number.
    position: u32,
    number: Option<u32>,
    finished: bool,
}

impl Element {
    pub(crate) const NONE: Self = Self {
        open: false,
        position: 0,
        number: None,
        finished: false,
    };

    /// Another choice begins; the one before was closed.
    pub(crate) fn open(&mut self) {
        self.open = true;
    }

    pub(crate) fn number(&mut self, number: Option<u64>) {
        self.number = number.and_then(|number| u32::try_from(number).ok());
    }

    pub(crate) fn finish(&mut self) {
        self.finished = true;
    }

    /// The choice ends, if there is one; its number.
    pub(crate) fn close(&mut self, choices: &mut Choices) -> Option<u32> {
        let number = self.number.take().unwrap_or(self.position);
        let finished = std::mem::take(&mut self.finished);
        if !std::mem::take(&mut self.open) {
            return None;
        }
        let bit = 1 << number.min(63);
        choices.seen |= bit;
        choices.finished |= if finished { bit } else { 0 };
        self.position += 1;
        Some(number)
    }
}
