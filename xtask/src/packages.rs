//! What users of the packages get: that they build with the oldest versions they allow, and that each can
//! be packaged.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::stage::Outcome;

/// The libraries, in the order in which they are published. The exporter's are `default-features = false`.
const LIBRARIES: [&str; 3] = [
    "brightstaff-metrics-core",
    "brightstaff-metrics-axum",
    "brightstaff-metrics-actix",
];

/// All that is published, in order.
pub(crate) const PUBLISHED: [&str; 4] = [
    LIBRARIES[0],
    LIBRARIES[1],
    LIBRARIES[2],
    "brightstaff-exporter",
];

/// Checks the libraries with the Rust that they state, against the lowest versions of their direct
/// dependencies, in a copy of the workspace without what only tests depend on.
pub(crate) fn lowest_versions(sh: &Shell) -> Result<Outcome> {
    let manifest = sh.read_file("Cargo.toml")?;
    let rust = stated_rust(&manifest).context("Cargo.toml states no rust-version")?;
    // Only nightly resolves to the lowest versions.
    for toolchain in ["nightly", rust] {
        let version = cmd!(sh, "cargo +{toolchain} --version");
        if version.quiet().ignore_stderr().read().is_err() {
            return Ok(Outcome::Skipped(format!(
                "a toolchain is missing: rustup toolchain install {toolchain} --profile minimal"
            )));
        }
    }
    let copy = sh.current_dir().join("target/lowest-versions");
    sh.remove_path(copy.join("workspace"))?;
    for package in PUBLISHED {
        let to = copy.join("workspace").join(package);
        sh.create_dir(&to)?;
        let manifest = sh.read_file(Path::new(package).join("Cargo.toml"))?;
        sh.write_file(to.join("Cargo.toml"), without_tests(&manifest))?;
        cmd!(sh, "cp -r {package}/src {package}/README.md {to}")
            .quiet()
            .run()?;
    }
    let manifest = manifest.replace("    \"xtask\",\n", "");
    sh.write_file(copy.join("workspace/Cargo.toml"), manifest)?;

    let _directory = sh.push_dir(copy.join("workspace"));
    cmd!(
        sh,
        "cargo +nightly --quiet generate-lockfile -Z direct-minimal-versions"
    )
    .run()
    .context("a lower bound in Cargo.toml is one that another dependency rules out")?;
    for package in LIBRARIES {
        cmd!(
            sh,
            "cargo +{rust} --quiet check --lib --all-features --package {package}"
        )
        .env("CARGO_TARGET_DIR", copy.join("target"))
        .run()?;
    }
    Ok(Outcome::Passed)
}

fn stated_rust(manifest: &str) -> Option<&str> {
    let mut lines = manifest.lines();
    let line = lines.find(|line| line.starts_with("rust-version"))?;
    line.split('"').nth(1)
}

/// A manifest without the sections that only tests, benches and examples need.
fn without_tests(manifest: &str) -> String {
    let dropped = ["[dev-dependencies", "[[test", "[[bench", "[[example"];
    let mut keep = true;
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            keep = !dropped.iter().any(|section| line.starts_with(section));
        }
        keep
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// Packages all that is published, builds the packages, and looks into them.
pub(crate) fn package(sh: &Shell) -> Result<Outcome> {
    let packages = PUBLISHED.map(|package| format!("--package={package}"));
    // Builds each from its package, with the packages of those before it.
    cmd!(sh, "cargo package --quiet --allow-dirty {packages...}").run()?;
    for package in PUBLISHED {
        let listed = cmd!(
            sh,
            "cargo package --quiet --list --allow-dirty --package {package}"
        );
        let files = listed.quiet().read()?;
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            if !files.lines().any(|line| line == file) {
                bail!("the package {package} has no {file}");
            }
        }
    }
    Ok(Outcome::Passed)
}
