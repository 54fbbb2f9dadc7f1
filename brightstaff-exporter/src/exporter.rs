use std::{
    env, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use axum::{Router, serve::ListenerExt};
use prometheus::Registry;
use tokio::net::TcpListener;

use crate::{BindError, routes};

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
}

impl Exporter {
    /// An exporter of this registry, on [`DEFAULT_BIND_ADDRESS`].
    pub fn new(registry: Registry) -> Self {
        Self {
            registry,
            address: DEFAULT_BIND_ADDRESS,
            from: None,
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

    /// The routes alone, to be mounted on a server that exists already.
    pub fn router(&self) -> Router {
        routes::router(self.registry.clone())
    }

    /// Takes the address, so that an error shows before anything else starts.
    ///
    /// # Errors
    ///
    /// The address cannot be listened on: another process does, for example.
    pub async fn bind(self) -> Result<Bound, BindError> {
        let refused = |error| BindError::bind(self.address, self.from.clone(), error);
        let listener = TcpListener::bind(self.address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Bound {
            router: self.router(),
            listener,
            address,
        })
    }
}

/// An exporter that has its address, and waits to serve.
#[derive(Debug)]
#[must_use = "nobody is answered before `serve`"]
pub struct Bound {
    router: Router,
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// The address that is listened on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves for as long as it is polled.
    ///
    /// # Errors
    ///
    /// None so far: what a single connection fails of does not end the others.
    pub async fn serve(self) -> io::Result<()> {
        self.serve_with_graceful_shutdown(std::future::pending())
            .await
    }

    /// Serves until `signal`, and then only what is being answered.
    ///
    /// # Errors
    ///
    /// None so far: what a single connection fails of does not end the others.
    pub async fn serve_with_graceful_shutdown<F>(self, signal: F) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = self.listener.tap_io(|stream| {
            // Without it nothing is lost but time.
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, self.router)
            .with_graceful_shutdown(signal)
            .await
    }
}
