//! A Redis that keeps nothing on disk.

use std::{path::Path, process::Command, thread, time::Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    http::{self, free_port},
    process::Guarded,
};

/// A running Redis.
pub(crate) struct Redis {
    process: Guarded,
    port: u16,
}

impl Redis {
    /// Why it cannot be had, if so.
    pub(crate) fn missing() -> Option<String> {
        which::which("redis-server")
            .is_err()
            .then(|| "redis-server is not on the path: apt install redis-server".to_owned())
    }

    pub(crate) fn start(dir: &Path) -> Result<Self> {
        let port = free_port()?;
        let at = port.to_string();
        let arguments = [
            "--port",
            &at,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ];
        let program = which::which("redis-server").context("no redis-server on the path")?;
        let mut process = Guarded::start(&program, &arguments, &dir.join("redis.log"))?;
        let start = Instant::now();
        while !http::listens(port) {
            process.check()?;
            if start.elapsed() > http::PATIENCE {
                bail!("redis-server does not listen after {:?}", http::PATIENCE);
            }
            thread::sleep(std::time::Duration::from_millis(50));
        }
        Ok(Self { process, port })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// From here on it takes connections and bytes, and does nothing.
    pub(crate) fn stall(&self) -> Result<()> {
        self.signal("STOP")
    }

    /// It goes on.
    pub(crate) fn resume(&self) -> Result<()> {
        self.signal("CONT")
    }

    fn signal(&self, name: &str) -> Result<()> {
        let pid = self.process.pid().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status()?;
        ensure!(status.success(), "redis-server takes no {name}: {status}");
        Ok(())
    }
}
