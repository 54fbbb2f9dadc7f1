//! The service.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use actix_web::{
    App, Error, HttpRequest, HttpResponse, HttpServer,
    body::{BoxBody, SizedStream},
    dev::{ServerHandle, ServiceResponse},
    guard,
    http::StatusCode,
    middleware::{Compress, Condition, ErrorHandlerResponse, ErrorHandlers},
    rt,
    web::{self, Bytes, Data, ServiceConfig},
};
use brightstaff_exporter::{Exporter, MetricsHandler};
use brightstaff_metrics_actix::{
    ErrorClass, Metrics, MetricsMiddleware, NoUpstream, prometheus::Registry, relay,
};

use crate::PATIENCE;

#[derive(Clone)]
pub(crate) struct Gateway {
    registry: Registry,
    metrics: Metrics,
    client: reqwest::Client,
    provider: SocketAddr,
    nobody: SocketAddr,
}

impl Gateway {
    pub(crate) fn new(provider: SocketAddr) -> Self {
        let registry = Registry::new();
        let metrics = Metrics::builder()
            .version("1.4.0")
            .git_sha("abc123")
            .upstreams([("openai", "gpt-4o")])
            .register(&registry)
            .unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            registry,
            metrics,
            client: reqwest::Client::new(),
            provider,
            nobody: nobody.local_addr().unwrap(),
        }
    }
}

pub(crate) fn serve(gateway: Gateway, static_files: String) -> (SocketAddr, ServerHandle) {
    let scrapes = Data::new(Exporter::new(gateway.registry.clone()).metrics_handler());
    let metrics = gateway.metrics.clone();
    let gateway = Data::new(gateway);
    let server = HttpServer::new(move || {
        let middleware = MetricsMiddleware::new(metrics.clone()).skip("/internal/metrics");
        let pages = ErrorHandlers::new().handler(StatusCode::NOT_FOUND, page);
        App::new()
            .app_data(gateway.clone())
            .app_data(scrapes.clone())
            .configure(routes)
            .service(actix_files::Files::new("/static", &static_files))
            .wrap(Condition::new(false, middleware.clone().fallback("off")))
            .wrap(Condition::new(true, middleware))
            .wrap(Compress::default())
            .wrap(pages)
    });
    let server = server.workers(4).disable_signals();
    let server = server.h1_allow_half_closed(false).tcp_nodelay(true);
    let server = server.bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    let running = server.run();
    let handle = running.handle();
    rt::spawn(running);
    (address, handle)
}

fn routes(app: &mut ServiceConfig) {
    let tenants = web::scope("/api")
        .guard(guard::Header("x-tenant", "red"))
        .route("/items/{id}", web::get().to(async || "a tenant's"));
    let guests = web::scope("/api").route("/items/{item}", web::get().to(async || "a guest's"));
    app.route("/v1/chat/completions", web::post().to(chat))
        .route("/internal/metrics", web::get().to(scrape))
        .route("/big", web::get().to(async || "x".repeat(5_000)))
        .route("/ws", web::get().to(web_socket))
        .service(tenants)
        .service(guests);
}

async fn chat(gateway: Data<Gateway>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let script = request.headers().get("x-script").unwrap();
    let (server, limit) = match script.as_bytes() {
        b"gone" => (gateway.nobody, PATIENCE),
        b"hung" => (gateway.provider, Duration::from_millis(50)),
        _ => (gateway.provider, PATIENCE),
    };
    let asked = gateway.client.post(format!("http://{server}/"));
    let asked = asked.header("x-script", script.as_bytes()).body(body);
    let mut call = gateway.metrics.upstream("openai", "gpt-4o").start();
    let status = match call.within(limit, asked.send()).await {
        Ok(Ok(answer)) => return relay(call.observe(answer.into())),
        Ok(Err(error)) => {
            call.fail(ErrorClass::of(&error));
            StatusCode::BAD_GATEWAY
        }
        Err(_timed_out) => StatusCode::GATEWAY_TIMEOUT,
    };
    let mut answer = HttpResponse::new(status);
    answer.extensions_mut().insert(NoUpstream);
    answer
}

async fn web_socket(request: HttpRequest, body: web::Payload) -> Result<HttpResponse, Error> {
    let (answer, session, _) = actix_ws::handle(&request, body)?;
    session.close(None).await.unwrap();
    Ok(answer)
}

async fn scrape(scrapes: Data<MetricsHandler>, request: HttpRequest) -> HttpResponse {
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
    let scraped = scrapes.respond(headers).await;
    let mut response = HttpResponse::build(StatusCode::from_u16(scraped.status()).unwrap());
    for header in scraped.headers() {
        response.append_header(header);
    }
    response.body(SizedStream::new(
        scraped.content_length(),
        scraped.into_body(),
    ))
}

fn page<B>(answer: ServiceResponse<B>) -> Result<ErrorHandlerResponse<B>, Error> {
    let (request, response) = answer.into_parts();
    let response = response.set_body(BoxBody::new("a page"));
    let answer = ServiceResponse::new(request, response.map_into_right_body());
    Ok(ErrorHandlerResponse::Response(answer))
}
