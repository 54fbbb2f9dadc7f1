//! Tool calls: how many a response holds.

/// Choices whose calls are told apart.
const MAX_CHOICES: usize = 8;

/// What an event says of tool calls, as its API has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calls {
    /// The API has none, or its responses do not tell how many.
    Unknown,
    /// So many, which no other event tells of.
    More(u32),
    /// Those that have a number, in each choice: other events may have more of them.
    Numbered,
    /// So many that begin, that are whole, or in the list of all: each is told several times over, and the
    /// largest of the three counts.
    Begun(u32),
    Whole(u32),
    Listed(u32),
}

/// Whether a type of content is a call: Anthropic's `tool_use` and `server_tool_use`, the items of the Responses
/// API.
pub(crate) fn is_call(kind: &[u8]) -> bool {
    kind.ends_with(b"tool_use") || kind.ends_with(b"_call") || kind == b"program"
}

/// What one event was found to hold of calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// The places of calls that it has.
    pub(crate) places: u32,
    /// Those of the choice at hand.
    list: List,
    numbered: Numbered,
}

impl Found {
    pub(crate) const NONE: Self = Self {
        places: 0,
        list: List::NONE,
        numbered: Numbered::NONE,
    };

    pub(crate) fn clear(&mut self) {
        if self.places > 0 {
            *self = Self::NONE;
        }
    }

    /// Another call.
    pub(crate) fn add(&mut self) {
        self.places = self.places.saturating_add(1);
    }

    /// Another call of the choice at hand, which may have a number.
    pub(crate) fn open(&mut self) {
        self.add();
        self.list.close();
        self.list.open = true;
    }

    /// The number of the call at hand.
    pub(crate) fn number(&mut self, number: Option<u64>) {
        self.list.number = number.unwrap_or(0);
    }

    /// The choice at hand ends, and has this number.
    pub(crate) fn close(&mut self, choice: u32) {
        if self.places > 0 {
            self.list.close();
            self.numbered.add(choice, &self.list);
            self.list = List::NONE;
        }
    }
}

/// The calls of a choice. Their members come in any order.
#[derive(Clone, Copy, Debug)]
struct List {
    open: bool,
    number: u64,
    position: u64,
    /// The numbers below 64.
    numbers: u64,
    beyond: bool,
}

impl List {
    const NONE: Self = Self {
        open: false,
        number: 0,
        position: 0,
        numbers: 0,
        beyond: false,
    };

    fn close(&mut self) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        // Some have no numbers, and some number all of a list alike.
        let number = std::mem::take(&mut self.number).max(self.position);
        self.position += 1;
        match number {
            0..64 => self.numbers |= 1 << number,
            _ => self.beyond = true,
        }
    }
}

/// Calls by their choice and their number.
#[derive(Clone, Copy, Debug)]
struct Numbered {
    of_choice: [u64; MAX_CHOICES],
    /// There are others that cannot be told apart.
    beyond: bool,
}

impl Numbered {
    const NONE: Self = Self {
        of_choice: [0; MAX_CHOICES],
        beyond: false,
    };

    fn add(&mut self, choice: u32, list: &List) {
        let choice = usize::try_from(choice).unwrap_or(usize::MAX);
        self.beyond |= list.beyond;
        match self.of_choice.get_mut(choice) {
            Some(numbers) => *numbers |= list.numbers,
            None => self.beyond |= list.numbers != 0,
        }
    }

    fn count(&self) -> Option<u64> {
        let count = self.of_choice.iter().map(|numbers| numbers.count_ones());
        (!self.beyond).then(|| count.map(u64::from).sum())
    }
}

/// The calls of a response so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tally {
    more: u64,
    whole: u64,
    listed: u64,
    numbered: Numbered,
}

impl Tally {
    pub(crate) const NONE: Self = Self {
        more: 0,
        whole: 0,
        listed: 0,
        numbered: Numbered::NONE,
    };

