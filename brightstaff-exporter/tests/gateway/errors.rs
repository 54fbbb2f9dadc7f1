//! Answers that the gateway makes itself.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Gateway, Serve, Upstream};

#[track_caller]
fn is_error(answer: &(u16, Value), status: u16, code: &str) {
    let error = &answer.1["error"];
    assert_eq!(answer.0, status, "{error}");
    assert_eq!(error["code"], code);
    assert!(
        error["message"].is_string() && error["type"].is_string(),
        "{error}"
    );
    assert!(error.as_object().unwrap().contains_key("param"));
}

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong() {
    let upstream = Upstream::chat().await;
    let config = format!(
        "max_request_bytes = 1000\n[providers.p]\nurl = '{0}'\n[providers.q]\nurl = '{0}'",
        upstream.url
    );
    let gateway = Serve::config(&config).start().await;
    let post = |body: &str| gateway.ask(gateway.post("/v1/chat/completions", body.to_owned()));
    is_error(&post("").await, 400, "invalid_json");
    is_error(&post("[1]").await, 400, "invalid_json");
    is_error(&post("{\"model\":").await, 400, "invalid_json");
    is_error(&post("{\"model\":1}").await, 400, "invalid_type");
    is_error(&post("{}").await, 400, "missing_model");
    is_error(&post("{\"model\":null}").await, 400, "missing_model");
    is_error(&post("{\"model\":\"p/\"}").await, 400, "model_not_found");
    is_error(&post("{\"model\":\"r/m\"}").await, 400, "model_not_found");
    assert_eq!(post("{\"model\":\"m\"}").await.1["error"]["param"], "model");

    let long = format!("{{\"model\":\"p/m\",\"text\":\"{}\"}}", "x".repeat(1000));
    is_error(&post(&long).await, 413, "request_too_large");
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>(long)]);
    let unsized_body = reqwest::Body::wrap_stream(chunks);
    let request = gateway.post("/v1/chat/completions", unsized_body);
    is_error(&gateway.ask(request).await, 413, "request_too_large");
    let request = gateway
        .chat_request("p/m")
        .header("content-encoding", "compress");
    is_error(&gateway.ask(request).await, 415, "unsupported_encoding");

    for (path, status, code) in [
        ("/v1/files", 400, "unknown_provider"),
        ("/files", 400, "unknown_provider"),
        ("/what", 404, "unknown_url"),
        ("/p/v1/models/..%2ffiles", 400, "invalid_path"),
    ] {
        is_error(&gateway.ask(gateway.post(path, "{}")).await, status, code);
    }
    let answer = gateway.get("/v1/completions").await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["allow"]),
        (405, &"POST".parse().unwrap())
    );
    // What was sent as an agent has no agent to go to.
    let request = gateway.post("/agents/v1/chat/completions", "{\"model\":\"p/m\"}");
    is_error(&gateway.ask(request).await, 400, "model_not_found");

    assert_eq!(upstream.seen().len(), 0);
    let scrape = gateway.scrape().await;
    assert_eq!(scrape.sum("llm_upstream_requests_total"), 0.0);
    assert_eq!(
        scrape.sum(r#"http_requests_total{handler="llm_chat",method="POST",status_class="4xx"}"#),
        12.0
    );
    assert_eq!(scrape.sum("http_in_flight_requests"), 0.0);
}

