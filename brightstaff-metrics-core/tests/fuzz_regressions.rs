//! Every input that a fuzz target once failed on.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod meter_support;
#[path = "../fuzz/properties.rs"]
mod properties;

use std::path::Path;

use meter_support::Random;

type Target = (&'static str, fn(&[u8]));

#[test]
fn what_failed_once_holds() {
    let targets: [Target; 4] = [
        ("event_stream", properties::event_stream),
        ("framing", properties::framing),
        ("json", properties::json),
        ("meter", properties::meter),
    ];
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz_regressions");
    let mut played = 0;
    for entry in std::fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        let (_, target) = targets
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("no target is called {name}"));
        for entry in std::fs::read_dir(&path).unwrap() {
            let path = entry.unwrap().path();
            // What a property says of it stands behind its name.
            eprintln!("{}", path.display());
            let input = std::fs::read(&path).unwrap();
            target(&input);
            if name == "meter" {
                for n in 1..=64 {
                    let seed = Random(n).next().to_le_bytes();
                    properties::meter_split_by(&input, &seed);
                }
            }
            played += 1;
        }
    }
    assert!(played > 0, "{} is empty", directory.display());
}
