/// Left by [`UpstreamCall::observe`](crate::UpstreamCall::observe) in the extensions of a response, where some layer of
/// the same metrics measures implicitly: its call is measured already, so that such a layer leaves it alone.
/// Where a response is made anew, [`UpstreamCall::mark`](crate::UpstreamCall::mark) gives it to put there.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamObserved {
    pub(crate) metrics: usize,
}

/// Put in the extensions of a response that does not come from a provider: one made after an explicit call
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
