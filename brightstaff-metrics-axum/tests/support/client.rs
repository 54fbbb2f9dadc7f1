//! The clients of a case, who do what it says: raw bytes for HTTP/1.1, so that cuts are exact.

mod http1;

use std::{collections::BTreeMap, fmt::Write, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, mpsc::UnboundedReceiver},
    time::sleep,
};

use super::{
    case::{Case, Connection, Request},
    gateway::Gateway,
    received::Received,
};

/// The clients of a case.
pub(crate) struct Clients<'a> {
    pub(crate) case: &'a Case,
    pub(crate) gateways: &'a [Gateway],
    /// Where each gateway is served.
    pub(crate) servers: Vec<SocketAddr>,
    /// The script tells when to hang up.
    pub(crate) hang_up: UnboundedReceiver<()>,
}

/// One repetition of a request.
#[derive(Clone, Copy)]
struct Sending<'a> {
    request: &'a Request,
    index: usize,
    n: usize,
}

impl<'a> Clients<'a> {
    /// Sends every request, and demands that each response comes as its handler sent it.
    pub(crate) async fn play(mut self) {
        match self.case.connection {
            Connection::Own => {
                for sending in self.sendings() {
                    let received = self.send(sending).await;
                    self.check(sending.request, received.as_ref()).await;
                }
            }
            Connection::Kept => self.keep().await,
            Connection::Pipelined => self.pipeline().await,
            Connection::Shared => self.share().await,
        }
    }

    fn sendings(&self) -> Vec<Sending<'a>> {
        let requests = self.case.requests.iter().enumerate();
        let sendings = requests.flat_map(|(index, request)| {
            (0..request.times).map(move |n| Sending { request, index, n })
        });
        sendings.collect()
    }

    /// Sends a request on a connection of its own, and reads all of the response unless the script says
    /// to hang up.
    async fn send(&mut self, sending: Sending<'_>) -> Option<Received> {
        let server = self.servers[sending.request.registry];
        if self.case.http == 2 {
            return self.send2(connect2(server).await, sending).await;
        }
        let mut tcp = TcpStream::connect(server).await.unwrap();
        let mut read = Vec::new();
        let exchange = async {
            let written = sending.written(true);
            tcp.write_all(written.as_bytes()).await.unwrap();
            // The server may well reset the connection: a case says so.
            while tcp.read_buf(&mut read).await.is_ok_and(|n| n > 0) {}
        };
        tokio::select! {
            () = exchange => {}
            _ = self.hang_up.recv() => {}
        }
        let (received, rest) = http1::answer(&read, sending.request)?;
        assert!(rest.is_empty(), "{} bytes too many", rest.len());
        Some(received)
    }

    /// The same on a connection of HTTP/2.
    async fn send2(&mut self, sender: Sender, sending: Sending<'_>) -> Option<Received> {
        let (mut received, began) = (None, Notify::new());
        tokio::select! {
            () = exchange2(sender, sending, &mut received, &began) => {}
            _ = self.hang_up.recv() => {}
        }
        received
    }

    /// Sends each request once the response to the one before came, on one connection.
    async fn keep(&mut self) {
        let sendings = self.sendings();
        let mut tcp = TcpStream::connect(self.servers[0]).await.unwrap();
        for (n, sending) in sendings.iter().enumerate() {
            let written = sending.written(n + 1 == sendings.len());
            tcp.write_all(written.as_bytes()).await.unwrap();
            let mut read = Vec::new();
            let received = loop {
                match http1::answer(&read, sending.request) {
                    Some((received, rest)) if received.whole => {
                        assert!(rest.is_empty(), "{} bytes too many", rest.len());
                        break received;
                    }
                    _ => assert_ne!(tcp.read_buf(&mut read).await.unwrap(), 0),
                }
            };
            self.check(sending.request, Some(&received)).await;
        }
        assert_eq!(tcp.read(&mut [0]).await.unwrap(), 0);
    }

    /// Writes all requests to one connection, and reads all responses.
    async fn pipeline(&mut self) {
        let sendings = self.sendings();
        let last = sendings.len() - 1;
        let written = sendings.iter().enumerate();
        let written: String = written
            .map(|(n, sending)| sending.written(n == last))
            .collect();
        let mut tcp = TcpStream::connect(self.servers[0]).await.unwrap();
        tcp.write_all(written.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        tcp.read_to_end(&mut read).await.unwrap();
        let mut rest = &*read;
        for Sending { request, .. } in sendings {
            let (received, behind) = http1::answer(rest, request).unwrap();
            self.check(request, Some(&received)).await;
            rest = behind;
        }
        assert!(rest.is_empty(), "{} bytes too many", rest.len());
    }

    /// Sends the first request and, once its body began, the others one by one: streams of one
    /// connection of HTTP/2.
    async fn share(&mut self) {
        let sender = connect2(self.servers[0]).await;
        let (first, others) = (self.sendings()[0], self.sendings().split_off(1));
        let (mut received, began) = (None, Notify::new());
        let exchange = exchange2(sender.clone(), first, &mut received, &began);
        let meanwhile = async {
            began.notified().await;
            for sending in others {
                let received = self.send2(sender.clone(), sending).await;
                self.demand(sending.request, received.as_ref());
            }
        };
        tokio::join!(exchange, meanwhile);
        self.check(first.request, received.as_ref()).await;
    }

    /// Demands the response of the handler, and waits until the server noticed that the client is done.
    async fn check(&self, request: &Request, received: Option<&Received>) {
        self.demand(request, received);
        while self.gateways[request.registry].in_flight() > 0 {
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn demand(&self, request: &Request, received: Option<&Received>) {
        request.check(received);
        if let Some(received) = received {
            request.check_framing(self.case.http, received);
        }
    }
}

impl Sending<'_> {
    /// The request as its bytes.
    fn written(&self, last: bool) -> String {
        let Self { request, index, n } = self;
        let mut text = format!(
            "{} {} HTTP/1.1\r\nhost: gateway\r\nx-case: {index}\r\n",
            request.method,
            request.path(*n)
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
}

type Sender = SendRequest<Empty<Bytes>>;

async fn connect2(server: SocketAddr) -> Sender {
    let tcp = TcpStream::connect(server).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(tcp))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

/// Sends a request over HTTP/2, and puts down what comes of the response, and when its body
/// began.
async fn exchange2(
    mut sender: Sender,
    Sending { request, index, n }: Sending<'_>,
    received: &mut Option<Received>,
    began: &Notify,
) {
    let mut builder = http::Request::builder()
        .method(&*request.method)
        .uri(format!("http://gateway{}", request.path(n)))
        .header("x-case", index);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let sent = sender.send_request(builder.body(Empty::new()).unwrap());
    let Ok(mut answer) = sent.await else { return };
    let received = received.insert(Received {
        status: answer.status().as_u16(),
        headers: fields(answer.headers()),
        ..Received::default()
    });
    while let Some(frame) = answer.frame().await {
        // The body may break: a case says so.
        let Ok(frame) = frame else { return };
        began.notify_one();
        match frame.into_data() {
            Ok(data) => received.body.extend(data),
            Err(frame) => received.trailers = fields(frame.trailers_ref().unwrap()),
        }
    }
    received.whole = true;
}

fn fields(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
    let headers = headers.iter();
    headers
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect()
}
