//! Processes that a task starts: some end with it, whatever ends it; some stay, and are ended by number.

use std::{
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

/// A process that ends with this value, and where `setpriv` is, with the task, even a killed one.
pub(crate) struct Guarded {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Guarded {
    /// Starts a program; what it says goes to `log`.
    pub(crate) fn start(
        program: &Path,
        arguments: &[impl AsRef<OsStr>],
        log: &Path,
    ) -> Result<Self> {
        Self::start_in(program, arguments, &[], log)
    }

    /// The same with these environment variables on top.
    pub(crate) fn start_in(
        program: &Path,
        arguments: &[impl AsRef<OsStr>],
        environment: &[(&str, &str)],
        log: &Path,
    ) -> Result<Self> {
        let mut command = match which::which("setpriv") {
            Ok(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--"]).arg(program);
                command
            }
            Err(_) => Command::new(program),
        };
        command.args(arguments).envs(environment.iter().copied());
        let name = name_of(program);
        let child = spawn(&mut command, log).with_context(|| format!("cannot start {name}"))?;
        Ok(Self {
            name,
            child,
            log: log.to_owned(),
        })
    }

    /// Fails, with the end of its log, where the process has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended ({status}):\n{}", self.name, tail(&self.log, 12));
        }
        Ok(())
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // Neither can fail in a way that leaves the process running: it may only be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a program that outlives the task, and gives its process id.
pub(crate) fn detach(command: &mut Command, log: &Path) -> Result<u32> {
    // Its own group: Ctrl-C in the terminal is not meant for it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let child = spawn(command, log)
        .with_context(|| format!("cannot start {}", name_of(Path::new(command.get_program()))))?;
    Ok(child.id())
}

/// Whether a process is running, and its command line names `program`: a process id may be used again.
pub(crate) fn runs(pid: u32, program: &str) -> bool {
    ask_ps(pid, "stat=,args=").is_ok_and(|line| !line.starts_with('Z') && line.contains(program))
}

/// What `ps` says about a process; fails where there is none.
pub(crate) fn ask_ps(pid: u32, columns: &str) -> Result<String> {
    let output = Command::new("ps")
        .args(["-o", columns, "-p", &pid.to_string()])
        .output()
        .context("cannot run ps")?;
    let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if line.is_empty() {
        bail!("no process {pid}");
    }
    Ok(line)
}

/// Ends a process: asks, waits up to ten seconds, and insists.
pub(crate) fn end(pid: u32, program: &str) -> Result<()> {
    for signal in ["-TERM", "-KILL"] {
        if !runs(pid, program) {
            return Ok(());
        }
        Command::new("kill")
            .args([signal, &pid.to_string()])
            .status()
            .context("cannot run kill")?;
        for _ in 0..100 {
            if !runs(pid, program) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
    bail!("{program} (process {pid}) does not end")
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path, lines: usize) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn spawn(command: &mut Command, log: &Path) -> Result<Child> {
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let child = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()?;
    Ok(child)
}

fn name_of(program: &Path) -> String {
    let name = program.file_name().unwrap_or(program.as_os_str());
    name.to_string_lossy().into_owned()
}
