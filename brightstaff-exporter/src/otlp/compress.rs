use std::{io::Write as _, thread};

use bytes::{Buf as _, Bytes};

use crate::{
    exposition::{Gzip, TURN_BYTES},
    priority::Courtesy,
};

/// Compresses the body of an export, and lets others in all the while.
pub(super) fn gzip(body: &[u8]) -> Bytes {
    let mut gzip = Gzip::new();
    let mut courtesy = Courtesy::default();
    for piece in body.chunks(TURN_BYTES) {
        gzip.write_all(piece).expect("memory takes it");
        courtesy.give_way(thread::yield_now);
    }
    let mut chunks = gzip.finish().expect("memory takes it");
    let len = chunks.remaining();
    chunks.copy_to_bytes(len)
}
