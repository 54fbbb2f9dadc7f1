//! Web sockets over real connections: in flight until what they send ends.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::{net::SocketAddr, time::Duration};

use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, rt, web};
use actix_ws::Message;
use brightstaff_metrics_actix::{Metrics, MetricsMiddleware};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message as Sent,
};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn echo(request: HttpRequest, body: web::Payload) -> Result<HttpResponse, Error> {
    let (response, mut session, mut messages) = actix_ws::handle(&request, body)?;
    rt::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            match message {
                Message::Binary(bytes) => session.binary(bytes).await.unwrap(),
                Message::Close(reason) => return session.close(reason).await.unwrap(),
                _ => {}
            }
        }
    });
    Ok(response)
}

fn serve() -> (Metrics, SocketAddr) {
    let metrics = Metrics::unregistered();
    let measured = metrics.clone();
    let server = HttpServer::new(move || {
        App::new()
            .wrap(MetricsMiddleware::new(measured.clone()))
            .route("/ws", web::get().to(echo))
    });
    let server = server
        .workers(1)
        .disable_signals()
        .h1_allow_half_closed(false)
        .bind(("127.0.0.1", 0))
        .unwrap();
    let address = server.addrs()[0];
    rt::spawn(server.run());
    (metrics, address)
}

/// A socket over which a message went there and back.
async fn open(server: SocketAddr) -> Client {
    let (mut client, _) = connect_async(format!("ws://{server}/ws")).await.unwrap();
    let message = Sent::binary(vec![7; 10_000]);
    client.send(message.clone()).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), message);
    client
}

/// What is not 0 of these families.
fn told(metrics: &Metrics) -> Vec<String> {
    let families = [
        "in_flight_requests",
        "requests_cancelled_total",
        "requests_interrupted_total",
        "requests_total",
        "request_duration_seconds_count",
    ];
    let text = metrics.render();
    let samples = text
        .lines()
        .filter_map(|line| line.strip_prefix("brightstaff_http_"));
    let of_them = |line: &&str| families.iter().any(|family| line.starts_with(family));
    let samples = samples.filter(of_them).filter(|line| !line.ends_with(" 0"));
    samples.map(str::to_owned).collect()
}

async fn becomes(metrics: &Metrics, expected: &[&str]) {
    let ended = async {
        while told(metrics) != expected {
            rt::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let ended = rt::time::timeout(Duration::from_secs(20), ended).await;
    assert!(ended.is_ok(), "{:?}", told(metrics));
}

const OPEN: &str = r#"in_flight_requests{handler="/ws"} 1"#;
const MEASURED: &str = r#"request_duration_seconds_count{handler="/ws"} 1"#;
const COUNTED: &str = r#"requests_total{handler="/ws",method="GET",status_class="1xx"} 1"#;

#[actix_web::test]
async fn a_socket_is_in_flight_until_it_closes() {
    let (metrics, server) = serve();
    let mut client = open(server).await;
    assert_eq!(told(&metrics), [OPEN, COUNTED]);
    client.close(None).await.unwrap();
    while let Some(message) = client.next().await {
        assert!(matches!(message.unwrap(), Sent::Close(_)));
    }
    becomes(&metrics, &[MEASURED, COUNTED]).await;
}

#[actix_web::test]
async fn one_whose_client_left_is_a_cancel() {
    let (metrics, server) = serve();
    drop(open(server).await);
    let cancelled = r#"requests_cancelled_total{handler="/ws",phase="body"} 1"#;
    becomes(&metrics, &[MEASURED, cancelled, COUNTED]).await;
}
