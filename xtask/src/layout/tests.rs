//! The check itself, on sources that are made up.

use super::{Crate, File, Floor, check::check};

const HOUSE: Crate = Crate {
    sources: "house/src",
    floors: &[
        Floor {
            name: "roof",
            modules: &["roof"],
        },
        Floor {
            name: "middle",
            modules: &["left", "right", "third"],
        },
        Floor {
            name: "ground",
            modules: &["ground"],
        },
    ],
};

/// What is wrong where these files say this, and all others nothing.
#[track_caller]
fn faults(of: &Crate, files: &[(&str, &str)]) -> Vec<String> {
    let modules = of.floors.iter().flat_map(|floor| floor.modules);
    let silent = modules.map(|module| format!("{}.rs", module.replace("::", "/")));
    let silent = silent.chain(["main.rs".to_owned()]);
    let told = |name: &str| {
        let folder = format!("{}/mod.rs", name.trim_end_matches(".rs"));
        files
            .iter()
            .any(|(file, _)| *file == name || *file == folder)
    };
    let silent = silent.filter(|name| !told(name));
    let mut all: Vec<File> = silent.map(|name| (name, String::new())).collect();
    all.extend(
        files
            .iter()
            .map(|(file, text)| (file.to_string(), text.to_string())),
    );
    check(of, &all).unwrap()
}

fn upward(line: usize) -> String {
    format!(
        "house/src/ground.rs:{line}: ground (ground) imports roof (roof), which stands above it: imports go down"
    )
}

#[test]
fn an_import_upwards_is_found_wherever_it_stands() {
    for text in [
        "\nuse crate::roof::Tile;",
        "use std::{fmt, io};\nuse crate::{left, roof::{Tile, Gutter as G}};",
        "\nuse super::roof;",
        "\nuse self::super::roof::*;",
        "\npub(crate) use crate::roof as top;",
        "fn a() -> u8 {\n crate::roof::tiles(|x| x) }",
        "struct A {\n tile: Vec<crate::roof::Tile>, }",
        "fn a() {\n println!(\"{}\", crate::roof::TILES); }",
        "macro_rules! a { () => {\n $crate::roof::tiles() } }",
        "#[derive(Debug)]\n#[arg(parser = crate::roof::parse)] struct A;",
        "mod inner {\n use super::super::roof; }",
        "\nuse crate::Tile;",
        "#[cfg(not(test))]\nuse crate::roof;",
        "#[cfg(any(test, unix))]\nuse crate::roof;",
        "#[cfg(test)] fn a() {}\nuse crate::roof;",
        "#[cfg(test)] use crate::{left, right};\nuse crate::roof;",
    ] {
        let root = ("main.rs", "mod roof; pub use self::roof::{Gutter, Tile};");
        let faults = faults(&HOUSE, &[root, ("ground.rs", text)]);
        assert!(faults.contains(&upward(2)), "{text}: {faults:?}");
    }
}

#[test]
fn what_goes_down_or_is_no_import_is_none() {
    for text in [
        "use crate::{ground::Cellar, left as l}; use super::right; use std::roof;",
        "// use crate::attic;\n/* crate::attic::x */ /// crate::attic\nfn a() {}",
        "const A: &str = \"use crate::attic;\"; const B: &str = r#\"crate::attic::x\"#;",
        "pub(crate) fn a() {} pub(in crate::roof) struct A(pub(super) u8);",
        "fn a() { self::a(); Self::roof(); attic::b(); x.attic; <Self as Attic>::c(); }",
        "#[cfg(test)]\nmod tests { use crate::attic; fn a() { crate::attic::b() } }",
        "#[cfg(all(test, unix))]\n#[allow(unused)]\nuse crate::{attic, loft};",
        "struct A { #[cfg(test)] a: crate::attic::A, b: crate::ground::B }",
    ] {
        assert_eq!(faults(&HOUSE, &[("roof/mod.rs", text)]), [""; 0], "{text}");
    }
    // A file that only tests have.
    let inner = ("ground/tests.rs", "use crate::roof; use crate::attic;");
    let ground = ("ground/mod.rs", "#[cfg(test)]\nmod tests;");
    assert_eq!(faults(&HOUSE, &[ground, inner]), [""; 0]);
    let ground = ("ground/mod.rs", "mod tests;");
    assert_eq!(faults(&HOUSE, &[ground, inner]).len(), 2);
}

#[test]
fn a_circle_on_a_floor_is_found_and_told_once() {
    let files = [
        ("left.rs", "\n\nuse crate::right;"),
        ("right/mod.rs", "mod inner;"),
        ("right/inner.rs", "use crate::third;"),
        ("third.rs", "use crate::left;"),
    ];
    assert_eq!(faults(&HOUSE, &files[..3]), [""; 0]);
    assert_eq!(
        faults(&HOUSE, &files),
        [
            "house/src/left.rs:3: left imports right, and so a circle closes on the floor middle: \
             left → right → third → left"
        ]
    );
    let both = [
        ("left.rs", "use crate::right;"),
        ("right.rs", "use crate::left;"),
    ];
    assert_eq!(faults(&HOUSE, &both).len(), 1);
}

#[test]
fn a_module_that_stands_nowhere_is_found_and_a_room_without_one() {
    let files = [("attic/mod.rs", ""), ("ground.rs", "use crate::attic;")];
    let expected =
        "house/src/attic/mod.rs:1: attic stands on no floor: name it in xtask/src/layout/floors.rs";
    assert_eq!(faults(&HOUSE, &files), [expected]);
    let files = ["roof.rs", "left.rs", "right.rs", "third.rs"];
    assert_eq!(
        check(&HOUSE, &files.map(|name| (name.to_owned(), String::new()))).unwrap(),
        ["xtask/src/layout/floors.rs: house/src has no module ground"]
    );
}

#[test]
fn nothing_imports_what_the_root_defines() {
    let root = ("main.rs", "mod ground; use std::io; fn root() {}");
    let ground = ("ground.rs", "\nfn a() { crate::root(); }");
    let expected = "house/src/ground.rs:2: ground imports root, which the root defines, above all floors: \
                    imports go down, so move it into a module";
    assert_eq!(faults(&HOUSE, &[root, ground]), [expected]);
}

#[test]
fn an_inner_module_may_have_a_floor_of_its_own() {
    let house = Crate {
        sources: "house/src",
        floors: &[
            Floor {
                name: "roof",
                modules: &["roof"],
            },
            Floor {
                name: "ground",
                modules: &["roof::beams"],
            },
        ],
    };
    let down = (
        "roof/mod.rs",
        "mod beams; mod tiles; use beams::Oak; use self::tiles::Tile;",
    );
    let tiles = ("roof/tiles.rs", "");
    let beams = ("roof/beams.rs", "");
    assert_eq!(faults(&house, &[down, tiles, beams]), [""; 0]);
    let up = ("roof/beams.rs", "use super::tiles::Tile;");
    let expected = "house/src/roof/beams.rs:1: roof::beams (ground) imports roof (roof), which stands above it: imports go down";
    assert_eq!(faults(&house, &[down, tiles, up]), [expected]);
}
