//! Five minutes of scrapes: counters made to rise through restarts, whoever answered.

use std::collections::{BTreeMap, HashMap, VecDeque};

use brightstaff_metrics_core::catalogue::{
    self as families, Family, Kind, PROCESS_START_TIME as START,
};

use crate::exposition::{Labels, sample};

/// How far back the view goes, in seconds.
pub(super) const WINDOW_SECONDS: f64 = 300.0;

/// An instance that has not answered for so long is gone, where several answer in turn; in seconds.
const GONE_SECONDS: f64 = 30.0;

/// How much the clocks here and there may differ before they count as different, in seconds.
const SKEW_SECONDS: f64 = 2.0;

/// How many series are kept: more than seven times those of 200 pairs. What comes later is passed over.
const MAX_SERIES: usize = 50_000;

/// The families that are read.
const WANTED: &[&Family] = &[
    &families::HTTP_REQUESTS,
    &families::HTTP_CANCELLED,
    &families::HTTP_INTERRUPTED,
    &families::HTTP_IN_FLIGHT,
    &families::UPSTREAM_REQUESTS,
    &families::UPSTREAM_IN_FLIGHT,
    &families::TIME_TO_FIRST_TOKEN,
    &families::TIME_PER_OUTPUT_TOKEN,
    &families::TOKENS,
    &families::USAGE_MISSING,
    &families::FAILOVER_REQUESTS,
    &families::LABEL_OVERFLOW,
    &families::BUILD_INFO,
    &families::PROCESS_RESIDENT_MEMORY,
    &START,
];

/// One series of all scrapes.
#[derive(Debug)]
pub(super) struct Series {
    index: usize,
    pub(super) labels: Labels,
    gauge: bool,
}

/// One process that answers at this address, known by when it started.
#[derive(Debug)]
struct Instance {
    /// By the clock here.
    started: Option<f64>,
    seen: f64,
    last: Vec<Option<f64>>,
}

/// The state at one instant, in seconds: counters since the first scrape, gauges as they were.
#[derive(Debug)]
struct Snapshot {
    time: f64,
    values: Vec<f64>,
}

/// The time between two scrapes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span<'a> {
    from: &'a Snapshot,
    to: &'a Snapshot,
}

impl Span<'_> {
    pub(super) fn seconds(self) -> f64 {
        self.to.time - self.from.time
    }
}

/// What the scrapes said.
#[derive(Debug, Default)]
pub(super) struct History {
    /// By the name of the sample.
    series: HashMap<String, BTreeMap<Labels, Series>>,
    /// By when they started, as they say it, in bits.
    instances: HashMap<Option<u64>, Instance>,
    snapshots: VecDeque<Snapshot>,
    totals: Vec<f64>,
    current: Option<Option<u64>>,
    several: bool,
    restarted: bool,
    passed_over: bool,
}

impl History {
    pub(super) fn new() -> Self {
        let mut history = Self::default();
        for family in WANTED {
            let parts: &[&str] = match family.kind {
                Kind::Histogram(_) => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            for part in parts {
                let name = format!("{}{part}", family.name);
                history.series.insert(name, BTreeMap::new());
            }
        }
        history
    }

    /// Takes a scrape of this instant; `there` is what the clock of the gateway says then, if it said.
    pub(super) fn add(&mut self, text: &str, time: f64, there: Option<f64>) {
        let skew = there.map_or(0.0, |there| there - time);
        let skew = if skew.abs() < SKEW_SECONDS { 0.0 } else { skew };
        let scrape = self.read(text);
        let start = self.of(START.name).next().map(|series| series.index);
        let started = scrape.iter().find(|read| Some(read.index) == start);
        let started = started.map(|read| read.value);
        let key = started.map(f64::to_bits);
        let here = started.map(|started| started - skew);
        let known = self.instances.remove(&key);
        self.notice(key, known.is_some());

        let before = self.snapshots.back().map(|snapshot| snapshot.time);
        // What a process counted since it started is of this window where all of it can be.
        let whole = known.is_some()
            || here.is_some_and(|here| match before {
                None => time - here < WINDOW_SECONDS,
                Some(before) => here > before - SKEW_SECONDS,
            });
        if let (None, true, Some(here)) = (before, whole, here)
            && here < time
        {
            let values = Vec::new();
            self.snapshots.push_back(Snapshot { time: here, values });
        }
        let (started, last) = known.map_or((here, Vec::new()), |known| (known.started, known.last));
        let last = self.count(&scrape, &last, whole);
        let seen = time;
        let instance = Instance {
            started,
            seen,
            last,
        };
        self.instances.insert(key, instance);
        self.measure(time);
        let values = self.totals.clone();
        self.snapshots.push_back(Snapshot { time, values });
        // One that is older is kept, to begin with.
        while self
            .snapshots
            .get(1)
            .is_some_and(|next| next.time <= time - WINDOW_SECONDS)
        {
            self.snapshots.pop_front();
        }
    }

    /// Whether one that had been replaced by another answered again.
    pub(super) fn several(&self) -> bool {
        self.several
    }

    /// Whether another process answers than at first.
    pub(super) fn restarted(&self) -> bool {
        self.restarted
    }

    /// Whether there were more series than are kept.
    pub(super) fn passed_over(&self) -> bool {
        self.passed_over
    }

    /// How many processes have answered within this time.
    pub(super) fn instances(&self) -> usize {
        self.instances.len()
    }

    /// When the process that answered last started, in seconds by the clock here.
    pub(super) fn started(&self) -> Option<f64> {
        self.instances.get(&self.current?)?.started
    }

    /// All that is kept.
    pub(super) fn span(&self) -> Option<Span<'_>> {
        self.recent(WINDOW_SECONDS)
    }

