//! `cargo xtask fuzz`: the meter's properties, over inputs that libFuzzer makes of recorded responses.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use clap::Args;
use xshell::{Shell, cmd};

use crate::{stage::has, workspace};

const FUZZ: &str = "brightstaff-metrics-core/fuzz";
const TESTS: &str = "brightstaff-metrics-core/tests";
/// What was found is kept here from one run to the next, beside the seeds.
const CORPUS: &str = "target/fuzz-corpus";
const ARTIFACTS: &str = "target/fuzz-artifacts";

/// Longer inputs find nothing that shorter ones do not, and take longer.
const MAX_LEN: usize = 16 << 10;
/// Of recorded responses, those of this length at most are seeds.
const MAX_SEED: usize = MAX_LEN;

#[derive(Args)]
pub(crate) struct Options {
    /// The fuzz target; without, all of them in turn
    target: Option<String>,
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// A body, and what it is served as.
struct Answer {
    kind: Kind,
    body: Vec<u8>,
}

/// Content types by their place in `types` of `properties.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json = 1,
    Sse = 2,
    Ndjson = 3,
    EventStream = 4,
    Html = 5,
}

/// How many content types `properties.rs` knows, and the encodings by their place there.
const KINDS: u8 = 6;
const GZIP: u8 = 2;
const DEFLATE: u8 = 3;
const ZSTD: u8 = 4;

pub(crate) fn run(sh: &Shell, options: &Options) -> Result<()> {
    let all = targets()?;
    let chosen: Vec<_> = all
        .iter()
        .filter(|name| options.target.as_ref().is_none_or(|target| target == *name))
        .collect();
    ensure!(
        !chosen.is_empty(),
        "there is no target {}: there are {}",
        options.target.as_deref().unwrap_or_default(),
        all.join(", ")
    );
    if !has(sh, "cargo-fuzz") {
        bail!("cargo-fuzz is missing: cargo install --locked cargo-fuzz");
    }
    let nightly = cmd!(sh, "cargo +nightly --version").quiet();
    if nightly.ignore_stdout().ignore_stderr().run().is_err() {
        bail!(
            "the nightly compiler is missing: rustup toolchain install nightly --profile minimal"
        );
    }
    let answers = answers()?;
    for target in chosen {
        let seeds = seed(target, &answers)?;
        println!("{target}: {seeds} seeds, {} s", options.seconds);
        fuzz(sh, target, options.seconds)?;
    }
    Ok(())
}

fn fuzz(sh: &Shell, target: &str, seconds: u64) -> Result<()> {
    let corpus = Path::new(CORPUS).join(target);
    let artifacts = Path::new(ARTIFACTS).join(target);
    fs::create_dir_all(&artifacts)?;
    // A trailing slash, or it is the start of a file's name.
    let prefix = format!("-artifact_prefix={}/", artifacts.display());
    let [time, length] = [
        format!("-max_total_time={seconds}"),
        format!("-max_len={MAX_LEN}"),
    ];
    cmd!(
        sh,
        "cargo +nightly fuzz run --fuzz-dir {FUZZ} --target-dir target/fuzz {target} {corpus} -- {time} {length} {prefix} -timeout=20 -print_final_stats=1"
    )
    .run()
    .with_context(|| {
        format!(
            "{target} does not hold for what lies in {0} now: make it small with `cargo +nightly fuzz tmin \
             --fuzz-dir {FUZZ} --target-dir target/fuzz {target} FILE`, and keep it in {TESTS}/fuzz_regressions/{target}",
            artifacts.display()
        )
    })
}

