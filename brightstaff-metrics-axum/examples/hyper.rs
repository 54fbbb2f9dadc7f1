//! The layer on plain hyper, without axum: any `tower::Service` that answers HTTP will do.
//!
//! ```sh
//! cargo run --package brightstaff-metrics-axum --example hyper --no-default-features
//! ```
//!
//! It listens on 127.0.0.1:12000; the metrics are on `METRICS_BIND_ADDRESS` (0.0.0.0:9092).

use std::{convert::Infallible, error::Error};

use brightstaff_exporter::Exporter;
use brightstaff_metrics_axum::{HandlerName, Metrics, MetricsLayer};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use prometheus::Registry;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, service_fn};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();
    let metrics = Metrics::builder().register(&registry)?;
    tokio::spawn(Exporter::from_env(registry)?.bind().await?.serve());

    // No framework tells a template here: names come by path, by closure, or from whoever routes.
    let layer = MetricsLayer::new(metrics)
        .handler("/files/{*path}", "files")
        .handler_fn(|request| request.headers().contains_key("x-batch").then_some("batch"));
    let service = layer.layer(service_fn(answer)).map_request(route);

    let listener = TcpListener::bind("127.0.0.1:12000").await?;
    loop {
        let (tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            let served = server.serve_connection(TokioIo::new(tcp), service).await;
            served.inspect_err(|error| eprintln!("a connection failed: {error}"))
        });
    }
}

/// A router that knows more of a request than its path says, and tells the layer.
fn route(mut request: Request<Incoming>) -> Request<Incoming> {
    if request.uri().path().starts_with("/internal/") {
        request
            .extensions_mut()
            .insert(HandlerName::from("internal"));
    }
    request
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, body) = match request.uri().path() {
        "/v1/models" => (StatusCode::OK, r#"{"object":"list","data":[]}"#),
        path if path.starts_with("/files/") => (StatusCode::OK, "a file"),
        _ => (StatusCode::NOT_FOUND, ""),
    };
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    Ok(answer)
}
