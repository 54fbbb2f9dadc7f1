//! Web sockets over real connections: in flight until they close, however they do.

#![cfg(feature = "matched-path")]
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/told.rs"]
mod told;

use std::{net::SocketAddr, time::Duration};

use axum::{
    Extension, Router,
    extract::{
        State,
        ws::{WebSocket, WebSocketUpgrade},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use brightstaff_metrics_axum::{Metrics, MetricsLayer, UpgradedRequest};
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message},
};
use told::told;

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a handler says of its socket.
#[derive(Clone, Copy, PartialEq)]
enum Says {
    HowItEnds,
    Nothing,
    Panics,
    /// Not even that there is one.
    Unmarked,
}

async fn handler(State(says): State<Says>, upgrade: WebSocketUpgrade) -> Response {
    let upgraded = UpgradedRequest::new();
    let mark = Extension(upgraded.mark());
    let response = upgrade.on_upgrade(async move |mut socket| match echo(&mut socket).await {
        _ if says == Says::Nothing => drop(upgraded),
        _ if says == Says::Panics => panic!("as asked"),
        Ok(()) => upgraded.complete(),
        Err(_) => upgraded.fail(),
    });
    if says == Says::Unmarked {
        return response;
    }
    (mark, response).into_response()
}

async fn echo(socket: &mut WebSocket) -> Result<(), axum::Error> {
    while let Some(message) = socket.recv().await {
        let message = message?;
        if !matches!(message, axum::extract::ws::Message::Close(_)) {
            socket.send(message).await?;
        }
    }
    Ok(())
}

async fn serve(says: Says) -> (Metrics, SocketAddr) {
    let metrics = Metrics::unregistered();
    let app = Router::new()
        .route("/ws", get(handler))
        .with_state(says)
        .layer(MetricsLayer::new(metrics.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (metrics, address)
}

/// A socket over which a message went there and back.
async fn open(server: SocketAddr) -> Client {
    let (mut client, _) = connect_async(format!("ws://{server}/ws")).await.unwrap();
    let large = Message::binary(vec![7; 1 << 20]);
    client.send(large.clone()).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), large);
    client
}

async fn close(mut client: Client) {
    client.close(None).await.unwrap();
    while let Some(message) = client.next().await {
        match message {
            Ok(Message::Close(_)) => {}
            // The handler that panics closes nothing in order.
            Err(tungstenite::Error::Protocol(_) | tungstenite::Error::Io(_)) => return,
            other => panic!("{other:?}"),
        }
    }
}

const SERIES: [&str; 4] = [
    "http_in_flight_requests",
    "http_requests_cancelled_total",
    "http_requests_interrupted_total",
    "http_request_duration_seconds_count",
];

async fn becomes(metrics: &Metrics, expected: &[&str]) {
    let ended = async {
        while told(metrics, &SERIES) != expected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(20), ended).await;
    assert!(ended.is_ok(), "{:?}", told(metrics, &SERIES));
}

const MEASURED: &str = r#"http_request_duration_seconds_count{handler="/ws"} 1"#;

#[tokio::test]
async fn a_socket_is_in_flight_until_it_closes() {
    let (metrics, server) = serve(Says::HowItEnds).await;
    let client = open(server).await;
    let open = r#"http_in_flight_requests{handler="/ws"} 1"#;
    assert_eq!(told(&metrics, &SERIES), [open]);
    close(client).await;
    becomes(&metrics, &[MEASURED]).await;
}

#[tokio::test]
async fn one_that_breaks_is_interrupted() {
    let (metrics, server) = serve(Says::HowItEnds).await;
    drop(open(server).await);
    let broke = r#"http_requests_interrupted_total{handler="/ws",reason="error"} 1"#;
    becomes(&metrics, &[MEASURED, broke]).await;
}

#[tokio::test]
async fn one_of_which_nothing_is_said_is_a_cancel() {
    let (metrics, server) = serve(Says::Nothing).await;
    close(open(server).await).await;
    let cancelled = r#"http_requests_cancelled_total{handler="/ws",phase="body"} 1"#;
    becomes(&metrics, &[MEASURED, cancelled]).await;
}

#[tokio::test]
async fn one_whose_task_panics_is_not() {
    let (metrics, server) = serve(Says::Panics).await;
    close(open(server).await).await;
    let panicked = r#"http_requests_interrupted_total{handler="/ws",reason="panic"} 1"#;
    becomes(&metrics, &[MEASURED, panicked]).await;
}

#[tokio::test]
async fn without_a_mark_the_request_ends_at_its_head() {
    let (metrics, server) = serve(Says::Unmarked).await;
    let client = open(server).await;
    assert_eq!(told(&metrics, &SERIES), [MEASURED]);
    close(client).await;
}
