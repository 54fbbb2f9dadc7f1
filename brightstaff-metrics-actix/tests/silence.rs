//! Clients that are gone over HTTP/2 while their provider is silent: nobody but a limit on that silence ends such a
//! response.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/recorded.rs"]
mod recorded;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::mpsc,
    thread,
    time::Duration,
};

use actix_web::{
    App, HttpResponse, HttpServer,
    http::StatusCode,
    rt,
    web::{self, Bytes},
};
use brightstaff_metrics_actix::{ErrorClass, relay};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use recorded::Recorded;
use tokio::{net::TcpStream, time::timeout};

/// Long enough for any machine; never waited for where all is well.
const PATIENCE: Duration = Duration::from_secs(20);

#[actix_web::test]
async fn a_silent_provider_is_waited_for_no_longer_than_the_clients_limit() {
    let (quiet, told) = mpsc::channel();
    let provider = provider(told);
    let recorded = Recorded::new();
    let (metrics, middleware) = (recorded.metrics.clone(), recorded.middleware());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .read_timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    let forward = move || {
        let (metrics, client) = (metrics.clone(), client.clone());
        async move {
            let call = metrics.upstream("openai", "gpt-4o").start();
            match client.get(format!("http://{provider}/")).send().await {
                Ok(answer) => relay(call.observe(answer.into())),
                Err(error) => {
                    call.fail(ErrorClass::of(&error));
                    HttpResponse::new(StatusCode::BAD_GATEWAY)
                }
            }
        }
    };
    let server = HttpServer::new(move || {
        App::new()
            .wrap(middleware.clone())
            .route("/v1/messages", web::post().to(forward.clone()))
    });
    let server = server.workers(1).disable_signals();
    let server = server.bind_auto_h2c("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    let running = server.run();
    let handle = running.handle();
    rt::spawn(running);

    leave_after_the_first_chunk(address).await;
    let ended = async {
        while recorded.ends()[0] == 0 {
            rt::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, ended).await.expect("it is bounded");

    assert_eq!(recorded.requests(), ["llm_chat POST 2xx 1"]);
    assert_eq!(recorded.ends(), [1, 0, 0, 0]);
    assert_eq!(
        recorded.samples("http_requests_interrupted_total"),
        [r#"{handler="llm_chat",reason="error"} 1"#]
    );
    assert_eq!(
        recorded.samples("llm_upstream_requests_total"),
        [r#"{error_class="stream",model="gpt-4o",provider="openai",status_class="2xx"} 1"#]
    );
    assert_eq!(recorded.samples("llm_upstream_in_flight"), [] as [&str; 0]);
    drop(quiet);
    handle.stop(false).await;
}

/// Streams one event, and then says nothing for as long as the other end of the channel lives.
fn provider(until: mpsc::Receiver<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut tcp, _) = listener.accept().unwrap();
        let _ = tcp.read(&mut [0; 1024]).unwrap();
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n6\r\ndata: \r\n";
        tcp.write_all(answer.as_bytes()).unwrap();
        until.recv().unwrap_err();
    });
    address
}

async fn leave_after_the_first_chunk(server: SocketAddr) {
    let tcp = TcpStream::connect(server).await.unwrap();
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(tcp));
    let (mut send, connection) = handshake.await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::post(format!("http://{server}/v1/messages"));
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let answer = send.send_request(request).await.unwrap();
    let mut body = answer.into_body();
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "data: "
    );
    drop((body, send));
    connection.abort();
}
