//! Plays a script: each frame in its time, each instant into the book.

use std::{convert::Infallible, io};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;

use super::{
    call::{Finish, OpenCall},
    script::{Frame, Script, Tail},
};

/// The body of a response.
pub(super) fn body(script: Script, call: OpenCall) -> Body {
    let player = Player {
        frames: script.frames.into_iter(),
        tail: script.tail,
        call,
    };
    Body::from_stream(stream::unfold(Some(player), |player| async {
        let mut player = player?;
        let frame = player.next().await?;
        // After an error there is nothing.
        let rest = frame.is_ok().then_some(player);
        Some((frame, rest))
    }))
}

struct Player {
    frames: std::vec::IntoIter<Frame>,
    tail: Tail,
    call: OpenCall,
}

impl Player {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if let Some(frame) = self.frames.next() {
            if !frame.wait.is_zero() {
                tokio::time::sleep(frame.wait).await;
            }
            self.call.frame(&frame);
            if let (0, Tail::End { error }) = (self.frames.len(), self.tail) {
                // All is said. A server drops a body of declared length without asking for its end.
                self.call
                    .end(if error { Finish::Error } else { Finish::End });
            }
            return Some(Ok(frame.bytes));
        }
        match self.tail {
            Tail::End { .. } => None,
            Tail::Cut => {
                // Not at once: while it waits, the server writes out the last frame.
                tokio::task::yield_now().await;
                self.call.end(Finish::Cut);
                Some(Err(io::Error::other("cut as planned")))
            }
            Tail::Hold => match hold().await {},
        }
    }
}

/// Waits until the caller goes away, which drops this.
pub(super) async fn hold() -> Infallible {
    std::future::pending().await
}
