use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// How long a connection is silent before the kernel asks whether the client is still there, and how long
/// it waits before it asks again.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(15));

/// Sets what a socket that was just accepted lacks.
pub(super) fn set_up(stream: &TcpStream) {
    // Chunks of a few bytes each would wait for the client's acknowledgement otherwise.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot switch on TCP_NODELAY");
    }
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE.0);
    #[cfg(any(target_os = "linux", target_os = "macos", windows))]
    let keepalive = keepalive.with_interval(KEEPALIVE.1);
    if let Err(error) = SockRef::from(stream).set_tcp_keepalive(&keepalive) {
        tracing::debug!(%error, "cannot switch on the keep-alive of TCP");
    }
}
