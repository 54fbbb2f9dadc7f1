//! The forms of endpoints that SDKs use, as data: what the provider gets of each, and how it is counted.

use std::sync::Mutex;

use axum::{body::Body, response::Response};

use crate::support::{Exchange, Gateway, Scrape, Serve, Upstream, eventually};

/// The providers, and the ends of their bases as their SDKs write them.
const PROVIDERS: [(&str, &str); 8] = [
    ("openai", "/v1"),
    ("anthropic", ""),
    ("gemini", ""),
    ("bedrock", ""),
    ("azure", ""),
    ("cohere", ""),
    ("ollama", ""),
    ("mistral", "/v1"),
];

/// What a form sends, and what comes of it.
#[derive(Debug)]
struct Form<'a> {
    method: &'a str,
    target: &'a str,
    body: &'a str,
    comes_to: ComesTo<'a>,
    handler: &'a str,
    /// Of a call: the model that it is counted under.
    model: Option<&'a str>,
}

#[derive(Debug)]
enum ComesTo<'a> {
    /// A provider, which gets this target.
    Upstream(&'a str),
    /// The gateway's own list.
    List,
    /// A status.
    Refused(u16),
}

impl<'a> Form<'a> {
    fn parse(line: &'a str) -> Self {
        let (sent, comes_to) = line.split_once(" => ").expect(line);
        let mut sent = sent.split_whitespace();
        let mut result = comes_to.split_whitespace();
        let mut next = || result.next();
        Self {
            method: sent.next().expect(line),
            target: sent.next().expect(line),
            body: sent.next().unwrap_or_default(),
            comes_to: match next().expect(line) {
                "list" => ComesTo::List,
                target if target.starts_with('/') => ComesTo::Upstream(target),
                status => ComesTo::Refused(status.parse().expect(line)),
            },
            handler: next().expect(line),
            model: next(),
        }
    }

    fn all(text: &'a str) -> impl Iterator<Item = Self> {
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(Self::parse)
    }

    /// The body, and its type.
    fn body(&self) -> (String, &'static str) {
        let (kind, model) = self.body.split_once(':').unwrap_or((self.body, ""));
        match kind {
            "json" if model.is_empty() => ("{}".to_owned(), "application/json"),
            "json" => (
                format!("{{\"model\":\"{model}\",\"input\":\"a\"}}"),
                "application/json",
            ),
            "form" => {
                let part = |name: &str, value: &str| {
                    format!(
                        "--X\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
                    )
                };
                let model = if model.is_empty() {
                    String::new()
                } else {
                    part("model", model)
                };
                let file = part("file\"; filename=\"a.wav", "RIFF");
                (
                    format!("{file}{model}--X--\r\n"),
                    "multipart/form-data; boundary=X",
                )
            }
            "raw" => ("bytes".to_owned(), "application/octet-stream"),
            "" => (String::new(), "text/plain"),
            other => panic!("no body is called {other}"),
        }
    }

    /// Sends it, and tells what is not as it should be. `scrape` is the one before, and then the one behind.
    async fn play(
        &self,
        gateway: &Gateway,
        upstream: &Upstream,
        scrape: &mut Scrape,
    ) -> Vec<String> {
        let (sent, kind) = self.body();
        let url = format!("{}{}", gateway.url, self.target);
        let mut request = gateway.client.request(self.method.parse().unwrap(), url);
        if !sent.is_empty() {
            request = request.header("content-type", kind).body(sent.clone());
        }
        let already = upstream.seen().len();
        let (status, _) = gateway.ask(request).await;
        let after = at_rest(gateway, scrape.sum("http_requests_total") + 1.0).await;
        let before = std::mem::replace(scrape, after);
        let mut faults = self.counted_wrong(&before, scrape);
        faults.extend(self.received_wrong(status, &upstream.seen()[already..], &sent));
        faults
    }

    /// The provider that gets it, by its base.
    fn provider(&self) -> &str {
        match self.comes_to {
            ComesTo::Upstream(target) => target.split('/').nth(1).unwrap_or_default(),
            ComesTo::List | ComesTo::Refused(_) => "",
        }
    }

    /// What client and provider see that they should not.
    fn received_wrong(&self, status: u16, seen: &[Exchange], sent: &str) -> Option<String> {
        let (wanted, target) = match self.comes_to {
            ComesTo::Upstream(target) => (200, Some(target)),
            ComesTo::List => (200, None),
            ComesTo::Refused(status) => (status, None),
        };
        // The provider that a model names before a slash is taken away.
        let sent = sent.replace(&format!("\"{}/", self.provider()), "\"");
        let right = match (target, seen) {
            (Some(target), [one]) => one.target == target && one.body == sent,
            (None, []) => true,
            _ => false,
        };
        let got = seen.iter().map(|one| (&one.target, &one.body));
        let got: Vec<_> = got.collect();
        (status != wanted || !right).then(|| format!("status {status}, the provider gets {got:?}"))
    }

