//! A made-up SDK of the usual kind, in little: it sends requests by itself, and hands out typed events instead of
//! bytes. What it has of a real one is its shape: async-openai, for example, has a client to be replaced by a service.

use std::{error::Error, pin::Pin, sync::Arc};

use bytes::Bytes;
use serde::Deserialize;

pub(crate) type SdkError = Box<dyn Error + Send + Sync>;
type Sent = Pin<Box<dyn Future<Output = Result<reqwest::Response, SdkError>> + Send>>;
/// What sends the requests.
type Middleware = dyn Fn(reqwest::Request) -> Sent + Send + Sync;

/// The client of the SDK.
#[derive(Clone)]
pub(crate) struct Client {
    base: String,
    http: reqwest::Client,
    middleware: Option<Arc<Middleware>>,
}

impl Client {
    pub(crate) fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            http: reqwest::Client::new(),
            middleware: None,
        }
    }

    /// Sends requests by this: the hook that some SDKs have.
    pub(crate) fn with_middleware<F, S>(self, send: F) -> Self
    where
        F: Fn(reqwest::Request) -> S + Send + Sync + 'static,
        S: Future<Output = Result<reqwest::Response, SdkError>> + Send + 'static,
    {
        let send = move |request| -> Sent { Box::pin(send(request)) };
        Self {
            middleware: Some(Arc::new(send)),
            ..self
        }
    }

    /// Asks a model, and streams what it says.
    pub(crate) async fn stream(&self, model: &str, prompt: &str) -> Result<Events, SdkError> {
        let body = serde_json::json!({
            "model": model,
            "stream": true,
            "stream_options": {"include_usage": true},
            "messages": [{"role": "user", "content": prompt}],
        });
        let url = format!("{}/chat/completions", self.base);
        let request = self.http.post(url).body(body.to_string()).build()?;
        let response = match &self.middleware {
            Some(send) => send(request).await?,
            None => self.http.execute(request).await?,
        };
        Ok(Events {
            response: response.error_for_status()?,
            rest: Vec::new(),
        })
    }
}

/// What comes of a stream.
pub(crate) enum Event {
    Text(String),
    Usage { input: u64, output: u64 },
}

/// The events of one response.
pub(crate) struct Events {
    response: reqwest::Response,
    rest: Vec<u8>,
}

impl Events {
    /// The next event; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, SdkError> {
        loop {
            while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<_> = self.rest.drain(..=end).collect();
                if let Some(event) = line.strip_prefix(b"data: {") {
                    let chunk = [b"{", event].concat();
                    if let Some(event) = serde_json::from_slice::<Chunk>(&chunk)?.into_event() {
                        return Ok(Some(event));
                    }
                }
            }
            let chunk: Option<Bytes> = self.response.chunk().await?;
            match chunk {
                Some(chunk) => self.rest.extend(chunk),
                None => return Ok(None),
            }
        }
    }
}

#[derive(Deserialize)]
struct Chunk {
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Delta,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
}

impl Chunk {
    fn into_event(self) -> Option<Event> {
        if let Some(usage) = self.usage {
            return Some(Event::Usage {
                input: usage.prompt_tokens,
                output: usage.completion_tokens,
            });
        }
        let choice = self.choices.into_iter().next()?;
        choice.delta.content.map(Event::Text)
    }
}
