use std::{collections::VecDeque, task::Waker};

use brightstaff_metrics_core::Metrics;

use super::*;

/// A body of these frames, of which the last may be known to be the last.
#[derive(Debug)]
struct Frames {
    frames: VecDeque<Result<Frame<Bytes>, BoxError>>,
    knows_end: bool,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(self.frames.pop_front())
    }

    fn is_end_stream(&self) -> bool {
        self.knows_end && self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(77)
    }
}

const FINISH: &str = "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\n";

fn data(text: &'static str) -> Result<Frame<Bytes>, BoxError> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

/// The response to a stream for which usage was asked so.
fn observed(
    frames: impl IntoIterator<Item = Result<Frame<Bytes>, BoxError>>,
    knows_end: bool,
    asking: Asking,
) -> UsageBody<Frames> {
    let body = Frames {
        frames: frames.into_iter().collect(),
        knows_end,
    };
    let response = Response::builder()
        .header(CONTENT_TYPE, "text/event-stream")
        .body(body)
        .unwrap();
    let call = Metrics::unregistered().upstream("p", "m").start();
    let warned = Arc::new(Warned::new("p".into()));
    observe(call, response, Some((asking, &warned))).into_body()
}

/// What comes of a body: its data, `trailers`, errors, and `pending` where it was not ready.
fn read(mut body: UsageBody<Frames>, until_end_stream: bool) -> Vec<String> {
    let mut cx = Context::from_waker(Waker::noop());
    let mut read = Vec::new();
    while !(until_end_stream && body.is_end_stream()) {
        read.push(match Pin::new(&mut body).poll_frame(&mut cx) {
            Poll::Pending => "pending".to_owned(),
            Poll::Ready(None) => break,
            Poll::Ready(Some(Err(error))) => error.to_string(),
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => String::from_utf8(data.to_vec()).unwrap(),
                Err(_) => "trailers".to_owned(),
            },
        });
    }
    read
}

#[test]
fn what_was_held_passes_before_the_end_of_whatever_kind() {
    let trailers = || Ok(Frame::trailers(HeaderMap::new()));
    let half = &USAGE[..20];
    let hidden = |frames: Vec<_>| read(observed(frames, false, Asking::Hidden), false);
    assert_eq!(hidden(vec![data(FINISH), data(USAGE)]), [FINISH]);
    assert_eq!(hidden(vec![data(FINISH), data(half)]), [FINISH, half]);
    assert_eq!(
        hidden(vec![data(FINISH), data(half), trailers()]),
        [FINISH, half, "trailers"]
    );
    // The connection may drop what it has not written when the error comes.
    assert_eq!(
        hidden(vec![data(FINISH), data(half), Err("broken".into())]),
        [FINISH, half, "pending", "broken"]
    );
    assert_eq!(
        hidden(vec![data(FINISH), data(USAGE), trailers()]),
        [FINISH, "trailers"]
    );
}

#[test]
fn a_body_that_knows_its_end_has_none_before_what_is_held() {
    let half = &USAGE[..20];
    for (frames, expected) in [
        (vec![data(FINISH), data(half)], vec![FINISH, half]),
        (vec![data(FINISH)], vec![FINISH]),
        (vec![], vec![]),
    ] {
        let body = observed(frames, true, Asking::Hidden);
        assert_eq!(body.size_hint().exact(), None);
        assert_eq!(read(body, true), expected);
    }
}

#[test]
fn what_is_shown_passes_as_it_comes() {
    for asking in [
        Asking::Client,
        Asking::Declined,
        Asking::Nobody,
        Asking::Shown,
    ] {
        let body = observed(vec![data(FINISH), data(USAGE)], true, asking);
        assert_eq!(body.size_hint().exact(), Some(77));
        assert_eq!(read(body, true), [FINISH, USAGE]);
    }
}
