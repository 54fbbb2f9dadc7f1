//! What the tests stand on: the binary, upstreams that do as they are told, and scrapes.

mod by_hand;
mod gateway;
mod http2;
mod literal;
mod raw;
mod scrape;
mod sockets;
mod upstream;

use std::{sync::Once, time::Duration};

pub(crate) use self::{
    by_hand::{ByHand, CHAT, Connection},
    gateway::{Gateway, Serve, refused},
    http2::Http2,
    literal::{Literal, literal},
    raw::{Raw, chat, post},
    scrape::Scrape,
    sockets::{Client, SOCKETS_IN_FLIGHT, SocketUpstream, echo, open, request},
    upstream::{Exchange, Upstream, stream},
};

/// How long a test waits for what must happen, on a machine that has other work.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A client that follows nothing, and goes through no proxy.
pub(crate) fn client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let provider = rustls::crypto::ring::default_provider();
        provider.install_default().unwrap();
    });
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// Waits for a condition, or gives up with what was seen last.
pub(crate) async fn eventually<F, Fut>(what: &str, mut condition: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
