//! The `gen_ai` view: the calls that pairs keep, in the words of OpenTelemetry's conventions for generative AI, as a scope
//! of its own.

mod buckets;
mod samples;

use std::collections::BTreeMap;

use self::{buckets::Edges, samples::Samples};
use super::{
    super::{
        GenAiCalls, GenAiOperations, NativeHistogram,
        gen_ai::{Count, Ended, Modality, Times, Tokens, TokensOfCall},
        native::first,
    },
    Buckets, Request, Sum,
    attributes::Attributes,
};
use crate::{
    buckets::Unit,
    clock::WallTime,
    conventions::{Conventions, Instrument, Kind, MODEL, OPERATION, PROVIDER, Source, well_known},
    labels::{ErrorType, Index as _, Operation, UNKNOWN},
};

/// What there is to tell, by the names that the conventions have for providers: where two of the gateway's names mean one
/// of theirs, their calls are told together.
pub(crate) struct View<'a>(BTreeMap<[&'a str; 2], Vec<&'a GenAiOperations>>);

impl<'a> View<'a> {
    pub(crate) fn of(pairs: impl Iterator<Item = ([&'a str; 2], &'a GenAiOperations)>) -> Self {
        let mut all = BTreeMap::<_, Vec<_>>::new();
        for ([provider, model], operations) in pairs {
            let key = [well_known(provider), model];
            all.entry(key).or_default().push(operations);
        }
        Self(all)
    }

    /// Writes the scope.
    pub(crate) fn write(&self, conventions: &'static Conventions, request: &mut Request<'_>) {
        request.begin_scope("gen_ai", env!("CARGO_PKG_VERSION"));
        let mut samples = Samples::default();
        for instrument in conventions.instruments {
            request.metric(instrument.name, instrument.description, instrument.unit());
            let mut points = Points {
                instrument,
                edges: match instrument.kind {
                    Kind::Counter => None,
                    Kind::Histogram(unit, upper) => Some((unit, Edges::new(unit, upper))),
                },
                request: &mut *request,
                attributes: Attributes::default(),
                samples: &mut samples,
                buckets: Vec::new(),
                key: Key::default(),
            };
            for (&[provider, model], pairs) in &self.0 {
                for &operation in Operation::ALL {
                    let calls = pairs.iter().filter_map(|pair| pair.get(operation));
                    points.key = Key {
                        operation: operation.as_str(),
                        provider,
                        model,
                    };
                    points.of(operation, &calls.collect::<Vec<_>>());
                }
            }
        }
        request.end_scope(Some(conventions.schema_url));
    }
}

/// The attributes that all points have.
#[derive(Clone, Copy, Default)]
struct Key<'a> {
    operation: &'static str,
    provider: &'a str,
    model: &'a str,
}

/// The points of one instrument.
struct Points<'a, 'b> {
    instrument: &'static Instrument,
    /// Of a histogram.
    edges: Option<(Unit, Edges)>,
    request: &'a mut Request<'b>,
    attributes: Attributes,
    /// Of the point that is made.
    samples: &'a mut Samples,
    buckets: Vec<u64>,
    key: Key<'a>,
}

impl Points<'_, '_> {
    /// Those of calls for one operation, to pairs that are told together.
    fn of(&mut self, operation: Operation, calls: &[&GenAiCalls]) {
        let told = operation.generates();
        match self.instrument.source {
            _ if calls.is_empty() => {}
            Source::Input => self.tokens(calls, true, |calls| &calls.input),
            Source::Output => self.tokens(calls, told, |calls| &calls.output),
            Source::CacheRead => self.count(calls, told, |calls| &calls.cache_read),
            Source::CacheWrite => self.count(calls, told, |calls| &calls.cache_write),
            Source::Reasoning => self.count(calls, told, |calls| &calls.reasoning),
            Source::InputOfCall => self.ends(calls, |ended| &ended.input.histogram),
            Source::OutputOfCall => self.ends(calls, |ended| &ended.output.histogram),
            Source::Duration => self.ends(calls, |ended| &ended.duration),
            Source::TokensOfCall => {
                self.told(calls, "input", |ended| &ended.input);
                self.told(calls, "output", |ended| &ended.output);
            }
            Source::FirstChunk => self.times(calls, |calls| &calls.time_to_first_chunk),
            Source::EachChunk => self.times(calls, |calls| &calls.time_per_output_chunk),
            Source::FirstToken => self.times(calls, |calls| &calls.time_to_first_token),
            Source::EachToken => self.times(calls, |calls| &calls.time_per_output_token),
        }
    }

