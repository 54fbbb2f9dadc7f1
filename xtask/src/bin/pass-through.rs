//! Proxies that pass everything on and measure nothing, for `cargo xtask bench-sidecar`:
//! `pass-through axum|hyper LISTEN TO`.

#![forbid(unsafe_code)]

use std::{env, net::SocketAddr};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{
        StatusCode, Uri,
        header::{HOST, TRANSFER_ENCODING},
        uri,
    },
    response::{IntoResponse, Response},
    serve::ListenerExt,
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpListener;

type Failed = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [kind, listen, to] = arguments.as_slice() else {
        return Err("usage: pass-through axum|hyper LISTEN TO".into());
    };
    let listener = TcpListener::bind(listen.parse::<SocketAddr>()?).await?;
    match kind.as_str() {
        "axum" => axum_and_reqwest(listener, to).await,
        "hyper" => hyper_alone(listener, to).await,
        _ => Err("there are axum and hyper".into()),
    }
}

#[derive(Clone)]
struct Upstream {
    client: reqwest::Client,
    base: std::sync::Arc<str>,
}

async fn axum_and_reqwest(listener: TcpListener, to: &str) -> Result<(), Failed> {
    let upstream = Upstream {
        client: reqwest::Client::builder().no_proxy().build()?,
        base: format!("http://{to}").into(),
    };
    let router = Router::new().fallback(pass).with_state(upstream);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}

async fn pass(State(upstream): State<Upstream>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(HOST);
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let sent = upstream
        .client
        .request(parts.method, format!("{}{target}", upstream.base))
        .headers(parts.headers)
        .body(reqwest::Body::wrap_stream(body.into_data_stream()))
        .send()
        .await;
    match sent {
        Ok(response) => {
            let response: axum::http::Response<reqwest::Body> = response.into();
            let (mut parts, body) = response.into_parts();
            // Whether it is chunked is for each connection to say.
            parts.headers.remove(TRANSFER_ENCODING);
            Response::from_parts(parts, Body::new(body))
        }
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn hyper_alone(listener: TcpListener, to: &str) -> Result<(), Failed> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    let to: uri::Authority = to.parse()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (client, to) = (client.clone(), to.clone());
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            let target = request.uri().path_and_query().cloned();
            let mut uri = uri::Parts::default();
            uri.scheme = Some(uri::Scheme::HTTP);
            uri.authority = Some(to.clone());
            uri.path_and_query = target.or_else(|| Some(uri::PathAndQuery::from_static("/")));
            *request.uri_mut() = Uri::from_parts(uri).expect("all its parts are there");
            request.headers_mut().remove(HOST);
            client.request(request)
        });
        tokio::spawn(async move {
            let served = hyper::server::conn::http1::Builder::new();
            let _ = served.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
