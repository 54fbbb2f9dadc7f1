//! Expressions, which know the labels of what they return.

use std::fmt;

/// An expression.
#[derive(Clone, Debug)]
#[must_use]
pub(crate) struct Expr {
    text: String,
    /// The labels of the series that it returns.
    labels: Vec<&'static str>,
    /// Whether it stands as an operand without parentheses.
    atom: bool,
    /// Of a quantile that is absent outside of its bounds: the quantile, and the bounds.
    bounded: Option<(String, [f64; 2])>,
}

impl Expr {
    pub(super) fn sum(series: &str, labels: Vec<&'static str>) -> Self {
        let by = if labels.is_empty() {
            String::new()
        } else {
            format!(" by ({})", labels.join(", "))
        };
        let space = if by.is_empty() { "" } else { " " };
        Self {
            text: format!("sum{by}{space}({series})"),
            labels,
            atom: true,
            bounded: None,
        }
    }

    /// A series that the recording rules make, under this name and with these labels.
    pub(crate) fn recorded(name: String, labels: &[&'static str]) -> Self {
        Self {
            text: name,
            labels: labels.to_vec(),
            atom: true,
            bounded: None,
        }
    }

    /// NaN, which is what there is where nothing was sampled, is not `>= 0`.
    pub(super) fn quantile(q: f64, buckets: &Self, labels: Vec<&'static str>) -> Self {
        Self {
            text: format!("histogram_quantile({q}, {buckets}) >= 0"),
            labels,
            atom: false,
            bounded: None,
        }
    }

    /// The same, and absent where it falls into the first or into the last bucket, whose other bound nobody knows:
    /// what is read there is made up.
    pub(super) fn measured(
        q: f64,
        buckets: &Self,
        labels: Vec<&'static str>,
        bounds: &[f64],
    ) -> Self {
        let (first, last) = (bounds[0], bounds[bounds.len() - 1]);
        let quantile = format!("histogram_quantile({q}, {buckets})");
        Self {
            text: format!("{quantile} > {first} < {last}"),
            labels,
            atom: false,
            bounded: Some((quantile, [first, last])),
        }
    }

    /// Where it is absent outside of two bounds: the same without them, and the bounds.
    pub(crate) fn bounded(&self) -> Option<(&str, [f64; 2])> {
        let (quantile, bounds) = self.bounded.as_ref()?;
        Some((quantile, *bounds))
    }

    /// The labels of the series that it returns.
    pub(crate) fn labels(&self) -> &[&'static str] {
        &self.labels
    }

    /// Reads 0 where `of` has something and this has not: a counter that never rose has no series.
    pub(crate) fn or_zero(self, of: &Self) -> Self {
        assert_eq!(self.labels, of.labels, "0 of something else");
        let text = format!("{self} or 0 * {}", of.operand());
        self.with(text)
    }

    /// Without the other, where that is there; absent where nothing is left.
    pub(crate) fn less(self, other: Self) -> Self {
        let other = other.or_zero(&self);
        let text = format!("{} - {} > 0", self.operand(), other.operand());
        self.with(text)
    }

    /// Together with the other; where one of them is absent, it is 0 as long as `of` has something.
    pub(crate) fn plus(self, other: Self, of: &Self) -> Self {
        let (this, other) = (self.or_zero(of), other.or_zero(of));
        let text = format!("{} + {}", this.operand(), other.operand());
        this.with(text)
    }

    /// Only where it is more than this.
    pub(crate) fn above(self, bound: impl fmt::Display) -> Self {
        let text = format!("{} > {bound}", self.operand());
        self.with(text)
    }

    /// Only where it is this.
    pub(crate) fn equal(self, value: impl fmt::Display) -> Self {
        let text = format!("{} == {value}", self.operand());
        self.with(text)
    }

    /// Only where it is at least this.
    pub(crate) fn at_least(self, bound: impl fmt::Display) -> Self {
        let text = format!("{} >= {bound}", self.operand());
        self.with(text)
    }

    /// Only where it is at most this.
    pub(crate) fn at_most(self, bound: impl fmt::Display) -> Self {
        let text = format!("{} <= {bound}", self.operand());
        self.with(text)
    }

    /// Only where the other is not there.
    pub(crate) fn unless(self, other: &Self) -> Self {
        let on = self.labels.join(", ");
        let text = format!("{} unless on ({on}) {}", self.operand(), other.operand());
        self.with(text)
    }

    /// What a share leaves.
    pub(crate) fn complement(self) -> Self {
        let text = format!("1 - {}", self.operand());
        self.with(text)
    }

    /// What a share leaves of the share that is allowed: 0 where it is spent, by however much more.
    pub(crate) fn left_of(self, allowed: f64) -> Self {
        Self {
            text: format!("clamp_min(1 - {} / {allowed}, 0)", self.operand()),
            atom: true,
            ..self
        }
    }

    /// The least of its series.
    pub(crate) fn min(self) -> Self {
        Self {
            text: format!("min({self})"),
            labels: Vec::new(),
            atom: true,
            bounded: None,
        }
    }

    /// Times a number.
    pub(crate) fn times(self, factor: impl fmt::Display) -> Self {
        let text = format!("{} * {factor}", self.operand());
        self.with(text)
    }

    /// Only where the other is there, too.
    pub(crate) fn and(self, other: &Self) -> Self {
        let on = self
            .labels
            .iter()
            .filter(|label| other.labels.contains(label));
        let on: Vec<_> = on.copied().collect();
        let text = format!(
            "{} and on ({}) {}",
            self.operand(),
            on.join(", "),
            other.operand()
        );
        self.with(text)
    }

    fn with(&self, text: String) -> Self {
        Self {
            text,
            labels: self.labels.clone(),
            atom: false,
            bounded: None,
        }
    }

    fn operand(&self) -> String {
        if self.atom {
            self.text.clone()
        } else {
            format!("({self})")
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One quantity as a share of another that includes it, right at any rate: 0 where nothing of it
/// happened, and absent where there is nothing to have a share of.
pub(crate) fn share(part: Expr, whole: &Expr) -> Expr {
    ratio(&part.or_zero(whole), whole)
}

/// The same for a part that is there wherever the whole is.
pub(crate) fn ratio(part: &Expr, whole: &Expr) -> Expr {
    divide(part, whole, "")
}

/// The same where the part is split by more labels than the whole. A part that never happened is
/// absent.
pub(crate) fn part(part: &Expr, whole: &Expr) -> Expr {
    let on = whole.labels.join(", ");
    divide(part, whole, &format!("on ({on}) group_left () "))
}

fn divide(part: &Expr, whole: &Expr, matching: &str) -> Expr {
    part.with(format!("{} / {matching}({whole} > 0)", part.operand()))
}
