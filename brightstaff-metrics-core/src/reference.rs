//! What the generators of this workspace's documentation read, beside the catalogue.

use crate::{catalogue::Family, labels};

/// Whether the name of a family is one that Plano's monitoring page documents.
#[must_use]
pub fn is_documented(family: &Family) -> bool {
    family.documented
}

/// The closed labels that need an explanation: name, values, and what they mean.
#[must_use]
pub fn label_meanings() -> &'static [(
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
)] {
    labels::MEANINGS
}
