//! Plays the handler of a case in the types of `http` 1: for core's own driver and for those of adapters
//! that stand on it.

use std::{
    collections::VecDeque,
    fmt,
    future::pending,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread,
    time::Duration,
};

use brightstaff_metrics_core::{
    Head as UpstreamHead, Metrics, NoUpstream, TraceContext, UpstreamCall,
    labels::{
        ErrorClass, FailoverOutcome, FailoverRoute, RouteKind, RoutingOutcome, SessionCacheEvent,
        SkipReason,
    },
};
use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};

use super::{
    case::{Decision, Head, Step},
    gateway::Gateway,
};

/// What a script answers with.
pub(crate) type Answer = Response<UnsyncBoxBody<Bytes, Broken>>;

/// The error of a body whose script says so.
#[derive(Debug)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken, as the case says")
    }
}

impl std::error::Error for Broken {}

/// Where a handler runs.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) gateway: Gateway,
    /// Tells the client to hang up.
    pub(crate) hang_up: Arc<dyn Fn() + Send + Sync>,
}

impl Stage {
    /// Does what a handler does up to the head of its response.
    pub(crate) async fn respond(self, mut steps: VecDeque<Step>) -> Answer {
        let metrics = &self.gateway.metrics;
        let mut call = None;
        while let Some(step) = steps.pop_front() {
            match step {
                Step::Advance(seconds) => self.gateway.advance(seconds),
                Step::Call(target) => {
                    let (provider, model) = target.split_once('/').expect("provider/model");
                    call = Some(metrics.upstream(provider, model).start());
                }
                Step::Trace(traceparent) => {
                    let trace = TraceContext::parse(&traceparent);
                    call = Some(take(&mut call).in_trace(trace));
                }
                Step::Fail(class) => take(&mut call).fail(label(ErrorClass::ALL, &class)),
                Step::Head(head) => reading(&mut call).head(&head.read()),
                Step::Data(text) => reading(&mut call).data(text.as_bytes()),
                Step::Complete => take(&mut call).finish(),
                Step::Decision(decision) => decision.record(metrics),
                Step::RoutingService(outcome) => {
                    let outcome = label(RoutingOutcome::ALL, &outcome);
                    metrics.routing_service().request(outcome);
                }
                Step::SessionCache(event) => {
                    let event = label(SessionCacheEvent::ALL, &event);
                    metrics.session_cache().event(event);
                }
                Step::Skip(model, reason) => {
                    let reason = label(SkipReason::ALL, &reason);
                    metrics.routing().skip(&model, reason);
                }
                Step::Failover(route, outcome) => {
                    let route = label(FailoverRoute::ALL, &route);
                    let outcome = label(FailoverOutcome::ALL, &outcome);
                    metrics.routing().failover(route, outcome);
                }
                Step::Answer(head) => {
                    let body = self.body(&head, &mut steps);
                    let answer = take(&mut call).observe(head.response(body));
                    match steps.pop_front() {
                        None => return answer.map(BodyExt::boxed_unsync),
                        Some(Step::Discard) => drop(answer),
                        Some(Step::Drain) => drain(answer.into_body()),
                        Some(step) => panic!("{step:?} is no part of a provider's answer"),
                    }
                }
                Step::Respond(head) => {
                    let body = self.body(&head, &mut steps);
                    return head.response(body).map(BodyExt::boxed_unsync);
                }
                Step::Panic => panic!("as the case says"),
                Step::HangUp => {
                    (self.hang_up)();
                    pending::<()>().await;
                }
                step => panic!("{step:?} is no part of a handler"),
            }
        }
        panic!("the case has no answer")
    }

    /// The body that the next steps make.
    fn body(&self, head: &Head, steps: &mut VecDeque<Step>) -> Script {
        let end = steps.iter().position(|step| !step.is_of_a_body());
        let rest = steps.split_off(end.unwrap_or(steps.len()));
        Script {
            stage: self.clone(),
            steps: std::mem::replace(steps, rest),
            sized: head.sized,
            hung_up: false,
            again: None,
            rests: false,
        }
    }
}

