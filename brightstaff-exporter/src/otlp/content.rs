//! The body of an export, made on a thread that lets others in all the while.

use std::{cell::RefCell, io::Write as _, thread};

use brightstaff_metrics_core::otlp::{Encoder, Export};
use bytes::{Buf as _, Bytes};
use prometheus::Registry;

use super::client::Content;
use crate::{
    exposition::{Gzip, TURN_BYTES},
    priority::Courtesy,
};

thread_local! {
    /// What is left of it for the export that this thread makes.
    static COURTESY: RefCell<Courtesy> = RefCell::default();
}

/// Lets others in.
pub(super) fn give_way() {
    COURTESY.with_borrow_mut(|courtesy| courtesy.give_way(thread::yield_now));
}

/// What a registry holds now. Collectors that are not ours may panic.
pub(super) fn encode(encoder: &mut Encoder, registry: &Registry) -> Export {
    COURTESY.set(Courtesy::default());
    encoder.encode(registry)
}

pub(super) fn content(export: &Export, compressed: bool) -> Content {
    let body = if compressed {
        gzip(export.body())
    } else {
        export.body().clone()
    };
    Content {
        body,
        gzip: compressed,
    }
}

fn gzip(body: &[u8]) -> Bytes {
    let mut gzip = Gzip::new();
    for piece in body.chunks(TURN_BYTES) {
        gzip.write_all(piece).expect("memory takes it");
        give_way();
    }
    let mut chunks = gzip.finish().expect("memory takes it");
    let len = chunks.remaining();
    chunks.copy_to_bytes(len)
}
