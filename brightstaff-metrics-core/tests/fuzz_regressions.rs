//! Every input that a fuzz target once failed on.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod meter_support;
#[path = "../fuzz/properties/mod.rs"]
mod properties;

use std::path::Path;

use meter_support::Random;

#[test]
fn what_failed_once_holds() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz_regressions");
    let mut played = 0;
    for entry in std::fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "encoding" && !cfg!(feature = "compression") {
            continue;
        }
        for entry in std::fs::read_dir(&path).unwrap() {
            let path = entry.unwrap().path();
            // What a property says of it stands behind its name.
            eprintln!("{}", path.display());
            let input = std::fs::read(&path).unwrap();
            properties::hold(name, &input);
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

#[test]
fn every_target_has_a_file_and_a_name() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    assert_eq!(files, properties::TARGETS.map(|(name, _)| name));
}
