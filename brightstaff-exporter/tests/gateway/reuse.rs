//! Connections that are kept for the next request, and may be dead by then.

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use crate::support::{ByHand, CHAT, Connection, Gateway, Serve};

async fn gateway(url: &str, keys: &str) -> Gateway {
    let config = format!("{keys}\n[providers.p]\nurl = '{url}'\nmodels = ['m']");
    Serve::config(&config).start().await
}

/// Answers the first request of the first connection, and ends that connection with these bytes at the
/// second; answers everything on any other.
async fn dies_when_reused(last: &'static str) -> ByHand {
    ByHand::start(move |mut connection: Connection| async move {
        let mut served = 0;
        while connection.request().await.is_some() {
            if connection.number == 0 && served == 1 {
                let _ = connection.write(last).await;
                return;
            }
            connection.write(CHAT).await.unwrap();
            served += 1;
        }
    })
    .await
}

#[track_caller]
fn is_closed(answer: &(u16, Value), fault: &str) {
    let error = &answer.1["error"];
    assert_eq!((answer.0, &error["code"]), (502, &"upstream_failed".into()));
    assert_eq!(error["message"], format!("upstream p {fault}"));
}

const CALLS: &str = "llm_upstream_requests_total";
const FAILED: &str = r#"llm_upstream_requests_total{error_class="other",status_class="error"}"#;

#[tokio::test]
async fn a_request_whose_connection_died_is_not_sent_twice_unasked() {
    let upstream = dies_when_reused("").await;
    let gateway = gateway(&upstream.url, "").await;
    assert_eq!(gateway.chat("m").await.0, 200);
    is_closed(
        &gateway.chat("m").await,
        "closed the connection before it responded: set retry_reused = true to have such a request sent a second time",
    );
    assert_eq!((upstream.connections(), upstream.requests()), (1, 2));
    gateway.expect(FAILED, 1.0).await;
    gateway.expect(CALLS, 2.0).await;
    let line = gateway.logged("no response").await;
    assert!(
        line.contains("WARN")
            && line.contains("upstream=p")
            && line.contains("before it responded"),
        "{line}"
    );
}

