//! The real Python SDKs of OpenAI and Anthropic, through the gateway, to the simulated providers.
//!
//! Without Python, or without the package index, it says SKIPPED; where `CI` is `true`, that fails.

#![cfg(feature = "cli")]

#[path = "../../brightstaff-metrics-core/tests/support/python.rs"]
#[allow(unreachable_pub)]
mod python;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use self::python::{python, skip};

const REQUIREMENTS: &str = include_str!("sdk/requirements.txt");

#[test]
fn the_real_sdks_stream_and_finish_and_every_counter_is_exact() {
    let python = match python("sdk-venv", REQUIREMENTS) {
        Ok(python) => python,
        Err(why) => return skip("the SDK test", &why),
    };
    let any = "127.0.0.1:0";
    let mut simulate = Running::start(&["simulate", "--openai-bind", any, "--anthropic-bind", any]);
    let openai = simulate.listening("openai");
    let anthropic = simulate.listening("anthropic");
    let mut serve = Running::start(&[
        "serve",
        "--bind",
        any,
        "--metrics-bind",
        any,
        "--upstream",
        &format!("openai={openai}"),
        // So that a name which no provider has leads to neither of the two.
        "--upstream",
        &format!("spare={openai}"),
        "--upstream",
        &format!("anthropic={anthropic}"),
    ]);
    let gateway = serve.listening("gateway");
    let metrics = serve.listening("metrics");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/conversation.py");
    let talk = Command::new(python)
        .arg(script)
        .args([gateway, metrics])
        .output()
        .expect("the Python of a virtual environment runs");
    let (said, faults) = (
        String::from_utf8_lossy(&talk.stdout),
        String::from_utf8_lossy(&talk.stderr),
    );
    assert!(talk.status.success(), "{said}\n{faults}");
    println!("{said}");
}

/// A command of the binary that runs until this is dropped.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_brightstaff-exporter"))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let stdout = child.stdout.take().expect("it was piped");
        Self {
            child,
            lines: BufReader::new(stdout).lines(),
        }
    }

    /// The URL that it says it listens on, in its next line.
    fn listening(&mut self, who: &str) -> String {
        let line = self.lines.next().expect("it says where it listens");
        let line = line.expect("it speaks UTF-8");
        let url = line
            .strip_prefix(who)
            .and_then(|rest| rest.strip_prefix(" listening on "));
        url.unwrap_or_else(|| panic!("no URL of {who}: {line}"))
            .to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
