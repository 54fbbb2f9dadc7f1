use std::{sync::Arc, time::Duration};

use super::known_handler::AtHead;
use crate::{
    labels::RequestMethod,
    listener::{EndedRequest, Listener, RequestEnd},
};

/// What few requests have, in one word of their guards. Requests of which nothing is known share one.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// The handler of the request by its status, where that tells more than was known before.
    pub(super) at_head: Option<Arc<AtHead>>,
    pub(super) listening: Option<Listening>,
}

/// Who hears of the end, and what of it nobody else needs.
#[derive(Debug)]
pub(super) struct Listening {
    listener: Listener,
    pub(super) status: Option<u16>,
    /// Nanoseconds from the arrival to the headers.
    pub(super) headers: Option<u64>,
    pub(super) bytes: u64,
}

impl Aside {
    /// That of requests whose handler their status tells.
    pub(super) fn at_head(at_head: AtHead) -> Arc<Self> {
        Arc::new(Self {
            at_head: Some(Arc::new(at_head)),
            listening: None,
        })
    }

    /// The same request's, with a listener.
    pub(super) fn listened(aside: Option<&Arc<Self>>, listener: Listener) -> Arc<Self> {
        Arc::new(Self {
            at_head: aside.and_then(|aside| aside.at_head.clone()),
            listening: Some(Listening {
                listener,
                status: None,
                headers: None,
                bytes: 0,
            }),
        })
    }

    /// The listening of this request: whoever is listened to shares with nobody.
    #[inline]
    pub(super) fn listening(aside: &mut Option<Arc<Self>>) -> Option<&mut Listening> {
        aside.as_mut().and_then(Self::of_one)
    }

    // Few requests get as far.
    #[cold]
    fn of_one(aside: &mut Arc<Self>) -> Option<&mut Listening> {
        Arc::get_mut(aside)?.listening.as_mut()
    }
}

impl Listening {
    /// Tells of the end.
    pub(super) fn tell(
        self,
        handler: &str,
        method: RequestMethod,
        end: RequestEnd,
        elapsed_nanos: u64,
    ) {
        let ended = EndedRequest {
            handler,
            method,
            status: self.status,
            end,
            duration: Duration::from_nanos(elapsed_nanos),
            time_to_headers: self.headers.map(Duration::from_nanos),
            bytes: self.bytes,
        };
        self.listener.request_ended(&ended);
    }
}
