use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue, Request, header::SEC_WEBSOCKET_PROTOCOL};
use tokio::{
    net::{TcpListener, TcpStream},
    task::AbortHandle,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        handshake::{client, server},
    },
};

use super::{Gateway, PATIENCE};

/// Sockets that are open.
pub(crate) const SOCKETS_IN_FLIGHT: &str = r#"http_in_flight_requests{handler="realtime"}"#;

/// A web socket, seen from either side.
pub(crate) type Client = WebSocketStream<TcpStream>;

/// A provider that opens a web socket for every request, and takes the protocol `realtime` where that is offered.
pub(crate) struct SocketUpstream {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<(String, HeaderMap)>>>,
    server: AbortHandle,
}

impl SocketUpstream {
    /// Does this with each of them.
    pub(crate) async fn start<F, Fut>(serve: F) -> Self
    where
        F: Fn(Client) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<_>>>::default();
        let log = Arc::clone(&seen);
        let server = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (log, serve) = (Arc::clone(&log), serve.clone());
                tokio::spawn(async move {
                    #[expect(clippy::result_large_err, reason = "the library wants it so")]
                    let accept = |request: &server::Request, response| {
                        let target = request.uri().to_string();
                        let head = (target, request.headers().clone());
                        log.lock().unwrap().push(head);
                        Ok(with_protocol(request, response))
                    };
                    let socket = accept_hdr_async(stream, accept).await.unwrap();
                    serve(socket).await;
                });
            }
        });
        Self {
            url,
            seen,
            server: server.abort_handle(),
        }
    }

    /// One that sends back what it gets.
    pub(crate) async fn echo() -> Self {
        Self::start(async |mut socket: Client| {
            while let Some(Ok(message)) = socket.next().await {
                if message.is_text() || message.is_binary() {
                    let _ = socket.send(message).await;
                }
            }
        })
        .await
    }

    /// The target and the headers of the only request so far.
    #[track_caller]
    pub(crate) fn only(&self) -> (String, HeaderMap) {
        let mut seen = self.seen.lock().unwrap().clone();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }
}

impl Drop for SocketUpstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn with_protocol(request: &server::Request, mut response: server::Response) -> server::Response {
    let offered = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let mut offered = offered.flat_map(|value| value.to_str().unwrap().split(", "));
    if offered.any(|name| name == "realtime") {
        let realtime = HeaderValue::from_static("realtime");
        response
            .headers_mut()
            .insert(SEC_WEBSOCKET_PROTOCOL, realtime);
    }
    response
}

/// The request for a web socket at this path of a gateway.
pub(crate) fn request(path: &str) -> Request<()> {
    format!("ws://localhost{path}")
        .into_client_request()
        .unwrap()
}

/// Opens a web socket; or what was answered instead.
pub(crate) async fn open(
    gateway: &Gateway,
    request: Request<()>,
) -> Result<(Client, client::Response), Box<http::Response<Option<Vec<u8>>>>> {
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    let opened = timeout(PATIENCE, client_async(request, stream)).await;
    opened.expect("no answer").map_err(|error| match error {
        Error::Http(response) => response,
        other => panic!("{other}"),
    })
}

/// Sends this, and waits until it comes back.
pub(crate) async fn echo(client: &mut Client, message: Message) {
    client.send(message.clone()).await.unwrap();
    let back = timeout(PATIENCE, client.next()).await;
    assert!(back.expect("nothing comes").unwrap().unwrap() == message);
}
