//! Completions and manual pages, as packages install them.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.
#![cfg(feature = "cli")]

use std::{
    fs,
    process::{Command, Output},
};

const COMMANDS: [&str; 7] = [
    "serve",
    "inspect",
    "top",
    "demo",
    "simulate",
    "completions",
    "man",
];

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_brightstaff-exporter"))
        .args(arguments)
        // Whoever builds a package has variables of its own.
        .env("BIND_ADDRESS", "198.51.100.7:1")
        .env("METRICS_TOKEN_FILE", "/home/builder/token")
        .output()
        .unwrap()
}

/// What it prints where it succeeds, with nothing of the variables.
fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.is_empty(), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_impersonal(&text);
    text
}

fn assert_impersonal(text: &str) {
    assert!(!text.contains("198.51.100.7") && !text.contains("builder"));
}

#[test]
fn every_shell_completes_every_command_and_its_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&["completions", shell]);
        for word in COMMANDS.into_iter().chain(["config", "metrics-bind"]) {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let refused = run(&["completions", "tcsh"]);
    assert_eq!(refused.status.code(), Some(2));
}

/// Where there is a bash, it takes the script, and completes with it.
#[cfg(target_os = "linux")]
#[test]
fn bash_completes() {
    let Ok(version) = Command::new("bash").arg("--version").output() else {
        return;
    };
    assert!(version.status.success());
    let script = printed(&["completions", "bash"]);
    let ask = r#"
        COMP_WORDS=(brightstaff-exporter serve --metrics-b) COMP_CWORD=2
        function=$(complete -p brightstaff-exporter | sed 's/.*-F \([^ ]*\).*/\1/')
        $function brightstaff-exporter --metrics-b serve && echo "${COMPREPLY[*]}""#;
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &format!("{script}\n{ask}")])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let completed = String::from_utf8(output.stdout).unwrap();
    assert_eq!((&*said, completed.trim()), ("", "--metrics-bind"));
}

#[test]
fn every_command_has_a_page() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(printed(&["man", directory.path().to_str().unwrap()]), "");
    let page = |name: &str| {
        let page = fs::read_to_string(directory.path().join(name)).unwrap();
        assert!(page.contains(".TH brightstaff-exporter"), "{name}");
        assert_impersonal(&page);
        page
    };
    let program = page("brightstaff-exporter.1");
    // The same, but for what a terminal says of it.
    assert_eq!(program, printed(&["man"]));
    for command in COMMANDS {
        // In roff a hyphen that is to be found is escaped.
        let name = format!("brightstaff\\-exporter\\-{command}(1)");
        assert!(program.contains(&name), "{command} is not told of");
        page(&format!("brightstaff-exporter-{command}.1"));
    }
    let pages = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(pages, COMMANDS.len() + 1);
    assert!(page("brightstaff-exporter-serve.1").contains(r"\-\-metrics\-bind"));

    let refused = run(&["man", "no-such-directory"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
}
