//! What a document says that can be dead, and where it can be entered.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{BrokenLink, Event, LinkType, Options, Parser, Tag, TagEnd};

use crate::links;

/// A document, read.
#[derive(Debug)]
pub(super) struct Document {
    /// What its headings are called in a link.
    pub(super) anchors: BTreeSet<String>,
    /// What it says, with the lines.
    pub(super) said: Vec<(usize, Said)>,
}

#[derive(Debug)]
pub(super) enum Said {
    /// Where a link leads, or from where an image comes.
    Link(String),
    /// Words in backticks; blocks of code are whatever they are.
    Code(String),
    /// The label of a link that has no definition.
    Undefined(String),
    /// A link that is written in HTML.
    Html,
}

impl Document {
    pub(super) fn read(text: &str) -> Self {
        let mut undefined = Vec::new();
        // Of `[words]` nobody knows whether they should be a link; `[words][label]` should.
        let mut note = |link: BrokenLink<'_>| {
            if link.link_type == LinkType::Reference {
                undefined.push((link.span.start, Said::Undefined(link.reference.to_string())));
            }
            None
        };
        let parser =
            Parser::new_with_broken_link_callback(text, Options::ENABLE_TABLES, Some(&mut note));
        let mut headings = Headings::default();
        let mut said = Vec::new();
        for (event, place) in parser.into_offset_iter() {
            headings.hear(&event);
            let at = match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    Said::Link(dest_url.into_string())
                }
                Event::Code(code) => Said::Code(code.into_string()),
                Event::Html(html) | Event::InlineHtml(html)
                    if ["<a ", "<img "].iter().any(|tag| html.contains(tag)) =>
                {
                    Said::Html
                }
                _ => continue,
            };
            said.push((place.start, at));
        }
        said.extend(undefined);
        let line = |at: usize| text[..at].matches('\n').count() + 1;
        Self {
            anchors: headings.anchors,
            said: said
                .into_iter()
                .map(|(at, said)| (line(at), said))
                .collect(),
        }
    }
}

/// Headings as they go by.
#[derive(Default)]
struct Headings {
    anchors: BTreeSet<String>,
    times: BTreeMap<String, u32>,
    /// The text of the one that is open.
    open: Option<String>,
}

impl Headings {
    fn hear(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(Tag::Heading { .. }) => self.open = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(open) = &mut self.open {
                    open.push_str(text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let anchor = links::anchor(&self.open.take().unwrap_or_default());
                // The second one of a name is numbered, as GitHub does it.
                let times = self.times.entry(anchor.clone()).or_default();
                let numbered = match *times {
                    0 => anchor,
                    times => format!("{anchor}-{times}"),
                };
                *times += 1;
                self.anchors.insert(numbered);
            }
            _ => {}
        }
    }
}