    fn counted_wrong(&self, before: &Scrape, after: &Scrape) -> Vec<String> {
        let more = |series: &str| after.sum(series) - before.sum(series);
        let mut faults = Vec::new();
        let handler = self.handler;
        if more(&format!("http_requests_total{{handler=\"{handler}\"}}")) != 1.0 {
            let new = after.naming("http_requests_total{");
            let new = new
                .iter()
                .filter(|series| after.of(series) != before.of(series));
            faults.push(format!(
                "not counted as {handler}, but {:?}",
                new.collect::<Vec<_>>()
            ));
        }
        let calls = more("llm_upstream_requests_total");
        let provider = self.provider();
        let counted = self.model.is_none_or(|model| {
            let pair = format!("model=\"{model}\",provider=\"{provider}\"");
            more(&format!("llm_upstream_requests_total{{{pair}}}")) == 1.0
        });
        if calls != f64::from(u8::from(self.model.is_some())) || !counted {
            let new = after.naming("llm_upstream_requests_total{");
            let new = new
                .iter()
                .filter(|series| after.of(series) != before.of(series));
            faults.push(format!("the calls are {:?}", new.collect::<Vec<_>>()));
        }
        faults
    }
}

/// The scrape once so many requests were counted and nothing is in flight.
async fn at_rest(gateway: &Gateway, requests: f64) -> Scrape {
    let last = Mutex::new(None);
    eventually("the request is counted", async || {
        let scrape = gateway.scrape().await;
        let in_flight = ["http_in_flight_requests", "llm_upstream_in_flight"];
        let rests = in_flight.iter().all(|gauge| scrape.sum(gauge) == 0.0);
        let rests = rests && scrape.sum("http_requests_total") == requests;
        *last.lock().unwrap() = Some(scrape);
        rests
    })
    .await;
    last.into_inner().unwrap().expect("it was scraped")
}

/// A provider that answers everything as a chat completion, whose model nobody asked for.
async fn recorder() -> Upstream {
    Upstream::start(|_| async {
        let body = r#"{"object":"chat.completion","model":"answered","choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}}"#;
        let response = Response::builder().header("content-type", "application/json");
        response.body(Body::from(body)).unwrap()
    })
    .await
}

fn configuration(upstream: &Upstream, providers: &[(&str, &str)], more: &str) -> String {
    let url = &upstream.url;
    let one = |(name, end): &(&str, &str)| {
        format!("[providers.{name}]\nurl = \"{url}/{name}{end}\"\n{more}\n")
    };
    providers.iter().map(one).collect()
}

fn with_models(config: String) -> String {
    MODELS.iter().fold(config, |config, (provider, models)| {
        let table = format!("[providers.{provider}]\n");
        config.replace(&table, &format!("{table}models = {models:?}\n"))
    })
}

/// Plays every form, and fails with all that is not so.
async fn plays(forms: &str, serve: Serve, upstream: &Upstream) {
    let gateway = serve.start().await;
    let mut scrape = gateway.scrape().await;
    let mut faults = Vec::new();
    let mut played = 0;
    for form in Form::all(forms) {
        played += 1;
        for fault in form.play(&gateway, upstream, &mut scrape).await {
            faults.push(format!(
                "{} {} {}: {fault}",
                form.method, form.target, form.body
            ));
        }
    }
    assert!(played > 0);
    assert!(
        faults.is_empty(),
        "{} of {played}:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// What names no model goes to the only provider of its API; what names one, too, since no other has it.
#[tokio::test]
async fn every_form_reaches_its_provider_and_is_counted_as_what_it_is() {
    let upstream = recorder().await;
    let config = with_models(configuration(&upstream, &PROVIDERS, ""));
    plays(include_str!("forms.txt"), Serve::config(&config), &upstream).await;
}

#[tokio::test]
async fn with_the_operators_keys_only_some_forms_pass() {
    let upstream = recorder().await;
    let config = configuration(&upstream, &PROVIDERS, "api_key_env = \"TEST_KEY\"");
    let serve = Serve::config(&with_models(config)).env("TEST_KEY", "sk-ours");
    plays(include_str!("keys.txt"), serve, &upstream).await;
}

#[tokio::test]
async fn where_several_speak_an_api_the_path_names_one() {
    let upstream = recorder().await;
    let mut config = configuration(&upstream, &[("openai", "/v1"), ("second", "/v1")], "");
    config = config.replacen("]\n", "]\nmodels = [\"gpt-4o\"]\n", 1);
    plays(
        include_str!("several.txt"),
        Serve::config(&config),
        &upstream,
    )
    .await;
}

/// What the providers list: what names a model without its provider is found by these.
const MODELS: [(&str, &[&str]); 2] = [
    (
        "openai",
        &[
            "gpt-4o",
            "text-embedding-3-small",
            "gpt-image-1",
            "tts-1",
            "whisper-1",
            "omni-moderation-latest",
        ],
    ),
    ("anthropic", &["claude-sonnet-4-5"]),
];
