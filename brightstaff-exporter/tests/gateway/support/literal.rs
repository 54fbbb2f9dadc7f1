use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{Gateway, PATIENCE};

/// A response, read from the socket until it was closed.
#[derive(Debug)]
pub(crate) struct Literal {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Literal {
    pub(crate) fn says(&self, code: &str) -> bool {
        self.text.contains(&format!("\"code\":\"{code}\""))
    }

    /// Its head, in lower case, and its body.
    pub(crate) fn parts(&self) -> (String, &str) {
        let (head, body) = self.text.split_once("\r\n\r\n").expect(&self.text);
        (head.to_ascii_lowercase(), body)
    }
}

/// Sends a request as it is written, line by line, which no client would, and no body.
pub(crate) async fn literal(gateway: &Gateway, lines: &[&str]) -> Literal {
    let address = gateway.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = lines.join("\r\n") + "\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    let read = timeout(PATIENCE, stream.read_to_string(&mut text)).await;
    read.expect("no answer").unwrap();
    let status = text.get(9..12).and_then(|status| status.parse().ok());
    Literal {
        status: status.unwrap_or_else(|| panic!("{text}")),
        text,
    }
}
