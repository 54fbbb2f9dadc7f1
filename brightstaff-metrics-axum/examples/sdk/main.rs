//! Calls that a typed SDK makes, measured truly: one that lets its requests be sent by someone else, and one that does
//! not.
//!
//! ```sh
//! OPENAI_BASE_URL=http://127.0.0.1:8000/v1 cargo run --package brightstaff-metrics-axum --example sdk
//! ```

#[cfg(test)]
mod tests;
mod typed;

use std::env;

use brightstaff_metrics_axum::{ErrorClass, Metrics, Upstream, Usage};
use typed::{Client, Event, SdkError};

#[tokio::main]
async fn main() -> Result<(), SdkError> {
    let _ = rustls::crypto::ring::default_provider().install_default(); // unless there is one
    let base = env::var("OPENAI_BASE_URL")?;
    let registry = prometheus::Registry::new();
    let metrics = Metrics::builder().register(&registry)?;
    let upstream = metrics.upstream("openai", "gpt-4o");

    let client = observed_below(&base, &upstream);
    println!("{}", ask(&client, "gpt-4o", "Hello?").await?);
    let client = Client::new(&base);
    println!("{}", told_by_hand(&client, &upstream, "Hello?").await?);

    let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather())?;
    println!("{text}");
    Ok(())
}

/// With a hook, below the SDK: whoever sends the requests observes the responses, and the bytes tell the rest. All
/// requests that the SDK makes are measured, those that it tries again as well.
pub(crate) fn observed_below(base: &str, upstream: &Upstream) -> Client {
    let (http, upstream) = (reqwest::Client::new(), upstream.clone());
    Client::new(base).with_middleware(move |request| {
        let (http, call) = (http.clone(), upstream.start());
        async move {
            match http.execute(request).await {
                Ok(response) => Ok(call.observe_reqwest(response)),
                Err(error) => {
                    call.fail(ErrorClass::of(&error));
                    Err(error.into())
                }
            }
        }
    })
}

/// The code that uses the SDK does not know.
pub(crate) async fn ask(client: &Client, model: &str, prompt: &str) -> Result<String, SdkError> {
    let mut events = client.stream(model, prompt).await?;
    let mut said = String::new();
    while let Some(event) = events.next().await? {
        if let Event::Text(text) = event {
            said += &text;
        }
    }
    Ok(said)
}

/// Without a hook, the caller tells by hand what it sees: the status that there must have been, the first output, the
/// usage, the end. Of a status that the SDK made an error of, only what the error says is known.
pub(crate) async fn told_by_hand(
    client: &Client,
    upstream: &Upstream,
    prompt: &str,
) -> Result<String, SdkError> {
    let mut call = upstream.start();
    let mut events = match client.stream("gpt-4o", prompt).await {
        Ok(events) => events,
        Err(error) => {
            if let Some(status) = error.downcast_ref().and_then(reqwest::Error::status) {
                call.response(status.as_u16());
            }
            call.fail(ErrorClass::of(&*error));
            return Err(error);
        }
    };
    call.response(200);
    let mut said = String::new();
    loop {
        match events.next().await {
            Ok(Some(Event::Text(text))) => {
                call.first_token(); // the first counts
                said += &text;
            }
            Ok(Some(Event::Usage { input, output })) => call.usage(Usage::new(input, output)),
            Ok(None) => break,
            Err(error) => {
                call.fail(ErrorClass::of(&*error));
                return Err(error);
            }
        }
    }
    call.finish(); // dropped before, it is `cancelled`
    Ok(said)
}