#[tokio::test]
async fn what_a_path_does_not_take_is_counted_under_its_handler() {
    let upstream = Upstream::chat().await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    for (method, path, status, allow) in [
        ("GET", "/v1/embeddings", 405, Some("POST")),
        ("OPTIONS", "/v1/chat/completions", 405, Some("POST")),
        ("POST", "/agents/v1/models", 405, Some("GET,HEAD")),
        ("HEAD", "/agents/v1/models", 200, None),
        ("HEAD", "/file", 404, None),
    ] {
        let url = format!("{}{path}", gateway.url);
        let request = gateway.client.request(method.parse().unwrap(), url);
        let answer = request.send().await.unwrap();
        let allowed = answer.headers().get("allow");
        let allowed = allowed.map(|allow| allow.to_str().unwrap());
        assert_eq!(
            (answer.status().as_u16(), allowed),
            (status, allow),
            "{method} {path}"
        );
    }
    let http2 = reqwest::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .build()
        .unwrap();
    let models = http2.head(format!("{}/routing/v1/models", gateway.url));
    let models = models.send().await.unwrap();
    assert_eq!(models.status(), 404);
    assert_ne!(models.headers()["content-length"], "0");
    assert_eq!(models.bytes().await.unwrap(), "");
    let scrape = gateway.scrape().await;
    for (handler, method, status) in [
        ("embeddings", "GET", "4xx"),
        ("llm_chat", "OPTIONS", "4xx"),
        ("list_models", "POST", "4xx"),
        ("list_models", "HEAD", "2xx"),
    ] {
        let series = format!(
            r#"http_requests_total{{handler="{handler}",method="{method}",status_class="{status}"}}"#
        );
        assert_eq!(scrape.sum(&series), 1.0, "{series}");
    }
    let unknown = r#"http_requests_total{handler="not_found",method="HEAD",status_class="4xx"}"#;
    assert_eq!(scrape.sum(unknown), 2.0);
    assert_eq!(scrape.sum("http_requests_cancelled_total"), 0.0);
}

