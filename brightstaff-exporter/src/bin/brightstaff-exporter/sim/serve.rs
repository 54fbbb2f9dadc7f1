//! The HTTP servers of the simulated providers.

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use serde_json::Value;
use tokio::net::TcpListener;

use super::{Book, Fault, book::PLAN_HEADER, play, script::Tail, wire};

/// Whose API is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Provider {
    OpenAi,
    Anthropic,
}

impl Provider {
    /// What the provider lists.
    pub(crate) fn models(self) -> &'static [&'static str] {
        match self {
            Self::OpenAi => &["gpt-4o", "gpt-4o-mini", "o4-mini", "text-embedding-3-small"],
            Self::Anthropic => &["claude-sonnet-4-5", "claude-haiku-4-5"],
        }
    }
}

/// A simulated provider that listens.
#[derive(Debug)]
pub(crate) struct Simulator {
    /// What the gateway calls it: the provider's name, or that of an agent.
    pub(crate) name: Arc<str>,
    pub(crate) provider: Provider,
    pub(crate) address: SocketAddr,
    listener: TcpListener,
    book: Arc<Book>,
}

impl Simulator {
    /// Listens there; port 0 takes any free one.
    pub(crate) async fn bind(
        name: &str,
        provider: Provider,
        address: SocketAddr,
        book: Arc<Book>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self {
            name: name.into(),
            provider,
            address: listener.local_addr()?,
            listener,
            book,
        })
    }

    /// The base of its URLs, without the API's version.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers until it is dropped.
    pub(crate) fn serve(self) -> impl Future<Output = ()> + Send {
        let Self {
            name,
            provider,
            listener,
            book,
            ..
        } = self;
        let router = match provider {
            Provider::OpenAi => Router::new()
                .route("/v1/chat/completions", post(call))
                .route("/v1/completions", post(call))
                .route("/v1/embeddings", post(call))
                .route("/v1/responses", post(call)),
            Provider::Anthropic => Router::new().route("/v1/messages", post(call)),
        };
        let router = router.route("/v1/models", get(models)).with_state(Served {
            name,
            provider,
            book,
        });
        // Small frames leave at once.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        // It returns only with the task that it runs on.
        async { drop(axum::serve(listener, router).await) }
    }
}

/// What a handler knows.
#[derive(Clone)]
struct Served {
    name: Arc<str>,
    provider: Provider,
    book: Arc<Book>,
}

async fn models(State(served): State<Served>) -> Response {
    json(
        StatusCode::OK,
        wire::models(served.provider).to_string().into(),
    )
}

/// One call: read, looked up, played.
async fn call(State(served): State<Served>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let plan = headers
        .get(PLAN_HEADER)
        .and_then(|id| id.to_str().ok()?.parse().ok());
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (behaviour, mut call) = served.book.arrive(plan, &served.name, &request);
    if behaviour.fault == Some(Fault::HoldHead) {
        match play::hold().await {}
    }
    let script = wire::answer(served.provider, uri.path(), &request, &behaviour);
    tokio::time::sleep(behaviour.thinking).await;
    served.book.mark(plan, script.marks());
    let status = StatusCode::from_u16(script.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    call.answered(script.status, script.streamed);
    if script.streamed {
        let stream = [(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")];
        return (status, stream, play::body(script, call)).into_response();
    }
    let sent = script.marks().sent;
    let declared = match script.tail {
        Tail::End { .. } => sent,
        // More is promised than comes.
        Tail::Cut | Tail::Hold => sent + 100,
    };
    let length = [(header::CONTENT_LENGTH, declared)];
    (length, json(status, play::body(script, call))).into_response()
}

fn json(status: StatusCode, body: axum::body::Body) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status, json, body).into_response()
}
