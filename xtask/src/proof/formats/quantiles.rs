//! Quantiles of the time to first token: by native buckets they are the truth's within 5 %, by classic ones they are not.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::{Result, ensure};
use brightstaff_metrics_core::catalogue::{Family, TIME_TO_FIRST_TOKEN};

use super::{
    one,
    told::{Streamed, Told},
};

pub(super) static FAMILY: &Family = &TIME_TO_FIRST_TOKEN;

/// How far a quantile by native buckets may be off. The buckets are 9 % wide, and a quantile lies within one.
const SHARE: f64 = 0.05;

const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

/// Fewer calls of a pair say nothing of its p95.
const ENOUGH: usize = 40;

/// The samples of some calls, as providers saw them, and as clients did, each in their order.
struct Samples {
    least: Vec<f64>,
    most: Vec<f64>,
}

impl Samples {
    fn of(calls: &[&Streamed]) -> Self {
        let sorted = |of: fn(&Streamed) -> f64| {
            let mut samples: Vec<_> = calls.iter().map(|call| of(call)).collect();
            samples.sort_by(f64::total_cmp);
            samples
        };
        Self {
            least: sorted(|call| call.least),
            most: sorted(|call| call.most),
        }
    }

    /// The truth: the sample of this rank, half-way between what the two saw.
    fn quantile(&self, q: f64) -> f64 {
        let at = self.rank(q);
        f64::midpoint(self.least[at], self.most[at])
    }

    /// Between what a quantile lies that is told right: from the sample before that of its rank to the one after.
    fn around(&self, q: f64) -> (f64, f64) {
        let at = self.rank(q);
        let last = self.least.len() - 1;
        (
            self.least[at.saturating_sub(1)],
            self.most[(at + 1).min(last)],
        )
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    fn rank(&self, q: f64) -> usize {
        ((self.least.len() as f64 * q).ceil() as usize).saturating_sub(1)
    }

    /// Whether a quantile by native buckets is right.
    fn check(&self, q: f64, read: f64, what: &str) -> Result<()> {
        let (low, high) = self.around(q);
        ensure!(
            (low * (1.0 - SHARE)..=high * (1.0 + SHARE)).contains(&read),
            "{what}: quantile {q} reads {read}, and is {}, between {low} and {high}",
            self.quantile(q)
        );
        Ok(())
    }
}

/// Of a server that has both kinds.
pub(super) fn check(server: &str, told: &Told) -> Result<String> {
    let calls = told.streamed();
    let all = Samples::of(&calls.iter().collect::<Vec<_>>());
    let mut report = format!("time to first token of {} calls:", calls.len());
    for q in QUANTILES {
        let read = one(server, &native(q, ""))?;
        all.check(q, read, "all")?;
        let classic = one(
            server,
            &format!(
                "histogram_quantile({q}, sum by (le) ({}_bucket{{job=\"text\"}}))",
                FAMILY.name
            ),
        )?;
        let truth = all.quantile(q);
        let (low, high) = all.around(q);
        // Where few were slow, the sample of this rank may stand alone between the quick and the slow.
        let gap = if high > low * (1.0 + 2.0 * SHARE) {
            format!(
                " (its neighbours {:.1} and {:.1} ms)",
                low * 1000.0,
                high * 1000.0
            )
        } else {
            String::new()
        };
        write!(
            report,
            " p{} {:.1} ms{gap}, by native buckets {:+.1} %, by classic ones {:+.1} %;",
            q * 100.0,
            truth * 1000.0,
            (read / truth - 1.0) * 100.0,
            (classic / truth - 1.0) * 100.0
        )?;
    }
    let pairs = pairs(server, &calls)?;
    write!(
        report,
        " p95 of each of {pairs} pairs within {} %",
        SHARE * 100.0
    )?;
    Ok(report)
}

/// Of a server that has native ones alone.
pub(super) fn check_native(server: &str, told: &Told) -> Result<String> {
    let calls = told.streamed();
    let all = Samples::of(&calls.iter().collect::<Vec<_>>());
    for q in QUANTILES {
        all.check(q, one(server, &native(q, ""))?, "all")?;
    }
    let pairs = pairs(server, &calls)?;
    Ok(format!(
        "quantiles {QUANTILES:?}, and p95 of each of {pairs} pairs, within {} %",
        SHARE * 100.0
    ))
}

fn native(q: f64, labels: &str) -> String {
    format!(
        "histogram_quantile({q}, sum({}{{job=\"native\"{labels}}}))",
        FAMILY.name
    )
}

/// Checks p95 of the pairs with enough calls; tells how many there are.
fn pairs(server: &str, calls: &[Streamed]) -> Result<usize> {
    let mut pairs = BTreeMap::<_, usize>::new();
    for call in calls {
        *pairs.entry(&call.pair).or_default() += 1;
    }
    // What an agent calls its model is no label's value.
    pairs.retain(|(provider, model), calls| provider != model && *calls >= ENOUGH);
    for pair in pairs.keys() {
        let (provider, model) = pair;
        let of_pair: Vec<_> = calls.iter().filter(|call| &call.pair == *pair).collect();
        let samples = Samples::of(&of_pair);
        let labels = format!(",provider=\"{provider}\",model=\"{model}\"");
        let what = format!("{provider}, {model}");
        samples.check(0.95, one(server, &native(0.95, &labels))?, &what)?;
    }
    ensure!(!pairs.is_empty(), "no pair has {ENOUGH} calls");
    Ok(pairs.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of these milliseconds, and of one more as clients saw them.
    fn calls(millis: impl Iterator<Item = u32>) -> Vec<Streamed> {
        let call = |millis| Streamed {
            pair: (String::new(), String::new()),
            trace_id: String::new(),
            least: f64::from(millis) / 1000.0,
            most: f64::from(millis + 1) / 1000.0,
        };
        millis.map(call).collect()
    }

    fn is_right(calls: &[Streamed], q: f64, read: f64) -> bool {
        let samples = Samples::of(&calls.iter().collect::<Vec<_>>());
        samples.check(q, read, "test").is_ok()
    }

    #[test]
    fn a_quantile_may_be_five_percent_off_and_no_more() {
        // p95 is 95 ms, and lies between 94 and 97 ms.
        let calls = calls((1..=100).rev());
        let samples = Samples::of(&calls.iter().collect::<Vec<_>>());
        assert_eq!(samples.quantile(0.95), 0.0955);
        for (read, right) in [
            (0.089, false),
            (0.0895, true),
            (0.0955, true),
            (0.1018, true),
            (0.1020, false),
            (f64::NAN, false),
        ] {
            assert_eq!(is_right(&calls, 0.95, read), right, "{read}");
        }
    }

    #[test]
    fn the_first_and_the_last_sample_have_no_neighbours() {
        let one = calls(50..=50);
        assert!(is_right(&one, 0.5, 0.05) && is_right(&one, 0.99, 0.05));
        assert!(!is_right(&one, 0.5, 0.06));
    }
}
