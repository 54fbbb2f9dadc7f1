//! Every expression of the dashboards, asked of Prometheus and of the store that it writes to.

use std::{collections::BTreeMap, thread, time::Duration};

use anyhow::{Result, ensure};

use crate::{api, grafana::panels, promql::Source, proof::Variables};

/// Seconds that a sample may take to the store.
const WAY: u64 = 20;

/// The rates of the two differ: one extrapolates to the ends of its window, the other takes the last
/// sample before it. Of a steady load that is less than this.
const TOLERANCE: f64 = 0.2;

/// The same series from both, and the same values where a value is steady.
pub(super) fn agree(prometheus: &str, store: &str) -> Result<()> {
    let now = api::epoch_seconds()?;
    thread::sleep(Duration::from_secs(WAY));
    let mut asked = 0;
    let mut deviations = Vec::new();
    for source in [Source::Scraped, Source::Fleet] {
        for panel in panels::rows(source).iter().flat_map(|row| &row.panels) {
            let mut answered = 0;
            for query in &panel.queries {
                let variables = Variables {
                    rate_interval: "60s",
                    instance: ".*",
                    provider: ".*",
                    model: ".*",
                };
                let expr = variables.fill(&query.expr.to_string());
                let [here, there] = match query.expr.bounded() {
                    None => [answer(prometheus, &expr, now)?, answer(store, &expr, now)?],
                    Some((quantile, bounds)) => {
                        let quantile = variables.fill(quantile);
                        let within = |base| within(base, &expr, &quantile, bounds, now);
                        [within(prometheus)?, within(store)?]
                    }
                };
                let names = |of: &BTreeMap<String, f64>| of.keys().cloned().collect::<Vec<_>>();
                ensure!(
                    names(&here) == names(&there),
                    "{source:?}: {}: {expr}: {:?} here, {:?} there",
                    panel.title,
                    names(&here),
                    names(&there)
                );
                asked += 1;
                answered += here.len();
                for (series, value) in &here {
                    let scale = value.abs().max(there[series].abs());
                    if scale > 0.0 {
                        deviations.push((
                            (value - there[series]).abs() / scale,
                            format!("{} {series}", panel.title),
                        ));
                    }
                }
            }
            ensure!(answered > 0, "{source:?}: {} has no data", panel.title);
        }
    }
    deviations.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let median = deviations[deviations.len() / 2].0;
    let (worst, what) = &deviations[deviations.len() - 1];
    println!(
        "{asked} expressions, {} series that are not 0, from both: the median differs by {:.1} %, the worst by {:.1} % ({what})",
        deviations.len(),
        median * 100.0,
        worst * 100.0
    );
    ensure!(
        median <= TOLERANCE,
        "the store answers otherwise than Prometheus"
    );
    Ok(())
}

/// The values of a quantile without its bounds: the two may find one on either side of a bound, as far as their rates
/// differ. With them it has to be absent where it lies outside, and nowhere else.
fn within(
    base: &str,
    bounded: &str,
    quantile: &str,
    [first, last]: [f64; 2],
    at: f64,
) -> Result<BTreeMap<String, f64>> {
    let all = answer(base, quantile, at)?;
    let shown = answer(base, bounded, at)?;
    for (series, value) in &all {
        // Sums of floats differ in their last digit from one time to the next.
        let is_at = |bound: f64| (value - bound).abs() <= bound * 1e-9;
        ensure!(
            shown.contains_key(series) == (first < *value && *value < last)
                || is_at(first)
                || is_at(last),
            "{bounded}: {series} is {value}, and {shown:?} is shown"
        );
    }
    Ok(all)
}

/// The values by series; what is not a number is not a value, as on the dashboard.
fn answer(base: &str, expr: &str, at: f64) -> Result<BTreeMap<String, f64>> {
    let answer = api::query_at(base, expr, at)?;
    let numbers = answer.into_iter().filter(|(_, value)| value.is_finite());
    Ok(numbers
        .map(|(labels, value)| (format!("{labels:?}"), value))
        .collect())
}
