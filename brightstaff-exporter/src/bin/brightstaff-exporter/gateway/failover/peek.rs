//! Responses that are looked into before they pass.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::BoxError;
use brightstaff_metrics_core::{ObservedBody, Opening};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use pin_project::pin_project;

/// How far a response is looked into.
#[derive(Clone, Copy, Debug)]
pub(super) struct FirstEvent {
    /// How long its first event is waited for.
    pub(super) timeout: Duration,
    /// How many bytes may have come before it is whole; what came with the last of them is held, too.
    pub(super) max_bytes: u64,
}

/// The body of a response that passes. What came while it was looked into goes first, as it came.
///
/// It is observed on its way in: instants are those of arrival, and what nobody passes on was read all the same.
#[derive(Debug)]
#[pin_project]
pub(crate) struct Peeked<B> {
    ahead: Option<Box<Ahead>>,
    #[pin]
    body: ObservedBody<B>,
}

/// What came already.
#[derive(Debug, Default)]
struct Ahead {
    frames: VecDeque<Result<Frame<Bytes>, BoxError>>,
    bytes: u64,
    /// Nothing comes after it.
    ended: bool,
}

impl<B> From<ObservedBody<B>> for Peeked<B> {
    fn from(body: ObservedBody<B>) -> Self {
        Self { ahead: None, body }
    }
}

impl<B> Peeked<B>
where
    B: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    /// Waits until the first event is whole, or the body, or one of the bounds is reached.
    pub(super) async fn opening(&mut self, bounds: FirstEvent) -> Opening {
        let Self { ahead, body } = self;
        let read = async {
            while body.opening() == Opening::Pending {
                if ahead
                    .as_ref()
                    .is_some_and(|ahead| ahead.bytes >= bounds.max_bytes)
                {
                    break;
                }
                let frame = body.frame().await;
                ahead.get_or_insert_default().push(frame);
            }
        };
        // It keeps each frame in the poll that brings it, so that none is lost with it.
        let _ = tokio::time::timeout(bounds.timeout, read).await;
        self.body.opening()
    }
}

impl Ahead {
    fn push(&mut self, frame: Option<Result<Frame<Bytes>, BoxError>>) {
        match frame {
            Some(frame) => {
                self.bytes += frame.as_ref().map_or(0, length);
                self.frames.push_back(frame);
            }
            None => self.ended = true,
        }
    }

    fn pop(&mut self) -> Option<Result<Frame<Bytes>, BoxError>> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.as_ref().map_or(0, length);
        Some(frame)
    }
}

fn length(frame: &Frame<Bytes>) -> u64 {
    frame.data_ref().map_or(0, |data| data.len() as u64)
}

