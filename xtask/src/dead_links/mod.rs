//! Links that lead nowhere, and names of files that are not there, in the documents. Of links to other
//! sites only the syntax is read: the check needs no network.

mod markdown;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use url::Url;
use xshell::{Shell, cmd};

use self::{
    markdown::{Document, Said},
    tree::Tree,
};
use crate::links;

/// The check: nothing in any document, and no link from a dashboard or a rule into one, is dead.
pub(crate) fn check(sh: &Shell) -> Result<()> {
    // What is not committed yet is there, too, and what was deleted is not.
    let files = cmd!(
        sh,
        "git ls-files --cached --others --exclude-standard --deduplicate"
    );
    let files = files.quiet().read().context("git lists no files")?;
    let there = files.lines().filter(|file| sh.path_exists(file));
    let tree = Tree::new(there);
    let mut documents = BTreeMap::new();
    let mut others = Vec::new();
    for file in tree.files() {
        if is_document(file) {
            documents.insert(file.to_owned(), Document::read(&sh.read_file(file)?));
        } else if leads_to_documents(file) {
            others.push((file.to_owned(), sh.read_file(file)?));
        }
    }
    let faults = faults(&tree, &documents, &others);
    if !faults.is_empty() {
        bail!("dead links:\n{}", faults.join("\n"));
    }
    Ok(())
}

fn is_document(file: &str) -> bool {
    file.ends_with(".md")
}

/// Dashboards lead to the documents, and so do the rules' alerts.
fn leads_to_documents(file: &str) -> bool {
    file.starts_with("config/") && (file.ends_with(".json") || file.ends_with(".yaml"))
}

/// What is dead, each with its place.
fn faults(
    tree: &Tree,
    documents: &BTreeMap<String, Document>,
    others: &[(String, String)],
) -> Vec<String> {
    let checked = Checked { tree, documents };
    let mut faults = Vec::new();
    for (file, document) in documents {
        for (line, said) in &document.said {
            let fault = match said {
                Said::Link(target) => checked.link(file, target),
                Said::Code(code) => checked.code(file, code),
                Said::Undefined(label) => Some(format!("[{label}] is defined nowhere")),
                Said::Html => Some("a link in HTML: write it in Markdown".to_owned()),
            };
            faults.extend(fault.map(|fault| format!("{file}:{line}: {fault}")));
        }
    }
    for (file, text) in others {
        for (line, text) in text.lines().enumerate() {
            for rest in text.split(links::DOCUMENTS).skip(1) {
                let end = rest.find(|c: char| c.is_whitespace() || "\"'\\<>)".contains(c));
                let target = &rest[..end.unwrap_or(rest.len())];
                let fault = checked.own(target);
                faults.extend(fault.map(|fault| format!("{file}:{}: {fault}", line + 1)));
            }
        }
    }
    faults
}

struct Checked<'a> {
    tree: &'a Tree,
    documents: &'a BTreeMap<String, Document>,
}

impl Checked<'_> {
    /// What is wrong with a link of this file.
    fn link(&self, file: &str, target: &str) -> Option<String> {
        if let Some(own) = target.strip_prefix(links::DOCUMENTS) {
            return self.own(own);
        }
        if target.contains(':') {
            return external(target);
        }
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let path = if path.is_empty() {
            Some(file.to_owned())
        } else {
            tree::join(file, path)
        };
        let Some(path) = path else {
            return Some(format!("{target} leads out of the repository"));
        };
        self.there(target, &path, anchor)
    }

    /// What is wrong with a link by the address that a document has in the repository's site.
    fn own(&self, target: &str) -> Option<String> {
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let path = path.trim_matches('/');
        self.there(target, path, anchor)
    }

    fn there(&self, target: &str, path: &str, anchor: &str) -> Option<String> {
        if !self.tree.has(path) {
            return Some(format!("{target} leads to {path}, which is not there"));
        }
        if anchor.is_empty() {
            return None;
        }
        let document = self.documents.get(path);
        let known = document.is_some_and(|document| document.anchors.contains(anchor));
        (!known).then(|| format!("{target}: {path} has no heading #{anchor}"))
    }

    /// What is wrong with words in backticks of this file, if they are the path of a file.
    fn code(&self, file: &str, code: &str) -> Option<String> {
        let missing = self.tree.may_be_path(code) && !self.tree.knows(file, code);
        missing.then(|| format!("`{code}` looks like a path, and no file is called so"))
    }
}

/// What is wrong with the address of another site.
fn external(target: &str) -> Option<String> {
    let host = match Url::parse(target) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) => url.host_str().map(str::to_owned),
        Ok(url) => return Some(format!("{target}: nothing reads {}", url.scheme())),
        Err(error) => return Some(format!("{target} is no address: {error}")),
    };
    let host = host.unwrap_or_default();
    let whole = host == "localhost" || host.split('.').filter(|part| !part.is_empty()).count() > 1;
    (!whole).then(|| format!("{target} names no host"))
}
