//! Upstreams that only a proxy reaches.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use crate::{
    support::{ByHand, CHAT, Connection, Serve},
    tls::self_signed,
};

/// `user:secret`.
const AUTHORIZATION: &str = "proxy-authorization: basic dxnlcjpzzwnyzxq=";

fn through(proxy: &str, config: &str) -> Serve {
    let proxy = proxy.replace("http://", "http://user:secret@");
    let serve = Serve::config(config);
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"]
        .iter()
        .fold(serve, |serve, name| serve.env(name, &proxy))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
}

#[tokio::test]
async fn a_plain_upstream_is_asked_for_through_the_proxy() {
    let proxy = ByHand::start(async |mut connection: Connection| {
        while let Some(request) = connection.request().await {
            let head = "POST http://upstream.test/base/chat/completions HTTP/1.1\r\n";
            assert!(request.starts_with(head), "{request}");
            let request = request.to_ascii_lowercase();
            assert!(request.contains(AUTHORIZATION), "{request}");
            connection.write(CHAT).await.unwrap();
        }
    })
    .await;
    let config = "[providers.p]\nurl = 'http://upstream.test/base'";
    let gateway = through(&proxy.url, config).start().await;
    for _ in 0..2 {
        assert_eq!(gateway.chat("m").await.0, 200);
    }
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn a_secured_upstream_is_reached_through_a_tunnel() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    for (protocol, version) in [(&b"http/1.1"[..], "HTTP/1.1"), (b"h2", "HTTP/2.0")] {
        let (url, pem) = self_signed(protocol).await;
        let roots = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(roots.path(), pem).unwrap();
        let config = "[providers.p]\nurl = 'https://upstream.test:8443'";
        let gateway = through(&proxy, config)
            .env("SSL_CERT_FILE", roots.path().to_str().unwrap())
            .start()
            .await;
        let tunnel = async {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
            assert!(head.starts_with("connect upstream.test:8443 http/1.1\r\n"));
            assert!(head.contains(AUTHORIZATION), "{head}");
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let port = url.rsplit_once(':').unwrap().1.parse().unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let _ = copy_bidirectional(&mut client, &mut server).await;
        };
        tokio::select! {
            answer = gateway.chat("m") => assert_eq!(answer, (200, version.into())),
            () = tunnel => panic!("the tunnel ended first"),
        }
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_an_upstream_out_of_reach() {
    let proxy = ByHand::once("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let config = "[providers.p]\nurl = 'https://upstream.test'";
    let gateway = through(&proxy.url, config).start().await;
    let (status, json) = gateway.chat("m").await;
    let code = &json["error"]["code"];
    assert_eq!((status, code), (502, &"upstream_unreachable".into()));
    let line = gateway.logged("no response").await;
    assert!(line.contains("proxy authorization required"), "{line}");
    let log = gateway.log();
    assert!(!log.contains("secret") && !log.contains("dXNlcjpzZWNyZXQ="));
}

/// What listens on this machine needs none.
#[tokio::test]
async fn this_machine_is_reached_without_a_proxy() {
    let upstream = ByHand::once(CHAT).await;
    let proxy = ByHand::once("").await;
    let config = format!("[providers.p]\nurl = '{}'", upstream.url);
    let gateway = through(&proxy.url, &config).start().await;
    assert_eq!(gateway.chat("m").await.0, 200);
    assert_eq!(proxy.connections(), 0);
}
