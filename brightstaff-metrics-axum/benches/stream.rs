//! What a stream of 100 events costs a gateway in processor time: bare, through a layer by hand, measured with an
//! explicit call, and kept to be parsed at its end; where the gateway makes the events by itself, and where it hands on
//! those of a provider. Linux alone: gateways are processes of their own, whose time `/proc` tells.

#![allow(clippy::unwrap_used)] // No request of these fails.

use std::{
    convert::Infallible,
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
    serve::ListenerExt,
};
use brightstaff_metrics_axum::{Metrics, MetricsLayer, Upstream};
use events::events;
use floor::Floor;
use futures_util::{StreamExt, future::join_all, stream};
use http::header::CONTENT_TYPE;
use tokio::net::TcpListener;

#[path = "../tests/support/events.rs"]
mod events;
#[path = "../tests/support/floor.rs"]
mod floor;
#[path = "support/kept.rs"]
mod kept;

const PATH: &str = "/v1/chat/completions";
const KINDS: [&str; 4] = ["bare", "floor", "explicit call", "kept and parsed"];

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default(); // unless there is one
    match &*args.iter().map(String::as_str).collect::<Vec<_>>() {
        ["--serve", kind] => runtime.block_on(serve(kind, None)),
        ["--serve", kind, url] => runtime.block_on(serve(kind, Some(url))),
        // As a test: that all of it works.
        args if args.contains(&"--test") => runtime.block_on(compare(1, 10)),
        args if args.contains(&"--quick") => runtime.block_on(compare(5, 500)),
        _ => runtime.block_on(compare(15, 1_500)),
    }
}

/// Asks all by turns, and prints the medians; ratios are those of a round.
async fn compare(rounds: usize, streams: usize) {
    let provider = Gateway::start("bare", None);
    for (what, url) in [("direct", None), ("behind a hop", Some(&*provider.url))] {
        let gateways = KINDS.map(|kind| (kind, Gateway::start(kind, url)));
        let mut times = KINDS.map(|_| Vec::with_capacity(rounds));
        // The first round finds cold connections.
        for round in 0..=rounds {
            for ((_, gateway), times) in gateways.iter().zip(&mut times) {
                let before = gateway.cpu_ns();
                load(&gateway.url, streams).await;
                if round > 0 {
                    times.push((gateway.cpu_ns() - before) / 1e3 / streams as f64);
                }
            }
        }
        println!(
            "{:<24} {:>12} {:>9}",
            format!("100 events, {what}"),
            "median",
            "ratio"
        );
        let bare = times[0].clone();
        for ((kind, _), times) in gateways.iter().zip(times) {
            let ratios = times.iter().zip(&bare).map(|(time, bare)| time / bare);
            let (ratio, micros) = (median(ratios.collect()), median(times));
            println!("{kind:<24} {micros:>9.1} µs {ratio:>9.3}");
            println!("figure {what}/{kind} = {ratio}");
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// So many streams, read to their ends.
async fn load(url: &str, streams: usize) {
    const CONNECTIONS: usize = 4;
    let client = reqwest::Client::new();
    let one = async || {
        for _ in 0..streams.div_ceil(CONNECTIONS) {
            let response = client.post(url).send().await.unwrap();
            let mut body = response.bytes_stream();
            let mut bytes = 0;
            while let Some(chunk) = body.next().await {
                bytes += chunk.unwrap().len();
            }
            assert_eq!(bytes, events().map(|event| event.len()).sum::<usize>());
        }
    };
    join_all((0..CONNECTIONS).map(|_| one())).await;
}

/// A process that serves, until this is dropped.
struct Gateway {
    process: Child,
    url: String,
}

impl Gateway {
    fn start(kind: &str, provider: Option<&str>) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--serve", kind])
            .args(provider)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let stdout = process.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut url).unwrap();
        Self {
            process,
            url: url.trim().to_owned(),
        }
    }

    /// What its threads had of the processors.
    fn cpu_ns(&self) -> f64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        let of = |task: fs::DirEntry| {
            let told = fs::read_to_string(task.path().join("schedstat")).unwrap();
            told.split(' ').next().unwrap().parse::<f64>().unwrap()
        };
        tasks.map(|task| of(task.unwrap())).sum()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A gateway of this kind, which says where it listens.
async fn serve(kind: &str, provider: Option<&str>) {
    let metrics = Metrics::unregistered();
    let source = Source {
        upstream: (kind == "explicit call").then(|| metrics.upstream("openai", "gpt-4o")),
        kept: (kind == "kept and parsed").then(kept::Vecs::new),
        provider: provider.map(|url| (reqwest::Client::new(), url.to_owned())),
    };
    let router = Router::new().route(PATH, post(forward)).with_state(source);
    let router = match kind {
        "floor" => router.layer(Floor),
        "explicit call" => router.layer(MetricsLayer::new(metrics)),
        _ => router,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}{PATH}", listener.local_addr().unwrap());
    let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    axum::serve(listener, router).await.unwrap();
}

/// Where the events come from, and who looks at them.
#[derive(Clone)]
struct Source {
    upstream: Option<Upstream>,
    kept: Option<kept::Vecs>,
    provider: Option<(reqwest::Client, String)>,
}

async fn forward(State(source): State<Source>) -> Response {
    if let Some(upstream) = &source.upstream {
        let call = upstream.start();
        return call.observe(source.response().await).into_response();
    }
    let response = source.response().await;
    match source.kept {
        Some(vecs) => response.map(|body| vecs.keep(body)),
        None => response,
    }
}

impl Source {
    async fn response(&self) -> Response {
        if let Some((client, url)) = &self.provider {
            let response = http::Response::from(client.post(url).send().await.unwrap());
            return response.map(Body::new);
        }
        let events = stream::iter(events().map(Ok::<_, Infallible>));
        (
            [(CONTENT_TYPE, "text/event-stream")],
            Body::from_stream(events),
        )
            .into_response()
    }
}
