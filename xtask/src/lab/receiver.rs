//! Prometheus' OTLP receiver. Debian builds its Prometheus without it, so the code that translates is taken from Debian's
//! source of Prometheus, and built with Debian's packages of Go and of what the code imports.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use super::{debian::Archived, ready};
use crate::{http::free_port, process::Guarded, workspace};

/// The source of the Prometheus that is started behind it, as Debian's testing and unstable releases had it on
/// 2026-11-28.
const SOURCE: Archived = Archived {
    name: "prometheus_3.5.3+ds1.orig.tar.xz",
    pool: "p/prometheus",
    snapshot: "20261128T000000Z",
    sha256: "271a91b47e6ff9e507bf94e8c9eb76005ff24afd07a713bd1345a4b98e3add1c",
    named_in: "xtask/src/lab/receiver.rs",
};

/// Where the translation is in it.
const TRANSLATION: &str = "storage/remote/otlptranslator/prometheusremotewrite";

/// Debian's suite, and its packages of what is imported, directly or not.
const SUITE: &str = "testing";
const PACKAGES: [&str; 16] = [
    "golang-github-cespare-xxhash-v2-dev",
    "golang-github-gogo-protobuf-dev",
    "golang-github-golang-snappy-dev",
    "golang-github-grafana-regexp-dev",
    "golang-github-hashicorp-go-version-dev",
    "golang-github-json-iterator-go-dev",
    "golang-github-modern-go-concurrent-dev",
    "golang-github-modern-go-reflect2-dev",
    "golang-github-prometheus-client-model-dev",
    "golang-github-prometheus-common-dev",
    "golang-github-prometheus-otlptranslator-dev",
    "golang-github-prometheus-prometheus-dev",
    "golang-go.uber-multierr-dev",
    "golang-golang-x-text-dev",
    "golang-google-protobuf-dev",
    "golang-opentelemetry-collector-dev",
];

/// What signs Debian's lists.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// What else is in it, at home in this repository.
const FILES: [(&str, &str); 3] = [
    ("main.go", "main.go"),
    ("conventions/conventions.go", "conventions/conventions.go"),
    ("labels.go.in", "prometheusremotewrite/labels.go"),
];

/// A running receiver.
pub(crate) struct Receiver {
    process: Guarded,
    log: PathBuf,
    /// Where it takes OTLP's metrics.
    pub(crate) url: String,
}

impl Receiver {
    /// The program, built once for what it is made of.
    pub(crate) fn find(sh: &Shell) -> Result<PathBuf> {
        let dir = workspace::root().join("target/otlp/receiver");
        let program = dir.join("receiver");
        let recipe = recipe()?;
        // Written last, so that half a program is none.
        let mark = dir.join("made-of");
        if program.exists() && fs::read_to_string(&mark).is_ok_and(|made| made == recipe) {
            return Ok(program);
        }
        for tool in ["apt-get", "apt-cache", "dpkg", "tar"] {
            which::which(tool).with_context(|| format!("no {tool} on the path"))?;
        }
        ensure!(fs::exists(KEYRING)?, "{KEYRING} is missing");
        // There is nothing to remove the first time.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir)?;
        let go = packages(sh, &dir).context("packages of Debian's testing release")?;
        source(sh, &dir)?;
        build(sh, &dir, &go, &program)?;
        fs::write(mark, recipe)?;
        Ok(program)
    }

    /// Starts it in front of this Prometheus.
    pub(crate) fn start(program: &Path, dir: &Path, prometheus: &str) -> Result<Self> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let log = dir.join("receiver.log");
        let arguments = [address.clone(), prometheus.to_owned()];
        let mut process = Guarded::start(program, &arguments, &log)?;
        ready(&format!("http://{address}/-/ready"), &mut process)?;
        Ok(Self {
            process,
            log,
            url: format!("http://{address}/api/v1/otlp/v1/metrics"),
        })
    }

    /// What it could not take; Prometheus would say so in its log alone.
    pub(crate) fn complaints(&mut self) -> Result<String> {
        self.process.check()?;
        Ok(fs::read_to_string(&self.log)?)
    }
}

/// Everything that the program is made of and that is named here.
fn recipe() -> Result<String> {
    let mut recipe = format!("{} {SUITE} {PACKAGES:?}\n", SOURCE.sha256);
    for (file, _) in FILES {
        recipe += &fs::read_to_string(at_home(file))?;
    }
    Ok(recipe)
}

fn at_home(file: &str) -> PathBuf {
    workspace::root().join("xtask/otlp/receiver").join(file)
}

