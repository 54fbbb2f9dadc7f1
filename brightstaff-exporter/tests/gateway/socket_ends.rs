//! How web sockets end, and that nothing is left of them.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use socket2::SockRef;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    drain::closed,
    support::{
        ByHand, Client, Connection, Gateway, PATIENCE, Raw, SOCKETS_IN_FLIGHT, Serve,
        SocketUpstream, echo, eventually, open, request,
    },
};

const CANCELLED: &str = r#"http_requests_cancelled_total{handler="realtime",phase="body"}"#;
const INTERRUPTED: &str = r#"http_requests_interrupted_total{handler="realtime",reason="error"}"#;

async fn opened(gateway: &Gateway) -> Client {
    let (mut client, _) = open(gateway, request("/v1/realtime")).await.unwrap();
    echo(&mut client, Message::text("hello")).await;
    client
}

/// Waits until so many requests ended, and of those so many so.
async fn ended(gateway: &Gateway, count: f64, cancelled: f64, interrupted: f64) {
    let measured = r#"http_request_duration_seconds_count{handler="realtime"}"#;
    gateway.expect(measured, count).await;
    gateway.expect(SOCKETS_IN_FLIGHT, 0.0).await;
    let scrape = gateway.scrape().await;
    let ends = (scrape.sum(CANCELLED), scrape.sum(INTERRUPTED));
    assert_eq!(ends, (cancelled, interrupted));
}

/// Makes the end of a connection a reset.
fn reset(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
}

/// Reads until nothing comes any more.
async fn over(client: &mut Client) {
    let over = async { while let Some(Ok(_)) = client.next().await {} };
    timeout(PATIENCE, over).await.expect("it does not end");
}

#[tokio::test]
async fn a_provider_that_closes_ends_it() {
    let upstream = SocketUpstream::start(async |mut socket: Client| {
        let message = socket.next().await.unwrap().unwrap();
        socket.send(message).await.unwrap();
        socket.close(None).await.unwrap();
        over(&mut socket).await;
    })
    .await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    let mut client = opened(&gateway).await;
    let message = client.next().await.unwrap().unwrap();
    assert!(message.is_close());
    over(&mut client).await;
    drop(client);
    ended(&gateway, 1.0, 0.0, 0.0).await;
}

#[tokio::test]
async fn a_provider_that_breaks_interrupts_it() {
    let upstream = SocketUpstream::start(async |mut socket: Client| {
        let message = socket.next().await.unwrap().unwrap();
        socket.send(message).await.unwrap();
        reset(socket.get_ref());
    })
    .await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    let mut client = opened(&gateway).await;
    over(&mut client).await;
    ended(&gateway, 1.0, 0.0, 1.0).await;
    let line = gateway.logged("a web socket broke off").await;
    assert!(line.contains("upstream=openai"), "{line}");
}

/// A reset tells that it is gone; where it closes in order, both sides did.
#[tokio::test]
async fn a_client_that_is_gone_cancels_it() {
    let (left, mut has_left) = mpsc::unbounded_channel();
    let upstream = SocketUpstream::start(move |mut socket: Client| {
        let left = left.clone();
        async move {
            let message = socket.next().await.unwrap().unwrap();
            socket.send(message).await.unwrap();
            over(&mut socket).await;
            left.send(()).unwrap();
        }
    })
    .await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    let client = opened(&gateway).await;
    reset(client.get_ref());
    drop(client);
    timeout(PATIENCE, has_left.recv()).await.unwrap().unwrap();
    ended(&gateway, 1.0, 1.0, 0.0).await;

    drop(opened(&gateway).await);
    timeout(PATIENCE, has_left.recv()).await.unwrap().unwrap();
    ended(&gateway, 2.0, 1.0, 0.0).await;
}

#[tokio::test]
async fn one_side_may_close_before_the_other() {
    let upstream = SocketUpstream::start(async |mut socket: Client| {
        let message = socket.next().await.unwrap().unwrap();
        socket.send(message).await.unwrap();
        // Sees that nothing comes any more, and has some more to say.
        assert!(!matches!(socket.next().await, Some(Ok(_))));
        let stream = socket.get_mut();
        stream.write_all(b"the rest").await.unwrap();
        stream.shutdown().await.unwrap();
    })
    .await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    let mut stream = opened(&gateway).await.into_inner();
    stream.shutdown().await.unwrap();
    assert_eq!(Raw(stream).rest().await, "the rest");
    ended(&gateway, 1.0, 0.0, 0.0).await;
}

