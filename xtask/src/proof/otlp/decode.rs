//! An export in the eyes of Python's `opentelemetry-proto`, a decoder that is not ours.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

use super::series::{self, All};
use crate::{api::Labels, lab};

/// The script, and what it needs.
const SCRIPT: &str = "xtask/otlp/decode.py";
const REQUIREMENTS: &str = "xtask/otlp/requirements.txt";

/// The Python that runs it.
pub(super) fn python(sh: &Shell) -> Result<PathBuf> {
    let requirements = fs::read_to_string(REQUIREMENTS)?;
    lab::python(sh, "otlp", &requirements)
}

/// What the script found.
pub(super) struct Decoded {
    /// The series that a receiver makes of the points, as Prometheus names them.
    pub(super) series: All,
    pub(super) resource: Labels,
    /// The names of the scopes.
    pub(super) scopes: Vec<String>,
}

/// Decodes the body of a request.
pub(super) fn decode(sh: &Shell, python: &Path, body: &[u8], dir: &Path) -> Result<Decoded> {
    let file = dir.join("export.bin");
    fs::write(&file, body)?;
    let said = cmd!(sh, "{python} {SCRIPT} {file}").quiet().read()?;
    let said: Value = serde_json::from_str(&said)?;
    let mut all = All::new();
    for sample in said["series"].as_array().context("no series")? {
        let labels = text(&sample["labels"]);
        let value = sample["value"].as_f64().context("no value")?;
        if let Some((labels, value)) = series::one(labels, value)? {
            let twice = all.insert(labels.clone(), value);
            ensure!(twice.is_none(), "one export has two points of {labels:?}");
        }
    }
    let scopes = said["scopes"].as_array().into_iter().flatten();
    Ok(Decoded {
        series: all,
        resource: text(&said["resource"]),
        scopes: scopes
            .filter_map(|scope| scope.as_str().map(str::to_owned))
            .collect(),
    })
}

fn text(object: &Value) -> Labels {
    let members = object.as_object().into_iter().flatten();
    members
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}
