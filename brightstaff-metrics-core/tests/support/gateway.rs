//! The gateways of a case: their metrics, and the comparison of what they expose with the golden. Knows no
//! web framework either.

#![allow(dead_code)] // No driver uses all of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};

use brightstaff_metrics_core::{
    BucketSet, Clock, Metrics,
    exposition::{Exposition, Format},
};
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
        let builder = match case.caps {
            None => Metrics::builder(),
            Some(caps) => Metrics::builder()
                .handler_cap(caps.handler)
                .upstream_cap(caps.upstream)
                .selected_model_cap(caps.selected_model),
        };
        let metrics = builder
            .version("1.2.3")
            .git_sha("abc123")
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
        self.sum("brightstaff_http_in_flight_requests{")
    }

    /// How many requests came to their ends.
    pub(crate) fn ended(&self) -> u64 {
        self.sum("brightstaff_http_request_duration_seconds_count{")
    }

    fn sum(&self, series: &str) -> u64 {
        let text = self.render();
        let lines = text.lines().filter(|line| line.starts_with(series));
        let value = |line: &str| line.rsplit(' ').next()?.parse::<u64>().ok();
        lines.filter_map(value).sum()
    }

    /// In OpenMetrics, the samples of each family sorted, whose order is otherwise the writer's.
    fn render_openmetrics(&self) -> String {
        let mut text = Vec::new();
        Exposition::of(&self.registry)
            .write(Format::OpenMetrics, &mut text)
            .expect("text can be written to memory");
        let text = String::from_utf8(text).expect("it is text");
        let mut lines: Vec<_> = text.lines().collect();
        for samples in lines.chunk_by_mut(|a, b| a.starts_with('#') == b.starts_with('#')) {
            if !samples[0].starts_with('#') {
                samples.sort_unstable();
            }
        }
        lines.join("\n") + "\n"
    }

    fn render(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .expect("text can be written to memory")
    }
}

/// Every server that plays the cases.
const SERVERS: [&str; 3] = ["core", "axum", "actix"];
/// The one whose driver may write goldens: what the others expose is compared with them, and never becomes one.
const WRITER: &str = "core";

/// Plays every case in `directory`, or the one that `CASE` names, and compares with its golden. Only what
/// a case says of itself leaves it out: `[but]` for this server, or that it needs `compression`.
pub(crate) fn play_all(
    directory: &Path,
    server: &str,
    compression: bool,
    play: impl Fn(&Case, &[Gateway]),
) {
    let chosen = std::env::var("CASE").ok();
    let mut names = stems(directory, "toml");
    let mut goldens = stems(directory, "prom");
    goldens.retain(|golden| !names.contains(golden));
    assert!(goldens.is_empty(), "goldens without a case: {goldens:?}");
    names.retain(|name| chosen.as_ref().is_none_or(|chosen| chosen == name));
    assert!(!names.is_empty(), "there is no case {chosen:?}");
    let (mut left_out, mut failed) = (Vec::new(), Vec::new());
    for name in &names {
        let path = directory.join(name).with_extension("toml");
        let text = fs::read_to_string(&path).expect("a case can be read");
        let case: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let strange = case.but.keys().find(|but| !SERVERS.contains(&&***but));
        assert!(strange.is_none(), "{name}: there is no {strange:?}");
        if case.but.contains_key(server) || (case.compression && !compression) {
            left_out.push(name);
            continue;
        }
        let golden = path.with_extension("prom");
        let differences = catch_unwind(AssertUnwindSafe(|| {
            let update = std::env::var_os("UPDATE_EXPECT").is_some();
            settle(server, update, &golden, &play_one(&case, &play))
        }));
        // Printed, not panicked with: a backtrace for each case would bury what they say.
        match differences {
            Ok(None) => continue,
            Ok(Some(differences)) => eprintln!("{name} does not hold:\n{differences}"),
            Err(_) => eprintln!("{name} does not hold"),
        }
        failed.push(name);
    }
    assert!(failed.is_empty(), "cases that failed: {failed:?}");
    let played = names.len() - left_out.len();
    println!("played {played} of {}, left out {left_out:?}", names.len());
}

/// The names of the files with this extension, without it.
fn stems(directory: &Path, extension: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("there are cases");
    let paths = entries.map(|entry| entry.expect("they can be listed").path());
    let named = paths.filter(|path| path.extension().is_some_and(|found| found == extension));
    let stem = |path: PathBuf| Some(path.file_stem()?.to_string_lossy().into_owned());
    let mut stems: Vec<_> = named.filter_map(stem).collect();
    stems.sort();
    stems
}

/// What is exposed at the end of a case.
fn play_one(case: &Case, play: impl Fn(&Case, &[Gateway])) -> String {
    let gateways: Vec<_> = (0..case.registries).map(|_| Gateway::new(case)).collect();
    play(case, &gateways);
    let render = match case.openmetrics {
        true => Gateway::render_openmetrics,
        false => Gateway::render,
    };
    let rendered: Vec<_> = gateways.iter().map(render).collect();
    // A second registry follows as its own exposition.
    rendered.join("# the next registry\n")
}

/// Tells where an exposition is not its golden, byte for byte; or makes it the golden, where that is asked for and
/// this server may.
pub(crate) fn settle(server: &str, update: bool, golden: &Path, rendered: &str) -> Option<String> {
    let expected = fs::read_to_string(golden).unwrap_or_default();
    if expected == rendered {
        return None;
    }
    if update && server == WRITER {
        fs::write(golden, rendered).expect("a golden can be written");
        return None;
    }
    let differences = differences(&expected, rendered);
    if !differences.is_empty() {
        return Some(differences);
    }
    let (expected, found) = (expected.lines(), rendered.lines());
    let first = expected
        .zip(found)
        .find(|(expected, found)| expected != found);
    Some(format!(
        "  the same samples, but not the same bytes: {first:?}\n"
    ))
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
