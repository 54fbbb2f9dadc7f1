//! The cases of the contract on actix-web, over a real socket.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "../../brightstaff-metrics-core/tests/support/case.rs"]
mod case;
#[path = "../../brightstaff-metrics-axum/tests/support/client.rs"]
mod client;
#[path = "../../brightstaff-metrics-core/tests/support/gateway.rs"]
mod gateway;
#[path = "../../brightstaff-metrics-core/tests/support/received.rs"]
mod received;
#[path = "../../brightstaff-metrics-core/tests/support/script.rs"]
mod script;

use std::{
    collections::{BTreeSet, VecDeque},
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, Error, HttpRequest, HttpServer,
    body::MessageBody,
    dev::{ServerHandle, ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::Condition,
    web::{self, ServiceConfig},
};
use brightstaff_metrics_actix::{MetricsMiddleware, relay};
use case::{Case, Step};
use client::Clients;
use gateway::{Gateway, play_all};
use script::Stage;
use tokio::{
    sync::mpsc::{self, UnboundedSender},
    time::timeout,
};

/// Long enough for any machine; never waited for where all is well.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn actix_keeps_the_contract() {
    let cases =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../brightstaff-metrics-core/tests/cases");
    play_all(&cases, "actix", true, |case, gateways| {
        actix_web::rt::System::new().block_on(async {
            timeout(PATIENCE, play(case, gateways))
                .await
                .expect("a case comes to its end");
        });
    });
}

async fn play(case: &Case, gateways: &[Gateway]) {
    let (hang_up, asked) = mpsc::unbounded_channel();
    let servers = gateways
        .iter()
        .map(|gateway| serve(case, gateway, &hang_up));
    let (servers, handles): (_, Vec<_>) = servers.unzip();
    let clients = Clients {
        case,
        gateways,
        servers,
        hang_up: asked,
    };
    clients.play().await;
    for handle in handles {
        handle.stop(false).await;
    }
}

fn serve(
    case: &Case,
    gateway: &Gateway,
    hang_up: &UnboundedSender<()>,
) -> (SocketAddr, ServerHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let hang_up = hang_up.clone();
    let stage = Stage {
        gateway: gateway.clone(),
        hang_up: Arc::new(move || hang_up.send(()).unwrap()),
    };
    let case = case.clone();
    let server = HttpServer::new(move || app(&case, &stage))
        .workers(1)
        .disable_signals()
        .h1_allow_half_closed(false)
        .tcp_nodelay(true)
        .listen_auto_h2c(listener)
        .unwrap()
        .run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (address, handle)
}

/// The gateway of a case.
fn app(
    case: &Case,
    stage: &Stage,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let middleware = middleware(case, &stage.gateway);
    let (nested, around) = case.layering();
    let layer = |n| Condition::new(n <= around, middleware.clone());
    let nested = Condition::new(nested > 0, middleware.clone());
    App::new()
        .configure(|app| routes(app, case, stage, nested))
        .wrap(layer(1))
        .wrap(layer(2))
        .wrap(layer(3))
}

fn routes(
    app: &mut ServiceConfig,
    case: &Case,
    stage: &Stage,
    nested: Condition<MetricsMiddleware>,
) {
    let scripts = case.requests.iter().map(|request| request.answer.clone());
    let scripts: Arc<[VecDeque<Step>]> = scripts.collect();
    let handler = || {
        let (stage, scripts) = (stage.clone(), Arc::clone(&scripts));
        web::to(move |request: HttpRequest| {
            let index = request.headers().get("x-case").unwrap().to_str().unwrap();
            let steps = scripts[index.parse::<usize>().unwrap()].clone();
            let answer = stage.clone().respond(steps);
            async { relay(answer.await) }
        })
    };
    let templates: BTreeSet<_> = case
        .requests
        .iter()
        .filter_map(|request| request.route.as_deref())
        .collect();
    let prefix = case.nest.as_deref();
    let mut scope = web::scope(prefix.unwrap_or_default());
    for template in templates {
        match prefix.and_then(|prefix| template.strip_prefix(prefix)) {
            Some("") => scope = scope.default_service(handler()),
            Some(template) => scope = scope.route(template, handler()),
            None => drop(app.route(template, handler())),
        }
    }
    if prefix.is_some() {
        app.service(scope.wrap(nested));
    }
}

fn middleware(case: &Case, gateway: &Gateway) -> MetricsMiddleware {
    let mut middleware = MetricsMiddleware::new(gateway.metrics.clone());
    for (path, name) in &case.handlers {
        middleware = middleware.handler(path, name);
    }
    if let Some(name) = &case.fallback {
        middleware = middleware.fallback(name);
    }
    for path in &case.skip {
        middleware = middleware.skip(path);
    }
    match &case.implicit {
        Some(provider) => middleware.implicit(provider),
        None => middleware,
    }
}
