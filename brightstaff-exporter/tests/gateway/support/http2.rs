use bytes::Bytes;
use h2::{
    RecvStream, SendStream,
    client::{ResponseFuture, SendRequest},
};
use http::{Request, Response, request::Builder};
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};

use super::{Gateway, PATIENCE};

const CHAT: &str = "http://localhost/v1/chat/completions";

/// A connection in HTTP/2, whose streams and windows are moved by hand.
pub(crate) struct Http2 {
    send: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Http2 {
    pub(crate) async fn connect(gateway: &Gateway) -> Self {
        let stream = TcpStream::connect(gateway.address()).await.unwrap();
        let mut builder = h2::client::Builder::new();
        // Streams that are not read leave room for the others.
        builder.initial_connection_window_size(1 << 20);
        let (send, connection) = builder.handshake(stream).await.unwrap();
        Self {
            send,
            connection: tokio::spawn(connection),
        }
    }

    /// Starts a chat completion, whose body is to come.
    pub(crate) fn post(&mut self) -> (ResponseFuture, SendStream<Bytes>) {
        self.start(Request::post(CHAT))
    }

    /// Starts one that announces a body of this length.
    pub(crate) fn announce(&mut self, length: usize) -> (ResponseFuture, SendStream<Bytes>) {
        self.start(Request::post(CHAT).header("content-length", length))
    }

    /// Starts one with a header of this length.
    pub(crate) fn heavy(&mut self, length: usize) -> ResponseFuture {
        self.start(Request::post(CHAT).header("x", "x".repeat(length)))
            .0
    }

    fn start(&mut self, request: Builder) -> (ResponseFuture, SendStream<Bytes>) {
        let request = request.body(()).unwrap();
        self.send.send_request(request, false).unwrap()
    }

    /// Asks for a chat completion.
    pub(crate) async fn chat(&mut self) -> Response<RecvStream> {
        let (answer, mut body) = self.post();
        body.send_data(r#"{"model":"m"}"#.into(), true).unwrap();
        timeout(PATIENCE, answer).await.unwrap().unwrap()
    }

    /// Asks for a path without a body.
    pub(crate) async fn get(&mut self, path: &str) -> Response<RecvStream> {
        let request = Request::get(format!("http://localhost{path}"));
        let (answer, _) = self
            .send
            .send_request(request.body(()).unwrap(), true)
            .unwrap();
        timeout(PATIENCE, answer).await.unwrap().unwrap()
    }

    /// How many streams the server lets it open at once.
    pub(crate) fn max_streams(&self) -> usize {
        self.send.current_max_send_streams()
    }

    /// Waits until the server has ended the connection.
    pub(crate) async fn ended(self) {
        let ended = timeout(PATIENCE, self.connection).await;
        ended.expect("it does not end").unwrap().unwrap();
    }

    /// Ends the connection without a word.
    pub(crate) fn abort(&self) {
        self.connection.abort();
    }
}
