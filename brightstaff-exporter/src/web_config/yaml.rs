//! YAML, asked key by key.

use std::collections::HashSet;

use saphyr::{Yaml, YamlLoader};
use saphyr_parser::Parser;

use super::WebConfigError;

type Result<T> = std::result::Result<T, WebConfigError>;

/// A value, and the key that it stands at.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    key: String,
    /// None where nothing stands there.
    yaml: Option<Yaml<'a>>,
}

/// Parses a file: a mapping, or nothing.
pub(super) fn parse(text: &str) -> Result<Node<'_>> {
    let mut loader = YamlLoader::<Yaml<'_>>::default();
    // What is a number, a truth or a text is known by its key: a user may be called 007.
    loader.early_parse(false);
    let parsed = Parser::new_from_str(text).load(&mut loader, true);
    let fault = parsed.err().or_else(|| loader.error().cloned());
    if let Some(error) = fault {
        // The parser tells of what it expected, never of what stands there, which may be a secret.
        let at = error.marker();
        return Err(WebConfigError::new(format_args!(
            "line {}, column {}: no sound YAML: {}",
            at.line(),
            at.col() + 1,
            error.info()
        )));
    }
    let mut documents = loader.into_documents().into_iter();
    let document = documents.next();
    if documents.next().is_some() {
        return Err(WebConfigError::new(
            "more than one document: remove the line ---",
        ));
    }
    Ok(Node {
        key: String::new(),
        yaml: document,
    })
}

impl<'a> Node<'a> {
    pub(super) fn fault(&self, fault: impl std::fmt::Display) -> WebConfigError {
        match &*self.key {
            "" => WebConfigError::new(fault),
            key => WebConfigError::at(key, fault),
        }
    }

    /// Whether something stands there.
    pub(super) fn is_set(&self) -> bool {
        match &self.yaml {
            None => false,
            Some(Yaml::Representation(text, style, _)) => {
                *style != saphyr::ScalarStyle::Plain || !matches!(&**text, "" | "~" | "null")
            }
            Some(_) => true,
        }
    }

    /// The values at these keys, in this order: there must be no other.
    pub(super) fn table<const N: usize>(self, keys: [&str; N]) -> Result<[Node<'a>; N]> {
        let at = self.key.clone();
        let mut nodes = keys.map(|key| Node {
            key: join(&at, key),
            yaml: None,
        });
        for (key, node) in self.entries()? {
            let Some(known) = keys.iter().position(|known| *known == key) else {
                let keys = keys.join(", ");
                return Err(node.fault(format_args!(
                    "no such key: remove it, or write one of {keys}"
                )));
            };
            nodes[known] = node;
        }
        Ok(nodes)
    }

    /// The keys and values of a mapping, which may be empty.
    pub(super) fn entries(self) -> Result<Vec<(String, Node<'a>)>> {
        if !self.is_set() {
            return Ok(Vec::new());
        }
        let Some(Yaml::Mapping(mapping)) = self.yaml else {
            return Err(self.fault("no mapping: write KEY: VALUE on lines of their own, indented"));
        };
        let mut keys = HashSet::new();
        let entries = mapping.into_iter().map(|(key, value)| {
            let Yaml::Representation(key, ..) = key else {
                return Err(WebConfigError::new(format_args!(
                    "{}a key that is no text: write KEY: VALUE",
                    if self.key.is_empty() {
                        String::new()
                    } else {
                        format!("{}: ", self.key)
                    }
                )));
            };
            let node = Node {
                key: join(&self.key, &key),
                yaml: Some(value),
            };
            // The parser tells of those that are written alike; 'a' and "a" are not.
            if !keys.insert(key.clone()) {
                return Err(node.fault("stands there twice: remove one"));
            }
            Ok((key.into_owned(), node))
        });
        entries.collect()
    }

    /// The items of a list, which may be empty.
    pub(super) fn list(self) -> Result<Vec<Node<'a>>> {
        if !self.is_set() {
            return Ok(Vec::new());
        }
        let Some(Yaml::Sequence(items)) = self.yaml else {
            return Err(self.fault("no list: write - ITEM on lines of their own"));
        };
        let items = items.into_iter().map(|item| Node {
            key: self.key.clone(),
            yaml: Some(item),
        });
        Ok(items.collect())
    }

    /// A text that is not empty, if one stands there.
    pub(super) fn text(&self) -> Result<Option<String>> {
        match &self.yaml {
            _ if !self.is_set() => Ok(None),
            Some(Yaml::Representation(text, ..)) if text.is_empty() => Ok(None),
            Some(Yaml::Representation(text, ..)) => Ok(Some(text.to_string())),
            _ => Err(self.fault("no text: write one value, in quotes")),
        }
    }

    /// A truth, in the words of YAML 1.1, which exporter-toolkit reads.
    pub(super) fn flag(&self) -> Result<Option<bool>> {
        let Some(text) = self.text()? else {
            return Ok(None);
        };
        match &*text.to_lowercase() {
            "true" | "yes" | "on" | "y" => Ok(Some(true)),
            "false" | "no" | "off" | "n" => Ok(Some(false)),
            _ => Err(self.fault("write true or false")),
        }
    }
}

fn join(key: &str, next: &str) -> String {
    if key.is_empty() {
        next.to_owned()
    } else {
        format!("{key}.{next}")
    }
}
