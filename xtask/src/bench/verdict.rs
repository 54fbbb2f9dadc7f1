//! What the figures of a row say: what each costs over what is bare, and whether that is what is to be reached.

use anyhow::{Result, ensure};

use super::{
    figures::Figures,
    row::{Id, Row, Target},
};

/// A row with its figures: the medians of the rounds.
pub(super) struct Measured {
    pub(super) row: &'static Row,
    pub(super) bare: Option<f64>,
    pub(super) floor: Option<f64>,
    pub(super) peers: Vec<(&'static str, f64)>,
    pub(super) ours: f64,
    pub(super) targets: Vec<Reached>,
}

/// A target, and how near it is.
pub(super) struct Reached {
    pub(super) target: Target,
    /// In what the target is told in.
    pub(super) is: f64,
    pub(super) yes: bool,
}

impl Measured {
    pub(super) fn of(row: &'static Row, figures: &Figures) -> Result<Self> {
        let over = Over { row, figures };
        let peers = row.peers.iter();
        let peers = peers.map(|(name, id)| Ok((*name, over.median(id)?)));
        let targets = row.targets.iter().map(|target| over.reached(*target));
        Ok(Self {
            row,
            bare: row
                .bare
                .map(|id| Ok::<_, anyhow::Error>(median(figures.rounds(id)?)))
                .transpose()?,
            floor: row.floor.map(|id| over.median(id)).transpose()?,
            peers: peers.collect::<Result<_>>()?,
            ours: over.median(row.ours)?,
            targets: targets.collect::<Result<_>>()?,
        })
    }

    pub(super) fn is_reached(&self) -> bool {
        self.targets.iter().all(|target| target.yes)
    }
}

/// The figures of a row, over what is bare in the same round.
struct Over<'a> {
    row: &'static Row,
    figures: &'a Figures,
}

impl Over<'_> {
    fn rounds(&self, id: Id) -> Result<Vec<f64>> {
        let rounds = self.figures.rounds(id)?;
        let Some(bare) = self.row.bare else {
            return Ok(rounds.to_vec());
        };
        let bare = self.figures.rounds(bare)?;
        ensure!(bare.len() == rounds.len(), "{id:?}: a round is missing");
        let over = rounds.iter().zip(bare).map(|(one, bare)| one - bare);
        Ok(over.collect())
    }

    fn median(&self, id: Id) -> Result<f64> {
        Ok(median(&self.rounds(id)?))
    }

    /// The median of what the rounds say. Beside what disappears in the noise nothing is small enough.
    fn ratio(&self, one: Id, other: Id) -> Result<f64> {
        let (one, other) = (self.rounds(one)?, self.rounds(other)?);
        ensure!(one.len() == other.len(), "{other:?}: a round is missing");
        let ratio = |(one, other): (&f64, &f64)| {
            if *other > 0.0 {
                one / other
            } else {
                f64::INFINITY
            }
        };
        let ratios: Vec<_> = one.iter().zip(&other).map(ratio).collect();
        Ok(median(&ratios))
    }

    fn reached(&self, target: Target) -> Result<Reached> {
        let row = self.row;
        let (is, yes) = match target {
            Target::OfFloor(most) => {
                let floor = row
                    .floor
                    .expect("a row that is compared with its floor has one");
                let is = self.ratio(row.ours, floor)?;
                (is, is <= most)
            }
            Target::OfPeer(most) => {
                let peer = row
                    .peers
                    .first()
                    .expect("a row that is compared with a peer has one");
                let is = self.ratio(row.ours, peer.1)?;
                (is, is <= most)
            }
            Target::AtMost(most) => {
                let is = self.median(row.ours)?;
                (is, is <= most)
            }
            Target::AtLeast(least) => {
                let is = self.median(row.ours)?;
                (is, is >= least)
            }
        };
        Ok(Reached { target, is, yes })
    }
}

pub(super) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        (values[middle - 1] + values[middle]) / 2.0
    } else {
        values[middle]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::row::Unit;

    const ROW: Row = Row {
        id: "row",
        what: "",
        unit: Unit::Nanos,
        bare: Some("bare"),
        floor: Some("floor"),
        peers: &[("peer", "peer")],
        ours: "ours",
        targets: &[
            Target::OfFloor(1.5),
            Target::OfPeer(0.5),
            Target::AtMost(29.0),
        ],
        drawn: false,
    };

    fn figures(of: &[(&str, &[f64])]) -> Figures {
        let mut figures = Figures::default();
        for (id, rounds) in of {
            rounds
                .iter()
                .for_each(|value| figures.push((*id).to_owned(), *value));
        }
        figures
    }

    /// In each round all are three times as slow as in the one before.
    #[test]
    fn ratios_are_those_of_a_round() {
        static HERE: Row = ROW;
        let figures = figures(&[
            ("bare", &[10.0, 30.0, 90.0]),
            ("floor", &[20.0, 60.0, 180.0]),
            ("peer", &[60.0, 180.0, 540.0]),
            ("ours", &[24.0, 72.0, 216.0]),
        ]);
        let measured = Measured::of(&HERE, &figures).expect("all are there");
        let is: Vec<_> = measured
            .targets
            .iter()
            .map(|one| (one.is, one.yes))
            .collect();
        assert_eq!(is, [(1.4, true), (0.28, true), (42.0, false)]);
        assert!(!measured.is_reached());
        assert_eq!((measured.bare, measured.ours), (Some(30.0), 42.0));
    }

    #[test]
    fn nothing_is_reached_beside_a_floor_in_the_noise() {
        static HERE: Row = ROW;
        let figures = figures(&[
            ("bare", &[10.0]),
            ("floor", &[9.0]),
            ("peer", &[60.0]),
            ("ours", &[12.0]),
        ]);
        let measured = Measured::of(&HERE, &figures).expect("all are there");
        assert!(!measured.targets[0].yes);
    }

    #[test]
    fn a_figure_that_is_missing_is_named() {
        static HERE: Row = ROW;
        let figures = figures(&[("bare", &[1.0]), ("ours", &[2.0]), ("floor", &[2.0])]);
        let error = Measured::of(&HERE, &figures).err().expect("no peer");
        assert!(error.to_string().contains(r#""peer""#), "{error}");
    }
}
