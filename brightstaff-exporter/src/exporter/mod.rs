#[cfg(feature = "web-config")]
mod access;

use std::{
    env, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::Router;
use prometheus::Registry;
use tokio::net::{TcpListener, TcpSocket};

#[cfg(feature = "web-config")]
use crate::web_config::Access;
use crate::{
    error::BindError,
    limits::Limits,
    metrics_handler::MetricsHandler,
    routes::{self, First},
    server::Server,
};

/// The environment variable that [`Exporter::from_env`] reads.
pub const METRICS_BIND_ADDRESS: &str = "METRICS_BIND_ADDRESS";

/// Where metrics are served unless told otherwise: `0.0.0.0:9092`.
pub const DEFAULT_BIND_ADDRESS: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 9092);

/// Serves a registry: see the [crate's documentation](crate).
#[derive(Clone, Debug)]
#[must_use]
pub struct Exporter {
    registry: Registry,
    address: SocketAddr,
    /// The variable or option that can change the address, if one is known.
    from: Option<String>,
    limits: Limits,
    first: First,
    #[cfg(feature = "web-config")]
    access: Access,
}

impl Exporter {
    /// An exporter of this registry, on [`DEFAULT_BIND_ADDRESS`].
    pub fn new(registry: Registry) -> Self {
        Self {
            registry,
            address: DEFAULT_BIND_ADDRESS,
            from: None,
            limits: Limits::default(),
            first: First::default(),
            #[cfg(feature = "web-config")]
            access: Access::default(),
        }
    }

    /// An exporter of this registry, on the address in [`METRICS_BIND_ADDRESS`], or on
    /// [`DEFAULT_BIND_ADDRESS`] where that is not set.
    ///
    /// # Errors
    ///
    /// The variable is set, but to no address: never is another one taken instead.
    pub fn from_env(registry: Registry) -> Result<Self, BindError> {
        let exporter = Self::new(registry);
        match env::var_os(METRICS_BIND_ADDRESS) {
            None => Ok(Self {
                from: Some(METRICS_BIND_ADDRESS.to_owned()),
                ..exporter
            }),
            Some(value) => exporter.bind_to(METRICS_BIND_ADDRESS, &value.to_string_lossy()),
        }
    }

    /// Listens on this address. Port 0 is any free one: see [`Bound::local_addr`].
    pub fn bind_address(self, address: impl Into<SocketAddr>) -> Self {
        Self {
            address: address.into(),
            from: None,
            ..self
        }
    }

    /// Listens on the address that this text holds. `from` is where it came from, for the errors, this one and
    /// that of [`bind`](Self::bind).
    ///
    /// ```
    /// use brightstaff_exporter::Exporter;
    ///
    /// let exporter = Exporter::new(prometheus::Registry::new());
    /// let error = exporter.bind_to("--metrics-bind", "9092").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     r#"--metrics-bind: "9092" is no address to listen on: write IP:PORT, for example 0.0.0.0:9092"#
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// The text is not an IP address with a port.
    pub fn bind_to(self, from: &str, text: &str) -> Result<Self, BindError> {
        match text.parse::<SocketAddr>() {
            Ok(address) => Ok(Self {
                from: Some(from.to_owned()),
                ..self.bind_address(address)
            }),
            Err(_) => Err(BindError::address(from, text)),
        }
    }

    /// Whether `/` is the live page, as it is unless told otherwise, or links to `/metrics` and `/healthz` alone.
    ///
    /// The page is one file that loads nothing from elsewhere. It reads `metrics` beside itself, wherever it is mounted,
    /// from the browser of who looks at it: each open page is one more scraper, every 2 s.
    #[cfg(feature = "page")]
    pub fn page(self, page: bool) -> Self {
        let first = if page { First::Page } else { First::Links };
        Self { first, ..self }
    }

    /// The routes alone, to be mounted on a server that exists already.
    ///
    /// [`max_requests`](Self::max_requests) holds there, and one encoding at a time, on a thread of its own. The other
    /// limits are that server's: how many connections there are, and how long each may take. Bytes count as written
    /// once the server lets go of them.
    pub fn router(&self) -> Router {
        let router = routes::router(self.registry.clone(), self.limits, self.first);
        #[cfg(feature = "web-config")]
        let router = self.access.guard(router);
        router
    }