    /// `zero`: also where there are none.
    fn tokens(&mut self, calls: &[&GenAiCalls], zero: bool, of: fn(&GenAiCalls) -> &Tokens) {
        for modality in Modality::ALL {
            let counts = calls.iter().map(|calls| of(calls).of(modality).get());
            let zero = zero && modality == Modality::Unknown;
            self.number(calls, modality, zero, counts.sum());
        }
    }

    fn count(&mut self, calls: &[&GenAiCalls], zero: bool, of: fn(&GenAiCalls) -> &Count) {
        let counts = calls.iter().map(|calls| of(calls).get());
        self.number(calls, Modality::Unknown, zero, counts.sum());
    }

    fn number(&mut self, calls: &[&GenAiCalls], modality: Modality, zero: bool, count: u64) {
        if count == 0 && !zero {
            return;
        }
        let began = calls.iter().map(|calls| calls.created()).min();
        let began = began.map_or(0, WallTime::as_nanos);
        self.attributes(Some(modality.as_str()));
        self.request
            .counter(self.attributes.as_bytes(), began, count);
    }

    /// By how they failed.
    fn ends(&mut self, calls: &[&GenAiCalls], of: fn(&Ended) -> &NativeHistogram) {
        let mut ends: Vec<_> = calls.iter().flat_map(|calls| calls.ends()).collect();
        let place = |ended: &&Ended| ended.error.map(ErrorType::index);
        ends.sort_by_key(place);
        for alike in ends.chunk_by(|a, b| a.error == b.error) {
            let error = alike[0].error.map(ErrorType::as_str);
            self.samples.take(alike.iter().map(|ended| of(ended)));
            self.histogram(error);
        }
    }

    /// Of calls whose tokens were told, however they ended.
    fn told(
        &mut self,
        calls: &[&GenAiCalls],
        token_type: &'static str,
        of: fn(&Ended) -> &TokensOfCall,
    ) {
        let ends = || calls.iter().flat_map(|calls| calls.ends()).map(of);
        let told_zeros = ends().map(|tokens| tokens.told_zeros.get()).sum();
        self.samples.take(ends().map(|tokens| &tokens.histogram));
        self.samples.counts[0] = told_zeros;
        self.histogram(Some(token_type));
    }

    fn times(&mut self, calls: &[&GenAiCalls], of: fn(&GenAiCalls) -> &Times) {
        let times = calls.iter().filter_map(|calls| of(calls).get());
        self.samples.take(times);
        self.histogram(None);
    }

    /// The samples that were taken; nothing where there are none.
    fn histogram(&mut self, attribute: Option<&str>) {
        if self.samples.is_none() {
            return;
        }
        self.attributes(attribute);
        let name = self.instrument.name;
        let (unit, edges) = self
            .edges
            .as_ref()
            .unwrap_or_else(|| unreachable!("{name} is a counter"));
        let Samples {
            counts,
            sum,
            began,
            exemplars,
        } = &mut *self.samples;
        let buckets = if self.request.settings.exponential {
            Buckets::Exponential(&*counts, first(*unit))
        } else {
            edges.bucket_counts(counts, &mut self.buckets);
            Buckets::Explicit(&self.buckets, edges.upper())
        };
        self.request.histogram(
            self.attributes.as_bytes(),
            *began,
            buckets,
            Sum::Samples(*sum, *unit),
            exemplars.drain(..),
        );
    }

    /// A model that nobody named is none.
    fn attributes(&mut self, of_instrument: Option<&str>) {
        let Key {
            operation,
            provider,
            model,
        } = self.key;
        self.attributes.clear();
        self.attributes.add(OPERATION, operation);
        self.attributes.add(PROVIDER, provider);
        if model != UNKNOWN {
            self.attributes.add(MODEL, model);
        }
        if let Some((name, value)) = self.instrument.attribute().zip(of_instrument) {
            self.attributes.add(name, value);
        }
    }
}
