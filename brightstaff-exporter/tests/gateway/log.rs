//! A log that cannot be written, is not read, or is read late: none of it is the clients' concern.

use std::{
    io::{PipeReader, PipeWriter, Write, pipe},
    process::Stdio,
};

use tokio::{net::TcpStream, process::Command, sync::mpsc, time::timeout};

use crate::{
    drain::closed,
    support::{Gateway, PATIENCE, Serve, Upstream, eventually, refused, stream},
};

const DROPPED: &str = "log_lines_dropped_total";

/// Standard errors that take nothing.
fn broken() -> Vec<(&'static str, Stdio)> {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut broken = vec![("its reader is gone", Stdio::from(writer))];
    if cfg!(target_os = "linux") {
        let full = std::fs::File::options().write(true).open("/dev/full");
        broken.push(("its disk is full", full.unwrap().into()));
    }
    broken
}

#[tokio::test]
async fn a_log_that_cannot_be_written_changes_no_answer() {
    for (why, stderr) in broken() {
        let (dead, alive) = (Upstream::nobody().await, Upstream::chat().await);
        let config = format!(
            "[providers.dead]\nurl = '{dead}'\n[providers.alive]\nurl = '{}'
             [routes.best]\ncandidates = ['dead/alpha', 'alive/beta']",
            alive.url
        );
        let gateway = Serve::config(&config).stderr(stderr).start().await;
        for _ in 0..3 {
            let (status, answer) = gateway.chat("dead/alpha").await;
            assert_eq!(status, 502, "{why}: {answer}");
            assert_eq!(answer["error"]["code"], "upstream_unreachable", "{why}");
            assert_eq!(gateway.chat("best").await.0, 200, "{why}");
        }
        let asked = alive.seen();
        let models = asked.iter().map(|request| request.json()["model"].clone());
        assert_eq!(models.collect::<Vec<_>>(), ["beta"; 3], "{why}");
        gateway.signal("TERM");
        assert_eq!(gateway.ended().await, 0, "{why}");
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_written_cuts_no_stream_off() {
    for (why, stderr) in broken() {
        let (sender, mut senders) = mpsc::unbounded_channel();
        let upstream = Upstream::start(move |_| {
            let (chunks, response) = stream();
            chunks.send("data: {}\n\n".into()).unwrap();
            sender.send(chunks).unwrap();
            async { response }
        })
        .await;
        let serve = Serve::upstreams(&[("openai", &upstream.url)]);
        let gateway = serve.stderr(stderr).start().await;
        let mut answers = Vec::new();
        for _ in 0..5 {
            answers.push(gateway.chat_request("m").send().await.unwrap());
        }
        gateway.signal("TERM");
        closed(&gateway).await;
        for _ in 0..5 {
            let chunks = senders.recv().await.unwrap();
            chunks.send("data: [DONE]\n\n".into()).unwrap();
        }
        for answer in answers {
            let text = answer.text().await.expect(why);
            assert_eq!(text, "data: {}\n\ndata: [DONE]\n\n", "{why}");
        }
        assert_eq!(gateway.ended().await, 0, "{why}");
    }
}

/// Fails requests until the log's pipe and queue are full, and tells how many lines were dropped.
async fn fill(gateway: &Gateway) -> f64 {
    assert_eq!(gateway.scrape().await.naming(DROPPED).len(), 1);
    assert_eq!(gateway.scrape().await.sum(DROPPED), 0.0);
    for _ in 0..40 {
        for _ in 0..50 {
            assert_eq!(gateway.chat("dead/alpha").await.0, 502);
        }
        if gateway.scrape().await.sum(DROPPED) > 20.0 {
            break;
        }
    }
    let dropped = gateway.scrape().await.sum(DROPPED);
    assert!(dropped > 20.0, "the log is not full: {dropped}");
    dropped
}

async fn stuck() -> (Gateway, Upstream) {
    let (dead, alive) = (Upstream::nobody().await, Upstream::chat().await);
    let serve = Serve::upstreams(&[("dead", &dead), ("alive", &alive.url)]);
    // Scrapes must not add to what they count.
    let serve = serve.env("RUST_LOG", "info").arg("--drain").arg("1h");
    (serve.unread().start().await, alive)
}

#[tokio::test]
async fn a_log_that_nobody_reads_stops_nothing() {
    let (gateway, _alive) = stuck().await;
    fill(&gateway).await;
    for _ in 0..20 {
        assert_eq!(gateway.chat("alive/beta").await.0, 200);
    }
    let health = gateway.metrics.replace("/metrics", "/healthz");
    let health = timeout(PATIENCE, gateway.client.get(health).send()).await;
    assert_eq!(health.unwrap().unwrap().status(), 200);
    gateway.signal("TERM");
    assert_eq!(gateway.ended().await, 0);
}

#[tokio::test]
async fn a_log_that_is_read_late_tells_what_it_misses() {
    let (mut gateway, _alive) = stuck().await;
    fill(&gateway).await;
    let dropped = gateway.scrape().await.sum(DROPPED);
    gateway.read_log();
    let told = || {
        let log = gateway.log();
        let lines = log
            .lines()
            .filter_map(|line| line.strip_suffix(" log lines were dropped"));
        lines
            .map(|count| count.parse().unwrap())
            .collect::<Vec<f64>>()
    };
    eventually("the log tells", async || !told().is_empty()).await;
    assert_eq!(told(), [dropped]);
    assert_eq!(gateway.scrape().await.sum(DROPPED), dropped);

    assert_eq!(gateway.chat("dead/alpha").await.0, 502);
    gateway.signal("TERM");
    eventually("the log goes on", async || {
        gateway
            .log()
            .contains("stopping: responses in flight go on")
    })
    .await;
    assert_eq!(told(), [dropped]);
    assert_eq!(gateway.ended().await, 0);
}

#[tokio::test]
async fn an_unknown_directive_is_named_and_the_others_hold() {
    let upstream = Upstream::chat().await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = serve.env("RUST_LOG", "a=b=c,info").start().await;
    eventually("it is named", async || {
        gateway
            .log()
            .contains("RUST_LOG: \"a=b=c\" is no directive")
    })
    .await;
    gateway.signal("TERM");
    assert_eq!(gateway.ended().await, 0);
}

/// The last line is written before the process ends, and a stuck reader of it holds nothing up.
#[tokio::test]
async fn the_fatal_line_arrives_where_it_can() {
    let (line, code) = refused(Serve::config("nothing = 1")).await;
    assert!(line.starts_with("error: "), "{line}");
    assert_eq!(code, 2);

    let (_reader, writer) = stuffed();
    let serve = Serve::config("nothing = 1").stderr(writer.into());
    let (mut child, _files) = serve.spawn();
    let ended = timeout(PATIENCE, child.wait()).await;
    assert_eq!(ended.expect("still running").unwrap().code(), Some(2));
}

/// Starting depends on no reader of the standard output either, who is not there to say the port. So the
/// address is one that no other test takes: on Linux, the whole of 127.0.0.0/8 is this machine's.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_output_that_is_stuck_or_gone_keeps_nobody_from_serving() {
    let port = std::net::TcpListener::bind("127.11.11.11:0").unwrap();
    let address = port.local_addr().unwrap().to_string();
    drop(port);
    let (_reader, stuck) = stuffed();
    let (gone_reader, gone) = pipe().unwrap();
    drop(gone_reader);
    for stdout in [stuck, gone] {
        let upstream = Upstream::chat().await;
        let serve = Serve::upstreams(&[("openai", &upstream.url)]);
        let serve = serve.env("BIND_ADDRESS", &address).stdout(stdout.into());
        let (mut child, _files) = serve.spawn();
        eventually("it serves", async || {
            TcpStream::connect(&address).await.is_ok()
        })
        .await;
        let id = child.id().unwrap().to_string();
        let kill = Command::new("kill")
            .args(["-s", "TERM", &id])
            .status()
            .await;
        assert!(kill.unwrap().success());
        let ended = timeout(PATIENCE, child.wait()).await;
        assert_eq!(ended.expect("still running").unwrap().code(), Some(0));
    }
}

/// A pipe that nobody reads, and that is full for as long as its reader lives.
fn stuffed() -> (PipeReader, PipeWriter) {
    let (reader, writer) = pipe().unwrap();
    let mut stuffing = writer.try_clone().unwrap();
    std::thread::spawn(move || stuffing.write_all(&[b'x'; 1 << 22]));
    (reader, writer)
}
