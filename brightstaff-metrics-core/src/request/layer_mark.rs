use std::sync::Arc;

/// The extensions of a request, in which layers leave marks for those further in. An adapter implements it for its
/// framework's.
pub trait Extensions {
    /// What was inserted of this type.
    fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<&T>;

    /// Inserts in place of what is there of this type.
    fn insert<T: Clone + Send + Sync + 'static>(&mut self, value: T);
}

impl Extensions for http::Extensions {
    #[inline]
    fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
        Self::get(self)
    }

    #[inline]
    fn insert<T: Clone + Send + Sync + 'static>(&mut self, value: T) {
        Self::insert(self, value);
    }
}

/// What the layers that a request has passed measure of it, so that a layer further in leaves that to them, and
/// measures what they do not.
#[derive(Clone, Debug, Default)]
pub struct LayerMarks(Measured);

/// What most often is the case is told by values without size, which take no memory in the extensions.
#[derive(Clone, Debug, Default)]
enum Measured {
    #[default]
    Nothing,
    /// Only by the first metrics of the process: the request, and its response as a call?
    First {
        call: bool,
    },
    Several(Several),
}

/// The marks to be put in the extensions of a request.
#[derive(Clone, Debug)]
#[must_use = "layers further in have to know"]
pub struct NewMarks(LayerMarks);

/// Some layer measures this request: without any other mark, one of the first metrics of the process.
#[derive(Clone, Copy)]
struct Marked;

/// The first metrics measure its response as a call, too.
#[derive(Clone, Copy)]
struct FirstCall;

/// All that there is to tell.
#[derive(Clone, Debug)]
struct Several(Arc<[Mark]>);

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

impl LayerMarks {
    /// Those that are in the extensions of a request.
    #[must_use]
    #[inline]
    pub fn of(extensions: &impl Extensions) -> Self {
        if extensions.get::<Marked>().is_none() {
            return Self::default();
        }
        Self(match extensions.get::<Several>() {
            Some(several) => Measured::Several(several.clone()),
            None => Measured::First {
                call: extensions.get::<FirstCall>().is_some(),
            },
        })
    }

    fn mark_of(&self, metrics: usize) -> Option<Mark> {
        match &self.0 {
            Measured::Nothing => None,
            Measured::First { call } => (metrics == FIRST).then_some(Mark {
                metrics,
                call: *call,
            }),
            Measured::Several(Several(marks)) => {
                let mut marks = marks.iter();
                marks.find(|mark| mark.metrics == metrics).copied()
            }
        }
    }

    /// What layers further out leave to one of these metrics.
    #[inline]
    pub(super) fn left(&self, metrics: usize) -> Left {
        if let Measured::Nothing = self.0 {
            return Left {
                request: true,
                call: true,
            };
        }
        let measured = self.mark_of(metrics);
        Left {
            request: measured.is_none(),
            call: !measured.is_some_and(|mark| mark.call),
        }
    }

    /// The marks for layers further in, of a layer that measures the request, if no other does, and perhaps a
    /// call. `None` where nothing is new.
    #[inline]
    pub(super) fn with(&self, metrics: usize, call: bool) -> Option<NewMarks> {
        match self.0 {
            Measured::Nothing if metrics == FIRST => Some(NewMarks(Self(Measured::First { call }))),
            _ => self.with_others(metrics, call),
        }
    }

    fn with_others(&self, metrics: usize, call: bool) -> Option<NewMarks> {
        let before = self.mark_of(metrics);
        if before.is_some_and(|before| before.call || !call) {
            return None;
        }
        let others = match &self.0 {
            Measured::Nothing | Measured::First { .. } if metrics == FIRST => {
                return Some(NewMarks(Self(Measured::First { call })));
            }
            Measured::Nothing => Vec::new(),
            Measured::First { call } => vec![Mark {
                metrics: FIRST,
                call: *call,
            }],
            Measured::Several(Several(marks)) => {
                let others = marks.iter().filter(|mark| mark.metrics != metrics);
                others.copied().collect()
            }
        };
        let marks = others.into_iter().chain([Mark { metrics, call }]);
        let several = Several(marks.collect());
        Some(NewMarks(Self(Measured::Several(several))))
    }
}

impl NewMarks {
    /// Puts them there.
    #[inline]
    pub fn put(self, extensions: &mut impl Extensions) {
        extensions.insert(Marked);
        match self.0.0 {
            Measured::Nothing | Measured::First { call: false } => {}
            Measured::First { call: true } => extensions.insert(FirstCall),
            Measured::Several(several) => extensions.insert(several),
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

    fn marks(extensions: &http::Extensions) -> LayerMarks {
        LayerMarks::of(extensions)
    }

    fn passes(extensions: &mut http::Extensions, metrics: usize, call: bool) -> bool {
        let new = marks(extensions).with(metrics, call);
        let is_new = new.is_some();
        if let Some(new) = new {
            new.put(extensions);
        }
        is_new
    }

    #[test]
    fn a_layer_measures_what_those_further_out_do_not() {
        for (one, two, three) in [(0, 1, 2), (1, 0, 2), (1, 2, 0)] {
            let mut request = http::Extensions::default();
            assert_eq!(marks(&request).left(one), ALL);
            assert!(passes(&mut request, one, false));
            assert_eq!(marks(&request).left(one), CALL);
            assert_eq!(marks(&request).left(two), ALL);
            assert!(!passes(&mut request, one, false));

            assert!(passes(&mut request, one, true));
            assert_eq!(marks(&request).left(one), NONE);
            assert!(!passes(&mut request, one, false));

            assert!(passes(&mut request, two, false));
            assert_eq!(marks(&request).left(one), NONE);
            assert_eq!(marks(&request).left(two), CALL);
            assert_eq!(marks(&request).left(three), ALL);
        }
    }

    #[test]
    fn what_is_most_often_the_case_takes_no_memory() {
        for call in [false, true] {
            let NewMarks(new) = LayerMarks::default().with(FIRST, call).unwrap();
            assert!(matches!(new.0, Measured::First { .. }), "{new:?}");
        }
        assert_eq!((size_of::<Marked>(), size_of::<FirstCall>()), (0, 0));
    }
}
