use std::sync::Arc;

/// In the extensions of a request: layers of the first metrics of the process measure it, and no other layer
/// does. What is most often the case takes no memory there.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FirstMark;

/// In the extensions of a request, where there is more to say: what the layers that it has passed measure of it,
/// so that a layer further in leaves that to them, and measures what they do not.
#[derive(Clone, Debug)]
pub struct LayerMark(Marks);

#[derive(Clone, Debug)]
enum Marks {
    /// The first metrics of the process measure the request and its call, and no others anything: takes no
    /// memory of its own.
    FirstAndCall,
    Several(Arc<[Mark]>),
}

/// The marks that a request brings along.
#[derive(Clone, Copy, Debug, Default)]
pub struct LayerMarks<'a> {
    first: bool,
    marks: &'a [Mark],
}

/// The mark to be put in the extensions of a request.
#[derive(Clone, Debug)]
pub enum NewMark {
    /// As it most often is.
    First(FirstMark),
    /// Instead of any other.
    Layers(LayerMark),
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

impl<'a> LayerMarks<'a> {
    /// Those that are in the extensions of a request.
    #[must_use]
    pub fn new(first: Option<&FirstMark>, marks: Option<&'a LayerMark>) -> Self {
        Self {
            first: first.is_some(),
            marks: marks.map_or(&[], LayerMark::marks),
        }
    }

    fn of(self, metrics: usize) -> Option<Mark> {
        let mark = self.marks.iter().find(|mark| mark.metrics == metrics);
        let first = (self.first && metrics == FIRST).then_some(Mark {
            metrics,
            call: false,
        });
        mark.copied().or(first)
    }

    /// What layers further out leave to one of these metrics.
    pub(super) fn left(self, metrics: usize) -> Left {
        let measured = self.of(metrics);
        Left {
            request: measured.is_none(),
            call: !measured.is_some_and(|mark| mark.call),
        }
    }

    /// The mark for layers further in, of a layer that measures the request, if no other does, and perhaps a
    /// call. `None` where nothing is new.
    pub(super) fn with(self, metrics: usize, call: bool) -> Option<NewMark> {
        if self.of(metrics).is_some_and(|before| before.call || !call) {
            return None;
        }
        if metrics == FIRST && !call {
            return Some(NewMark::First(FirstMark));
        }
        let others = self.marks.iter().filter(|mark| mark.metrics != metrics);
        if metrics == FIRST && others.clone().next().is_none() {
            return Some(NewMark::Layers(LayerMark(Marks::FirstAndCall)));
        }
        let marks = others.copied().chain([Mark { metrics, call }]);
        Some(NewMark::Layers(LayerMark(Marks::Several(marks.collect()))))
    }
}

impl LayerMark {
    fn marks(&self) -> &[Mark] {
        match &self.0 {
            Marks::FirstAndCall => &[Mark {
                metrics: FIRST,
                call: true,
            }],
            Marks::Several(marks) => marks,
        }
    }
}

/// Most processes have one.
const FIRST: usize = 0;

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

    /// The extensions of a request.
    #[derive(Default)]
    struct Extensions(Option<FirstMark>, Option<LayerMark>);

    impl Extensions {
        fn marks(&self) -> LayerMarks<'_> {
            LayerMarks::new(self.0.as_ref(), self.1.as_ref())
        }

        fn passes(&mut self, metrics: usize, call: bool) -> bool {
            match self.marks().with(metrics, call) {
                None => return false,
                Some(NewMark::First(first)) => self.0 = Some(first),
                Some(NewMark::Layers(marks)) => self.1 = Some(marks),
            }
            true
        }
    }

    #[test]
    fn a_layer_measures_what_those_further_out_do_not() {
        for (one, two, three) in [(0, 1, 2), (1, 0, 2), (1, 2, 0)] {
            let mut request = Extensions::default();
            assert_eq!(request.marks().left(one), ALL);
            assert!(request.passes(one, false));
            assert_eq!(request.marks().left(one), CALL);
            assert_eq!(request.marks().left(two), ALL);
            assert!(!request.passes(one, false));

            assert!(request.passes(one, true));
            assert_eq!(request.marks().left(one), NONE);
            assert!(!request.passes(one, false));

            assert!(request.passes(two, false));
            assert_eq!(request.marks().left(one), NONE);
            assert_eq!(request.marks().left(two), CALL);
            assert_eq!(request.marks().left(three), ALL);
        }
    }

    #[test]
    fn what_is_most_often_the_case_takes_no_memory() {
        assert!(matches!(
            LayerMarks::default().with(0, false),
            Some(NewMark::First(_))
        ));
        assert_eq!(size_of::<FirstMark>(), 0);
    }
}
