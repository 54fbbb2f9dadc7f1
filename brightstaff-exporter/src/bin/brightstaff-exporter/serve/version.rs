use std::{io, time::Duration};

use tokio::net::TcpStream;

/// RFC 9113, section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The type of the record that a TLS handshake starts with (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// What the first bytes of a connection are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
    /// No request, and nothing that a response could be read by.
    Tls,
    /// There are none, and there will be none.
    Nothing,
}

/// Waits until the first bytes tell what they are of, taking none of them.
pub(super) async fn version(stream: &TcpStream) -> io::Result<Version> {
    let mut start = [0; PREFACE.len()];
    loop {
        let start = match stream.peek(&mut start).await? {
            0 => return Ok(Version::Nothing),
            count => &start[..count],
        };
        if start == PREFACE {
            return Ok(Version::Http2);
        }
        if start[0] == TLS_HANDSHAKE {
            return Ok(Version::Tls);
        }
        if !PREFACE.starts_with(start) {
            return Ok(Version::Http1);
        }
        // There is no waiting for more than what is there already; clients send it in one piece.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt, net::TcpListener, time::timeout};

    use super::*;

    #[tokio::test]
    async fn a_version_is_told_by_the_first_bytes_that_differ() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connect = async || {
            let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
            (client.unwrap(), accepted.unwrap().0)
        };
        for (start, expected) in [
            ("P", None),
            ("POST / HTTP/1.1\r\n", Some(Version::Http1)),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Some(Version::Http2)),
            ("\x16\x03\x01\x02\x00", Some(Version::Tls)),
        ] {
            let (mut client, stream) = connect().await;
            client.write_all(start.as_bytes()).await.unwrap();
            let told = timeout(Duration::from_millis(200), version(&stream)).await;
            assert_eq!(told.ok().map(Result::unwrap), expected, "{start}");
        }
        let (client, stream) = connect().await;
        drop(client);
        assert_eq!(version(&stream).await.unwrap(), Version::Nothing);
    }
}