/// Fetches and unpacks the packages, beside those of this machine; tells where Go is.
fn packages(sh: &Shell, dir: &Path) -> Result<PathBuf> {
    let (apt, debs, root) = (dir.join("apt"), dir.join("debs"), dir.join("root"));
    for part in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(apt.join(part))?;
    }
    fs::create_dir_all(&debs)?;
    fs::write(
        apt.join("sources.list"),
        format!("deb [signed-by={KEYRING}] http://deb.debian.org/debian {SUITE} main\n"),
    )?;
    let at = apt.display();
    let config = apt.join("apt.conf");
    fs::write(
        &config,
        format!(
            "Dir::Etc::sourcelist \"{at}/sources.list\";\n\
             Dir::Etc::sourceparts \"-\";\n\
             Dir::State::lists \"{at}/lists\";\n\
             Dir::Cache \"{at}/cache\";\n\
             Acquire::Languages \"none\";\n\
             Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n\
             APT::Architecture \"amd64\";\n\
             APT::Sandbox::User \"root\";\n"
        ),
    )?;
    let _config = sh.push_env("APT_CONFIG", &config);
    cmd!(sh, "apt-get update -qq").quiet().run()?;
    let go = newest_go(sh)?;
    let (program, standard) = (format!("{go}-go"), format!("{go}-src"));
    {
        let _debs = sh.push_dir(&debs);
        cmd!(
            sh,
            "apt-get download -qq {program} {standard} {PACKAGES...}"
        )
        .quiet()
        .run()?;
    }
    for deb in sh.read_dir(&debs)? {
        cmd!(sh, "dpkg -x {deb} {root}").quiet().run()?;
    }
    fs::remove_dir_all(&debs)?;
    let version = go.trim_start_matches("golang-");
    Ok(root.join(format!("usr/lib/go-{version}")))
}

/// The packages of Debian's default version of Go, without what their names end with.
fn newest_go(sh: &Shell) -> Result<String> {
    let told = cmd!(sh, "apt-cache depends golang-go").quiet().read()?;
    let program = told
        .split_whitespace()
        .find(|word| word.starts_with("golang-1.") && word.ends_with("-go"))
        .context("golang-go depends on no version of Go")?;
    Ok(program.trim_end_matches("-go").to_owned())
}

/// Puts the translation beside the rest of the program, and fits it to the packages.
fn source(sh: &Shell, dir: &Path) -> Result<()> {
    let archive = dir.join(SOURCE.name);
    SOURCE.fetch(sh, &archive)?;
    cmd!(sh, "tar -C {dir} --extract --file {archive} --wildcards */{TRANSLATION}/*.go --exclude *_test.go --strip-components=5 --one-top-level=go/src/receiver/prometheusremotewrite").quiet().run()?;
    let own = dir.join("go/src/receiver");
    for (file, place) in FILES {
        let place = own.join(place);
        fs::create_dir_all(place.parent().context("a file lies in a directory")?)?;
        fs::copy(at_home(file), place)?;
    }
    let translation = own.join("prometheusremotewrite");
    edit(
        &translation.join("helper.go"),
        &[
            ("\t\"github.com/prometheus/otlptranslator\"\n", ""),
            ("otlptranslator.NormalizeLabel(", "normalizeLabel("),
            (
                "go.opentelemetry.io/collector/semconv/v1.6.1",
                "receiver/conventions",
            ),
        ],
    )?;
    let file = translation.join("metrics_to_prw.go");
    let text = fs::read_to_string(&file)?;
    // It reads a configuration, which this program has not.
    let unused = text
        .split_once("func NewPromoteResourceAttributes")
        .and_then(|(_, rest)| rest.split_once("\n}\n"))
        .context("the translation has no NewPromoteResourceAttributes any more")?
        .0;
    edit(
        &file,
        &[
            (
                &format!("func NewPromoteResourceAttributes{unused}\n}}\n"),
                "",
            ),
            ("\t\"github.com/prometheus/prometheus/config\"\n", ""),
            (
                "promName := namer.Build(TranslatorMetricFromOtelMetric(metric))",
                "promName, err := namer.Build(TranslatorMetricFromOtelMetric(metric))\nif err != nil {\nerrs = multierr.Append(errs, err)\ncontinue\n}",
            ),
        ],
    )
}

fn edit(file: &Path, replacements: &[(&str, &str)]) -> Result<()> {
    let mut text = fs::read_to_string(file)?;
    for (from, to) in replacements {
        ensure!(
            text.contains(from),
            "{} does not say {from} any more",
            file.display()
        );
        text = text.replace(from, to);
    }
    Ok(fs::write(file, text)?)
}

fn build(sh: &Shell, dir: &Path, go: &Path, program: &Path) -> Result<()> {
    let packages = dir.join("root/usr/share/gocode");
    let own = dir.join("go");
    let path = format!("{}:{}", own.display(), packages.display());
    let _directory = sh.push_dir(own.join("src/receiver"));
    cmd!(sh, "{go}/bin/go build -ldflags=-s -o {program} receiver")
        .env("GOROOT", go)
        .env("GOPATH", path)
        .env("GOCACHE", dir.join("cache"))
        .env("GO111MODULE", "off")
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", "0")
        .quiet()
        .run()
        .context("Prometheus' receiver does not build")?;
    // Larger than all that stays.
    fs::remove_dir_all(dir.join("cache"))?;
    Ok(())
}
