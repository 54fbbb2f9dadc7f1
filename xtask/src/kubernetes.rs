//! The manifests, as kustomize builds them, against the schemas of Kubernetes and of the Prometheus operator: offline.

use std::path::Path;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::{npm, stage::Outcome};

/// Everything that there is, what is optional included.
const EVERYTHING: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: plano
resources: [../../../config/kubernetes]
components: [../../../config/kubernetes/redis]
";

pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    if let Some(why) = npm::missing() {
        return Ok(Outcome::Skipped(why));
    }
    let dir = Path::new("target/kubernetes");
    npm::install(sh, Path::new("xtask/kubernetes"), dir)?;
    let everything = dir.join("everything");
    sh.write_file(everything.join("kustomization.yaml"), EVERYTHING)?;
    let build = if which::which("kustomize").is_ok() {
        cmd!(sh, "kustomize build {everything}")
    } else if which::which("kubectl").is_ok() {
        cmd!(sh, "kubectl kustomize {everything}")
    } else {
        return Ok(Outcome::Skipped(
            "kubectl and kustomize are missing: https://kubernetes.io/docs/tasks/tools has both"
                .to_owned(),
        ));
    };
    let built = build
        .quiet()
        .read()
        .context("kustomize takes no part of config/kubernetes")?;
    let manifests = dir.join("everything.yaml");
    sh.write_file(&manifests, built)?;
    let version = env!("CARGO_PKG_VERSION");
    cmd!(sh, "node {dir}/validate.mjs {manifests} {version}")
        .quiet()
        .run()
        .context("the manifests are at fault")?;
    Ok(Outcome::Passed)
}