#[tokio::test]
async fn no_limit_of_requests_ends_it_and_its_own_does() {
    let upstream = SocketUpstream::echo().await;
    let limits = "head_timeout = '200ms'\nidle_timeout = '200ms'\nwrite_stall_timeout = '200ms'\n\
                  stream_idle_timeout = '200ms'\nresponse_header_timeout = '10s'\n";
    let provider = format!("[providers.p]\nurl = '{}'", upstream.url);
    let config = format!("{limits}{provider}");
    let gateway = Serve::config(&config).start().await;
    let mut client = opened(&gateway).await;
    sleep(Duration::from_secs(1)).await;
    echo(&mut client, Message::text("still here")).await;
    gateway.expect(SOCKETS_IN_FLIGHT, 1.0).await;

    let config = format!("websocket_idle_timeout = '300ms'\n{provider}");
    let gateway = Serve::config(&config).start().await;
    let mut client = opened(&gateway).await;
    over(&mut client).await;
    ended(&gateway, 1.0, 0.0, 1.0).await;
    gateway.logged("nothing passed for 300ms").await;
}

#[tokio::test]
async fn open_sockets_go_on_for_the_drain() {
    let upstream = SocketUpstream::echo().await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = serve.arg("--drain").arg("1h").start().await;
    let mut client = opened(&gateway).await;
    gateway.signal("TERM");
    closed(&gateway).await;
    echo(&mut client, Message::text("still here")).await;
    assert_eq!(gateway.scrape().await.sum(SOCKETS_IN_FLIGHT), 1.0);
    client.close(None).await.unwrap();
    over(&mut client).await;
    drop(client);
    assert_eq!(gateway.ended().await, 0);
}

#[tokio::test]
async fn the_drain_cuts_those_that_are_left() {
    let upstream = SocketUpstream::echo().await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = serve.arg("--drain").arg("300ms").start().await;
    let mut client = opened(&gateway).await;
    gateway.signal("TERM");
    over(&mut client).await;
    gateway.logged("cut off what was left").await;
    assert_eq!(gateway.ended().await, 0);
}

/// A place among the connections is taken for as long as a socket is open.
#[tokio::test]
async fn open_sockets_are_connections() {
    let upstream = SocketUpstream::echo().await;
    let config = format!(
        "max_connections = 1\n[providers.p]\nurl = '{}'",
        upstream.url
    );
    let gateway = Serve::config(&config).start().await;
    let client = opened(&gateway).await;
    let mut waiting = Raw::sent(
        &gateway,
        "GET /v1/realtime HTTP/1.1\r\nhost: localhost\r\n\r\n",
    )
    .await;
    let mut byte = [0];
    let answered = timeout(Duration::from_millis(300), waiting.0.peek(&mut byte)).await;
    assert!(answered.is_err(), "it has to wait");
    drop(client);
    let head = waiting.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 426 "), "{head}");
}

/// Whichever side vanishes, however.
#[tokio::test]
async fn nothing_is_left_open() {
    let upstream = SocketUpstream::start(async |mut socket: Client| {
        while let Some(Ok(message)) = socket.next().await {
            match message {
                Message::Text(text) if text == "break" => return reset(socket.get_ref()),
                Message::Text(text) if text == "leave" => return,
                message if message.is_close() => {}
                message => socket.send(message).await.unwrap(),
            }
        }
    })
    .await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    drop(opened(&gateway).await);
    gateway.expect(SOCKETS_IN_FLIGHT, 0.0).await;
    let files = async || gateway.scrape().await.sum("process_open_fds");
    let before = files().await;
    for n in 0..100 {
        let mut client = opened(&gateway).await;
        match n % 5 {
            0 => client.send(Message::text("break")).await.unwrap(),
            1 => client.send(Message::text("leave")).await.unwrap(),
            2 => reset(client.get_ref()),
            3 => client.get_mut().shutdown().await.unwrap(),
            _ => client.close(None).await.unwrap(),
        }
    }
    let measured = r#"http_request_duration_seconds_count{handler="realtime"}"#;
    gateway.expect(measured, 101.0).await;
    gateway.expect(SOCKETS_IN_FLIGHT, 0.0).await;
    eventually("all is closed", async || files().await <= before).await;
    assert_eq!(gateway.scrape().await.sum(CANCELLED), 20.0);
}

