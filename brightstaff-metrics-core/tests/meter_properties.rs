//! The properties of the fuzz targets, for a moment: over fixtures, damaged and mixed, the same on every
//! run.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod meter_support;
#[path = "../fuzz/properties/mod.rs"]
mod properties;

use meter_support::{Random, fixtures};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

#[test]
fn damaged_and_mixed_fixtures() {
    let fixtures = fixtures();
    let mut random = Random(0x2545_F491);
    let mut pick = |below: usize| usize::try_from(random.next() % below as u64).unwrap();
    for _ in 0..400 {
        let body = &fixtures[pick(fixtures.len())].body;
        let other = &fixtures[pick(fixtures.len())].body;
        let mut mixed = body[..pick(body.len() + 1)].to_vec();
        mixed.extend(&other[pick(other.len() + 1)..]);
        for _ in 0..pick(4) {
            if !mixed.is_empty() {
                let at = pick(mixed.len());
                mixed[at] = b"\"\\{}[],:\r\n 0e\0x"[pick(15)];
            }
        }
        properties::hold("framing", &mixed);
        properties::hold("event_stream", &mixed);
        properties::hold("sse_stray", &mixed);
        properties::hold("values", &mixed);
        properties::hold("invoke", &payloads(&mixed));
        mixed.insert(0, pick(256) as u8);
        properties::hold("meter", &mixed);
        mixed.insert(0, pick(256) as u8);
        if cfg!(feature = "compression") {
            properties::hold("encoding", &mixed);
        }
    }
}

/// Lines without the names of their fields.
fn payloads(body: &[u8]) -> Vec<u8> {
    let lines = body.split(|&byte| byte == b'\n');
    let lines = lines.map(|line| line.strip_prefix(b"data: ").unwrap_or(line));
    lines.collect::<Vec<_>>().join(&b'\n')
}

/// Whole payloads of fixtures, in any order, behind one another.
#[test]
fn shuffled_payloads() {
    let bodies = fixtures()
        .into_iter()
        .filter(|fixture| fixture.body.len() < 4096);
    let lines: Vec<Vec<u8>> = bodies
        .flat_map(|fixture| {
            let payloads = payloads(&fixture.body);
            let lines = payloads.split(|&byte| byte == b'\n').map(<[u8]>::to_vec);
            lines.collect::<Vec<_>>()
        })
        .filter(|line| line.starts_with(b"{"))
        .collect();
    let mut random = Random(0x8525_308F);
    let mut pick = |below: usize| usize::try_from(random.next() % below as u64).unwrap();
    for _ in 0..300 {
        let some: Vec<_> = (0..=pick(6))
            .map(|_| lines[pick(lines.len())].clone())
            .collect();
        properties::hold("sse_stray", &some[0]);
        let some = some.join(&b'\n');
        properties::hold("values", &some);
        properties::hold("invoke", &some);
    }
}

/// Values with the keys that matter, and some that do not.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let key = prop_oneof![
        prop::sample::select(vec![
            "usage",
            "prompt_tokens",
            "completion_tokens",
            "model",
            "type",
            "content",
            "text"
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<u32>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 48, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::vec((key.clone(), inner), 0..8)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn generated_documents() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let config = Config {
        cases: 400,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let check = |value: serde_json::Value| {
        properties::hold("json", value.to_string().as_bytes());
        properties::hold("json", format!("{value:#}").as_bytes());
        let member = serde_json::json!({"error": value});
        let lines = format!("{value}\n{member}\n{member}");
        properties::hold("sse_stray", value.to_string().as_bytes());
        properties::hold("sse_stray", member.to_string().as_bytes());
        properties::hold("values", lines.as_bytes());
        properties::hold("invoke", lines.as_bytes());
        Ok(())
    };
    runner.run(&value(), check).unwrap();
}
