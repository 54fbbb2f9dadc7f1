//! What is made of files, and made again once one of them changes.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use super::WebConfigError;

/// Reads the files. The flag says whether it is for the first time.
type Load<T> = dyn Fn(&mut Files, bool) -> Result<T, WebConfigError> + Send + Sync;

/// A value that is as its files are.
pub(super) struct Reloaded<T> {
    load: Box<Load<T>>,
    state: Mutex<State<T>>,
}

struct State<T> {
    value: Result<Arc<T>, WebConfigError>,
    files: Files,
}

impl<T> Reloaded<T> {
    /// Loads it for the first time.
    pub(super) fn new(
        load: impl Fn(&mut Files, bool) -> Result<T, WebConfigError> + Send + Sync + 'static,
    ) -> Result<Self, WebConfigError> {
        let mut files = Files::default();
        let value = Ok(Arc::new(load(&mut files, true)?));
        Ok(Self {
            load: Box::new(load),
            state: Mutex::new(State { value, files }),
        })
    }

    /// The value of now: one look at each file, and a new value where one is another than it was.
    pub(super) fn current(&self) -> Result<Arc<T>, WebConfigError> {
        // A `load` that panics leaves the older value, with the stamps that belong to it.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.files.changed() {
            let mut files = Files::default();
            let value = (self.load)(&mut files, false).map(Arc::new);
            if let Err(error) = &value {
                tracing::error!(%error, "nobody may scrape until this is mended");
            }
            *state = State { value, files };
        }
        state.value.clone()
    }
}

impl<T> fmt::Debug for Reloaded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What it holds are secrets.
        f.debug_struct("Reloaded").finish_non_exhaustive()
    }
}

/// The files that were read, as they were before.
#[derive(Default)]
pub(super) struct Files(Vec<(PathBuf, Option<Stamp>)>);

/// What changes when a file does.
#[derive(PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
    /// The device, the file on it, and the instant at which either its content or who may read it changed: a file that
    /// was put in the place of another may be just as old, and just as long.
    #[cfg(unix)]
    identity: [u64; 4],
}

/// No configuration, key or list of tokens is larger, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

impl Files {
    /// The text of a file, which is watched from now on.
    pub(super) fn read(&mut self, path: &Path) -> Result<String, WebConfigError> {
        let stamp = Stamp::of(path);
        let len = stamp.as_ref().map_or(0, |stamp| stamp.len);
        // Before it is read: what is written at the same time is read again.
        self.0.push((path.to_owned(), stamp));
        if len > MAX_FILE_BYTES {
            return Err(WebConfigError::new("larger than 1 MiB: name another file"));
        }
        fs::read_to_string(path).map_err(|error| {
            WebConfigError::new(match error.kind() {
                io::ErrorKind::NotFound => {
                    "there is no such file: create it, or name another".to_owned()
                }
                io::ErrorKind::PermissionDenied => {
                    "may not be read: give this process's user the right to".to_owned()
                }
                io::ErrorKind::InvalidData => "is no text: write it in UTF-8".to_owned(),
                _ => error.to_string(),
            })
        })
    }

    fn changed(&self) -> bool {
        self.0.iter().any(|(path, stamp)| Stamp::of(path) != *stamp)
    }
}

impl Stamp {
    /// None where there is no file.
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            modified: metadata.modified().ok(),
            len: metadata.len(),
            #[cfg(unix)]
            identity: {
                use std::os::unix::fs::MetadataExt as _;
                let (seconds, nanos) = (metadata.ctime(), metadata.ctime_nsec());
                [metadata.dev(), metadata.ino(), seconds as u64, nanos as u64]
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_where_it_changed_and_never_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "1").unwrap();
        let reads = Arc::new(Mutex::new(0));
        let (counter, file) = (Arc::clone(&reads), path.clone());
        let value = Reloaded::new(move |files, _| {
            *counter.lock().unwrap() += 1;
            files.read(&file)
        });
        let value = value.unwrap();
        assert_eq!(*value.current().unwrap(), "1");
        assert_eq!(*reads.lock().unwrap(), 1);

        // Just as long, and put in its place, as Kubernetes does with secrets.
        let other = folder.path().join("other");
        fs::write(&other, "2").unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(*value.current().unwrap(), "2");
        fs::remove_file(&path).unwrap();
        for _ in 0..2 {
            let error = value.current().unwrap_err().to_string();
            assert_eq!(error, "there is no such file: create it, or name another");
        }
        assert_eq!(*reads.lock().unwrap(), 3);
        fs::write(&path, "3").unwrap();
        assert_eq!(*value.current().unwrap(), "3");
    }
}
