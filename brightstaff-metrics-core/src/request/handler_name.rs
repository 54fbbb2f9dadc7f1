use std::sync::Arc;

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
        Self(Text::Static(name))
    }
}

impl From<String> for HandlerName {
    fn from(name: String) -> Self {
        Self(Text::Shared(name.into()))
    }
}

impl From<Arc<str>> for HandlerName {
    fn from(name: Arc<str>) -> Self {
        Self(Text::Shared(name))
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