impl<B> Body for Peeked<B>
where
    B: Body<Data = Bytes, Error = BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        if let Some(ahead) = this.ahead {
            let frame = ahead.pop();
            if frame.is_some() || ahead.ended {
                return Poll::Ready(frame);
            }
            *this.ahead = None;
        }
        this.body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        match &self.ahead {
            Some(ahead) if !ahead.frames.is_empty() => false,
            Some(ahead) if ahead.ended => true,
            _ => self.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.body.size_hint();
        let Some(ahead) = &self.ahead else {
            return rest;
        };
        if ahead.ended {
            return SizeHint::with_exact(ahead.bytes);
        }
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(ahead.bytes));
        }
        hint.set_lower(rest.lower().saturating_add(ahead.bytes));
        hint
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Response};
    use brightstaff_metrics_core::Metrics;
    use futures_util::{StreamExt, stream};
    use http_body_util::StreamBody;

    use super::*;

    type Frames = Vec<Result<Frame<Bytes>, BoxError>>;

    const BOUNDS: FirstEvent = FirstEvent {
        timeout: Duration::from_secs(3600),
        max_bytes: 64,
    };

    fn data(text: &str) -> Result<Frame<Bytes>, BoxError> {
        Ok(Frame::data(Bytes::copy_from_slice(text.as_bytes())))
    }

    /// A stream of these frames, which then ends, or never does.
    fn stream_of(
        frames: Frames,
        ends: bool,
    ) -> Peeked<impl Body<Data = Bytes, Error = BoxError> + Unpin> {
        let rest = if ends {
            stream::empty().boxed()
        } else {
            stream::pending().boxed()
        };
        let body = StreamBody::new(stream::iter(frames).chain(rest));
        let response = Response::builder().header("content-type", "text/event-stream");
        let call = Metrics::unregistered().upstream("p", "m").start();
        let observed = call.observe(response.body(body).unwrap()).into_body();
        Peeked::from(observed)
    }

    /// What comes out, in the words of the frames.
    async fn told<B>(mut body: Peeked<B>, frames: usize) -> Vec<String>
    where
        B: Body<Data = Bytes, Error = BoxError> + Unpin,
    {
        let mut told = Vec::new();
        for _ in 0..frames {
            told.push(match body.frame().await {
                None => "end".to_owned(),
                Some(Err(error)) => format!("error: {error}"),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => String::from_utf8(data.to_vec()).unwrap(),
                    Err(frame) => format!("trailers: {}", frame.is_trailers()),
                },
            });
        }
        told
    }

    const EVENT: &str = "data: {\"choices\":[]}\n\n";

    #[tokio::test]
    async fn what_was_looked_into_passes_as_it_came() {
        let frames = || vec![data(": a"), data("\n\n"), data(EVENT), data("rest")];
        let expected = [": a", "\n\n", EVENT, "rest", "end"];
        let mut body = stream_of(frames(), true);
        assert_eq!(body.opening(BOUNDS).await, Opening::Sound);
        assert_eq!(body.ahead.as_ref().unwrap().frames.len(), 3, "and no more");
        assert_eq!(told(body, 5).await, expected);
        assert_eq!(told(stream_of(frames(), true), 5).await, expected);
    }

    #[tokio::test]
    async fn the_end_passes_too_whatever_it_is() {
        let broken = || vec![data("data"), Err("broke".into())];
        let mut body = stream_of(broken(), true);
        assert_eq!(body.opening(BOUNDS).await, Opening::Failed);
        assert!(!body.is_end_stream());
        assert_eq!(told(body, 2).await, ["data", "error: broke"]);

        let mut body = stream_of(vec![data(": nothing\n\n")], true);
        assert_eq!(body.opening(BOUNDS).await, Opening::Failed);
        assert_eq!(body.size_hint().exact(), Some(11));
        assert!(!body.is_end_stream());
        body.frame().await.unwrap().unwrap();
        assert!(body.is_end_stream());
        assert_eq!(told(body, 1).await, ["end"]);

        let trailers = Ok(Frame::trailers(HeaderMap::new()));
        let mut body = stream_of(vec![data(": a"), trailers], false);
        assert_eq!(body.opening(BOUNDS).await, Opening::Failed);
        assert_eq!(told(body, 2).await, [": a", "trailers: true"]);
    }

    #[tokio::test]
    async fn only_so_many_bytes_are_held() {
        let comment = ": 0123456789abcde";
        let frames: Frames = (0..100).map(|_| data(comment)).collect();
        let mut body = stream_of(frames, false);
        assert_eq!(body.opening(BOUNDS).await, Opening::Pending);
        let ahead = body.ahead.as_ref().unwrap();
        assert_eq!(
            (ahead.frames.len(), ahead.bytes),
            (4, 68),
            "64 and the rest of a frame"
        );
        assert_eq!(body.size_hint().lower(), 68);
        assert_eq!(told(body, 100).await, [comment; 100]);
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_long_is_waited() {
        let mut body = stream_of(vec![data("data: {")], false);
        let started = tokio::time::Instant::now();
        assert_eq!(body.opening(BOUNDS).await, Opening::Pending);
        assert_eq!(started.elapsed().as_secs(), 3600);
        assert_eq!(told(body, 1).await, ["data: {"]);
    }

    #[tokio::test]
    async fn a_body_knows_how_much_of_it_is_left() {
        let whole = http_body_util::Full::<Bytes>::from(EVENT);
        let response = Response::builder().header("content-type", "text/event-stream");
        let call = Metrics::unregistered().upstream("p", "m").start();
        let body = whole.map_err(BoxError::from);
        let body = call.observe(response.body(body).unwrap()).into_body();
        let mut body = Peeked::from(body);
        let length = body.size_hint().exact();
        assert_eq!(length, Some(EVENT.len() as u64));
        assert_eq!(body.opening(BOUNDS).await, Opening::Sound);
        assert_eq!(body.size_hint().exact(), length);
        assert_eq!(told(body, 1).await, [EVENT]);
    }
}
