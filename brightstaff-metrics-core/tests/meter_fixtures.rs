//! Every fixture against its golden facts, at any split, cut anywhere, compressed in any way.
//!
//! A case is a file in `tests/fixtures`; `UPDATE_EXPECT=1 cargo test` writes its golden beside it.

mod meter_support;

use std::fmt::Write as _;

use brightstaff_metrics_core::labels::UsageMissing;
use brightstaff_metrics_core::meter::{Api, End, Facts};
use expect_test::expect_file;
use meter_support::{Fixture, Random, fixtures};
use proptest::prelude::*;

#[test]
fn fixtures_have_their_golden_facts() {
    for fixture in fixtures() {
        let facts = fixture.read([fixture.body.as_slice()]);
        expect_file![golden(&fixture)].assert_eq(&report(&facts));
    }
}

fn golden(fixture: &Fixture) -> std::path::PathBuf {
    fixture
        .path
        .with_file_name(format!("{}.facts", fixture.name()))
}

fn report(facts: &Facts) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &dyn std::fmt::Debug| {
        writeln!(text, "{name}: {value:?}").expect("a string takes any text");
    };
    line("api", &facts.api.map(Api::as_str));
    line("streaming", &facts.streaming);
    line("model", &facts.model);
    line("end", &facts.end());
    line("events", &facts.events);
    line("first_token_event", &facts.first_token_event);
    line("reasoning_streamed", &facts.reasoning_streamed);
    line("prompt", &facts.usage.prompt);
    line("completion", &facts.usage.completion);
    line("cache_read", &facts.usage.cache_read);
    line("cache_write", &facts.usage.cache_write);
    line("reasoning", &facts.usage.reasoning);
    line("choices", &facts.choices);
    let details = &facts.details;
    line("cache_write_5m", &details.cache_write_5m);
    line("cache_write_1h", &details.cache_write_1h);
    line("prompt_audio", &details.prompt_audio);
    line("prompt_image", &details.prompt_image);
    line("completion_audio", &details.completion_audio);
    line("completion_image", &details.completion_image);
    line("tool_calls", &details.tool_calls);
    line("cost", &details.cost);
    line("service_tier", &details.service_tier());
    line("finish_reason", &details.finish_reason());
    line(
        "usage_missing",
        &facts.usage_missing(false).map(UsageMissing::as_str),
    );
    line(
        "usage_missing_interrupted",
        &facts.usage_missing(true).map(UsageMissing::as_str),
    );
    text
}

#[test]
fn any_split_says_the_same() {
    let mut random = Random(0x5DEE_CE66);
    for fixture in fixtures() {
        let whole = fixture.read([fixture.body.as_slice()]);
        for size in 1..=16 {
            assert_eq!(
                whole,
                fixture.read(fixture.body.chunks(size)),
                "{} by {size}",
                fixture.name()
            );
        }
        for at in 0..fixture.body.len() {
            let (head, tail) = fixture.body.split_at(at);
            assert_eq!(
                whole,
                fixture.read([head, tail]),
                "{} split at {at}",
                fixture.name()
            );
        }
        for _ in 0..32 {
            let chunks = random.split(&fixture.body);
            assert_eq!(
                whole,
                fixture.read(chunks),
                "{} split at random",
                fixture.name()
            );
        }
    }
}

#[test]
fn a_cut_answer_claims_nothing_it_has_not_seen() {
    for fixture in fixtures() {
        let whole = fixture.read([fixture.body.as_slice()]);
        for end in 0..fixture.body.len() {
            let cut = &fixture.body[..end];
            let facts = fixture.read([cut]);
            assert_eq!(
                facts,
                fixture.read(cut.chunks(61)),
                "{} cut at {end}",
                fixture.name()
            );
            assert!(
                facts.events <= whole.events,
                "{} cut at {end}",
                fixture.name()
            );
            if facts.first_token_event.is_some() {
                assert_eq!(
                    facts.first_token_event,
                    whole.first_token_event,
                    "{} cut at {end}",
                    fixture.name()
                );
            }
            // A choice may begin after another's end.
            if facts.streaming && facts.end() == End::Complete && whole.choices < 2 {
                assert_ne!(
                    whole.end(),
                    End::Truncated,
                    "{} cut at {end}",
                    fixture.name()
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Damage anywhere, split anywhere: no panic, and the same facts.
    #[test]
    fn damaged_answers_read_the_same_at_any_split(
        at in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let fixtures = fixtures();
        let fixture = &fixtures[at.index(fixtures.len())];
        let mut body = fixture.body.clone();
        if body.is_empty() {
            return Ok(());
        }
        for (at, byte) in edits {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let whole = fixture.read([body.as_slice()]);
        prop_assert_eq!(&whole, &fixture.read(body.chunks(1)));
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(body.len())).collect();
        cuts.sort_unstable();
        let mut chunks = Vec::new();
        let mut start = 0;
        for cut in cuts {
            chunks.push(&body[start..cut]);
            start = cut;
        }
        chunks.push(&body[start..]);
        prop_assert_eq!(&whole, &fixture.read(chunks));
    }
}
