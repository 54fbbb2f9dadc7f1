//! What the beginning of a response says, frame by frame.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::task::{Context, Poll, Waker};

use brightstaff_metrics_core::{Metrics, ObservedBody, Opening};
use bytes::Bytes;
use futures_util::stream;
use http::Response;
use http_body::{Body, Frame};
use http_body_util::{Full, StreamBody};

const ROLE: &str = r#"data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}"#;

/// What is said before the first frame, after each, and at the end.
fn openings<B>(mut body: ObservedBody<B>) -> Vec<Opening>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut context = Context::from_waker(Waker::noop());
    let mut openings = vec![body.opening()];
    loop {
        let frame = std::pin::Pin::new(&mut body).poll_frame(&mut context);
        openings.push(body.opening());
        match frame {
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(Some(Err(_)) | None) | Poll::Pending => return openings,
        }
    }
}

fn observed<B: Body<Data = Bytes>>(status: u16, media: &str, body: B) -> ObservedBody<B> {
    let response = Response::builder()
        .status(status)
        .header("content-type", media);
    let response = response.body(body).unwrap();
    let call = Metrics::unregistered().upstream("p", "m").start();
    call.observe(response).into_body()
}

/// The frames, and then an error where one is `None`.
fn framed(media: &str, frames: &[Option<&'static str>]) -> Vec<Opening> {
    let frames: Vec<Result<Frame<Bytes>, &str>> = frames
        .iter()
        .map(|frame| match frame {
            Some(text) => Ok(Frame::data(Bytes::from_static(text.as_bytes()))),
            None => Err("broken"),
        })
        .collect();
    openings(observed(200, media, StreamBody::new(stream::iter(frames))))
}

fn whole(status: u16, media: &str, text: &'static str) -> Vec<Opening> {
    openings(observed(status, media, Full::<Bytes>::from(text)))
}

const SSE: &str = "text/event-stream";
const JSON: &str = "application/json";

#[test]
fn a_first_event_speaks_once_it_is_whole() {
    use Opening::{Failed, Pending, Sound};
    let split = [Some(": wait\n\n"), Some(ROLE), Some("\n"), Some("\n")];
    let said = framed(SSE, &split);
    // A comment is no event. That the stream then ends too early is not said by its first event.
    assert_eq!(said, [Pending, Pending, Pending, Pending, Sound, Sound]);
    for error in [
        "data: {\"error\":{\"message\":\"overloaded\"}}\n\n",
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n",
        "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\"}}\n\n",
        "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"sorry\"}\n\n",
    ] {
        let (half, rest) = error.split_at(error.len() - 1);
        let said = framed(SSE, &[Some(half), Some(rest)]);
        assert_eq!(said, [Pending, Pending, Failed, Failed], "{error}");
    }
}

#[test]
fn a_body_that_breaks_off_before_its_first_event_has_failed() {
    use Opening::{Failed, Pending};
    assert_eq!(framed(SSE, &[None]), [Pending, Failed]);
    assert_eq!(framed(SSE, &[]), [Pending, Failed]);
    assert_eq!(framed(JSON, &[Some("{"), None]), [Pending, Pending, Failed]);
}

#[test]
fn a_document_speaks_at_its_end() {
    use Opening::{Failed, Pending, Sound};
    let completion = r#"{"object":"chat.completion","choices":[]}"#;
    assert_eq!(whole(200, JSON, completion), [Pending, Sound, Sound]);
    let error = r#"{"error":{"message":"overloaded"}}"#;
    assert_eq!(whole(200, JSON, error), [Pending, Failed, Failed]);
    assert_eq!(
        framed(JSON, &[Some(r#"{"error":"#), Some("\"no\"}")]),
        [Pending, Pending, Failed, Failed]
    );
}

#[test]
fn what_cannot_be_read_is_sound_at_once() {
    use Opening::{Failed, Pending, Sound};
    let sound = |media| framed(media, &[Some("ID3"), Some("\u{1}")])[1];
    assert_eq!(sound("audio/mpeg"), Sound);
    assert_eq!(sound("image/png"), Sound);
    let body = Full::<Bytes>::from("?");
    let response = Response::builder()
        .header("content-type", SSE)
        .header("content-encoding", "unheard-of");
    let call = Metrics::unregistered().upstream("p", "m").start();
    let body = call.observe(response.body(body).unwrap()).into_body();
    assert_eq!(openings(body)[0], Sound);
    // Statuses speak for themselves.
    assert_eq!(whole(503, JSON, "{}"), [Failed, Failed, Failed]);
    assert_eq!(whole(200, JSON, ""), [Sound, Sound]);
    assert_eq!(framed("text/plain", &[Some("?")])[0], Pending);
}
