use std::{fmt, time::Duration};

use super::UpstreamCall;
use crate::labels::ErrorClass;

/// A provider did not respond within the time that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut(Duration);

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no response within {:?}", self.0)
    }
}

impl std::error::Error for TimedOut {}

impl UpstreamCall {
    /// Waits for a response for this long. Past that, the call is over, and recorded as `timeout`.
    ///
    /// A time-out that stands around the whole handler (tower-http's `TimeoutLayer`) drops the call like a
    /// client that hangs up, and cannot be told from one: `cancelled`. So give calls a shorter one of their own,
    /// by this or by the client's settings.
    ///
    /// ```
    /// use std::time::Duration;
    /// use brightstaff_metrics_core::{Metrics, labels::ErrorClass};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let metrics = Metrics::unregistered();
    /// # let send = std::future::pending::<Result<http::Response<http_body_util::Full<bytes::Bytes>>, std::io::Error>>();
    /// let mut call = metrics.upstream("openai", "gpt-4o").start();
    /// let status = match call.within(Duration::from_millis(20), send).await {
    ///     Ok(Ok(response)) => call.observe(response).status().as_u16(),
    ///     Ok(Err(error)) => {
    ///         call.fail(ErrorClass::of(&error));
    ///         502
    ///     }
    ///     Err(_timed_out) => 504,
    /// };
    /// # assert_eq!(status, 504);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The time is over. The call has ended by then, and whatever it is told is ignored.
    ///
    /// # Panics
    ///
    /// Outside of a runtime of tokio with its timer switched on.
    pub async fn within<F: Future>(
        &mut self,
        limit: Duration,
        response: F,
    ) -> Result<F::Output, TimedOut> {
        let response = tokio::time::timeout(limit, response).await;
        response.map_err(|_| {
            self.end_as(ErrorClass::Timeout);
            TimedOut(limit)
        })
    }
}
