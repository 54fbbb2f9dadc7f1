//! Many streams at once, half of whose clients go away.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::join_all;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::{sleep, timeout};

use crate::support::{Exchange, Gateway, PATIENCE, Scrape, Serve, Upstream, eventually, stream};

const STREAMS: usize = 200;

/// What a client does. Those that hang up do so while the upstream has more to send.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Client {
    Stays,
    /// This long after the upstream was asked, which never sends headers.
    LeavesEarly(Duration),
    /// This long after the headers, in the middle of a response that has no end.
    LeavesLate(Duration),
    /// This long after it was started, wherever its request is then.
    LeavesAnywhere(Duration),
}

/// Whose requests are with the upstream now.
type Present = Arc<Mutex<HashSet<String>>>;

/// Takes a request off the list when whatever answers it is dropped.
struct Answering(Present, String);

impl Answering {
    fn start(present: &Present, exchange: &Exchange) -> Self {
        let id = exchange.header("x-id").unwrap().to_owned();
        present.lock().unwrap().insert(id.clone());
        Self(Arc::clone(present), id)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.lock().unwrap().remove(&self.1);
    }
}

async fn upstream(present: &Present) -> Upstream {
    let present = Arc::clone(present);
    Upstream::start(move |exchange: Exchange| {
        let answering = Answering::start(&present, &exchange);
        async move {
            let answering = answering;
            let plan = exchange.header("x-plan").unwrap().to_owned();
            if plan == "silent" {
                std::future::pending::<()>().await;
            }
            let (chunks, response) = stream();
            tokio::spawn(async move {
                let _answering = answering;
                for sent in 0.. {
                    if chunks.send(TOKEN.into()).is_err() {
                        return;
                    }
                    if plan == "short" && sent == 20 {
                        break;
                    }
                    sleep(Duration::from_millis(10)).await;
                }
                let _ = chunks.send(END.into());
            });
            response
        }
    })
    .await
}

const TOKEN: &str = r#"data: {"object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"x"}}]}

"#;

const END: &str = r#"data: {"object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"object":"chat.completion.chunk","model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12}}

data: [DONE]

"#;

