//! The cases of the contract on axum, over a real socket.

#![cfg(feature = "matched-path")]
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "../../brightstaff-metrics-core/tests/support/case.rs"]
mod case;
#[path = "support/client.rs"]
mod client;
#[path = "../../brightstaff-metrics-core/tests/support/gateway.rs"]
mod gateway;
#[path = "../../brightstaff-metrics-core/tests/support/received.rs"]
mod received;
#[path = "../../brightstaff-metrics-core/tests/support/script.rs"]
mod script;

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{Router, extract::Request, routing::any, serve::ListenerExt};
use brightstaff_metrics_axum::MetricsLayer;
use case::Case;
use client::Clients;
use gateway::{Gateway, play_all};
use script::Stage;
use tokio::{
    net::TcpListener,
    sync::mpsc::{self, UnboundedSender},
    time::timeout,
};

/// Long enough for any machine; never waited for where all is well.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn axum_keeps_the_contract() {
    let cases =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../brightstaff-metrics-core/tests/cases");
    play_all(&cases, "axum", true, |case, gateways| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            timeout(PATIENCE, play(case, gateways))
                .await
                .expect("a case comes to its end");
        });
    });
}

async fn play(case: &Case, gateways: &[Gateway]) {
    let (hang_up, asked) = mpsc::unbounded_channel();
    let mut servers = Vec::new();
    for gateway in gateways {
        servers.push(serve(app(case, gateway, &hang_up)).await);
    }
    let clients = Clients {
        case,
        gateways,
        servers,
        hang_up: asked,
    };
    clients.play().await;
}

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = listener.tap_io(|tcp| tcp.set_nodelay(true).unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// The gateway of a case.
fn app(case: &Case, gateway: &Gateway, hang_up: &UnboundedSender<()>) -> Router {
    let hang_up = hang_up.clone();
    let stage = Stage {
        gateway: gateway.clone(),
        hang_up: Arc::new(move || hang_up.send(()).unwrap()),
    };
    let scripts: Vec<_> = case
        .requests
        .iter()
        .map(|request| request.answer.clone())
        .collect();
    let scripts = Arc::new(scripts);
    let handler = any(move |request: Request| {
        let index: usize = request.headers()["x-case"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        stage.respond(scripts[index].clone())
    });

    let (mut outer, mut inner) = (Router::new(), Router::new());
    let templates = case
        .requests
        .iter()
        .filter_map(|request| request.route.as_deref());
    // Each once.
    for template in templates
        .map(|template| (template, ()))
        .collect::<BTreeMap<_, _>>()
        .into_keys()
    {
        let nested = case
            .nest
            .as_ref()
            .and_then(|prefix| template.strip_prefix(&**prefix));
        match nested {
            Some("") => inner = inner.fallback(handler.clone()),
            Some(template) => inner = inner.route(template, handler.clone()),
            None => outer = outer.route(template, handler.clone()),
        }
    }
    let layer = layer(case, gateway);
    let layered = |app, layers| (0..layers).fold(app, |app: Router, _| app.layer(layer.clone()));
    let (nested, around) = case.layering();
    if let Some(prefix) = &case.nest {
        outer = outer.nest(prefix, layered(inner, nested));
    }
    layered(outer, around)
}

fn layer(case: &Case, gateway: &Gateway) -> MetricsLayer {
    let mut layer = MetricsLayer::new(gateway.metrics.clone());
    for (path, name) in &case.handlers {
        layer = layer.handler(path, name);
    }
    if let Some(name) = &case.fallback {
        layer = layer.fallback(name);
    }
    for path in &case.skip {
        layer = layer.skip(path);
    }
    match &case.implicit {
        Some(provider) => layer.implicit(provider),
        None => layer,
    }
}
