use std::time::Duration;

use crate::config::{Config, DEFAULT_MAX_CONNECTIONS};

/// Descriptors that are no client's and no upstream's: the listeners, scrapes, the log, the runtime's own.
const OTHER_FILES: u64 = 64;

/// Each request that is passed on needs a connection to its upstream beside that of its client.
const FILES_PER_CONNECTION: u64 = 2;

/// What bounds connections, and what one of them may hold.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) max_connections: usize,
    pub(crate) max_concurrent_streams: u32,
    pub(crate) head_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) write_stall_timeout: Duration,
}

impl Limits {
    /// Those of a configuration, within what the limit on open files allows.
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            max_connections: max_connections(config.max_connections, open_files()),
            max_concurrent_streams: config.max_concurrent_streams,
            head_timeout: config.head_timeout,
            idle_timeout: config.idle_timeout,
            write_stall_timeout: config.write_stall_timeout,
        }
    }
}

/// How many connections there may be where `files` can be open.
fn max_connections(configured: Option<usize>, files: Option<u64>) -> usize {
    let allowed = files.map_or(usize::MAX, |files| {
        let connections = files.saturating_sub(OTHER_FILES) / FILES_PER_CONNECTION;
        usize::try_from(connections.max(1)).unwrap_or(usize::MAX)
    });
    let Some(configured) = configured else {
        return allowed.min(DEFAULT_MAX_CONNECTIONS);
    };
    if let (true, Some(files)) = (configured > allowed, files) {
        let needed = (configured as u64)
            .saturating_mul(FILES_PER_CONNECTION)
            .saturating_add(OTHER_FILES);
        tracing::warn!(
            "max_connections: {configured} need {needed} open files, and the limit is {files}: \
             serving at most {allowed}; raise the limit (ulimit -n {needed}) or set {allowed}"
        );
    }
    configured.min(allowed)
}

/// The soft limit on open files, where there is one.
#[cfg(unix)]
fn open_files() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Nofile).current
}

#[cfg(not(unix))]
fn open_files() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_upstreams() {
        for (configured, files, expected) in [
            (None, Some(1024), 480),
            (None, Some(1 << 20), DEFAULT_MAX_CONNECTIONS),
            (None, None, DEFAULT_MAX_CONNECTIONS),
            (None, Some(10), 1),
            (Some(100), Some(1024), 100),
            (Some(5000), Some(1024), 480),
            (Some(50_000), Some(1 << 20), 50_000),
            (Some(50_000), None, 50_000),
        ] {
            let max = max_connections(configured, files);
            assert_eq!(max, expected, "{configured:?} {files:?}");
        }
    }
}
