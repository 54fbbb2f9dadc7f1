//! What a row of the table says, and in which order rows are played.

use super::{plan::Plan, table::rows, target::Target};

/// The longest request body that the soaked gateway takes.
pub(super) const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// How long the soaked gateway waits for headers: long enough for a busy machine, whose responses must
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
    pub(super) actix: Actix,
}

/// What of a row is other with the example on actix-web, which forwards to its one provider whatever it can read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Actix {
    /// Nothing.
    Same,
    /// What is seen and counted of it.
    Ends(Sees, Counted),
    /// It goes to the provider.
    Forwards,
    /// It cannot be played, for this reason.
    Not(&'static str),
}

impl Body {
    /// Its media type.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Form(_) => "multipart/form-data; boundary=X",
            _ => "application/json",
        }
    }
}

impl Row {
    /// This row as it is played to a gateway, if it can be.
    fn played_to(self, target: Target) -> Option<Self> {
        match (target, self.actix) {
            (Target::Serve, _) | (Target::Actix, Actix::Same) => Some(self),
            (Target::Actix, Actix::Ends(sees, counted)) => Some(Self {
                sees,
                counted,
                ..self
            }),
            (Target::Actix, Actix::Forwards) => Some(Self {
                sees: Sees::Whole(200),
                counted: Counted::As("llm_chat", "POST", "2xx"),
                calls: &[("openai", "2xx", "none")],
                tokens: Plan::JSON_TOKENS,
                ..self
            }),
            (Target::Actix, Actix::Not(_)) => None,
        }
    }
}

/// What is sent behind the head.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    None,
    /// A completion for this model, streamed or not.
    Completion(&'static str, bool),
    /// One byte more than the gateway takes.
    TooLarge,
    /// The same completion, in gzip.
    Gzip(&'static str),
    /// Some KiB of gzip that are more text than the gateway takes.
    Bomb,
    /// A text that is not JSON.
    NoJson,
    /// An object that says nothing.
    Object,
    /// A form with a file of so many bytes.
    Form(usize),
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
    /// The same, or not a byte, where it breaks off before the head is written.
    BrokenOrClosed(u16),
    /// It did not wait for the end.
    Left,
    /// Not a byte: the connection is closed.
    Closed,
}

impl Sees {
    /// Whether this is what must be seen.
    pub(super) fn is_as(self, wanted: Self) -> bool {
        match (self, wanted) {
            (Self::Closed, Self::BrokenOrClosed(_)) => true,
            (Self::Broken(status), Self::BrokenOrClosed(wanted)) => status == wanted,
            _ => self == wanted,
        }
    }
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
pub(super) fn round(target: Target) -> Vec<Row> {
    let rows = rows().filter_map(|row| row.played_to(target));
    let mut places: Vec<(usize, Row)> = Vec::new();
    for (index, row) in rows.enumerate() {
        // Thousandths of a round, shifted so that rows of one share do not come together.
        let step = 1000 / row.share;
        places.extend((0..row.share).map(|nth| (nth * step + index * 37 % step, row)));
    }
    places.sort_by_key(|(place, _)| *place);
    places.into_iter().map(|(_, row)| row).collect()
}

/// Which rows cannot be played to a gateway, and why.
pub(super) fn not_played_to(target: Target) -> impl Iterator<Item = (&'static str, &'static str)> {
    rows().filter_map(move |row| match (target, row.actix) {
        (Target::Actix, Actix::Not(why)) => Some((row.name, why)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_holds_every_row_as_often_as_it_should() {
        for target in [Target::Serve, Target::Actix] {
            let round = round(target);
            for row in rows() {
                let share = match row.actix {
                    Actix::Not(_) if target == Target::Actix => 0,
                    _ => row.share,
                };
                let times = round.iter().filter(|played| played.name == row.name);
                assert_eq!(times.count(), share, "{} to {}", row.name, target.name());
            }
        }
    }

    #[test]
    fn what_is_seen_is_what_must_be() {
        let or_closed = Sees::BrokenOrClosed(200);
        assert!(Sees::Broken(200).is_as(or_closed) && Sees::Closed.is_as(or_closed));
        assert!(!Sees::Broken(500).is_as(or_closed) && !Sees::Whole(200).is_as(or_closed));
        assert!(
            Sees::Broken(200).is_as(Sees::Broken(200)) && !Sees::Closed.is_as(Sees::Broken(200))
        );
    }

    #[test]
    fn names_tell_rows_apart() {
        let mut names: Vec<_> = rows().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), rows().count());
    }
}
