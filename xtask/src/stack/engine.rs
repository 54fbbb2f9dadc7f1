//! Which container engine there is.

use std::process::Command;

/// A way to run the compose file.
#[derive(Clone, Copy)]
pub(super) struct Engine {
    /// How it is called; also what `up` records.
    pub(super) name: &'static str,
    /// The start of each of its commands.
    pub(super) compose: &'static [&'static str],
    /// Succeeds where the engine itself answers.
    probe: &'static [&'static str],
    /// What to do where it does not.
    fix: &'static str,
}

const DOCKER: &str = "start Docker Desktop, or `sudo systemctl start docker`; where permission is denied, join the group: `sudo usermod -aG docker $USER`, and log in again";
const PODMAN: &str =
    "`podman machine start` on macOS; on Linux `podman info` tells what is missing";

/// In the order of preference.
const ENGINES: &[Engine] = &[
    Engine {
        name: "docker compose",
        compose: &["docker", "compose"],
        probe: &["docker", "info"],
        fix: DOCKER,
    },
    Engine {
        name: "docker-compose",
        compose: &["docker-compose"],
        probe: &["docker", "info"],
        fix: DOCKER,
    },
    Engine {
        name: "podman compose",
        compose: &["podman", "compose"],
        probe: &["podman", "info"],
        fix: PODMAN,
    },
    Engine {
        name: "podman-compose",
        compose: &["podman-compose"],
        probe: &["podman", "info"],
        fix: PODMAN,
    },
];

/// The first engine that has compose and answers; else why none does.
pub(super) fn find() -> Result<Engine, String> {
    let mut reasons = Vec::new();
    for engine in ENGINES {
        match usable(engine) {
            Ok(()) => return Ok(*engine),
            Err(reason) => reasons.push(format!("  {}: {reason}", engine.name)),
        }
    }
    Err(reasons.join("\n"))
}

/// The engine of this name.
pub(super) fn named(name: &str) -> Option<Engine> {
    ENGINES.iter().find(|engine| engine.name == name).copied()
}

impl Engine {
    /// Whether podman runs the containers, be it under docker's name.
    pub(super) fn is_podman(&self) -> bool {
        let program = self.probe[0];
        let version = Command::new(program).arg("--version").output();
        let said = version.map(|output| output.stdout).unwrap_or_default();
        program == "podman" || String::from_utf8_lossy(&said).contains("podman")
    }
}

fn usable(engine: &Engine) -> Result<(), String> {
    let [program, rest @ ..] = engine.compose else {
        unreachable!("an engine has a command")
    };
    if which::which(program).is_err() {
        return Err(format!("{program} is not on the path"));
    }
    if let Err(said) = ask(program, &[rest, &["version"]].concat()) {
        return Err(match rest {
            [] => format!("it does not work: {said}"),
            _ => format!("{program} has no compose: install its compose plugin ({said})"),
        });
    }
    let (program, rest) = (engine.probe[0], &engine.probe[1..]);
    ask(program, rest).map_err(|said| {
        format!(
            "the engine does not answer: {said}\n    fix: {}",
            engine.fix
        )
    })
}

/// Runs it silently; what it said last, where it fails.
fn ask(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    Err(last.unwrap_or("it failed without a word").trim().to_owned())
}
