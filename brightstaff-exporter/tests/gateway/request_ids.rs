//! `x-request-id`, on its way through.

use axum::response::Response;

use crate::support::{ByHand, Connection, Serve, Upstream};

#[tokio::test]
async fn a_request_has_one_id_everywhere() {
    let upstream = Upstream::chat().await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    for given in [Some("mine-1"), None, Some("not one"), Some("")] {
        let mut request = gateway.chat_request("m");
        if let Some(id) = given {
            request = request.header("x-request-id", id);
        }
        let answer = request.send().await.unwrap();
        let told = answer.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        let sent = upstream.seen().pop().unwrap();
        assert_eq!(sent.header("x-request-id"), Some(told.as_str()));
        match given {
            Some("mine-1") => assert_eq!(told, "mine-1"),
            _ => assert_eq!(told.len(), 36),
        }
    }
    // Lists that the only provider answers are no calls, and requests all the same.
    let models = gateway.get("/v1/models").await;
    let sent = upstream.seen().pop().unwrap();
    let told = models.headers()["x-request-id"].to_str().unwrap();
    assert_eq!(sent.header("x-request-id"), Some(told));
}

#[tokio::test]
async fn an_upstream_s_id_goes_first() {
    let upstream = Upstream::start(|_| async {
        let answer = Response::builder().header("x-request-id", "theirs");
        answer.body("{}".into()).unwrap()
    })
    .await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    let request = gateway.chat_request("m").header("x-request-id", "ours");
    let answer = request.send().await.unwrap();
    let all: Vec<_> = answer.headers().get_all("x-request-id").iter().collect();
    assert_eq!(all, ["theirs"]);
    assert_eq!(upstream.only().header("x-request-id"), Some("ours"));
}

#[tokio::test]
async fn refusals_and_log_lines_have_it() {
    let broken = ByHand::start(|mut connection: Connection| async move {
        connection.request().await;
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
        let _ = connection.write(head).await;
    })
    .await;
    let nobody = Upstream::nobody().await;
    let serve = Serve::upstreams(&[("broken", &broken.url), ("nobody", &nobody)]);
    let gateway = serve.start().await;
    let request = gateway.chat_request("nobody/m");
    let answer = request
        .header("x-request-id", "id-502")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.headers()["x-request-id"], "id-502");
    let line = gateway.logged("no response").await;
    assert!(line.contains("id-502"), "{line}");
    let request = gateway.chat_request("broken/m");
    let answer = request
        .header("x-request-id", "id-cut")
        .send()
        .await
        .unwrap();
    assert!(answer.bytes().await.is_err());
    let line = gateway.logged("the response broke off").await;
    assert!(line.contains("id-cut"), "{line}");
}
