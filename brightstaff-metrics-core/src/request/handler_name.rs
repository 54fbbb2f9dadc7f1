use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The name of a handler, as an application gives it: cheap to clone, whether it is known at compile time,
/// kept in a table, or made for a request.
///
/// In the extensions of a request it names its handler, before every other name: for services and middleware
/// that know more of a request than its route tells.
///
/// ```
/// use brightstaff_metrics_core::HandlerName;
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(HandlerName::from("batch"));
/// ```
#[derive(Clone, Debug)]
pub struct HandlerName(Text);

#[derive(Clone, Debug)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

impl HandlerName {
    fn new(name: Text) -> Self {
        // Read before it is written: whoever makes names for each request shares the line.
        if !Self::are_there() {
            ANY.store(true, Ordering::Relaxed);
        }
        Self(name)
    }

    /// Whether one was ever made in this process: where none was, no request has to be looked through for one.
    #[inline]
    pub(crate) fn are_there() -> bool {
        ANY.load(Ordering::Relaxed)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Static(name) => name,
            Text::Shared(name) => name,
        }
    }
}

impl From<&'static str> for HandlerName {
    fn from(name: &'static str) -> Self {
        Self::new(Text::Static(name))
    }
}

impl From<String> for HandlerName {
    fn from(name: String) -> Self {
        Self::new(Text::Shared(name.into()))
    }
}

impl From<Arc<str>> for HandlerName {
    fn from(name: Arc<str>) -> Self {
        Self::new(Text::Shared(name))
    }
}

impl From<std::borrow::Cow<'static, str>> for HandlerName {
    fn from(name: std::borrow::Cow<'static, str>) -> Self {
        match name {
            std::borrow::Cow::Borrowed(name) => name.into(),
            std::borrow::Cow::Owned(name) => name.into(),
        }
    }
}

/// Relaxed will do: a request takes its name along, past whatever hands it from thread to thread.
static ANY: AtomicBool = AtomicBool::new(false);