    /// Takes what an event says; how many there are now, if that can be told.
    pub(crate) fn take(&mut self, calls: Calls, found: &Found) -> Option<u64> {
        let add = |sum: &mut u64, more: u32| *sum = sum.saturating_add(u64::from(more));
        match calls {
            Calls::Unknown => return None,
            Calls::More(more) | Calls::Begun(more) => add(&mut self.more, more),
            Calls::Whole(more) => add(&mut self.whole, more),
            Calls::Listed(all) => self.listed = self.listed.max(u64::from(all)),
            Calls::Numbered => {
                if found.places > 0 {
                    let Numbered { of_choice, beyond } = &found.numbered;
                    for (all, more) in self.numbered.of_choice.iter_mut().zip(of_choice) {
                        *all |= more;
                    }
                    self.numbered.beyond |= beyond;
                }
                return self.numbered.count();
            }
        }
        Some(self.more.max(self.whole).max(self.listed))
    }
}

impl Calls {
    /// Whether the same event once more would be another call.
    pub(crate) const fn adds(self) -> bool {
        match self {
            Self::More(more) | Self::Begun(more) | Self::Whole(more) => more > 0,
            Self::Unknown | Self::Numbered | Self::Listed(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls of one event: the choice of each, and its number.
    fn event(calls: &[(u32, Option<u64>)]) -> Found {
        let mut found = Found::NONE;
        for choice in calls.chunk_by(|one, other| one.0 == other.0) {
            for (_, number) in choice {
                found.open();
                if number.is_some() {
                    found.number(*number);
                }
            }
            found.close(choice[0].0);
        }
        found
    }

    fn numbered(events: &[&[(u32, Option<u64>)]]) -> Option<u64> {
        let mut tally = Tally::NONE;
        let mut count = None;
        for calls in events {
            count = tally.take(Calls::Numbered, &event(calls));
        }
        count
    }

    #[test]
    fn calls_are_told_apart_by_choice_and_number() {
        for (events, expected) in [
            (&[&[][..]][..], Some(0)),
            (
                &[&[(0, Some(0))], &[(0, Some(0))], &[(0, Some(1))]],
                Some(2),
            ),
            (&[&[(0, Some(0)), (1, Some(0))], &[(1, Some(0))]], Some(2)),
            // Without numbers, or all with one.
            (&[&[(0, None), (0, None), (0, None)]], Some(3)),
            (&[&[(0, Some(0)), (0, Some(0))]], Some(2)),
            (&[&[(7, Some(63))], &[(0, Some(2))]], Some(2)),
            // More than can be told apart.
            (&[&[(0, Some(64))], &[(0, Some(0))]], None),
            (&[&[(8, Some(0))], &[(0, Some(0))]], None),
        ] {
            assert_eq!(numbered(events), expected, "{events:?}");
        }
    }

    #[test]
    fn an_event_that_tells_of_more_is_never_passed_over() {
        for calls in [Calls::More(1), Calls::Begun(2), Calls::Whole(1)] {
            assert!(calls.adds(), "{calls:?}");
        }
        let idempotent = [Calls::Unknown, Calls::Numbered, Calls::Listed(3)];
        for calls in
            idempotent
                .into_iter()
                .chain([Calls::More(0), Calls::Begun(0), Calls::Whole(0)])
        {
            assert!(!calls.adds(), "{calls:?}");
        }
    }

    #[test]
    fn of_what_is_told_several_times_the_largest_counts() {
        let mut tally = Tally::NONE;
        let mut take = |calls| tally.take(calls, &Found::NONE);
        assert_eq!(take(Calls::Begun(1)), Some(1));
        assert_eq!(take(Calls::Whole(1)), Some(1));
        assert_eq!(take(Calls::Whole(1)), Some(2));
        assert_eq!(take(Calls::Listed(3)), Some(3));
        assert_eq!(take(Calls::Listed(0)), Some(3));
        assert_eq!(take(Calls::Unknown), None);
    }
}
