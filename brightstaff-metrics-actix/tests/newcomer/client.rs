//! Who asks the service.

use std::{net::SocketAddr, time::Duration};

use actix_web::rt;
use tokio::time::timeout;

use crate::PATIENCE;

/// Has a connection of its own for each request, so that all workers have some.
pub(crate) struct Client(pub(crate) reqwest::Client, SocketAddr);

impl Client {
    pub(crate) fn new(gateway: SocketAddr) -> Self {
        let client = reqwest::Client::builder().pool_max_idle_per_host(0);
        Self(client.build().unwrap(), gateway)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.1)
    }

    pub(crate) async fn chat(&self, script: &str) -> reqwest::Response {
        let request = self.0.post(self.url("/v1/chat/completions"));
        let request = request.header("x-script", script.to_owned()).body("{}");
        request.send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str, tenant: Option<&str>) -> (u16, String) {
        let mut request = self.0.get(self.url(path));
        if let Some(tenant) = tenant {
            request = request.header("x-tenant", tenant);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) async fn web_socket(&self) {
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
    pub(crate) async fn exposition_after_all(&self) -> String {
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
