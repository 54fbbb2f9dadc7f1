//! Clients' tokens as they are now: those of a file are read again once it changes.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    thread,
    time::Duration,
};

use arc_swap::{ArcSwap, Guard};

use super::tokens::ClientTokens;
use crate::config::{Config, ConfigError};

/// How often the file is read: a token that was removed lets in for so long. It is short, and what it says is compared
/// with what it said, whichever way it was replaced.
const LOOK: Duration = Duration::from_secs(1);

/// Some ten thousand tokens.
const MAX_BYTES: u64 = 1 << 20;

/// The tokens that clients may show now.
pub(super) struct CurrentTokens {
    now: ArcSwap<ClientTokens>,
    variable: Option<String>,
    file: Option<TokenFile>,
}

struct TokenFile {
    path: PathBuf,
    /// What the environment holds, which nobody changes.
    others: ClientTokens,
    /// What it said at the start, until it is watched.
    first: Mutex<Option<String>>,
}

/// What a file says, or why it cannot be read.
type Said = Result<String, String>;

impl CurrentTokens {
    /// From where the configuration says, if it does.
    pub(super) fn read(config: &Config) -> Result<Option<Self>, ConfigError> {
        let tokens = ClientTokens::of_environment(config)?;
        let Some(path) = config.client_tokens_file.clone() else {
            let current = || Self {
                now: ArcSwap::from_pointee(tokens),
                variable: config.client_tokens_env.clone(),
                file: None,
            };
            return Ok(config.client_tokens_env.is_some().then(current));
        };
        let fault = |why| ConfigError::new("client_tokens_file", format_args!("the file {why}"));
        let first = said_by(&path).map_err(fault)?;
        let now = tokens.and(&first).map_err(fault)?;
        Ok(Some(Self {
            now: ArcSwap::from_pointee(now),
            variable: config.client_tokens_env.clone(),
            file: Some(TokenFile {
                path,
                others: tokens,
                first: Mutex::new(Some(first)),
            }),
        }))
    }

    /// Whether they come from where this configuration says.
    pub(super) fn are_of(&self, config: &Config) -> bool {
        let file = self.file.as_ref().map(|file| &file.path);
        self.variable == config.client_tokens_env && file == config.client_tokens_file.as_ref()
    }

    /// The tokens of now. Whoever writes others never waits for who reads, nor the other way round.
    pub(super) fn now(&self) -> Guard<Arc<ClientTokens>> {
        self.now.load()
    }

    /// Keeps them as their file says, on a thread that ends with them: a file may lie where reading takes its time.
    pub(super) fn watch(self: &Arc<Self>) {
        let Some(file) = &self.file else { return };
        let first = file
            .first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(first) = first else { return };
        let mut said = Ok(first);
        let watched = Arc::downgrade(self);
        let thread = thread::Builder::new().name("client-tokens".to_owned());
        let started = thread.spawn(move || {
            loop {
                thread::sleep(LOOK);
                if look(&watched, &mut said).is_none() {
                    return;
                }
            }
        });
        if let Err(error) = started {
            tracing::error!("client_tokens_file: the file is not read again: {error}");
        }
    }

    /// Takes what the file says in place of what it said, unless it is wrong.
    fn take(&self, said: &Said) {
        let Some(file) = &self.file else { return };
        let tokens = said.clone().and_then(|text| file.others.and(&text));
        match tokens {
            Ok(tokens) => {
                let count = tokens.count();
                self.now.store(Arc::new(tokens));
                tracing::info!("client_tokens_file: {count} tokens let in");
            }
            Err(why) => {
                tracing::error!(
                    "client_tokens_file: the file {why}; the tokens from before let in"
                );
            }
        }
    }
}

impl fmt::Debug for CurrentTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What its file said are secrets.
        f.debug_tuple("CurrentTokens").field(&self.now()).finish()
    }
}

/// Looks at the file once; `None` where nobody asks for its tokens any more.
fn look(watched: &Weak<CurrentTokens>, said: &mut Said) -> Option<()> {
    let current = watched.upgrade()?;
    let now = said_by(&current.file.as_ref()?.path);
    if now != *said {
        *said = now;
        current.take(said);
    }
    Some(())
}

fn said_by(path: &Path) -> Said {
    let fault = |error: io::Error| format!("cannot be read: {error}: name another");
    let file = File::open(path).map_err(fault)?;
    let mut text = String::new();
    let read = file.take(MAX_BYTES + 1).read_to_string(&mut text);
    if read.map_err(fault)? as u64 > MAX_BYTES {
        return Err(format!("is longer than {MAX_BYTES} bytes: name another"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const ONE: &str = "tok-one-0123456789";
    const TWO: &str = "tok-two-0123456789";

    #[test]
    fn a_file_is_taken_once_it_changes_unless_it_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        fs::write(&path, ONE).unwrap();
        let config = Config {
            client_tokens_file: Some(path.clone()),
            ..Config::default()
        };
        let current = Arc::new(CurrentTokens::read(&config).unwrap().unwrap());
        let weak = Arc::downgrade(&current);
        let mut said = said_by(&path);
        let mut lets_in = |text: Option<&str>| {
            match text {
                Some(text) => fs::write(&path, text).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            look(&weak, &mut said).unwrap();
            let now = current.now();
            [ONE, TWO].map(|token| now.is_one(token.as_bytes()))
        };
        assert_eq!(lets_in(Some(ONE)), [true, false]);
        // Just as long.
        assert_eq!(lets_in(Some(TWO)), [false, true]);
        let long = format!("{ONE}\n").repeat(60_000);
        for wrong in [
            Some(""),
            Some("short"),
            Some("tok one 0123456789"),
            Some(&*long),
            None,
        ] {
            assert_eq!(lets_in(wrong), [false, true], "{wrong:?}");
        }
        assert_eq!(lets_in(Some(&format!("{ONE}\n{TWO}"))), [true, true]);
        assert_eq!(lets_in(Some(ONE)), [true, false]);
        drop(current);
        assert!(look(&weak, &mut said).is_none());
    }
}
