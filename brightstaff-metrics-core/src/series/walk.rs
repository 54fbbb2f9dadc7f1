//! The walk over all series: what provides them, and who visits them.

use super::{Counter, Gauge, Histogram};
use crate::catalogue::Family;

/// Visits series, family by family. Each writer of an exposition implements this once and knows no family;
/// families know no writer.
pub(crate) trait Visitor {
    /// Whether a text format that can tell when series began is to do so, of what follows.
    fn created_samples(&mut self, _wanted: bool) {}
    /// What follows, up to the next family, are the children of this one.
    fn family(&mut self, family: &'static Family);
    fn counter(&mut self, counter: &Counter);
    fn gauge(&mut self, gauge: &Gauge);
    fn histogram(&mut self, histogram: &Histogram);
    /// The one child, without labels, of a family that is read at this moment.
    fn reading(&mut self, value: f64);
}

/// Some children of one family.
pub(crate) trait Children {
    fn visit(&self, visitor: &mut dyn Visitor);
}

/// Families whose children are made together, for a value of an open label.
pub(crate) trait Group<const N: usize> {
    /// Every family of which there is a child, in the order of the catalogue.
    const FAMILIES: [&'static Family; N];

    /// The children, in the same order. Destructures itself, so that a new child cannot be left out.
    fn children(&self) -> [&dyn Children; N];
}

/// Walks the children of groups, family by family.
pub(crate) fn walk_groups<'a, G, const N: usize, I>(
    groups: impl Fn() -> I,
    visitor: &mut dyn Visitor,
) where
    G: Group<N> + 'a,
    I: Iterator<Item = &'a G>,
{
    for (index, &family) in G::FAMILIES.iter().enumerate() {
        visitor.family(family);
        for group in groups() {
            group.children()[index].visit(visitor);
        }
    }
}