/// The targets, by the names of their files.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for path in files(&Path::new(FUZZ).join("fuzz_targets"))? {
        if let Some(stem) = path.file_stem() {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// Writes the seeds of a target to its corpus, and tells how many there are.
fn seed(target: &str, answers: &[Answer]) -> Result<usize> {
    let corpus = Path::new(CORPUS).join(target);
    fs::create_dir_all(&corpus)?;
    let mut seeds: Vec<Vec<u8>> = answers
        .iter()
        .flat_map(|answer| seeds(target, answer))
        .collect();
    let regressions = Path::new(TESTS).join("fuzz_regressions").join(target);
    if regressions.is_dir() {
        for path in files(&regressions)? {
            seeds.push(fs::read(path)?);
        }
    }
    for (at, seed) in seeds.iter().enumerate() {
        fs::write(corpus.join(format!("seed-{at:04}")), seed)?;
    }
    Ok(seeds.len())
}

/// What a target makes of an answer.
fn seeds(target: &str, answer: &Answer) -> Vec<Vec<u8>> {
    let Answer { kind, body } = answer;
    match target {
        "framing" if *kind == Kind::Sse => vec![body.clone()],
        "json" if *kind == Kind::Json => vec![body.clone()],
        // Its messages are lines here, and get their envelopes there.
        "event_stream" => vec![body.clone()],
        "meter" => {
            let head = *kind as u8;
            let encoded = [
                (0, body.clone()),
                (GZIP, gzip(body)),
                (DEFLATE, zlib(body)),
                (ZSTD, zstd(body)),
            ];
            let with_head =
                |(encoding, body): (u8, Vec<u8>)| [vec![head + encoding * KINDS], body].concat();
            encoded.into_iter().map(with_head).collect()
        }
        _ => Vec::new(),
    }
}

/// Every response that is known: the fixtures, and where they lie beside the workspace, the recorded responses
/// that the tests of the meter read as well.
fn answers() -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    directory(&Path::new(TESTS).join("fixtures"), &mut answers)?;
    let root = workspace::root();
    if let Some(shared) = root
        .ancestors()
        .map(|up| up.join("shared"))
        .find(|path| path.is_dir())
    {
        for name in ["cases/meter", "corpus"] {
            let path = shared.join(name);
            if path.is_dir() {
                directory(&path, &mut answers)?;
            }
        }
    }
    answers.retain(|answer| answer.body.len() <= MAX_SEED);
    Ok(answers)
}

/// The responses in a directory: one a file, its type told by the name; or records, one a line.
fn directory(path: &Path, answers: &mut Vec<Answer>) -> Result<()> {
    for path in files(path)? {
        let kind = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Kind::Json,
            Some("sse") => Kind::Sse,
            Some("ndjson") => Kind::Ndjson,
            Some("b64") => Kind::EventStream,
            Some("html") => Kind::Html,
            Some("jsonl") => {
                records(&fs::read_to_string(&path)?, answers)
                    .with_context(|| path.display().to_string())?;
                continue;
            }
            _ => continue,
        };
        let mut body = fs::read(&path)?;
        if kind == Kind::EventStream {
            body.retain(|byte| !byte.is_ascii_whitespace());
            body = BASE64
                .decode(body)
                .with_context(|| path.display().to_string())?;
        }
        answers.push(Answer { kind, body });
    }
    Ok(())
}

fn records(lines: &str, answers: &mut Vec<Answer>) -> Result<()> {
    for line in lines.lines() {
        let record: serde_json::Value = serde_json::from_str(line)?;
        let body = record["body_b64"]
            .as_str()
            .context("a record without body_b64")?;
        let content_type = record["content_type"].as_str().unwrap_or_default();
        let kind = [
            ("json", Kind::Json),
            ("event-stream", Kind::Sse),
            ("ndjson", Kind::Ndjson),
            ("eventstream", Kind::EventStream),
        ];
        let kind = kind
            .into_iter()
            .find(|(part, _)| content_type.contains(part));
        answers.push(Answer {
            kind: kind.map_or(Kind::Html, |(_, kind)| kind),
            body: BASE64.decode(body)?,
        });
    }
    Ok(())
}

fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Gzip without compression: it is the frames around it that seeds are for.
fn gzip(body: &[u8]) -> Vec<u8> {
    let head = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];
    // Nobody verifies the check sum.
    [&head, stored(body).as_slice(), &[0; 8]].concat()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    [&[0x78, 0x01], stored(body).as_slice(), &[0; 4]].concat()
}

/// One stored block (RFC 1951, section 3.2.4).
fn stored(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len())
        .expect("seeds are short")
        .to_le_bytes();
    [&[1], length.as_slice(), &length.map(|byte| !byte), body].concat()
}

/// One raw block, the last, in a window of 1 MiB (RFC 8878, section 3.1.1.2).
fn zstd(body: &[u8]) -> Vec<u8> {
    let header = u32::try_from(body.len()).expect("seeds are short") << 3 | 1;
    let head = [0x28, 0xB5, 0x2F, 0xFD, 0, 10 << 3];
    [&head, &header.to_le_bytes()[..3], body].concat()
}
