//! SIGHUP: the file of `--config` is read again.

use std::path::{Path, PathBuf};

use super::signals::Hangups;
use crate::{config::Config, gateway::Reloader};

/// Reads the file again at each SIGHUP, for as long as the gateway runs. What is wrong with it, or how it differs, is a
/// line in the log.
pub(super) async fn reload(
    mut hangups: Hangups,
    mut reloader: Reloader,
    path: Option<PathBuf>,
    read_config: impl Fn(&Path) -> anyhow::Result<Config> + Copy + Send + 'static,
) {
    while hangups.next().await {
        let Some(path) = path.clone() else {
            tracing::warn!("SIGHUP: there is no file of --config to read again");
            continue;
        };
        // The file may lie where reading takes its time, as may those that it names.
        let reading = tokio::task::spawn_blocking(move || {
            let read = read_config(&path).and_then(|config| reloader.reload(config));
            (reloader, read)
        });
        let Ok((back, read)) = reading.await else {
            tracing::error!("SIGHUP: reading the configuration panicked: it is not read again");
            return;
        };
        reloader = back;
        if let Err(error) = read {
            tracing::error!("SIGHUP: the configuration stays as it was: {error:#}");
        }
    }
}
