//! The client: makes one request over a connection of its own, and knows exactly what it saw.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::pin,
    time::{Duration, Instant},
};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::Notify, task::AbortHandle, time::timeout};

use super::order::{HangUp, Order};
use crate::sim::{Book, book::PLAN_HEADER};

/// Nothing that is planned takes as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the client saw of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) sent: Instant,
    /// The status, and when it was there.
    pub(crate) head: Option<(u16, Instant)>,
    pub(crate) first_byte: Option<Instant>,
    pub(crate) first_token: Option<Instant>,
    pub(crate) terminal: Option<Instant>,
    pub(crate) ended: Instant,
    pub(crate) ending: Ending,
}

/// How a request ended for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With the whole body.
    Whole,
    /// With a body that broke off.
    Broken,
    /// Without a response.
    Unanswered,
    /// The client hung up: as planned, or since its patience had an end.
    HungUp(HangUp),
}

/// Makes the request. `reached` tells when a provider has it.
pub(crate) async fn make(
    gateway: SocketAddr,
    order: &Order,
    book: &Book,
    reached: &Notify,
) -> Seen {
    within_patience(PATIENCE, gateway, order, book, reached).await
}

async fn within_patience(
    patience: Duration,
    gateway: SocketAddr,
    order: &Order,
    book: &Book,
    reached: &Notify,
) -> Seen {
    let mut seen = Seen::new();
    let connected = timeout(PATIENCE, connect(gateway)).await;
    if let Ok(Ok((sender, connection))) = connected {
        seen = Seen::new();
        let (ending, gave_up) = {
            let mut all = pin!(exchange(sender, order, book, reached, &mut seen));
            // The instant is noted before the request is dropped: that is the hang-up.
            match timeout(patience, &mut all).await {
                Ok(ending) => (Some(ending), None),
                Err(_) => (None, Some(Instant::now())),
            }
        };
        // Out of patience is gone like any other: no plan is that slow, but a machine that stalls is.
        let hung_up = match seen.head {
            Some(_) => HangUp::InBody,
            None => HangUp::BeforeHead,
        };
        let ending = ending.unwrap_or(Ending::HungUp(hung_up));
        if let Some(at) = gave_up {
            seen.ended = at;
        } else if !matches!(ending, Ending::HungUp(_)) {
            seen.ended = Instant::now();
        }
        seen.ending = ending;
        // The connection goes with the request: a client that hung up is gone at once.
        connection.abort();
    }
    seen
}

/// A connection of its own, and the task that drives it.
pub(super) async fn connect(
    to: SocketAddr,
) -> Result<(http1::SendRequest<Full<Bytes>>, AbortHandle)> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let task = tokio::spawn(async { drop(connection.await) });
    Ok((sender, task.abort_handle()))
}

async fn exchange(
    mut sender: http1::SendRequest<Full<Bytes>>,
    order: &Order,
    book: &Book,
    reached: &Notify,
    seen: &mut Seen,
) -> Ending {
    let Ok(request) = request(order) else {
        return Ending::Unanswered;
    };
    // Held until the hang-up is noted: dropping it is the hang-up.
    let mut answer = pin!(sender.send_request(request));
    let answer = match order.hang_up {
        Some(HangUp::BeforeHead) => tokio::select! {
            answer = &mut answer => answer,
            () = reached.notified() => {
                seen.ended = Instant::now();
                return Ending::HungUp(HangUp::BeforeHead);
            }
        },
        _ => answer.await,
    };
    let Ok(answer) = answer else {
        return Ending::Unanswered;
    };
    seen.head = Some((answer.status().as_u16(), Instant::now()));
    read(answer, order, book, seen).await
}

fn request(order: &Order) -> Result<Request<Full<Bytes>>> {
    let mut request = Request::builder()
        .method(order.method.clone())
        .uri(&order.path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("traceparent", order.traceparent())
        .header(PLAN_HEADER, order.id);
    for (name, value) in &order.headers {
        request = request.header(*name, value);
    }
    Ok(request.body(Full::from(order.body.clone()))?)
}

/// Reads the body, and notes when each of the provider's marks went by.
async fn read(answer: Response<Incoming>, order: &Order, book: &Book, seen: &mut Seen) -> Ending {
    let mut body = answer.into_body();
    let mut read = 0;
    loop {
        let data = match body.frame().await {
            None => return Ending::Whole,
            Some(Err(_)) => return Ending::Broken,
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
        };
        let now = Instant::now();
        read += data.len() as u64;
        seen.first_byte.get_or_insert(now);
        let Some(marks) = book.marks(order.id) else {
            continue;
        };
        let passed = |mark: Option<u64>| mark.is_some_and(|mark| read >= mark);
        if passed(marks.first_token) {
            seen.first_token.get_or_insert(now);
        }
        if passed(marks.terminal) {
            seen.terminal.get_or_insert(now);
        }
        if order.hang_up == Some(HangUp::InBody) && read >= marks.sent {
            seen.ended = now;
            return Ending::HungUp(HangUp::InBody);
        }
    }
}

impl Seen {
    fn new() -> Self {
        Self::unanswered(Instant::now())
    }

    pub(super) fn unanswered(now: Instant) -> Self {
        Self {
            sent: now,
            head: None,
            first_byte: None,
            first_token: None,
            terminal: None,
            ended: now,
            ending: Ending::Unanswered,
        }
    }
}

/// Gets a path, and reads the whole response.
pub(super) async fn get(from: SocketAddr, path: &str) -> Result<String> {
    let get = async {
        let (mut sender, connection) = connect(from).await?;
        let request = Request::get(path)
            .header("host", "metrics")
            .body(Full::default())?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        connection.abort();
        anyhow::ensure!(status.is_success(), "{path} answered {status}");
        Ok(String::from_utf8(body.to_vec())?)
    };
    within(get).await
}

async fn within<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt, net::TcpListener};

    use super::*;
    use crate::demo::deal::Dealer;

    /// The ending of a request to a gateway that says this, and then no more.
    async fn ending(says: &'static str) -> Ending {
        let gateway = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = gateway.local_addr().expect("it is bound");
        let stalled = tokio::spawn(async move {
            let (mut stream, _) = gateway.accept().await.expect("the client comes");
            stream.write_all(says.as_bytes()).await.expect("it listens");
            std::future::pending::<()>().await;
        });
        let mut order = Dealer::new(1).deal();
        order.hang_up = None;
        let (book, patience) = (Book::default(), Duration::from_millis(300));
        let seen = within_patience(patience, address, &order, &book, &Notify::new()).await;
        stalled.abort();
        seen.ending
    }

    #[tokio::test]
    async fn who_loses_patience_hangs_up() {
        assert_eq!(ending("").await, Ending::HungUp(HangUp::BeforeHead));
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";
        let ending = ending(head).await;
        // Or the machine is so slow that not even the head came in time.
        assert!(matches!(ending, Ending::HungUp(_)), "{ending:?}");
    }
}
