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
    let rust = stated(&manifest, "rust-version")?;
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
    let members = manifest
        .lines()
        .filter(|line| !line.starts_with("    \"xtask"));
    let manifest: String = members.map(|line| format!("{line}\n")).collect();
    sh.write_file(copy.join("workspace/Cargo.toml"), manifest)?;

    let _directory = sh.push_dir(copy.join("workspace"));
    cmd!(
        sh,
        "cargo +nightly --quiet generate-lockfile -Z direct-minimal-versions"
    )
    .run()
    .context("a lower bound in Cargo.toml is one that another dependency rules out")?;
    let libraries = LIBRARIES.iter().flat_map(|name| ["--package", *name]);
    cmd!(
        sh,
        "cargo +{rust} --quiet check --lib --all-features {libraries...}"
    )
    .env("CARGO_TARGET_DIR", copy.join("target"))
    .run()?;
    Ok(Outcome::Passed)
}

/// What the workspace's manifest states for all its packages.
fn stated<'a>(manifest: &'a str, key: &str) -> Result<&'a str> {
    let mut lines = manifest.lines().filter_map(|line| line.split_once(" = "));
    let value = lines.find(|(name, _)| *name == key);
    let value = value
        .with_context(|| format!("Cargo.toml states no {key}"))?
        .1;
    Ok(value.trim_matches('"'))
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

/// Packages all that is published, looks into the packages, and builds them out of each other, in one
/// workspace, so that what they depend on is built once. Each alone is the business of the stage `features`.
///
/// Not as `cargo package` verifies them: it takes a package that it unpacked another time, of the same
/// version, for the one that it made now.
pub(crate) fn package(sh: &Shell) -> Result<Outcome> {
    let packages = PUBLISHED.map(|package| format!("--package={package}"));
    cmd!(
        sh,
        "cargo package --quiet --allow-dirty --no-verify {packages...}"
    )
    .run()?;
    let made = sh.current_dir().join("target/package");
    let unpacked = made.join("unpacked");
    sh.remove_path(&unpacked)?;
    sh.create_dir(&unpacked)?;
    let manifest = sh.read_file("Cargo.toml")?;
    let version = stated(&manifest, "version")?;
    let (mut members, mut patches) = (String::new(), String::new());
    for package in PUBLISHED {
        let archive = made.join(format!("{package}-{version}.crate"));
        // With today's times: the archive's own are the same for ever, and cargo goes by them.
        cmd!(sh, "tar --touch -xzf {archive} -C {unpacked}")
            .quiet()
            .run()?;
        let directory = format!("{package}-{version}");
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            if !unpacked.join(&directory).join(file).exists() {
                bail!("the package {package} has no {file}");
            }
        }
        members += &format!("\"{directory}\", ");
        patches += &format!("{package} = {{ path = \"{directory}\" }}\n");
    }
    let manifest = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{members}]\n\n[patch.crates-io]\n{patches}"
    );
    sh.write_file(unpacked.join("Cargo.toml"), manifest)?;
    sh.copy_file("Cargo.lock", unpacked.join("Cargo.lock"))?;
    let target = sh.current_dir().join("target");
    let _directory = sh.push_dir(&unpacked);
    cmd!(sh, "cargo check --quiet --workspace --all-features")
        .env("CARGO_TARGET_DIR", &target)
        .run()
        .context("the packages do not build out of each other")?;
    Ok(Outcome::Passed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    /// `cargo binstall` looks for the archives by the names that the release gives them.
    #[test]
    fn binstall_finds_what_releases_hold() {
        let read = |path| std::fs::read_to_string(workspace::root().join(path)).unwrap();
        let script = read(".github/release/build.sh");
        let mut lines = script.lines();
        let name = lines.find_map(|line| line.strip_prefix("name=")).unwrap();
        let manifest = read("brightstaff-exporter/Cargo.toml");
        let template = |key: &str| {
            let text = stated(&manifest, key).unwrap();
            let text = text.replace("{ name }", "brightstaff-exporter");
            text.replace("v{ version }", "$TAG")
                .replace("{ target }", "$TARGET")
        };
        let archive = format!("{{ repo }}/releases/download/$TAG/{name}.tar.gz");
        assert_eq!(template("pkg-url"), archive);
        let program = format!("{name}/{{ bin }}{{ binary-ext }}");
        assert_eq!(template("bin-dir"), program);
    }
}