    /// The time that ends with the last scrape and is about so long, or as long as is known.
    pub(super) fn recent(&self, seconds: f64) -> Option<Span<'_>> {
        let to = self.snapshots.back()?;
        let older = self.snapshots.iter().rev().skip(1);
        let mut from = None;
        for snapshot in older {
            from = Some(snapshot);
            if to.time - snapshot.time >= seconds - 0.5 {
                break;
            }
        }
        Some(Span { from: from?, to })
    }

    /// The series of this name.
    pub(super) fn of(&self, name: &str) -> impl Iterator<Item = &Series> {
        self.series.get(name).into_iter().flat_map(BTreeMap::values)
    }

    /// How far a counter rose.
    pub(super) fn rise(&self, series: &Series, span: Span<'_>) -> f64 {
        let at = |snapshot: &Snapshot| snapshot.values.get(series.index).copied();
        at(span.to).unwrap_or_default() - at(span.from).unwrap_or_default()
    }

    /// Where a gauge stands.
    pub(super) fn gauge(&self, series: &Series) -> f64 {
        self.totals.get(series.index).copied().unwrap_or_default()
    }

    /// What the process that answered last says, since it started.
    pub(super) fn latest(&self, series: &Series) -> Option<f64> {
        let last = &self.instances.get(&self.current?)?.last;
        *last.get(series.index)?
    }

    /// How far the counters of this name rose together.
    pub(super) fn sum(&self, name: &str, span: Span<'_>, counts: impl Fn(&Labels) -> bool) -> f64 {
        let series = self.of(name).filter(|series| counts(&series.labels));
        series.map(|series| self.rise(series, span)).sum()
    }

    /// The samples of a scrape that are wanted; what is no sample is passed over.
    fn read(&mut self, text: &str) -> Vec<Read> {
        let mut found = Vec::new();
        for line in text.lines() {
            let name = line.split(['{', ' ', '\t']).next().unwrap_or_default();
            let Some(known) = self.series.get_mut(name) else {
                continue;
            };
            let Some((_, labels, value)) = sample(line) else {
                continue;
            };
            let (index, gauge) = match known.get(&labels) {
                Some(series) => (series.index, series.gauge),
                None if self.totals.len() < MAX_SERIES => {
                    let index = self.totals.len();
                    let gauge = is_gauge(name);
                    self.totals.push(0.0);
                    let series = Series {
                        index,
                        labels: labels.clone(),
                        gauge,
                    };
                    known.insert(labels, series);
                    (index, gauge)
                }
                None => {
                    self.passed_over = true;
                    continue;
                }
            };
            found.push(Read {
                index,
                value,
                gauge,
            });
        }
        found
    }

    fn notice(&mut self, key: Option<u64>, known: bool) {
        if self.current.is_some_and(|current| current != key) {
            self.several |= known;
            self.restarted = true;
        }
        self.current = Some(key);
    }

    /// Adds to the totals what the counters rose, and gives back where they stand.
    fn count(&mut self, scrape: &[Read], last: &[Option<f64>], whole: bool) -> Vec<Option<f64>> {
        let mut next = vec![None; self.totals.len()];
        for &Read {
            index,
            value,
            gauge,
        } in scrape
        {
            next[index] = Some(value);
            if gauge || !whole {
                continue;
            }
            let last = last.get(index).copied().flatten().unwrap_or_default();
            // A counter that fell began anew, as `rate()` takes it.
            self.totals[index] += if value >= last { value - last } else { value };
        }
        next
    }

    /// Gauges are those of the process that answered last, or of all where several answer.
    fn measure(&mut self, time: f64) {
        let (current, several) = (self.current, self.several);
        self.instances
            .retain(|_, instance| time - instance.seen <= WINDOW_SECONDS);
        let instances = self.instances.iter().filter(|(key, instance)| {
            Some(**key) == current || (several && time - instance.seen < GONE_SECONDS)
        });
        let alive: Vec<_> = instances.map(|(_, instance)| &instance.last).collect();
        let series = self.series.values().flat_map(BTreeMap::values);
        for series in series.filter(|series| series.gauge) {
            let values = alive.iter().filter_map(|last| *last.get(series.index)?);
            self.totals[series.index] = values.sum();
        }
    }
}

/// One sample of a scrape.
#[derive(Clone, Copy, Debug)]
struct Read {
    index: usize,
    value: f64,
    gauge: bool,
}

fn is_gauge(name: &str) -> bool {
    let family = WANTED.iter().find(|family| family.name == name);
    family.is_some_and(|family| matches!(family.kind, Kind::Gauge))
}
