//! Serving a router, and stopping without cutting anyone off too early.

use std::{io, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// How long a connection may take for the head of a request, and may be idle between two.
const IDLE: Duration = Duration::from_secs(120);

/// Serves until `shutdown`, then lets answers in flight come to their end, for as long as `drain`. What
/// is left then is cut off, and is gone when this returns.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
    drain: Duration,
) -> anyhow::Result<()> {
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone(), stopped.clone()));
                }
                Err(error) => refused(&error).await,
            },
            Some(_) = connections.join_next() => {}
            () = &mut shutdown => break,
        }
    }
    drop((listener, stop, stopped));
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(drain, drained).await.is_err() {
        let count = connections.len();
        tracing::warn!(connections = count, "cut off what was left after {drain:?}");
        connections.shutdown().await;
    }
    Ok(())
}

/// One connection, until it ends or, once `stopped` closes, its last answer does.
async fn connection(stream: TcpStream, router: Router, mut stopped: watch::Receiver<()>) {
    // Chunks of a few bytes each would wait for the client's acknowledgement otherwise.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot switch on TCP_NODELAY");
    }
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .http2()
        .timer(TokioTimer::new())
        // Finds out about clients that are gone without a word.
        .keep_alive_interval(IDLE)
        .keep_alive_timeout(IDLE);
    // Before it knows which HTTP a client speaks, the builder would wait for ever.
    tokio::select! {
        told = tokio::time::timeout(IDLE, version(&stream)) => match told {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        },
        _ = stopped.changed() => return,
    }
    let service = TowerToHyperService::new(router);
    let served = builder.serve_connection(TokioIo::new(stream), service);
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        _ = stopped.changed() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Waits until the first bytes tell which HTTP they are of (RFC 9113, section 3.4), or there are no more.
async fn version(stream: &TcpStream) -> io::Result<()> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut start = [0; PREFACE.len()];
    loop {
        let count = stream.peek(&mut start).await?;
        if count == 0 || count == PREFACE.len() || !PREFACE.starts_with(&start[..count]) {
            return Ok(());
        }
        // There is no waiting for more than what is there already; clients send it in one piece.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What cannot be accepted was either the client's fault, or ours: too many open files, which only
/// time can help.
async fn refused(error: &io::Error) {
    use io::ErrorKind as E;
    if !matches!(
        error.kind(),
        E::ConnectionAborted | E::ConnectionRefused | E::ConnectionReset
    ) {
        tracing::error!(%error, "cannot accept a connection");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt, time::timeout};

    use super::*;

    #[tokio::test]
    async fn a_version_is_told_by_the_first_bytes_that_differ() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connect = async || {
            let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
            (client.unwrap(), accepted.unwrap().0)
        };
        for start in [
            "P",
            "POST / HTTP/1.1\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] {
            let (mut client, stream) = connect().await;
            client.write_all(start.as_bytes()).await.unwrap();
            let told = timeout(Duration::from_millis(200), version(&stream)).await;
            assert_eq!(told.is_ok(), start != "P", "{start}");
        }
        let (client, stream) = connect().await;
        drop(client);
        version(&stream).await.unwrap();
    }
}
