//! The port: who is let in, for how long, and on whose time.

mod connection;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, response::Response};
use bytes::Bytes;
use http_body::Frame;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    runtime,
    sync::{oneshot, watch},
    time::sleep,
};

use self::connection::{Answering, Connection};
#[cfg(feature = "web-config")]
use crate::web_config::Tls;
use crate::{
    exposition::held,
    limits::{Limits, MAX_HEAD_BYTES, MAX_HEADERS},
    priority,
    socket::{Socket, is_exhaustion},
};

/// How long nobody is accepted once something that it takes is exhausted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What is served, and within which limits.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    #[cfg(feature = "web-config")]
    pub(crate) tls: Option<Tls>,
}

/// How the server is told to stop: by a message to let responses come to their end, by the sender's own end at once.
type Stop = oneshot::Receiver<()>;

impl Server {
    /// Serves until `signal`, and then what is being answered.
    ///
    /// On a thread of its own, of lower priority: handshakes, and megabytes that go out, take their time from nobody
    /// who matters more. It ends with this future.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        signal: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let listener = listener.into_std()?;
        let (stop, stopped) = oneshot::channel();
        let (end, mut ended) = oneshot::channel();
        thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(move || {
                priority::lower();
                // Nobody listens where the caller has gone.
                let _ = end.send(self.run(listener, stopped));
            })?;
        let gone = |_| io::Error::other("the thread that serves metrics panicked");
        tokio::select! {
            () = signal => {
                let _ = stop.send(());
                ended.await.map_err(gone)?
            }
            ended = &mut ended => ended.map_err(gone)?,
        }
    }

    fn run(self, listener: std::net::TcpListener, stopped: Stop) -> io::Result<()> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("metrics-blocking")
            .build()?;
        let served = runtime.block_on(async {
            let listener = TcpListener::from_std(listener)?;
            self.accept(listener, stopped).await;
            Ok(())
        });
        // A password may be in the middle of its check.
        runtime.shutdown_background();
        served
    }

    async fn accept(self, listener: TcpListener, mut stopped: Stop) {
        let server = Arc::new(self);
        let open = Arc::new(Open::default());
        let (stop, stopping) = watch::channel(());
        let graceful = loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => server.admit(stream, &open, stopping.clone()),
                    Err(error) if is_exhaustion(&error) => sleep(ACCEPT_AGAIN).await,
                    Err(_) => {}
                },
                told = &mut stopped => break told.is_ok(),
            }
        };
        drop((listener, stopping));
        if graceful {
            // Every connection holds a receiver.
            stop.send_replace(());
            stop.closed().await;
        }
    }

    fn admit(self: &Arc<Self>, stream: TcpStream, open: &Arc<Open>, stopping: watch::Receiver<()>) {
        let connection = Arc::new(Connection::new(self.limits));
        let Some(entry) = open.enter(&connection, self.limits.max_connections) else {
            return;
        };
        let server = Arc::clone(self);
        tokio::spawn(async move {
            let served = server.connection(stream, &connection, stopping);
            tokio::select! {
                () = served => {}
                () = connection.overdue() => {}
            }
            drop(entry);
        });
    }

    /// One connection, until it ends or, once `stopping` changes, its last response does.
    async fn connection(
        &self,
        stream: TcpStream,
        connection: &Arc<Connection>,
        stopping: watch::Receiver<()>,
    ) {
        // Without it nothing is lost but time.
        let _ = stream.set_nodelay(true);
        let socket = Socket::new(stream, Arc::clone(connection));
        #[cfg(feature = "web-config")]
        if let Some(tls) = &self.tls {
            if let Some(stream) = tls.accept(socket).await {
                self.http(stream, connection, stopping).await;
            }
            return;
        }
        self.http(socket, connection, stopping).await;
    }

    async fn http(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        connection: &Arc<Connection>,
        mut stopping: watch::Receiver<()>,
    ) {
        let service = service_fn(|request: Request<Incoming>| {
            let answering = Arc::new(connection.answer());
            let router = self.router.clone();
            async move {
                let response = tower_call(router, request.map(Body::new)).await;
                Ok::<_, std::convert::Infallible>(response.map(|body| Tracked { body, answering }))
            }
        });
        let served = http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS)
            // What hyper's own timer knows as one wait is two: a head that does not end, and a client that pauses.
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(stream), service);
        let mut served = std::pin::pin!(served);
        // What a peer does is no error of ours: a connection that fails is over.
        let _ = tokio::select! {
            ended = served.as_mut() => ended,
            _ = stopping.changed() => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        };
    }
}

async fn tower_call(router: Router, request: Request) -> Response {
    use hyper::service::Service as _;
    let service = hyper_util::service::TowerToHyperService::new(router);
    match service.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The connections that there are.
#[derive(Debug, Default)]
struct Open(Mutex<Vec<Arc<Connection>>>);

impl Open {
    /// Lets a connection in. Where there are as many as there may be, the one goes that has waited longest without
    /// being answered, so that those who connect and stay silent keep nobody out; none is let in where all are being
    /// answered.
    fn enter(self: &Arc<Self>, connection: &Arc<Connection>, limit: usize) -> Option<Entry> {
        let mut open = self.lock();
        if limit != 0 && open.len() >= limit {
            let waiting = open.iter().enumerate();
            let waiting = waiting.filter_map(|(i, one)| Some((one.waiting_since()?, i)));
            let (_, longest) = waiting.min()?;
            open.swap_remove(longest).evict();
        }
        open.push(Arc::clone(connection));
        Some(Entry {
            open: Arc::clone(self),
            connection: Arc::clone(connection),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        // Each change is one call of the vector's.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the open connections, until it is dropped.
struct Entry {
    open: Arc<Open>,
    connection: Arc<Connection>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        // One that was evicted has no place any more.
        if let Some(at) = open
            .iter()
            .position(|one| Arc::ptr_eq(one, &self.connection))
        {
            open.swap_remove(at);
        }
    }
}

/// A body whose response is in work until its last byte is written.
struct Tracked {
    body: Body,
    answering: Arc<Answering>,
}

impl http_body::Body for Tracked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let tracked = self.get_mut();
        let frame = std::pin::Pin::new(&mut tracked.body).poll_frame(cx);
        frame.map_ok(|frame| frame.map_data(|bytes| held(bytes, Arc::clone(&tracked.answering))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