    /// What answers scrapes alone, for any path of a server that exists already, beside its own `/healthz`: a
    /// handler of axum's, and for other servers a function of plain types. Its limits are those of
    /// [`router`](Self::router), and so is who may scrape; but each handler, router and port keeps to them by itself:
    /// clone one handler to share them.
    #[must_use]
    pub fn metrics_handler(&self) -> MetricsHandler {
        let handler = MetricsHandler::new(self.registry.clone(), self.limits);
        #[cfg(feature = "web-config")]
        let handler = handler.guarded(self.access.clone());
        handler
    }

    /// Takes the address, so that an error shows before anything else starts.
    ///
    /// # Errors
    ///
    /// The address cannot be listened on: another process does, for example.
    #[allow(clippy::unused_async)] // It has been since there was an API, and needs a runtime as it is.
    pub async fn bind(self) -> Result<Bound, BindError> {
        let refused = |error| BindError::bind(self.address, self.from.clone(), error);
        let listener = listen(self.address).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let server = Server {
            router: self.router(),
            limits: self.limits,
            #[cfg(feature = "web-config")]
            tls: self.access.tls(),
        };
        Ok(Bound {
            server,
            listener,
            address,
        })
    }
}

/// How much of a response the system may hold for a peer that does not read it, in bytes: what is written counts as
/// answered, and the default is up to 4 MB. Linux takes it twice, for its own account.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;

/// How many connections may wait to be accepted: as many as the standard library's listeners ask for, or more.
const BACKLOG: u32 = 1024;

/// Listens, as `TcpListener::bind` would, with [`SEND_BUFFER_BYTES`], which accepted connections inherit.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // On Windows it would mean that two processes may listen to the same port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// # Limits
///
/// What scrapers may take, so that none of them, whatever it does, stops the program that it scrapes.
impl Exporter {
    /// How many responses of `/metrics` may be in work at a time, each until its last byte is written: more are
    /// answered by 503. 40 unless told otherwise, as with `--web.max-requests` of `node_exporter`; 0 is no limit.
    pub fn max_requests(self, count: usize) -> Self {
        self.limited(|limits| limits.max_requests = count)
    }

    /// How many connections there may be. One more closes the one that has waited longest without being answered,
    /// and is closed itself where all are being answered. 128 unless told otherwise; 0 is no limit.
    pub fn max_connections(self, count: usize) -> Self {
        self.limited(|limits| limits.max_connections = count)
    }

    /// How long the head of a request may take: from the connection, a TLS handshake included, or from its first byte
    /// where it is not the first, to its end. 10 s unless told otherwise.
    pub fn head_timeout(self, time: Duration) -> Self {
        self.limited(|limits| limits.head_timeout = time)
    }

    /// How long a connection may stay between two requests. 5½ minutes unless told otherwise: Prometheus itself gives
    /// up idle connections after 5, and should be the first, since its next request may be under way.
    pub fn idle_timeout(self, time: Duration) -> Self {
        self.limited(|limits| limits.idle_timeout = time)
    }

    /// How long a response may take: from the end of its request's head until its last byte is written. 30 s unless
    /// told otherwise. It should not be less than the `scrape_timeout` of who scrapes, 10 s by default.
    pub fn timeout(self, time: Duration) -> Self {
        self.limited(|limits| limits.timeout = time)
    }

    fn limited(mut self, set: impl FnOnce(&mut Limits)) -> Self {
        set(&mut self.limits);
        self
    }
}

/// An exporter that has its address, and waits to serve.
#[derive(Debug)]
#[must_use = "nobody is answered before `serve`"]
pub struct Bound {
    server: Server,
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// The address that is listened on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What its URLs begin with: `https` where a web configuration has certificates, and else
    /// `http`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        #[cfg(feature = "web-config")]
        if self.server.tls.is_some() {
            return "https";
        }
        "http"
    }

    /// Serves for as long as it is polled, on a thread of its own: what scrapers do costs the caller's threads
    /// nothing. On Linux that thread's priority is lower.
    ///
    /// # Errors
    ///
    /// That thread cannot be started. What a single connection fails of does not end the others.
    pub async fn serve(self) -> io::Result<()> {
        self.serve_with_graceful_shutdown(std::future::pending())
            .await
    }

    /// [Serves](Self::serve) until `signal`, and then only what is being answered.
    ///
    /// # Errors
    ///
    /// Those of [`serve`](Self::serve).
    pub async fn serve_with_graceful_shutdown<F>(self, signal: F) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.server.serve(self.listener, signal).await
    }
}