async fn run(gateway: &Gateway, present: &Present, id: String, client: Client) {
    let plan = match client {
        Client::Stays | Client::LeavesAnywhere(_) => "short",
        Client::LeavesEarly(_) => "silent",
        Client::LeavesLate(_) => "endless",
    };
    let request = gateway
        .post("/v1/chat/completions", r#"{"model":"m","stream":true}"#)
        .header("x-plan", plan)
        .header("x-id", &id)
        .send();
    match client {
        Client::Stays => {
            let answer = timeout(PATIENCE, request).await.unwrap().unwrap();
            let text = timeout(PATIENCE, answer.text()).await.unwrap().unwrap();
            assert!(text.ends_with("data: [DONE]\n\n"));
        }
        Client::LeavesEarly(after) => {
            let asked = async {
                eventually("the upstream is asked", async || {
                    present.lock().unwrap().contains(&id)
                })
                .await;
                sleep(after).await;
            };
            tokio::select! {
                answer = request => panic!("answered: {answer:?}"),
                () = asked => {}
            }
        }
        Client::LeavesLate(after) => {
            let mut answer = timeout(PATIENCE, request).await.unwrap().unwrap();
            let read = async { while answer.chunk().await.unwrap().is_some() {} };
            assert!(timeout(after, read).await.is_err(), "the answer has an end");
        }
        Client::LeavesAnywhere(after) => {
            let _ = timeout(after, async {
                request.await.unwrap().text().await.unwrap()
            })
            .await;
        }
    }
}

async fn round(gateway: &Gateway, present: &Present, clients: &[Client]) -> Scrape {
    let numbered = clients.iter().enumerate();
    join_all(numbered.map(|(id, client)| run(gateway, present, id.to_string(), *client))).await;
    gateway.expect("http_in_flight_requests", 0.0).await;
    eventually("the upstream is left alone", async || {
        present.lock().unwrap().is_empty()
    })
    .await;
    gateway.scrape().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_is_counted_once_and_none_stays() {
    let present = Present::default();
    let upstream = upstream(&present).await;
    let config = format!("[providers.p]\nurl = '{}'\nmodels = ['m']", upstream.url);
    // Its log is gathered by this test, and not what is weighed here.
    let serve = Serve::config(&config).env("RUST_LOG", "info");
    let gateway = serve.start().await;
    let mut random = StdRng::seed_from_u64(20_261_123);
    let mut moment = |to: u64| Duration::from_millis(random.random_range(0..to));

    let mut all = Vec::new();
    let mut resident = Vec::new();
    for _round in 0..4 {
        let clients: Vec<Client> = (0..STREAMS)
            .map(|number| match number % 8 {
                0 => Client::LeavesEarly(moment(200)),
                2 | 4 | 6 => Client::LeavesLate(moment(400)),
                _ => Client::Stays,
            })
            .collect();
        let scrape = round(&gateway, &present, &clients).await;
        all.extend(clients);
        assert_truth(&scrape, &all);
        resident.push(scrape.sum("process_resident_memory_bytes") / 1e6);
    }
    eprintln!("resident MB after each round: {resident:.1?}");
    if cfg!(target_os = "linux") {
        let growth = resident[3] - resident[1];
        assert!(growth < 8.0, "memory grew: {resident:.1?} MB");
    }

    let anywhere: Vec<Client> = (0..STREAMS)
        .map(|_| Client::LeavesAnywhere(moment(400)))
        .collect();
    let scrape = round(&gateway, &present, &anywhere).await;
    assert_consistent(&scrape);
}

/// Every count is what the clients did.
fn assert_truth(scrape: &Scrape, clients: &[Client]) {
    let count = |kind: fn(&Client) -> bool| {
        let count = clients.iter().filter(|client| kind(client)).count();
        f64::from(u32::try_from(count).unwrap())
    };
    let stayed = count(|client| matches!(client, Client::Stays));
    let early = count(|client| matches!(client, Client::LeavesEarly(_)));
    let late = count(|client| matches!(client, Client::LeavesLate(_)));
    let all = stayed + early + late;
    let calls = |labels: &str| scrape.sum(&format!("llm_upstream_requests_total{{{labels}}}"));
    let requests = |labels: &str| scrape.sum(&format!("http_requests_total{{{labels}}}"));
    let sum = |selector: &str| scrape.sum(selector);

    assert_eq!(
        requests(r#"handler="llm_chat",status_class="2xx""#),
        stayed + late
    );
    assert_eq!(
        requests(r#"handler="llm_chat",status_class="error""#),
        early
    );
    assert_eq!(requests(""), all);
    assert_eq!(sum("http_request_duration_seconds_count"), all);
    assert_eq!(
        sum(r#"http_requests_cancelled_total{phase="headers"}"#),
        early
    );
    assert_eq!(sum(r#"http_requests_cancelled_total{phase="body"}"#), late);
    assert_eq!(
        calls(r#"error_class="none",model="m",status_class="2xx""#),
        stayed
    );
    assert_eq!(calls(r#"error_class="cancelled",status_class="2xx""#), late);
    assert_eq!(
        calls(r#"error_class="cancelled",status_class="error""#),
        early
    );
    assert_eq!(calls(""), all);
    assert_eq!(sum("llm_upstream_duration_seconds_count"), all);
    assert_eq!(sum(r#"llm_tokens_total{kind="prompt"}"#), 9.0 * stayed);
    assert_eq!(sum(r#"llm_tokens_total{kind="completion"}"#), 12.0 * stayed);
    assert_eq!(
        sum(r#"llm_tokens_usage_missing_total{reason="interrupted"}"#),
        late
    );
}

/// Nobody knows how far each request came, but every one of them ended exactly once.
fn assert_consistent(scrape: &Scrape) {
    let requests = scrape.sum("http_requests_total");
    assert_eq!(scrape.sum("http_request_duration_seconds_count"), requests);
    let unanswered = scrape.sum(r#"http_requests_total{status_class="error"}"#);
    let left = scrape.sum(r#"http_requests_cancelled_total{phase="headers"}"#);
    assert_eq!(unanswered, left);
    let calls = scrape.sum("llm_upstream_requests_total");
    assert_eq!(scrape.sum("llm_upstream_duration_seconds_count"), calls);
    let whole = scrape.sum(r#"llm_upstream_requests_total{error_class="none"}"#);
    assert_eq!(
        scrape.sum(r#"llm_tokens_total{kind="prompt"}"#),
        9.0 * whole
    );
    let cut = scrape.sum(r#"llm_upstream_requests_total{error_class="cancelled"}"#);
    assert_eq!(calls, whole + cut);
}
