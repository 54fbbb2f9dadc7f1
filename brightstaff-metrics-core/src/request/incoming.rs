use super::{HandlerName, KnownTemplate};
use crate::{labels::RequestMethod, listener::Listener, trace::TraceContext};

/// An inbound request as its framework presents it: everything that its handler may be named by.
pub trait IncomingRequest {
    /// The method.
    fn method(&self) -> RequestMethod;

    /// The path as the client sent it, wherever the adapter is nested.
    fn path(&self) -> &str;

    /// The template of the route that matched. Asked for only where nothing else decides, since it
    /// costs something in some frameworks.
    fn template(&self) -> Option<&str>;

    /// The template that the handler is named by until the head of the response, where the framework tells the
    /// true one only then: see [`RequestMetrics::rename`](super::RequestMetrics::rename). As cheap as it can be.
    fn likely_template(&self) -> Option<&str> {
        self.template()
    }

    /// The same, where it is kept with the handler that it stands for: in place of
    /// [`likely_template`](Self::likely_template).
    fn known_template(&self) -> Option<&KnownTemplate> {
        None
    }

    /// Whether the template is there already: then it is asked for whatever the path looks like, which
    /// may have been rewritten before it was routed.
    const TEMPLATE_IS_CHEAP: bool = false;

    /// The prefix that a service is nested at, where that is all that its framework knows.
    fn prefix(&self) -> Option<&str> {
        None
    }

    /// The name that the request brings along, in its extensions.
    fn given_name(&self) -> Option<HandlerName>;

    /// The name that the application's closure gives.
    fn chosen_name(&self) -> Option<HandlerName> {
        None
    }

    /// Whether there is such a header; `name` is in lower case.
    fn has_header(&self, name: &str) -> bool;

    /// The trace that the request belongs to, by its `traceparent`, if it is sampled.
    fn trace(&self) -> Option<TraceContext> {
        None
    }

    /// Who hears of the end of the request, by its extensions. Asked for only where a [`Listener`] was ever made.
    fn listener(&self) -> Option<Listener> {
        None
    }

    /// Whether the method is CONNECT, and the server drops the body of a 2xx to it, as HTTP has none
    /// there (RFC 9110, section 9.3.6).
    fn is_connect(&self) -> bool {
        false
    }
}
