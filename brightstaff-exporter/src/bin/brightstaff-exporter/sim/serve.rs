//! The HTTP servers of the simulated providers.

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    serve::ListenerExt,
};
use tokio::net::TcpListener;

use super::{
    Book, Fault,
    book::PLAN_HEADER,
    play,
    script::{Script, Tail},
    wire::{self, Ask},
};

/// The longest request body that is taken.
const MAX_BODY_BYTES: usize = 64 << 20;

/// Whose API is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Provider {
    OpenAi,
    Anthropic,
    Gemini,
    Bedrock,
    Azure,
    Cohere,
    Ollama,
    Mistral,
}

impl Provider {
    pub(crate) const ALL: [Self; 8] = [
        Self::OpenAi,
        Self::Anthropic,
        Self::Gemini,
        Self::Bedrock,
        Self::Azure,
        Self::Cohere,
        Self::Ollama,
        Self::Mistral,
    ];

    /// What gateways call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Bedrock => "bedrock",
            Self::Azure => "azure",
            Self::Cohere => "cohere",
            Self::Ollama => "ollama",
            Self::Mistral => "mistral",
        }
    }

    /// What the provider lists.
    pub(crate) fn models(self) -> &'static [&'static str] {
        match self {
            Self::OpenAi => &["gpt-4o", "gpt-4o-mini", "o4-mini", "text-embedding-3-small"],
            Self::Anthropic => &["claude-sonnet-4-5", "claude-haiku-4-5"],
            Self::Gemini => &["gemini-2.5-flash", "gemini-embedding-001"],
            Self::Bedrock => &["amazon.nova-lite-v1:0"],
            Self::Azure => &["gpt-4o"],
            Self::Cohere => &["command-a-03-2025", "embed-v4.0", "rerank-v3.5"],
            Self::Ollama => &["llama3.2"],
            Self::Mistral => &["mistral-small-latest", "mistral-embed"],
        }
    }
}

/// What listens at one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serves {
    /// One provider.
    One(Provider),
    /// All of them, each under its name.
    Each,
}

/// A simulated provider that listens.
#[derive(Debug)]
pub(crate) struct Simulator {
    /// What the gateway calls it: the provider's name, or that of an agent.
    pub(crate) name: Arc<str>,
    serves: Serves,
    pub(crate) address: SocketAddr,
    listener: TcpListener,
    book: Arc<Book>,
}

impl Simulator {
    /// Listens there; port 0 takes any free one.
    pub(crate) async fn bind(
        name: &str,
        serves: Serves,
        address: SocketAddr,
        book: Arc<Book>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self {
            name: name.into(),
            serves,
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
            serves,
            listener,
            book,
            ..
        } = self;
        let router = Router::new()
            .fallback(call)
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(Served { name, serves, book });
        // Small frames leave at once.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        // It returns only with the task that it runs on.
        async { drop(axum::serve(listener, router).await) }
    }
}

/// What the handler knows.
#[derive(Clone)]
struct Served {
    name: Arc<str>,
    serves: Serves,
    book: Arc<Book>,
}

impl Served {
    /// The provider that is asked, and the path below the base of its API.
    fn provider<'a>(&self, path: &'a str) -> Option<(Provider, &'a str)> {
        match self.serves {
            Serves::One(provider) => Some((provider, path)),
            Serves::Each => {
                let path = path.strip_prefix('/')?;
                let (name, rest) = path.split_once('/').unwrap_or((path, ""));
                let mut all = Provider::ALL.into_iter();
                Some((all.find(|provider| provider.name() == name)?, rest))
            }
        }
    }
}

/// One call: read, looked up, played.
async fn call(
    State(served): State<Served>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some((provider, path)) = served.provider(uri.path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let plan = headers
        .get(PLAN_HEADER)
        .and_then(|id| id.to_str().ok()?.parse().ok());
    let ask = Ask::new(&method, path, &uri, &headers, &body);
    let (behaviour, mut call) = served.book.arrive(plan, &served.name, ask.body());
    if behaviour.fault == Some(Fault::HoldHead) {
        match play::hold().await {}
    }
    let script = wire::answer(provider, &ask, &behaviour);
    tokio::time::sleep(behaviour.thinking).await;
    served.book.mark(plan, script.marks());
    call.answered(script.status, script.streamed);
    let (status, head) = head(&script);
    (status, head, play::body(script, call)).into_response()
}

fn head(script: &Script) -> (StatusCode, HeaderMap) {
    let status = StatusCode::from_u16(script.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut head = HeaderMap::new();
    head.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(script.content_type),
    );
    if let Some((name, value)) = &script.header
        && let Ok(value) = HeaderValue::from_str(value)
    {
        head.insert(HeaderName::from_static(name), value);
    }
    if !script.streamed {
        let sent = script.marks().sent;
        let declared = match script.tail {
            Tail::End { .. } => sent,
            // More is promised than comes.
            Tail::Cut | Tail::Hold => sent + 100,
        };
        head.insert(header::CONTENT_LENGTH, declared.into());
    }
    (status, head)
}
