//! HTTP/2 servers that do not answer on a connection.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::http::Response;
use h2::Reason;
use tokio::net::TcpListener;

use crate::{
    support::{Gateway, Serve},
    tls::acceptor,
};

/// What a server does with the second request of its first connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Second {
    Refuse,
    /// Its last word, which names this request as taken.
    GoAway,
    Die,
}

/// A server, before it a gateway with these keys, and the count of requests that the server got.
async fn gateway(second: Second, keys: &str) -> (Gateway, Arc<AtomicUsize>) {
    let (acceptor, pem) = acceptor(b"h2");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let stream = acceptor.accept(stream).await.unwrap();
            let mut server = h2::server::handshake(stream).await.unwrap();
            let counted = Arc::clone(&counted);
            tokio::spawn(async move {
                let mut served = 0;
                while let Some(Ok((_, mut respond))) = server.accept().await {
                    counted.fetch_add(1, SeqCst);
                    if number == 0 && served == 1 {
                        match second {
                            Second::Refuse => respond.send_reset(Reason::REFUSED_STREAM),
                            Second::GoAway => server.abrupt_shutdown(Reason::NO_ERROR),
                            Second::Die => return,
                        }
                        continue;
                    }
                    served += 1;
                    let response = Response::builder().status(200).body(()).unwrap();
                    let mut body = respond.send_response(response, false).unwrap();
                    body.send_data("{}".into(), true).unwrap();
                }
            });
        }
    });
    let roots = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(roots.path(), pem).unwrap();
    let config = format!("{keys}\n[providers.p]\nurl = 'https://localhost:{port}'\nmodels = ['m']");
    let serve = Serve::config(&config);
    let gateway = serve
        .env("SSL_CERT_FILE", roots.path().to_str().unwrap())
        .start()
        .await;
    (gateway, requests)
}

/// RFC 9113, section 8.7.
#[tokio::test]
async fn what_a_server_did_nothing_with_is_sent_again() {
    let (gateway, requests) = gateway(Second::Refuse, "").await;
    for _ in 0..2 {
        assert_eq!(gateway.chat("m").await.0, 200);
    }
    assert_eq!(requests.load(SeqCst), 3);
    gateway.expect("llm_upstream_requests_total", 2.0).await;
}

/// The last stream that a GOAWAY names may have been processed.
#[tokio::test]
async fn what_a_server_may_have_done_before_it_went_away_is_not_sent_again() {
    let (gateway, requests) = gateway(Second::GoAway, "").await;
    assert_eq!(gateway.chat("m").await.0, 200);
    assert_eq!(gateway.chat("m").await.0, 502);
    assert_eq!(requests.load(SeqCst), 2);
    gateway.expect("llm_upstream_requests_total", 2.0).await;
}

#[tokio::test]
async fn a_connection_that_dies_when_reused_is_told_of() {
    for (keys, status) in [("", 502), ("retry_reused = true", 200)] {
        let (gateway, requests) = gateway(Second::Die, keys).await;
        assert_eq!(gateway.chat("m").await.0, 200);
        let (second, json) = gateway.chat("m").await;
        assert_eq!(second, status, "{json}");
        if status == 502 {
            let message = json["error"]["message"].as_str().unwrap();
            assert!(message.contains("set retry_reused = true"), "{message}");
        }
        assert_eq!(requests.load(SeqCst), if status == 502 { 2 } else { 3 });
        gateway.expect("llm_upstream_requests_total", 2.0).await;
    }
}
