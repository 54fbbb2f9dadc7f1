//! The gateways of a case: their metrics, and the comparison of what they expose with the golden. Knows no
//! web framework either.

#![allow(dead_code)] // No driver uses all of it.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};

use brightstaff_metrics_core::{BucketSet, Clock, Metrics};
use prometheus::{Registry, TextEncoder};

use super::case::Case;

/// One gateway's metrics, on a clock that only steps move.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    registry: Registry,
}

impl Gateway {
    fn new(case: &Case) -> Self {
        let (registry, clock) = (Registry::new(), Clock::manual());
        let metrics = Metrics::builder()
            .build_info("1.2.3", "abc123")
            .process(false)
            .upstreams(case.declared.clone())
            .clock(clock.clone())
            .buckets(BucketSet::Http, [1.0, 10.0])
            .buckets(BucketSet::UpstreamDuration, [1.0, 10.0])
            .buckets(BucketSet::FirstToken, [1.0, 10.0])
            .buckets(BucketSet::TimePerOutputToken, [0.1, 1.0])
            .buckets(BucketSet::RouterDecision, [1.0, 10.0])
            .buckets(BucketSet::RequestTokens, [10.0, 100.0])
            .register(&registry)
            .expect("a new registry and sound buckets");
        Self {
            metrics,
            clock,
            registry,
        }
    }

    pub(crate) fn advance(&self, seconds: f64) {
        self.clock.advance(Duration::from_secs_f64(seconds));
    }

    /// How many requests are in flight.
    pub(crate) fn in_flight(&self) -> u64 {
        let family = "brightstaff_http_in_flight_requests{";
        let text = self.render();
        let lines = text.lines().filter(|line| line.starts_with(family));
        let value = |line: &str| line.rsplit(' ').next()?.parse::<u64>().ok();
        lines.filter_map(value).sum()
    }

    fn render(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .expect("text can be written to memory")
    }
}

/// Plays every case in `directory`, or the one that `CASE` names, and compares with its golden. `play`
/// tells whether it can play the case at all.
pub(crate) fn play_all(directory: &Path, play: impl Fn(&Case, &[Gateway]) -> bool) {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .expect("there are cases")
        .map(|entry| entry.expect("they can be listed").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    paths.sort();
    let chosen = std::env::var("CASE").ok();
    let name = |path: &Path| {
        path.file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
    };
    paths.retain(|path| chosen.is_none() || chosen == name(path));
    assert!(!paths.is_empty(), "there is no case {chosen:?}");
    let played = Cell::new(0);
    let play = |case: &Case, gateways: &[Gateway]| {
        let plays = play(case, gateways);
        played.set(played.get() + usize::from(plays));
        plays
    };
    let holds = |path: &Path| match catch_unwind(AssertUnwindSafe(|| play_one(path, play))) {
        Ok(None) => true,
        // Printed, not panicked with: a backtrace for each case would bury what they say.
        Ok(Some(differences)) => {
            eprintln!("{differences}");
            false
        }
        Err(_) => false,
    };
    let failed: Vec<_> = paths
        .iter()
        .filter(|path| !holds(path))
        .filter_map(|path| name(path))
        .collect();
    assert!(failed.is_empty(), "cases that failed: {failed:?}");
    // A case or two may be left out by a server, and say why; never most of them.
    let (played, all) = (played.get(), paths.len());
    assert!(
        chosen.is_some() || played > all / 2,
        "played {played} of {all}"
    );
}

/// Tells where a case does not hold.
fn play_one(path: &Path, play: impl Fn(&Case, &[Gateway]) -> bool) -> Option<String> {
    let text = fs::read_to_string(path).expect("a case can be read");
    let case: Case =
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let gateways: Vec<_> = (0..case.registries).map(|_| Gateway::new(&case)).collect();
    if !play(&case, &gateways) {
        return None;
    }
    let rendered: Vec<_> = gateways.iter().map(Gateway::render).collect();
    // A second registry follows as its own exposition.
    let rendered = rendered.join("# the next registry\n");
    let golden = path.with_extension("prom");
    if std::env::var_os("UPDATE_EXPECT").is_none() {
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        let differences = differences(&expected, &rendered);
        if !differences.is_empty() {
            let case = path.file_stem().unwrap_or_default().display();
            return Some(format!("{case} does not hold:\n{differences}"));
        }
    }
    expect_test::expect_file![golden].assert_eq(&rendered);
    None
}

/// The lines in which two expositions differ, each sample in one line.
fn differences(expected: &str, found: &str) -> String {
    let samples = |text: &str| -> BTreeMap<String, String> {
        let samples = text.lines().filter_map(|line| line.rsplit_once(' '));
        samples
            .map(|(series, value)| (series.to_owned(), value.to_owned()))
            .collect()
    };
    let (expected, found) = (samples(expected), samples(found));
    let series: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let value = |samples: &BTreeMap<String, String>, series| {
        samples
            .get(series)
            .map_or("nothing", String::as_str)
            .to_owned()
    };
    series
        .into_iter()
        .filter(|series| expected.get(*series) != found.get(*series))
        .map(|series| {
            let (expected, found) = (value(&expected, series), value(&found, series));
            format!("  {series}: {expected} expected, {found} found\n")
        })
        .collect()
}
