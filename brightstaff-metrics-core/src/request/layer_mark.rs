use std::sync::Arc;

/// What the layers that a request has passed measure of it: put in its extensions, so that a layer further in
/// leaves that to them, and measures what they do not.
#[derive(Clone, Debug)]
pub struct LayerMark(Marks);

#[derive(Clone, Debug)]
enum Marks {
    /// Nearly always.
    One(Mark),
    Many(Arc<[Mark]>),
}

/// What layers of some metrics measure.
#[derive(Clone, Copy, Debug)]
struct Mark {
    metrics: usize,
    /// Its response as a call; the request itself in any case.
    call: bool,
}

/// What is left for a layer to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) request: bool,
    pub(super) call: bool,
}

impl LayerMark {
    /// What layers further out leave to one of these metrics.
    pub(super) fn left(outer: Option<&Self>, metrics: usize) -> Left {
        let measured = outer.and_then(|mark| {
            let mut marks = mark.marks().iter();
            marks.find(|mark| mark.metrics == metrics)
        });
        Left {
            request: measured.is_none(),
            call: !measured.is_some_and(|mark| mark.call),
        }
    }

    /// The mark for layers further in, of a layer that measures the request, if no other does, and perhaps a
    /// call. `None` where it is the same as before.
    pub(super) fn with(outer: Option<&Self>, metrics: usize, call: bool) -> Option<Self> {
        let mark = Mark { metrics, call };
        let Some(outer) = outer else {
            return Some(Self(Marks::One(mark)));
        };
        let others = outer.marks().iter().filter(|mark| mark.metrics != metrics);
        let before = outer.marks().iter().find(|mark| mark.metrics == metrics);
        if before.is_some_and(|before| before.call || !call) {
            return None;
        }
        let marks: Vec<_> = others.copied().chain([mark]).collect();
        Some(Self(match *marks {
            [mark] => Marks::One(mark),
            _ => Marks::Many(marks.into()),
        }))
    }

    fn marks(&self) -> &[Mark] {
        match &self.0 {
            Marks::One(mark) => std::slice::from_ref(mark),
            Marks::Many(marks) => marks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Left = Left {
        request: true,
        call: true,
    };
    const CALL: Left = Left {
        request: false,
        call: true,
    };
    const NONE: Left = Left {
        request: false,
        call: false,
    };

    #[test]
    fn a_layer_measures_what_those_further_out_do_not() {
        assert_eq!(LayerMark::left(None, 1), ALL);
        let outer = LayerMark::with(None, 1, false).unwrap();
        assert_eq!(LayerMark::left(Some(&outer), 1), CALL);
        assert_eq!(LayerMark::left(Some(&outer), 2), ALL);
        assert!(LayerMark::with(Some(&outer), 1, false).is_none());

        let both = LayerMark::with(Some(&outer), 1, true).unwrap();
        assert_eq!(LayerMark::left(Some(&both), 1), NONE);
        assert!(LayerMark::with(Some(&both), 1, false).is_none());

        let others = LayerMark::with(Some(&both), 2, false).unwrap();
        assert_eq!(LayerMark::left(Some(&others), 1), NONE);
        assert_eq!(LayerMark::left(Some(&others), 2), CALL);
        assert_eq!(LayerMark::left(Some(&others), 3), ALL);
    }
}
