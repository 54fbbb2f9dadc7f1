//! Lines of styled text, at their columns.

/// How a piece of text stands out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Style {
    #[default]
    Plain,
    Bold,
    Dim,
    Reverse,
    Warning,
    Critical,
}

/// A piece of a line, and at which column it begins, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) column: usize,
    pub(super) text: String,
    pub(super) style: Style,
}

pub(super) type Line = Vec<Piece>;

/// A line in one style.
pub(super) fn line(text: &str, style: Style) -> Line {
    let text = text.to_owned();
    vec![Piece {
        column: 0,
        text,
        style,
    }]
}
