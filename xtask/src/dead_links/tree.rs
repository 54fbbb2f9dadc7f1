//! The files of the repository, and what may be the name of one.

use std::collections::BTreeSet;

/// How the names of files end that documents speak of.
const ENDINGS: [&str; 14] = [
    "env", "js", "json", "lock", "md", "mjs", "png", "py", "rs", "service", "svg", "toml", "ts",
    "yaml",
];

/// Every file and folder, by its path from the root.
#[derive(Debug)]
pub(super) struct Tree {
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
}

impl Tree {
    pub(super) fn new(files: impl Iterator<Item: Into<String>>) -> Self {
        let files: BTreeSet<_> = files.map(Into::into).collect();
        let mut folders = BTreeSet::new();
        for file in &files {
            let ends = file.match_indices('/').map(|(at, _)| file[..at].to_owned());
            folders.extend(ends);
        }
        Self { files, folders }
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// Whether this is a file or a folder, from the root on.
    pub(super) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty() || self.files.contains(path) || self.folders.contains(path)
    }

    /// Whether words in backticks can hardly be anything but a path in the repository: a source, a file of a
    /// known kind in a folder, a folder, or what stands in a folder at the root or in one of tests.
    pub(super) fn may_be_path(&self, code: &str) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        if code.starts_with('/') || !code.chars().all(plain) {
            return false;
        }
        let Some((first, _)) = code.split_once('/') else {
            return code.ends_with(".rs") && code != ".rs";
        };
        let ending = code.rsplit_once('.').map(|(_, ending)| ending);
        let tests = format!("/tests/{first}");
        let mut folders = self.folders.iter();
        let mut known = || folders.any(|folder| folder == first || folder.ends_with(&tests));
        ending.is_some_and(|ending| ENDINGS.contains(&ending)) || code.ends_with('/') || known()
    }

    /// Whether it is the path of a file or a folder: from the root, from where the document is, or its last
    /// parts, since documents leave out what their chapter is about. Tests are named without their ending.
    pub(super) fn knows(&self, document: &str, code: &str) -> bool {
        let code = code.trim_end_matches('/');
        let below = format!("/{code}");
        let module = format!("/{code}.rs");
        join(document, code).is_some_and(|path| self.has(&path))
            || self.has(code)
            || self
                .files
                .iter()
                .any(|file| file.ends_with(&below) || file.ends_with(&module))
            || self.folders.iter().any(|folder| folder.ends_with(&below))
    }
}

/// Where a relative path leads from a file. None out of the repository.
pub(super) fn join(file: &str, path: &str) -> Option<String> {
    let mut parts: Vec<_> = file.split('/').collect();
    parts.pop();
    if path.starts_with('/') {
        return None;
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