/// What a client asks for a web socket with, by hand, and what it sends ahead.
const ASKED: &str = "GET /v1/realtime HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n\
     upgrade: websocket\r\nsec-websocket-version: 13\r\n\
     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nahead";

const SWITCHED: &str =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nat once";

/// A provider that takes a request, and opens its web socket when it is told to.
async fn slow() -> (
    ByHand,
    mpsc::UnboundedReceiver<oneshot::Sender<()>>,
    mpsc::UnboundedReceiver<()>,
) {
    let (asked, is_asked) = mpsc::unbounded_channel();
    let (closed, is_closed) = mpsc::unbounded_channel();
    let upstream = ByHand::start(move |mut connection: Connection| {
        let (asked, closed) = (asked.clone(), closed.clone());
        async move {
            connection.request().await.unwrap();
            let (open, opened) = oneshot::channel();
            asked.send(open).unwrap();
            tokio::select! {
                Ok(()) = opened => {
                    connection.write(SWITCHED).await.unwrap();
                    assert_eq!(connection.bytes(5).await, b"ahead");
                    connection.write("the rest").await.unwrap();
                }
                () = connection.closed() => {}
            }
            closed.send(()).unwrap();
        }
    })
    .await;
    (upstream, is_asked, is_closed)
}

/// What was sent before the 101, by either side, passes behind it.
#[tokio::test]
async fn one_that_opens_during_the_drain_goes_on() {
    let (upstream, mut is_asked, _is_closed) = slow().await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = serve.arg("--drain").arg("1h").start().await;
    let mut raw = Raw::sent(&gateway, ASKED).await;
    let open = is_asked.recv().await.unwrap();
    gateway.signal("TERM");
    closed(&gateway).await;
    open.send(()).unwrap();
    let head = raw.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(
        head.contains("\r\nconnection: upgrade\r\nupgrade: websocket\r\n"),
        "{head}"
    );
    assert!(
        !head.contains("content-length") && !head.contains("close"),
        "{head}"
    );
    raw.0.shutdown().await.unwrap();
    assert_eq!(raw.rest().await, "at oncethe rest");
    assert_eq!(gateway.ended().await, 0);
}

#[tokio::test]
async fn a_client_that_does_not_wait_for_it_leaves_nothing_behind() {
    let (upstream, mut is_asked, mut is_closed) = slow().await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    let asked = ASKED.trim_end_matches("ahead");
    let raw = Raw::sent(&gateway, asked).await;
    let _open = is_asked.recv().await.unwrap();
    drop(raw);
    timeout(PATIENCE, is_closed.recv()).await.unwrap().unwrap();
    let left = r#"http_requests_cancelled_total{handler="realtime",phase="headers"}"#;
    gateway.expect(left, 1.0).await;
    gateway.expect(SOCKETS_IN_FLIGHT, 0.0).await;
}

#[tokio::test]
async fn one_that_is_refused_during_the_drain_holds_nothing_up() {
    let (asked, mut is_asked) = mpsc::unbounded_channel();
    let upstream = ByHand::start(move |mut connection: Connection| {
        let asked = asked.clone();
        async move {
            connection.request().await.unwrap();
            let (refuse, refused) = oneshot::channel::<()>();
            asked.send(refuse).unwrap();
            refused.await.unwrap();
            let refusal = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
            connection.write(refusal).await.unwrap();
        }
    })
    .await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = serve.arg("--drain").arg("1h").start().await;
    let mut raw = Raw::sent(&gateway, ASKED.trim_end_matches("ahead")).await;
    let refuse = is_asked.recv().await.unwrap();
    gateway.signal("TERM");
    closed(&gateway).await;
    refuse.send(()).unwrap();
    let head = raw.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    raw.ended().await;
    assert_eq!(gateway.ended().await, 0);
}