/// Some servers take `Model` for `model`, and the last one counts.
#[tokio::test]
async fn a_field_in_other_letters_is_no_second_one() {
    let upstream = Upstream::chat().await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    for (body, param) in [
        (r#"{"model":"a","Model":"b"}"#, "model"),
        (r#"{"MODEL":"b","model":"a"}"#, "model"),
        (r#"{"model":"a","m\u004fdel":"b"}"#, "model"),
        (r#"{"model":"a","stream":false,"Stream":true}"#, "stream"),
        ("{\"model\":\"a\",\"\u{17f}tream\":true}", "stream"),
        (r#"{"model":"a","Stream_Options":{}}"#, "stream_options"),
        (
            "{\"model\":\"a\",\"\u{17f}tream_option\u{17f}\":{}}",
            "stream_options",
        ),
    ] {
        let answer = gateway
            .ask(gateway.post("/v1/chat/completions", body))
            .await;
        is_error(&answer, 400, "ambiguous_field");
        assert_eq!(answer.1["error"]["param"], param, "{body}");
    }
    for body in [
        r#"{"model":"a","model":"b"}"#,
        r#"{"model":"a","mod\u0065l":"b"}"#,
    ] {
        let answer = gateway
            .ask(gateway.post("/v1/chat/completions", body))
            .await;
        is_error(&answer, 400, "invalid_json");
    }
    assert_eq!(upstream.seen().len(), 0);
    let other = r#"{"model":"a","messages":[{"Model":"b"}],"models":[],"Streams":1}"#;
    assert_eq!(
        gateway.ask(gateway.post("/v1/messages", other)).await.0,
        200
    );
    assert_eq!(upstream.only().body, other);
}

#[tokio::test]
async fn an_unknown_model_is_told_what_leads_somewhere() {
    let told = async |gateway: &Gateway, path: &str| {
        let answer = gateway
            .ask(gateway.post(path, r#"{"model":"gpt-4o"}"#))
            .await;
        is_error(&answer, 400, "model_not_found");
        answer.1["error"]["message"].as_str().unwrap().to_owned()
    };
    let nobody = "http://127.0.0.1:1";
    let upstreams = [("openai", nobody), ("another", nobody)];
    let gateway = Serve::upstreams(&upstreams).start().await;
    let write = "the model `gpt-4o` is not known here: write another/gpt-4o or openai/gpt-4o";
    assert_eq!(told(&gateway, "/v1/chat/completions").await, write);
    assert_eq!(
        told(&gateway, "/agents/v1/chat/completions").await,
        "the agent `gpt-4o` is not known here: no agent is configured"
    );

    let config = format!(
        "[providers.openai]\nurl = '{nobody}'\n[providers.another]\nurl = '{nobody}'
         [routes.fast]\ncandidates = ['openai/gpt-4o-mini']"
    );
    let gateway = Serve::config(&config).start().await;
    assert_eq!(
        told(&gateway, "/v1/chat/completions").await,
        format!("{write}, or one of the models that GET /v1/models lists")
    );
}

/// Clients read the response only once they have sent everything.
#[tokio::test]
async fn what_is_far_too_long_is_told_so_as_well() {
    let gateway = Serve::upstreams(&[("p", "http://127.0.0.1:1")])
        .start()
        .await;
    let long = format!("{{\"model\":\"m\",\"text\":\"{}\"}}", "x".repeat(48 << 20));
    let request = gateway.post("/v1/chat/completions", long);
    is_error(&gateway.ask(request).await, 413, "request_too_large");
}

#[tokio::test]
async fn a_connection_that_takes_too_long_is_504() {
    // It accepts, but never shakes hands.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = format!(
        "connect_timeout = '100ms'\n[providers.p]\nurl = 'https://localhost:{}'",
        listener.local_addr().unwrap().port()
    );
    let gateway = Serve::config(&config).start().await;
    is_error(&gateway.chat("m").await, 504, "upstream_timeout");
    let timeouts = r#"llm_upstream_requests_total{error_class="timeout"}"#;
    gateway.expect(timeouts, 1.0).await;
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_502() {
    let gateway = Serve::upstreams(&[("openai", &Upstream::nobody().await)])
        .start()
        .await;
    is_error(&gateway.chat("m").await, 502, "upstream_unreachable");
    let answer = gateway.get("/v1/models").await;
    assert_eq!(answer.status(), 502);
    // The pair is not declared and never answered, so it has no series of its own.
    gateway
        .expect(
            r#"llm_upstream_requests_total{error_class="connect",status_class="error"}"#,
            1.0,
        )
        .await;
    assert_eq!(gateway.scrape().await.naming("\"m\""), Vec::<&str>::new());
    let line = gateway.logged("no response").await;
    assert!(
        line.contains("openai") && line.contains("refused"),
        "{line}"
    );
}

#[tokio::test]
async fn an_upstream_that_is_silent_is_504() {
    let upstream = Upstream::silent().await;
    let config = format!(
        "response_header_timeout = '100ms'\n[providers.p]\nurl = '{}'\nmodels = ['m']",
        upstream.url
    );
    let gateway = Serve::config(&config).start().await;
    is_error(&gateway.chat("m").await, 504, "upstream_timeout");
    gateway
        .expect(
            r#"llm_upstream_requests_total{error_class="timeout",model="m",provider="p"}"#,
            1.0,
        )
        .await;
}

#[tokio::test]
async fn the_header_timeout_spares_the_body() {
    let upstream = Upstream::start(async |_| {
        let (chunks, response) = crate::support::stream();
        tokio::spawn(async move {
            chunks.send("data: {}\n\n".into()).unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
            chunks.send("data: [DONE]\n\n".into()).unwrap();
        });
        response
    })
    .await;
    let config = format!(
        "response_header_timeout = '1s'\n[providers.p]\nurl = '{}'",
        upstream.url
    );
    let gateway = Serve::config(&config).start().await;
    let answer = gateway.chat_request("m").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "data: {}\n\ndata: [DONE]\n\n");
}

#[tokio::test]
async fn an_upstream_that_speaks_no_http_is_502() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9\r\n\r\n").await;
        }
    });
    let gateway = Serve::upstreams(&[("openai", &url)]).start().await;
    is_error(&gateway.chat("m").await, 502, "upstream_failed");
    gateway
        .expect(r#"llm_upstream_requests_total{error_class="parse"}"#, 1.0)
        .await;
}