#[tokio::test]
async fn a_request_whose_connection_died_is_sent_once_more_where_that_is_wanted() {
    for keys in ["retry_reused = true", ""] {
        let upstream = dies_when_reused("").await;
        let provider = if keys.is_empty() {
            "retry_reused = true"
        } else {
            ""
        };
        let config = format!(
            "{keys}\n[providers.p]\nurl = '{}'\nmodels = ['m']\n{provider}",
            upstream.url
        );
        let gateway = Serve::config(&config).start().await;
        assert_eq!(gateway.chat("m").await.0, 200);
        assert_eq!(gateway.chat("m").await.0, 200);
        assert_eq!((upstream.connections(), upstream.requests()), (2, 3));
        // Still one call each.
        gateway.expect(CALLS, 2.0).await;
        gateway
            .expect(r#"llm_upstream_requests_total{error_class="none"}"#, 2.0)
            .await;
        gateway.expect("llm_upstream_in_flight", 0.0).await;
    }
}

#[tokio::test]
async fn a_connection_that_dies_new_is_no_reason_to_send_again() {
    let upstream = ByHand::once("").await;
    let gateway = gateway(&upstream.url, "retry_reused = true").await;
    let fault = "closed the connection before it responded";
    is_closed(&gateway.chat("m").await, fault);
    assert_eq!((upstream.connections(), upstream.requests()), (1, 1));
    gateway.expect(FAILED, 1.0).await;
    gateway.expect(CALLS, 1.0).await;
}

#[tokio::test]
async fn one_that_dies_again_is_not_sent_a_third_time() {
    let upstream = ByHand::start(move |mut connection: Connection| async move {
        if connection.number == 0 {
            connection.request().await.unwrap();
            connection.write(CHAT).await.unwrap();
        }
        connection.request().await;
    })
    .await;
    let gateway = gateway(&upstream.url, "retry_reused = true").await;
    assert_eq!(gateway.chat("m").await.0, 200);
    let fault = "closed the connection before it responded";
    is_closed(&gateway.chat("m").await, fault);
    assert_eq!((upstream.connections(), upstream.requests()), (2, 3));
    gateway.expect(CALLS, 2.0).await;
}

/// What the upstream began to answer, it may have done.
#[tokio::test]
async fn nothing_is_sent_again_once_a_byte_of_the_response_came() {
    for last in [
        "H",
        "HTTP/1.1 200 OK\r\ncontent-",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        let upstream = dies_when_reused(last).await;
        let gateway = gateway(&upstream.url, "retry_reused = true").await;
        assert_eq!(gateway.chat("m").await.0, 200);
        let fault = "closed the connection before its response's head was whole";
        is_closed(&gateway.chat("m").await, fault);
        assert_eq!(
            (upstream.connections(), upstream.requests()),
            (1, 2),
            "{last}"
        );
        gateway.expect(FAILED, 1.0).await;
        gateway.expect(CALLS, 2.0).await;
    }
}

#[tokio::test]
async fn a_get_is_sent_once_more_in_any_case() {
    let upstream = dies_when_reused("").await;
    let gateway = gateway(&upstream.url, "").await;
    for _ in 0..2 {
        assert_eq!(gateway.get("/v1/models").await.status(), 200);
    }
    assert_eq!((upstream.connections(), upstream.requests()), (2, 3));
}

/// As many servers do it: the connection ends, and no header said so.
#[tokio::test]
async fn a_connection_that_closed_while_idle_is_noticed() {
    for last in [
        "",
        "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n",
    ] {
        let upstream = ByHand::start(move |mut connection: Connection| async move {
            connection.request().await.unwrap();
            connection.write(CHAT).await.unwrap();
            sleep(Duration::from_millis(30)).await;
            connection.write(last).await.unwrap();
        })
        .await;
        let gateway = gateway(&upstream.url, "").await;
        for _ in 0..5 {
            assert_eq!(gateway.chat("m").await.0, 200);
            sleep(Duration::from_millis(150)).await;
        }
        assert_eq!((upstream.connections(), upstream.requests()), (5, 5));
        gateway
            .expect(r#"llm_upstream_requests_total{error_class="none"}"#, 5.0)
            .await;
    }
}

#[tokio::test]
async fn a_connection_is_kept_for_as_long_as_it_is_told() {
    let serve = async |mut connection: Connection| {
        while connection.request().await.is_some() {
            connection.write(CHAT).await.unwrap();
        }
    };
    for (keys, connections) in [
        ("pool_idle_timeout = '1h'", 1),
        ("pool_idle_timeout = '50ms'", 3),
        ("pool_idle_timeout = '0s'", 3),
    ] {
        let upstream = ByHand::start(serve).await;
        let gateway = gateway(&upstream.url, keys).await;
        for _ in 0..3 {
            assert_eq!(gateway.chat("m").await.0, 200);
            sleep(Duration::from_millis(200)).await;
        }
        assert_eq!(upstream.connections(), connections, "{keys}");
    }
}

/// What a server that closes right after its responses costs.
#[tokio::test]
async fn no_request_fails_where_it_may_be_sent_again() {
    const REQUESTS: usize = 300;
    let upstream = ByHand::start(async |mut connection| {
        connection.request().await.unwrap();
        connection.write(CHAT).await.unwrap();
        sleep(Duration::from_millis(2)).await;
    })
    .await;
    let gateway = gateway(&upstream.url, "retry_reused = true").await;
    let mut failed = 0;
    for number in 0..REQUESTS {
        failed += usize::from(gateway.chat("m").await.0 != 200);
        sleep(Duration::from_micros(number as u64 * 37 % 4000)).await;
    }
    assert_eq!(failed, 0);
    #[allow(clippy::cast_precision_loss)]
    gateway.expect(CALLS, REQUESTS as f64).await;
}
