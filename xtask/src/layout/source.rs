//! What a source imports: the paths into its own crate, wherever they stand in it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Names from the root of a crate on: none is the root.
pub(super) type Path = Vec<String>;

/// A path that is named somewhere.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) line: usize,
    pub(super) path: Path,
}

/// What one file says, but for its tests: they may start from whatever they need.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) imports: Vec<Import>,
    /// What its `use`s bind.
    pub(super) names: BTreeMap<String, Path>,
    /// The modules that are for tests alone.
    pub(super) tests: BTreeSet<Path>,
}

/// Reads the text of a module, in a crate of these modules.
pub(super) fn read(text: &str, module: Path, modules: &BTreeSet<Path>) -> Result<Said> {
    let tokens: TokenStream = text
        .parse()
        .map_err(|error| anyhow!("no tokens of Rust: {error}"))?;
    let mut reader = Reader {
        modules,
        module,
        said: Said::default(),
    };
    reader.tokens(&tokens.into_iter().collect::<Vec<_>>());
    Ok(reader.said)
}

struct Reader<'a> {
    modules: &'a BTreeSet<Path>,
    /// Where it reads.
    module: Path,
    said: Said,
}

impl Reader<'_> {
    fn tokens(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while at < tokens.len() {
            let rest = &tokens[at..];
            at += match rest {
                [
                    TokenTree::Punct(hash),
                    TokenTree::Group(attribute),
                    after @ ..,
                ] if hash.as_char() == '#' && is_for_tests(attribute) => 2 + self.test_item(after),
                [TokenTree::Ident(word), TokenTree::Group(group), ..]
                    if word == "pub" && is_visibility(group) =>
                {
                    2
                }
                [TokenTree::Ident(word), after @ ..] if word == "use" && !is(after, '<') => {
                    let end = position(after, ';');
                    self.uses(&after[..end], &[]);
                    1 + end
                }
                [
                    TokenTree::Ident(word),
                    TokenTree::Ident(name),
                    TokenTree::Group(body),
                    ..,
                ] if word == "mod" => {
                    self.module.push(name.to_string());
                    self.tokens(&contents(body));
                    self.module.pop();
                    3
                }
                [TokenTree::Ident(_), ..] => self.path(rest),
                [TokenTree::Group(group), ..] => {
                    self.tokens(&contents(group));
                    1
                }
                _ => 1,
            };
        }
    }

    /// Passes an item that only tests see, and tells how long it is.
    fn test_item(&mut self, tokens: &[TokenTree]) -> usize {
        let declared = tokens.iter().position(|token| is_word(token, "mod"));
        let end = end_of_item(tokens);
        if let Some(mod_at) = declared.filter(|at| *at < end)
            && let Some(TokenTree::Ident(name)) = tokens.get(mod_at + 1)
        {
            let mut module = self.module.clone();
            module.push(name.to_string());
            self.said.tests.insert(module);
        }
        end
    }

    /// A tree of `use`, behind what stands before it.
    fn uses(&mut self, tree: &[TokenTree], before: &[String]) {
        let mut path = before.to_vec();
        let mut name = None;
        for (at, token) in tree.iter().enumerate() {
            match token {
                TokenTree::Ident(word) if word == "as" => {
                    name = tree.get(at + 1).map(ToString::to_string);
                    break;
                }
                TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Group(group) => {
                    let inner = contents(group);
                    for tree in inner.split(|token| is(std::slice::from_ref(token), ',')) {
                        self.uses(tree, &path);
                    }
                    return;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
        let (Some(first), Some(last)) = (tree.first(), path.last()) else {
            return;
        };
        let name = name.unwrap_or_else(|| last.clone());
        if let Some(path) = self.import(first.span().start().line, &path) {
            self.said.names.insert(name, path);
        }
    }

    /// A path of `::`, and how long it is; a word alone is none.
    fn path(&mut self, tokens: &[TokenTree]) -> usize {
        let line = tokens[0].span().start().line;
        let mut path = vec![tokens[0].to_string()];
        let mut at = 1;
        while let [
            TokenTree::Punct(one),
            TokenTree::Punct(two),
            TokenTree::Ident(word),
            ..,
        ] = &tokens[at..]
            && (one.as_char(), two.as_char()) == (':', ':')
        {
            path.push(word.to_string());
            at += 3;
        }
        if path.len() > 1 {
            self.import(line, &path);
        }
        at
    }

    /// Notes a path where it leads into this crate.
    fn import(&mut self, line: usize, path: &[String]) -> Option<Path> {
        let path = self.resolve(path)?;
        self.said.imports.push(Import {
            line,
            path: path.clone(),
        });
        Some(path)
    }

    /// The path from the root of this crate on. None where it leads into another, or is a name that a `use` bound.
    fn resolve(&self, path: &[String]) -> Option<Path> {
        let mut from = self.module.clone();
        let up = path.iter().take_while(|word| *word == "super").count();
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => return Some(rest.to_vec()),
            "super" => {
                from.truncate(from.len().checked_sub(up)?);
                from.extend_from_slice(&path[up..]);
            }
            "self" => {
                // As in `self::super::name`.
                let up = rest.iter().take_while(|word| *word == "super").count();
                from.truncate(from.len().checked_sub(up)?);
                from.extend_from_slice(&rest[up..]);
            }
            child => {
                from.push(child.to_owned());
                if !self.modules.contains(&from) {
                    return None;
                }
                from.extend_from_slice(rest);
            }
        }
        Some(from)
    }
}

/// Whether this attribute leaves to tests what follows: `#[cfg(test)]`, `#[cfg(all(test, unix))]`.
fn is_for_tests(attribute: &Group) -> bool {
    fn wants_test(tokens: &[TokenTree]) -> bool {
        tokens.iter().enumerate().any(|(at, token)| match token {
            TokenTree::Ident(word) => word == "test",
            TokenTree::Group(group) => {
                let others = at > 0 && ["not", "any"].iter().any(|of| is_word(&tokens[at - 1], of));
                !others && wants_test(&contents(group))
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
    match &contents(attribute)[..] {
        [TokenTree::Ident(word), condition @ ..] => word == "cfg" && wants_test(condition),
        _ => false,
    }
}

/// Whether this is what may follow `pub`: `(crate)`, `(super)`, `(in crate::http)`.
fn is_visibility(group: &Group) -> bool {
    group.delimiter() == Delimiter::Parenthesis
        && contents(group).first().is_some_and(|first| {
            ["crate", "super", "self", "in"]
                .iter()
                .any(|word| is_word(first, word))
        })
}

/// How many tokens an item has, its attributes included, or a field, a variant or an arm.
fn end_of_item(tokens: &[TokenTree]) -> usize {
    const ITEMS: [&str; 13] = [
        "async", "const", "enum", "extern", "fn", "impl", "mod", "static", "struct", "trait",
        "type", "use", "pub",
    ];
    let is_item = ITEMS
        .iter()
        .any(|item| tokens.iter().take(3).any(|token| is_word(token, item)));
    let is_use = tokens.iter().take(3).any(|token| is_word(token, "use"));
    let ends = |token: &TokenTree| match token {
        TokenTree::Punct(mark) => mark.as_char() == ';' || (!is_item && mark.as_char() == ','),
        TokenTree::Group(group) => !is_use && group.delimiter() == Delimiter::Brace,
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    };
    tokens
        .iter()
        .position(ends)
        .map_or(tokens.len(), |last| last + 1)
}

fn contents(group: &Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

/// Whether it begins with this mark.
fn is(tokens: &[TokenTree], mark: char) -> bool {
    matches!(tokens.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

/// Where this mark is, or the end.
fn position(tokens: &[TokenTree], mark: char) -> usize {
    (0..tokens.len())
        .find(|at| is(&tokens[*at..], mark))
        .unwrap_or(tokens.len())
}
