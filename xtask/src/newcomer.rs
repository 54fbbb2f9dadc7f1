//! The README's gateway in a project of its own: with the dependencies that the README names, and nothing
//! of this workspace but its packages.

use std::{fmt::Write as _, path::Path};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::stage::Outcome;

/// What a gateway has besides, and the example uses.
const OWN: &str = "\
http = \"1\"
reqwest = { version = \"0.13\", default-features = false, features = [\"rustls-no-provider\", \"stream\"] }
rustls = { version = \"0.23\", default-features = false, features = [\"ring\"] }
serde_json = \"1\"
tokio = { version = \"1\", features = [\"macros\", \"net\", \"rt-multi-thread\", \"signal\"] }
";

/// Builds the example of each adapter so.
pub(crate) fn builds(sh: &Shell) -> Result<Outcome> {
    let readme = sh.read_file("README.md")?;
    let named = dependencies(&readme).context("README.md names no dependencies")?;
    for (adapter, framework) in [
        ("brightstaff-metrics-axum", "axum = \"0.8\""),
        ("brightstaff-metrics-actix", "actix-web = \"4\""),
    ] {
        let project = sh.current_dir().join("target/newcomer").join(adapter);
        let named = named.replace("brightstaff-metrics-axum", adapter);
        let manifest = manifest(&sh.current_dir(), &format!("{named}{framework}\n{OWN}"));
        sh.write_file(project.join("Cargo.toml"), manifest)?;
        sh.copy_file("Cargo.lock", project.join("Cargo.lock"))?;
        let source = sh.read_file(Path::new(adapter).join("examples/gateway.rs"))?;
        sh.write_file(project.join("src/main.rs"), source)?;
        let target = sh.current_dir().join("target");
        let _directory = sh.push_dir(&project);
        cmd!(sh, "cargo check --quiet")
            .env("CARGO_TARGET_DIR", target)
            .run()
            .with_context(|| format!("the README's gateway does not build on {adapter}"))?;
    }
    Ok(Outcome::Passed)
}

/// The first block of TOML.
fn dependencies(readme: &str) -> Option<&str> {
    let (_, rest) = readme.split_once("```toml\n")?;
    Some(rest.split_once("```")?.0)
}

fn manifest(workspace: &Path, dependencies: &str) -> String {
    let mut out = format!(
        "[package]\nname = \"newcomer\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\n{dependencies}\n[patch.crates-io]\n"
    );
    for package in crate::packages::PUBLISHED {
        let path = workspace.join(package);
        let _ = writeln!(out, "{package} = {{ path = \"{}\" }}", path.display());
    }
    out
}
