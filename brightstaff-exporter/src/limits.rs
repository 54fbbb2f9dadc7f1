//! What scrapers may take, all together and each.

use std::time::Duration;

/// See the methods of [`Exporter`](crate::Exporter) of the same names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_connections: usize,
    pub(crate) max_requests: usize,
    pub(crate) head_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 128,
            // As node_exporter's --web.max-requests.
            max_requests: 40,
            head_timeout: Duration::from_secs(10),
            // Prometheus gives up an idle connection after five minutes. Whoever gives up first must not be the
            // server: the client may be writing its next request at that very moment.
            idle_timeout: Duration::from_secs(330),
            timeout: Duration::from_secs(30),
        }
    }
}

/// How large the head of a request may be, in bytes: more is 431. What Prometheus sends takes a few hundred.
pub(crate) const MAX_HEAD_BYTES: usize = 16 * 1024;

/// How many headers a request may have: more is 431.
pub(crate) const MAX_HEADERS: usize = 64;