fn take(call: &mut Option<UpstreamCall>) -> UpstreamCall {
    call.take().expect("the case starts a call first")
}

fn reading(call: &mut Option<UpstreamCall>) -> &mut UpstreamCall {
    call.as_mut().expect("the case starts a call first")
}

/// The value of this name.
fn label<L: Copy + fmt::Display>(all: &[L], name: &str) -> L {
    let known = all.iter().find(|label| label.to_string() == name);
    *known.unwrap_or_else(|| panic!("no label value {name:?}"))
}

impl Decision {
    fn record(&self, metrics: &Metrics) {
        let route = label(RouteKind::ALL, &self.route);
        let elapsed = Duration::from_secs_f64(self.seconds);
        let router = metrics.routing();
        router.decision(route, &self.model, self.fallback.into(), elapsed);
    }
}

/// Reads a body to its end, in another thread, which nothing but the value joins to this one.
fn drain<B>(body: B)
where
    B: Body<Error = Broken> + Send + 'static,
    B::Data: Send,
{
    let thread = thread::spawn(|| {
        let read = std::pin::pin!(body.collect());
        let mut context = Context::from_waker(std::task::Waker::noop());
        // A script is ready at once, unless it waits for a hang-up that nobody here can notice.
        assert!(read.poll(&mut context).is_ready());
    });
    thread.join().expect("a drained body does not panic");
}

impl Head {
    /// As a caller tells of it who reads the body by hand.
    fn read(&self) -> UpstreamHead<'_> {
        UpstreamHead::new(self.status).content_type(self.content_type.as_deref())
    }

    fn response<B>(&self, body: B) -> Response<B> {
        let mut builder = Response::builder().status(self.status);
        if let Some(content_type) = &self.content_type {
            builder = builder.header("content-type", content_type);
        }
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        let mut response = builder.body(body).expect("a sound head");
        if self.no_upstream {
            response.extensions_mut().insert(NoUpstream);
        }
        response
    }
}

/// A body that follows a script.
struct Script {
    stage: Stage,
    steps: VecDeque<Step>,
    sized: bool,
    hung_up: bool,
    /// What the body goes on with after that.
    again: Option<Bytes>,
    rests: bool,
}

impl Body for Script {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        while !self.hung_up
            && let Some(step) = self.steps.pop_front()
        {
            if let Some(data) = step.data() {
                return Poll::Ready(Some(Ok(Frame::data(data.into()))));
            }
            match step {
                Step::Advance(seconds) => self.stage.gateway.advance(seconds),
                Step::Ended(requests) if self.stage.gateway.ended() < requests => {
                    self.steps.push_front(step);
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Step::Ended(_) => {}
                Step::Trailers(fields) => {
                    let fields = fields.iter().map(|(name, value)| {
                        (
                            name.parse().expect("a name"),
                            value.parse().expect("a value"),
                        )
                    });
                    let trailers: HeaderMap = fields.collect();
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
                Step::Break => return Poll::Ready(Some(Err(Broken))),
                Step::Panic => panic!("as the case says"),
                Step::HangUp => {
                    self.hung_up = true;
                    (self.stage.hang_up)();
                }
                Step::HangUpWhile(text) => {
                    self.hung_up = true;
                    self.again = Some(text.into());
                    (self.stage.hang_up)();
                }
                step => panic!("{step:?} is no part of a body"),
            }
        }
        if !self.hung_up {
            return Poll::Ready(None);
        }
        if let Some(again) = self.again.clone() {
            self.rests = !self.rests;
            if !self.rests {
                return Poll::Ready(Some(Ok(Frame::data(again))));
            }
            // Every other poll leaves the server time to notice.
            cx.waker().wake_by_ref();
        }
        // Nothing else wakes this but the connection, once the client is gone.
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.sized && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.sized {
            let data = self.steps.iter().filter_map(Step::data);
            SizeHint::with_exact(data.map(|data| data.len() as u64).sum())
        } else {
            SizeHint::new()
        }
    }
}
