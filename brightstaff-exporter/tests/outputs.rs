//! Every command with outputs that take nothing: a disk that is full, a reader that is gone.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.
#![cfg(feature = "cli")]

use std::{
    fs::File,
    io::{BufRead, BufReader, pipe},
    path::PathBuf,
    process::{Command, Output, Stdio},
};

/// As after `| head`, when it has what it wants.
fn gone() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

/// `None` where the system has no such device.
fn full() -> Option<Stdio> {
    let full = File::options().write(true).open("/dev/full").ok()?;
    Some(full.into())
}

fn command(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brightstaff-exporter"));
    command
        .args(arguments.split_whitespace())
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}

/// What a command ends with, and says on standard error, where nobody takes its output.
fn unheard(arguments: &str, stdout: Stdio) -> (Option<i32>, String) {
    let mut command = command(arguments);
    let child = command.stdout(stdout).stderr(Stdio::piped()).spawn();
    let output = child.unwrap().wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

/// The same where nobody hears its complaints.
fn uncomplaining(arguments: &str, stderr: Stdio) -> Output {
    let mut command = command(arguments);
    let child = command.stdout(Stdio::piped()).stderr(stderr).spawn();
    child.unwrap().wait_with_output().unwrap()
}

fn corpus(records: usize) -> String {
    let name = format!("outputs-{records}.jsonl");
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let record = r#"{"id":"a","status":200,"content_type":null,"body_b64":"e30="}"#;
    std::fs::write(&path, format!("{record}\n").repeat(records)).unwrap();
    path.to_str().unwrap().to_owned()
}

const DEMO: &str = "demo --duration 1s --bind 127.0.0.1:0 --metrics-bind 127.0.0.1:0";

#[test]
fn what_only_tells_something_fails_where_it_cannot() {
    let inspect = format!("inspect --jsonl {}", corpus(3));
    for arguments in [
        "--help",
        "--version",
        "serve --help",
        "completions zsh",
        "man",
        &inspect,
    ] {
        assert_eq!(
            unheard(arguments, gone()),
            (Some(0), String::new()),
            "{arguments}"
        );
        if let Some(full) = full() {
            let (code, said) = unheard(arguments, full);
            assert_eq!(code, Some(1), "{arguments}");
            // clap says nothing of what it cannot write.
            let wanted = usize::from(!arguments.contains("--") || arguments == inspect);
            assert_eq!(said.lines().count(), wanted, "{arguments}: {said}");
            assert!(said.is_empty() || said.starts_with("error: cannot write"));
        }
    }
}

#[test]
fn what_does_something_goes_on() {
    for stdout in [Some(gone()), full()].into_iter().flatten() {
        assert_eq!(unheard(DEMO, stdout), (Some(0), String::new()));
    }
    let check = "serve --check --upstream openai=http://127.0.0.1:1";
    for stdout in [Some(gone()), full()].into_iter().flatten() {
        assert_eq!(unheard(check, stdout), (Some(0), String::new()));
    }
}

#[test]
fn complaints_that_nobody_hears_change_no_exit_code() {
    let missing = format!("inspect no-such-file {}", corpus(1));
    for (arguments, code) in [
        ("nonsense", 2),
        ("", 2),
        ("serve --upstream nonsense", 2),
        ("serve --config no-such-file", 2),
        ("simulate --openai-bind nowhere", 2),
        (&missing, 1),
        (DEMO, 0),
    ] {
        for stderr in [Some(gone()), full()].into_iter().flatten() {
            let output = uncomplaining(arguments, stderr);
            assert_eq!(output.status.code(), Some(code), "{arguments}");
            // What can be read is reported all the same.
            assert_eq!(output.stdout.is_empty(), code == 2, "{arguments}");
        }
    }
}

/// As `| head -1` does: the reader leaves in the middle.
#[test]
fn a_reader_may_leave_after_the_first_line() {
    let inspect = format!("inspect --jsonl {}", corpus(5000));
    for arguments in [DEMO, "--help", &inspect] {
        let mut command = command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        drop(stdout);
        assert!(line.ends_with('\n'), "{arguments}: {line}");
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*said), (Some(0), ""), "{arguments}");
    }
}

/// Tools run until they are told to stop, whoever reads their first lines.
#[cfg(unix)]
#[test]
fn simulated_providers_stay_without_a_reader() {
    let any = "simulate --openai-bind 127.0.0.1:0 --anthropic-bind 127.0.0.1:0";
    let mut command = command(any);
    command.stdout(Stdio::piped()).stderr(gone());
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    drop(stdout);
    let address = line.trim().rsplit("http://").next().unwrap();
    for _ in 0..10 {
        std::net::TcpStream::connect(address).unwrap();
    }
    assert!(child.try_wait().unwrap().is_none(), "it ended");
    child.kill().unwrap();
    child.wait().unwrap();
}
