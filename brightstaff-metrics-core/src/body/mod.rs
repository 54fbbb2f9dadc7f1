//! Bodies that are observed as they pass: no byte changed, none held back.

mod observed;
mod observer;
mod stream;

pub use observed::ObservedBody;
pub use observer::Observer;
pub use stream::ObservedStream;

/// Left by [`UpstreamCall::observe`](crate::UpstreamCall::observe) in the extensions of a response:
/// its call is measured already, so that a layer that measures implicitly leaves it alone. Adapters whose
/// answers are no `http::Response` put it there themselves.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct UpstreamObserved;

/// Put in the extensions of a response that is no provider's answer: one made after an explicit call
/// failed, for example. A layer that measures implicitly leaves it alone.
///
/// ```
/// use brightstaff_metrics_core::NoUpstream;
///
/// let mut response = http::Response::new("bad gateway");
/// response.extensions_mut().insert(NoUpstream);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NoUpstream;
