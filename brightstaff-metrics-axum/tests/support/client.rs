//! A client that does what a case says: raw bytes for HTTP/1.1, so that cuts are exact.

use std::{fmt::Write, net::SocketAddr};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc::UnboundedReceiver,
};

use super::case::Request;

pub(crate) struct Client {
    http: usize,
    /// The script tells when to hang up.
    hang_up: UnboundedReceiver<()>,
}

impl Client {
    pub(crate) fn new(http: usize, hang_up: UnboundedReceiver<()>) -> Self {
        Self { http, hang_up }
    }

    /// Sends a request, reads all of the answer unless the script says to hang up, and tells the status
    /// if one came.
    pub(crate) async fn send(
        &mut self,
        server: SocketAddr,
        index: usize,
        request: &Request,
        n: usize,
    ) -> Option<u16> {
        let mut status = None;
        let exchange = async {
            if self.http == 2 {
                h2(server, index, request, n, &mut status).await;
            } else {
                let written = written(request, index, n, true);
                status = h1(server, &written).await.first().copied();
            }
        };
        tokio::select! {
            () = exchange => return status,
            _ = self.hang_up.recv() => {}
        }
        // What had come of the answer before is not looked at.
        request.status()
    }

    /// Writes all requests to one connection, and reads all answers.
    pub(crate) async fn pipeline(&mut self, server: SocketAddr, requests: &[Request]) {
        let last = requests.len() - 1;
        let written = requests.iter().enumerate().map(|(index, request)| {
            let repeats = request.times - 1;
            (0..=repeats)
                .map(|n| written(request, index, n, index == last && n == repeats))
                .collect::<String>()
        });
        let statuses = h1(server, &written.collect::<String>()).await;
        let expected = requests
            .iter()
            .flat_map(|request| std::iter::repeat_n(request.status(), request.times));
        assert!(expected.eq(statuses.into_iter().map(Some)));
    }
}

/// A request as its bytes.
fn written(request: &Request, index: usize, n: usize, last: bool) -> String {
    let mut text = format!(
        "{} {} HTTP/1.1\r\nhost: gateway\r\nx-case: {index}\r\n",
        request.method,
        request.path(n)
    );
    for (name, value) in &request.headers {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    text.push_str(if last {
        "connection: close\r\n\r\n"
    } else {
        "\r\n"
    });
    text
}

/// Writes these bytes, reads to the end of the connection, and finds the statuses in what came.
async fn h1(server: SocketAddr, bytes: &str) -> Vec<u16> {
    let mut tcp = TcpStream::connect(server).await.unwrap();
    tcp.write_all(bytes.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    // The server may well reset the connection: a case says so.
    let _ = tcp.read_to_end(&mut read).await;
    let text = String::from_utf8_lossy(&read);
    let heads = text.split("HTTP/1.1 ").skip(1);
    heads.map(|head| head[..3].parse().unwrap()).collect()
}

async fn h2(
    server: SocketAddr,
    index: usize,
    request: &Request,
    n: usize,
    status: &mut Option<u16>,
) {
    let tcp = TcpStream::connect(server).await.unwrap();
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(tcp))
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut builder = http::Request::builder()
        .method(&*request.method)
        .uri(format!("http://gateway{}", request.path(n)))
        .header("x-case", index);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let sent = sender.send_request(builder.body(Empty::<Bytes>::new()).unwrap());
    if let Ok(answer) = sent.await {
        *status = Some(answer.status().as_u16());
        // The body may break: a case says so.
        let _ = answer.into_body().collect().await;
    }
}
