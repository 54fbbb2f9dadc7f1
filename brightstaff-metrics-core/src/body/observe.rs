use bytes::Bytes;
use http_body::Body;

use super::{ObservedBody, ObservedStream, ResponseObserver};
use crate::{head::Head, upstream::UpstreamCall};

impl UpstreamCall {
    /// Wraps the response: status, type and encoding are read once, and the bytes of the body as they
    /// pass, untouched. The call ends with the body.
    ///
    /// Where some layer of these metrics measures implicitly, leaves [`UpstreamObserved`](crate::UpstreamObserved) in
    /// the extensions, so that it knows that this response is measured already.
    ///
    /// ```
    /// use brightstaff_metrics_core::Metrics;
    /// use http_body_util::Full;
    ///
    /// let response = http::Response::new(Full::<bytes::Bytes>::from("{}"));
    /// let call = Metrics::unregistered().upstream("openai", "gpt-4o").start();
    /// let response = call.observe(response); // http::Response<ObservedBody<_>>
    /// ```
    #[must_use = "a call ends when its response is dropped"]
    pub fn observe<B: Body<Data = Bytes>>(
        mut self,
        mut response: http::Response<B>,
    ) -> http::Response<ObservedBody<B>> {
        if self.wants_mark() {
            response.extensions_mut().insert(self.mark());
        }
        self.head(&Head::of(&response));
        response.map(|body| ObservedBody::new(body, ResponseObserver::call(self)))
    }

    /// The same for a client whose responses are not [`http::Response`]s: wraps the stream of its chunks. The
    /// response that is made of it wants the [`mark`](Self::mark) where a layer measures implicitly.
    ///
    /// ```
    /// use brightstaff_metrics_core::{Head, Metrics};
    /// # fn chunks() -> impl futures_core::Stream<Item = Result<bytes::Bytes, std::io::Error>> { futures_util::stream::empty() }
    ///
    /// let call = Metrics::unregistered().upstream("anthropic", "claude-sonnet-4-5").start();
    /// let head = Head::new(200).content_type("text/event-stream");
    /// let stream = call.observe_stream(&head, chunks());
    /// # let _ = stream;
    /// ```
    #[must_use = "a call ends when its response is dropped"]
    pub fn observe_stream<S>(mut self, head: &Head<'_>, stream: S) -> ObservedStream<S> {
        self.head(head);
        ObservedStream::new(stream, ResponseObserver::call(self))
    }

    /// The same for a response of reqwest that goes on to be read as one: by `json()`, or by an SDK whose
    /// middleware hands responses through.
    ///
    /// ```
    /// # async fn ask(metrics: brightstaff_metrics_core::Metrics, client: reqwest::Client) -> reqwest::Result<()> {
    /// let call = metrics.upstream("openai", "gpt-4o").start();
    /// let response = client.get("http://127.0.0.1:8000/v1/models").send().await?;
    /// let text = call.observe_reqwest(response).text().await?;
    /// # let _ = text;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "reqwest-0_13")]
    #[must_use = "a call ends when its response is dropped"]
    pub fn observe_reqwest(self, response: reqwest::Response) -> reqwest::Response {
        let response = self.observe(http::Response::from(response));
        reqwest::Response::from(response.map(reqwest::Body::wrap))
    }
}
