//! A Python with packages in it, for tests against what is written in it. Without Python, or without the package index,
//! a test says SKIPPED.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Told whatever the test harness captures; where `CI` is set, that fails.
pub fn skip(what: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    // Nobody to tell is no fault.
    let _ = writeln!(std::io::stderr(), "SKIPPED {what}: {why}");
}

/// The Python of a virtual environment of this name with these requirements in it, made once for them.
pub fn python(name: &str, requirements: &str) -> Result<PathBuf, String> {
    let run = |command: &mut Command| {
        let name = format!("{command:?}");
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{name}: {error}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let faults = String::from_utf8_lossy(&output.stderr);
        let last = faults.lines().rfind(|line| !line.trim().is_empty());
        Err(format!("{name}: {}", last.unwrap_or_default()))
    };
    let version = run(Command::new("python3").arg("--version"))?;
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let python = venv.join(if cfg!(windows) {
        "Scripts/python"
    } else {
        "bin/python"
    });
    // Written last, so that half an environment is none.
    let (mark, complete) = (venv.join("made-for"), version + requirements);
    if fs::read_to_string(&mark).is_ok_and(|made| made == complete) {
        return Ok(python);
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&venv))?;
    let file = venv.join("requirements.txt");
    let write = |file: &Path, text: &str| {
        fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
    };
    write(&file, requirements)?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ];
    run(Command::new(&python).args(install).arg(&file))?;
    write(&mark, &complete)?;
    Ok(python)
}
