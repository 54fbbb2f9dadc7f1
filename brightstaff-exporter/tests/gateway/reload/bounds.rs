//! What many reloads cost: no request, no memory, and no more series than are kept for them.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    time::Duration,
};

use super::provider;
use crate::support::{Gateway, Serve, Upstream};

/// What was added takes its series from what is kept for that, and is measured without them, too.
#[tokio::test]
async fn series_of_what_was_added_are_bounded() {
    let upstream = Upstream::chat().await;
    let models = |count: usize| {
        let models: Vec<_> = (0..count).map(|n| format!("'m{n}'")).collect();
        provider(
            "p",
            &upstream.url,
            &format!("models = [{}]", models.join(", ")),
        )
    };
    let gateway = Serve::config(&models(1)).start().await;
    gateway.reloaded(&models(1001)).await;
    assert!(
        !gateway.log().contains("no room is left"),
        "{}",
        gateway.log()
    );
    gateway.reloaded(&models(1003)).await;
    gateway
        .logged("no room is left for the series of 2 of")
        .await;
    assert_eq!(gateway.chat("m1000").await.0, 200);
    assert_eq!(gateway.chat("m1002").await.0, 200);
    for model in ["m1000", "other"] {
        let series = format!("llm_upstream_requests_total{{model=\"{model}\",provider=\"p\"}}");
        gateway.expect(&series, 1.0).await;
    }
}

/// Clients that ask all the time, until they are told to stop.
async fn ask_all_the_time(gateway: &Gateway, stop: &AtomicBool, asked: &AtomicU64, model: &str) {
    while !stop.load(SeqCst) {
        let (status, answer) = gateway.chat(model).await;
        assert_eq!(status, 200, "{answer}");
        asked.fetch_add(1, SeqCst);
    }
}

async fn memory(gateway: &Gateway) -> f64 {
    gateway.scrape().await.sum("process_resident_memory_bytes")
}

#[tokio::test]
async fn a_hundred_of_them_lose_no_request_and_leave_nothing() {
    const RELOADS: usize = 100;
    /// What an allocator may keep; each configuration that stayed would be some 200 KiB.
    const MORE_BYTES: f64 = 8e6;
    let upstream = Upstream::chat().await;
    let always = provider("p", &upstream.url, "models = ['m']");
    let variant = |n: usize| {
        let models: Vec<_> = (0..300).map(|model| format!("'m{model}'")).collect();
        let q = provider(
            "q",
            &upstream.url,
            &format!("models = [{}]", models.join(", ")),
        );
        let route = format!("[routes.best]\ncandidates = ['p/m', 'q/m{}']", n % 300);
        match n % 2 {
            0 => format!("{always}{q}{route}"),
            _ => format!("response_header_timeout = '{}s'\n{always}", 100 + n),
        }
    };
    let gateway = Serve::config(&always).start().await;
    let (stop, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    let clients = async {
        let client = || ask_all_the_time(&gateway, &stop, &asked, "m");
        tokio::join!(client(), client(), client(), client());
    };
    let reloads = async {
        let mut warm = 0.0;
        for n in 0..RELOADS {
            gateway.reloaded(&variant(n)).await;
            // Some are answered by each of them.
            let before = asked.load(SeqCst);
            while asked.load(SeqCst) < before + 4 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            if n == RELOADS / 4 {
                warm = memory(&gateway).await;
            }
        }
        let more = memory(&gateway).await - warm;
        stop.store(true, SeqCst);
        more
    };
    let ((), more) = tokio::join!(clients, reloads);
    #[expect(clippy::cast_precision_loss)] // Far below 2^53.
    let asked = asked.into_inner() as f64;
    gateway
        .expect(
            r#"http_requests_total{handler="llm_chat",status_class="2xx"}"#,
            asked,
        )
        .await;
    let scrape = gateway.scrape().await;
    assert_eq!(
        scrape.sum("http_requests_total{handler=\"llm_chat\"}"),
        asked
    );
    let calls = r#"llm_upstream_requests_total{error_class="none",model="m",provider="p"}"#;
    assert_eq!(scrape.sum(calls), asked);
    assert_eq!(scrape.sum("llm_upstream_requests_total"), asked);
    assert_eq!(scrape.sum("llm_tokens_total"), asked * 21.0);
    assert_eq!(upstream.seen().len() as f64, asked);
    assert_eq!(scrape.sum("http_in_flight_requests"), 0.0);
    assert!(more < MORE_BYTES, "{more} bytes more after {RELOADS}");
    println!("{asked} requests over {RELOADS} reloads, {more} bytes more");
}
