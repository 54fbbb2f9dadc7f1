use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, Method},
    response::Response,
    serve::ListenerExt,
};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::{net::TcpListener, sync::mpsc, task::AbortHandle};

/// A provider on loopback that answers as it is told, and remembers what it was asked.
pub(crate) struct Upstream {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Exchange>>>,
    server: AbortHandle,
}

/// A request as the upstream saw it.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Exchange {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Upstream {
    pub(crate) async fn start<F, Fut>(answer: F) -> Self
    where
        F: Fn(Exchange) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Response> + Send,
    {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let router = Router::new().fallback(async move |request: Request| {
            let (parts, body) = request.into_parts();
            let exchange = Exchange {
                method: parts.method,
                target: parts.uri.to_string(),
                headers: parts.headers,
                body: axum::body::to_bytes(body, usize::MAX).await.unwrap(),
            };
            log.lock().unwrap().push(exchange.clone());
            answer(exchange).await
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url: format!("http://{address}"),
            seen,
            server: server.abort_handle(),
        }
    }

    /// One that gives every request this status and this JSON.
    pub(crate) async fn json(status: u16, body: &'static str) -> Self {
        Self::start(move |_| async move {
            Response::builder()
                .status(status)
                .header("content-type", "application/json")
                .body(Body::from(body))
                .unwrap()
        })
        .await
    }

    /// One that never answers.
    pub(crate) async fn silent() -> Self {
        Self::start(|_| std::future::pending()).await
    }

    /// One that answers with chat completions.
    pub(crate) async fn chat() -> Self {
        Self::json(
            200,
            r#"{"object":"chat.completion","model":"m","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":12}}"#,
        )
        .await
    }

    /// One that answers with whatever status stands here.
    pub(crate) async fn moody(status: &Arc<AtomicU16>) -> Self {
        let status = Arc::clone(status);
        Self::start(move |_| {
            let response = Response::builder().status(status.load(Ordering::SeqCst));
            async move { response.body(Body::from("{}")).unwrap() }
        })
        .await
    }

    /// Where nobody listens.
    pub(crate) async fn nobody() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    pub(crate) fn seen(&self) -> Vec<Exchange> {
        self.seen.lock().unwrap().clone()
    }

    /// The only request so far.
    #[track_caller]
    pub(crate) fn only(&self) -> Exchange {
        let mut seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An event stream of the chunks that are sent here, until the sender is dropped.
pub(crate) fn stream() -> (mpsc::UnboundedSender<Bytes>, Response) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let chunks = futures_util::stream::unfold(receiver, async |mut receiver| {
        let chunk: Bytes = receiver.recv().await?;
        Some((Ok::<_, Infallible>(chunk), receiver))
    });
    let response = Response::builder()
        .header("content-type", "text/event-stream")
        .body(Body::from_stream(chunks.fuse()))
        .unwrap();
    (sender, response)
}
