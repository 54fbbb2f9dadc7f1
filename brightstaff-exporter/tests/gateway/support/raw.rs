use std::io::ErrorKind::{ConnectionReset, UnexpectedEof};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{Gateway, PATIENCE};

/// A connection to a gateway on which every byte is written by hand.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) async fn connect(gateway: &Gateway) -> Self {
        Self(TcpStream::connect(gateway.address()).await.unwrap())
    }

    /// One that sent this.
    pub(crate) async fn sent(gateway: &Gateway, bytes: impl AsRef<[u8]>) -> Self {
        let mut raw = Self::connect(gateway).await;
        raw.send(bytes).await;
        raw
    }

    /// One whose request announces a body of this length, and sends this of it.
    pub(crate) async fn uploading(gateway: &Gateway, announced: usize, sent: &[u8]) -> Self {
        let mut raw = Self::sent(gateway, post(&format!("content-length: {announced}"))).await;
        raw.send(sent).await;
        raw
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads until this was read.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        while !read.ends_with(end.as_bytes()) {
            let byte = timeout(PATIENCE, self.0.read_u8()).await;
            read.push(byte.expect("no more comes").unwrap());
        }
        String::from_utf8(read).unwrap()
    }

    /// Everything up to the end of the connection.
    pub(crate) async fn rest(mut self) -> String {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, self.0.read_to_end(&mut rest)).await;
        read.expect("it does not end").unwrap();
        String::from_utf8(rest).unwrap()
    }

    /// Waits for the end of the connection, before which nothing may come. Bytes that nobody read make
    /// it a reset.
    pub(crate) async fn ended(mut self) {
        let read = timeout(PATIENCE, self.0.read_u8()).await;
        let ended = read.expect("it does not end").map_err(|error| error.kind());
        assert!(
            matches!(ended, Err(UnexpectedEof | ConnectionReset)),
            "{ended:?}"
        );
    }
}

/// The head of a chat completion with this header.
pub(crate) fn post(header: &str) -> String {
    format!("POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n{header}\r\n\r\n")
}

/// A whole chat completion.
pub(crate) fn chat() -> String {
    let body = r#"{"model":"m"}"#;
    post(&format!("content-length: {}", body.len())) + body
}
