use std::{io, time::Duration};

use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};

/// How long a client may take to notice that nobody reads what it sends, and how long it may be silent.
const LINGER: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(5));

/// Takes what a client is still sending, without keeping it.
///
/// A response that came before the end of its request would be lost otherwise: a socket that is closed while
/// bytes are unread resets its connection, and most clients read no response before they have sent
/// everything (RFC 9112, section 9.6).
pub(super) async fn linger(stream: &TcpStream) {
    let until = Instant::now() + LINGER.0;
    let mut sink = vec![0; 16 << 10];
    let silent = async {
        while timeout(LINGER.1, stream.readable()).await.is_ok() {
            match stream.try_read(&mut sink) {
                Ok(0) => return,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
                Ok(_) | Err(_) => {}
            }
        }
    };
    let _ = timeout_at(until, silent).await;
}
