//! Plain HTTP to programs on this machine.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How long anything on this machine may take that takes milliseconds when the machine is idle. Only what hangs
/// takes longer, however busy it is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A client that takes any status as a response.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into()
}

/// The body of a 2xx answer.
pub(crate) fn get(url: &str) -> Result<String> {
    let mut answer = agent()
        .get(url)
        .call()
        .with_context(|| format!("GET {url}"))?;
    let status = answer.status();
    let body = answer
        .body_mut()
        .with_config()
        .limit(64 << 20)
        .read_to_string()?;
    if !status.is_success() {
        bail!(
            "GET {url}: {status}: {}",
            body.lines().next().unwrap_or_default()
        );
    }
    Ok(body)
}

/// Sends JSON, and reads the response to its end.
pub(crate) fn post(url: &str, body: &Value) -> Result<()> {
    let mut answer = agent()
        .post(url)
        .content_type("application/json")
        .send(body.to_string())
        .with_context(|| format!("POST {url}"))?;
    let text = answer.body_mut().read_to_string()?;
    if !answer.status().is_success() {
        bail!("POST {url}: {}: {text}", answer.status());
    }
    Ok(())
}

/// A port of the loopback address that nobody listens on, below those that systems give to clients: one of these
/// could be gone again before it is used.
pub(crate) fn free_port() -> Result<u16> {
    // Another process begins elsewhere, and this one does not give a port twice.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(61);
    for _ in 0..u32::from(PORTS) {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = first.wrapping_add(step) % u32::from(PORTS);
        let port = FIRST_PORT + u16::try_from(offset)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port from {FIRST_PORT} on")
}

/// Linux gives clients those from 32,768 on.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 10_000;

/// Whether something listens on this port of the loopback address.
pub(crate) fn listens(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}
