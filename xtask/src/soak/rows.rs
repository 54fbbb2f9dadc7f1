//! What a row of the table says, and in which order rows are played.

use super::{provider::Plan, table::ROWS};

/// The longest request body that the soaked gateway takes.
pub(super) const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// How long the soaked gateway waits for headers: long enough for a busy machine, whose answers must
/// not be late by accident.
pub(super) const HEADER_TIMEOUT: &str = "10s";

/// One kind of request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    /// How many of it come in one round of all rows.
    pub(super) share: usize,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) body: Body,
    pub(super) plan: Plan,
    pub(super) client: Client,
    pub(super) sees: Sees,
    pub(super) counted: Counted,
    pub(super) calls: &'static [Call],
    /// Prompt and completion.
    pub(super) tokens: (u64, u64),
}

/// What is sent behind the head.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    None,
    /// A completion for this model, streamed or not.
    Completion(&'static str, bool),
    /// One byte more than the gateway takes.
    TooLarge,
    /// A text that is no JSON.
    NoJson,
}

/// What the client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// Reads to the end, on a connection that is used again.
    Keeps,
    /// Reads to the end, on a connection of its own, and asks that it be closed.
    Closes,
    /// Goes when the provider has its request.
    LeavesBeforeHeaders,
    /// Goes after the first bytes of the body.
    LeavesInBody,
    /// Sends half of its body, then no more, and reads.
    SendsHalf,
    /// Sends half of its body, and goes.
    LeavesInRequest,
    /// Sends these bytes instead, and reads.
    Sends(&'static [u8]),
}

/// What the client must see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sees {
    /// A status, and the whole body.
    Whole(u16),
    /// A status, and a body that breaks off.
    Broken(u16),
    /// It did not wait for the end.
    Left,
    /// Not a byte: the connection is closed.
    Closed,
}

/// How the request is counted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counted {
    /// By handler, method and status class.
    As(&'static str, &'static str, &'static str),
    /// The same, and as cancelled in this phase.
    Cancelled(&'static str, &'static str, &'static str),
    /// Not at all.
    Not,
}

/// How a call is counted: provider, status class, error class.
pub(super) type Call = (&'static str, &'static str, &'static str);

/// Rows in the order in which they are played, again and again: each as often as its share says, spread
/// over the round.
pub(super) fn round() -> Vec<&'static Row> {
    let mut places: Vec<(usize, &Row)> = Vec::new();
    for (index, row) in ROWS.iter().enumerate() {
        // Thousandths of a round, shifted so that rows of one share do not come together.
        let step = 1000 / row.share;
        places.extend((0..row.share).map(|nth| (nth * step + index * 37 % step, row)));
    }
    places.sort_by_key(|(place, _)| *place);
    places.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_holds_every_row_as_often_as_it_should() {
        let round = round();
        for row in ROWS {
            let times = round.iter().filter(|played| played.name == row.name);
            assert_eq!(times.count(), row.share, "{}", row.name);
        }
    }

    #[test]
    fn names_tell_rows_apart() {
        let mut names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROWS.len());
    }
}
