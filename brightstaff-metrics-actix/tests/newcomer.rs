//! A service as the docs tell to write it, with much of what actix has: every number of its exposition is what happened.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, mpsc},
    thread,
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
use expect_test::expect;
use tokio::time::timeout;

/// Long enough for any machine; never waited for where all is well.
const PATIENCE: Duration = Duration::from_secs(30);

#[actix_web::test]
async fn every_number_is_what_happened() {
    let (go, told) = mpsc::channel();
    let gateway = Gateway::new(provider(told));
    let static_files = tempfile::tempdir().unwrap();
    std::fs::write(static_files.path().join("a.txt"), "static").unwrap();
    let (address, handle) = serve(gateway, static_files.path().to_str().unwrap().to_owned());
    let client = Client::new(address);

    for (script, status) in [
        ("plain", 200),
        ("plain", 200),
        ("limited", 429),
        ("gone", 502),
        ("hung", 504),
    ] {
        assert_eq!(client.chat(script).await.status(), status, "{script}");
    }
    // Two streams: the provider goes on once the first chunk was read.
    for _ in 0..2 {
        let mut answer = client.chat("stream").await;
        assert!(answer.chunk().await.unwrap().is_some());
        go.send(()).unwrap();
        while answer.chunk().await.unwrap().is_some() {}
    }
    // One that breaks off, and one whose reader does.
    let mut broken = client.chat("broken").await;
    while let Ok(Some(_)) = broken.chunk().await {}
    let mut left = client.chat("left").await;
    assert!(left.chunk().await.unwrap().is_some());
    drop(left);

    for (path, tenant, status, body) in [
        ("/api/items/17", Some("red"), 200, "a tenant's"),
        ("/api/items/17", None, 200, "a guest's"),
        ("/api/items/18", Some("red"), 200, "a tenant's"),
        ("/api/items/18", None, 200, "a guest's"),
        ("/api/nothing", None, 404, "a page"),
        ("/static/a.txt", None, 200, "static"),
        ("/static/b.txt", None, 404, "a page"),
        ("/wp-admin/index.php", None, 404, "a page"),
    ] {
        assert_eq!(client.get(path, tenant).await, (status, body.to_owned()));
    }
    let big = client
        .0
        .get(client.url("/big"))
        .header("accept-encoding", "gzip");
    let big = big.send().await.unwrap();
    assert_eq!(big.headers()["content-encoding"], "gzip");
    assert!(big.bytes().await.unwrap().len() < 5_000);
    client.web_socket().await;

    let exposition = client.exposition_after_all().await;
    handle.stop(false).await;
    let numbers = numbers(&exposition);
    expect![[r#"
        build_info{git_sha="abc123",version="1.4.0"} 1
        http_request_duration_seconds_count{handler="/api/items/{id}"} 2
        http_request_duration_seconds_count{handler="/api/items/{item}"} 2
        http_request_duration_seconds_count{handler="/big"} 1
        http_request_duration_seconds_count{handler="/static"} 2
        http_request_duration_seconds_count{handler="/ws"} 1
        http_request_duration_seconds_count{handler="llm_chat"} 9
        http_request_duration_seconds_count{handler="not_found"} 2
        http_requests_cancelled_total{handler="llm_chat",phase="body"} 1
        http_requests_interrupted_total{handler="llm_chat",reason="error"} 1
        http_requests_total{handler="/api/items/{id}",method="GET",status_class="2xx"} 2
        http_requests_total{handler="/api/items/{item}",method="GET",status_class="2xx"} 2
        http_requests_total{handler="/big",method="GET",status_class="2xx"} 1
        http_requests_total{handler="/static",method="GET",status_class="2xx"} 1
        http_requests_total{handler="/static",method="GET",status_class="4xx"} 1
        http_requests_total{handler="/ws",method="GET",status_class="1xx"} 1
        http_requests_total{handler="llm_chat",method="POST",status_class="2xx"} 6
        http_requests_total{handler="llm_chat",method="POST",status_class="4xx"} 1
        http_requests_total{handler="llm_chat",method="POST",status_class="5xx"} 2
        http_requests_total{handler="not_found",method="GET",status_class="4xx"} 2
        http_time_to_headers_seconds_count{handler="/api/items/{id}"} 2
        http_time_to_headers_seconds_count{handler="/api/items/{item}"} 2
        http_time_to_headers_seconds_count{handler="/big"} 1
        http_time_to_headers_seconds_count{handler="/static"} 2
        http_time_to_headers_seconds_count{handler="/ws"} 1
        http_time_to_headers_seconds_count{handler="llm_chat"} 9
        http_time_to_headers_seconds_count{handler="not_found"} 2
        llm_request_tokens_count{kind="completion",model="gpt-4o",provider="openai"} 4
        llm_request_tokens_count{kind="prompt",model="gpt-4o",provider="openai"} 4
        llm_request_tokens_sum{kind="completion",model="gpt-4o",provider="openai"} 34
        llm_request_tokens_sum{kind="prompt",model="gpt-4o",provider="openai"} 58
        llm_time_per_output_token_seconds_count{model="gpt-4o",provider="openai"} 2
        llm_time_to_first_byte_seconds_count{model="gpt-4o",provider="openai"} 4
        llm_time_to_first_token_seconds_count{model="gpt-4o",provider="openai"} 4
        llm_tokens_total{kind="completion",model="gpt-4o",provider="openai"} 34
        llm_tokens_total{kind="prompt",model="gpt-4o",provider="openai"} 58
        llm_tokens_usage_missing_total{model="gpt-4o",provider="openai",reason="interrupted"} 2
        llm_upstream_duration_seconds_count{model="gpt-4o",outcome="error",provider="openai"} 5
        llm_upstream_duration_seconds_count{model="gpt-4o",outcome="ok",provider="openai"} 4
        llm_upstream_requests_total{error_class="cancelled",model="gpt-4o",provider="openai",status_class="2xx"} 1
        llm_upstream_requests_total{error_class="connect",model="gpt-4o",provider="openai",status_class="error"} 1
        llm_upstream_requests_total{error_class="none",model="gpt-4o",provider="openai",status_class="2xx"} 4
        llm_upstream_requests_total{error_class="rate_limit",model="gpt-4o",provider="openai",status_class="4xx"} 1
        llm_upstream_requests_total{error_class="stream",model="gpt-4o",provider="openai",status_class="2xx"} 1
        llm_upstream_requests_total{error_class="timeout",model="gpt-4o",provider="openai",status_class="error"} 1
    "#]]
    .assert_eq(&numbers);
}

/// All samples that are not 0, but those that depend on time, which are looked at by themselves.
fn numbers(exposition: &str) -> String {
    let mut numbers = Vec::new();
    let mut last_bucket = 0.0;
    for line in exposition.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let value: f64 = value.parse().unwrap();
        let name = series.split('{').next().unwrap();
        assert!(value.is_finite() && value >= 0.0, "{line}");
        if name.starts_with("process_") {
            continue;
        }
        if name.ends_with("_bucket") {
            assert!(value >= last_bucket, "{line}");
            last_bucket = value;
            continue;
        }
        if name.ends_with("_count") {
            assert_eq!(value, last_bucket, "{line}");
            last_bucket = 0.0;
        }
        if value > 0.0 && !name.ends_with("_seconds_sum") {
            let name = line.strip_prefix("brightstaff_").unwrap_or(line);
            numbers.push(format!("{name}\n"));
        }
    }
    numbers.sort();
    numbers.concat()
}

#[derive(Clone)]
struct Gateway {
    registry: Registry,
    metrics: Metrics,
    client: reqwest::Client,
    provider: SocketAddr,
    nobody: SocketAddr,
}

impl Gateway {
    fn new(provider: SocketAddr) -> Self {
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

fn serve(gateway: Gateway, static_files: String) -> (SocketAddr, ServerHandle) {
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

/// A provider that does what each request's script says; it goes on with a stream when it is told to.
fn provider(go_on: mpsc::Receiver<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let go_on = Arc::new(Mutex::new(go_on));
    thread::spawn(move || {
        for tcp in listener.incoming() {
            let go_on = Arc::clone(&go_on);
            thread::spawn(move || play(tcp.unwrap(), &go_on));
        }
    });
    address
}

fn play(mut tcp: std::net::TcpStream, go_on: &Mutex<mpsc::Receiver<()>>) {
    let mut request = vec![0; 4096];
    let read = tcp.read(&mut request).unwrap();
    let request = String::from_utf8_lossy(&request[..read]).into_owned();
    let plays = |script: &str| request.contains(&format!("x-script: {script}\r\n"));
    let close = "connection: close\r\n";
    let mut write = |text: String| tcp.write_all(text.as_bytes()).unwrap();
    if plays("plain") {
        let length = PLAIN.len();
        write(format!(
            "HTTP/1.1 200 OK\r\n{close}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{PLAIN}"
        ));
    } else if plays("limited") {
        write(format!(
            "HTTP/1.1 429 Too Many Requests\r\n{close}content-length: 0\r\n\r\n"
        ));
    } else if plays("hung") {
        let _ = tcp.read(&mut [0; 1]);
    } else {
        write(format!(
            "HTTP/1.1 200 OK\r\n{close}content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        ));
        write(format!("{:x}\r\n{FIRST}\r\n", FIRST.len()));
        if plays("stream") {
            go_on.lock().unwrap().recv().unwrap();
            write(format!("{:x}\r\n{REST}\r\n0\r\n\r\n", REST.len()));
        } else if plays("left") {
            let _ = tcp.read(&mut [0; 1]);
        }
    }
}

const PLAIN: &str = r#"{"object":"chat.completion","model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":12}}"#;
const FIRST: &str = "data: {\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"},\"finish_reason\":null}]}\n\n";
const REST: &str = "data: {\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\ndata: {\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":5}}\n\ndata: [DONE]\n\n";

/// Has a connection of its own for each request, so that all workers have some.
struct Client(reqwest::Client, SocketAddr);

impl Client {
    fn new(gateway: SocketAddr) -> Self {
        let client = reqwest::Client::builder().pool_max_idle_per_host(0);
        Self(client.build().unwrap(), gateway)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.1)
    }

    async fn chat(&self, script: &str) -> reqwest::Response {
        let request = self.0.post(self.url("/v1/chat/completions"));
        let request = request.header("x-script", script.to_owned()).body("{}");
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str, tenant: Option<&str>) -> (u16, String) {
        let mut request = self.0.get(self.url(path));
        if let Some(tenant) = tenant {
            request = request.header("x-tenant", tenant);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn web_socket(&self) {
        let request = self.0.get(self.url("/ws"));
        let request = request
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 101);
    }

    /// The metrics, once the gateway has noticed that its reader left.
    async fn exposition_after_all(&self) -> String {
        let gone = "http_requests_cancelled_total{handler=\"llm_chat\",phase=\"body\"} 1\n";
        let none = "http_in_flight_requests{handler=\"llm_chat\"} 0\n";
        let all = async {
            loop {
                let (status, text) = self.get("/internal/metrics", None).await;
                assert_eq!(status, 200);
                if text.contains(gone) && text.contains(none) {
                    return text;
                }
                rt::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, all).await.expect("it is noticed")
    }
}
