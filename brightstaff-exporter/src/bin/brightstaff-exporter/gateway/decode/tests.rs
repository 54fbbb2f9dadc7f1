use std::{
    io::Write,
    pin::pin,
    task::{Context, Poll, Waker},
};

use allocation_counter::measure;
use axum::{http::HeaderMap, response::Response};
use flate2::{
    Compression, GzBuilder,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::{super::request_id::RequestId, *};
use crate::config::{Api, Config};

const SHORT_ZST: &[u8] = include_bytes!("../../../../../tests/bodies/short.zst");
const LONG_ZST: &[u8] = include_bytes!("../../../../../tests/bodies/long.zst");
const WIDE_ZST: &[u8] = include_bytes!("../../../../../tests/bodies/wide.zst");
const TOO_WIDE_ZST: &[u8] = include_bytes!("../../../../../tests/bodies/too_wide.zst");

const SHORT: usize = 1000;
const LONG: usize = 9 << 20;

/// See `tests/bodies/README.md`.
fn text(bytes: usize) -> Vec<u8> {
    let mut text = br#"{"model":"m","text":""#.to_vec();
    for i in 0.. {
        if text.len() >= bytes - 2 {
            break;
        }
        write!(text, "turn {} says nothing new, ", i / 100).unwrap();
    }
    text.truncate(bytes - 2);
    text.extend(b"\"}");
    text
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn bare(text: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn brotli(text: &[u8]) -> Vec<u8> {
    brotli_of(text, 5, 22)
}

fn brotli_of(text: &[u8], quality: u32, window: u32) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, quality, window);
    encoder.write_all(text).unwrap();
    encoder.into_inner()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    compress_to_vec(text, CompressionLevel::Fastest)
}

type Encode = fn(&[u8]) -> Vec<u8>;
const CODINGS: [(Coding, Encode); 5] = [
    (Coding::Gzip, gzip),
    (Coding::Deflate, zlib),
    (Coding::Deflate, bare),
    (Coding::Brotli, brotli),
    (Coding::Zstd, zstd),
];

fn uploads(max_request_bytes: usize, max_buffered_bytes: usize) -> Uploads {
    let config = Config {
        max_request_bytes,
        max_buffered_bytes,
        ..Config::default()
    };
    Uploads::new(&config, None)
}

fn response(refusal: Refusal) -> Response {
    let id = RequestId::settle(&mut HeaderMap::new());
    refusal.into_response_for(Api::OpenAi, &id)
}

/// The text, or the status of the refusal.
async fn decoded(coding: Coding, body: impl Into<Bytes>) -> Result<Bytes, u16> {
    decoded_by(&uploads(16 << 20, 128 << 20), coding, body).await
}

async fn decoded_by(
    uploads: &Uploads,
    coding: Coding,
    body: impl Into<Bytes>,
) -> Result<Bytes, u16> {
    let decoded = decode(coding, &body.into(), uploads).await;
    decoded.map_err(|refusal| response(refusal).status().as_u16())
}

#[tokio::test]
async fn every_length_comes_back() {
    for length in [
        30,
        PIECE_BYTES - 1,
        PIECE_BYTES,
        PIECE_BYTES + 1,
        AT_ONCE_BYTES - 1,
        AT_ONCE_BYTES,
        AT_ONCE_BYTES + 1,
        AT_ONCE_BYTES + PIECE_BYTES,
        3 << 20,
    ] {
        let text = text(length);
        for (coding, encode) in CODINGS {
            let decoded = decoded(coding, encode(&text)).await;
            assert!(decoded.unwrap() == text, "{coding:?} of {length}");
        }
    }
}

#[tokio::test]
async fn what_does_not_compress_is_decoded_too() {
    let noise: Vec<u8> = std::iter::successors(Some(1_u32), |x| {
        Some(x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
    })
    .map(|x| x.to_be_bytes()[0])
    .take(2 * AT_ONCE_BYTES)
    .collect();
    for (coding, encode) in CODINGS {
        let decoded = decoded(coding, encode(&noise)).await;
        assert!(decoded.unwrap() == noise, "{coding:?}");
    }
}

#[tokio::test]
async fn every_kind_of_gzip_is_read() {
    let text = text(SHORT);
    let (one, other) = text.split_at(300);
    let members = [gzip(one), gzip(b""), gzip(other)].concat();
    assert_eq!(decoded(Coding::Gzip, members).await.unwrap(), text);

    let named = GzBuilder::new()
        .filename("a")
        .comment("b")
        .extra(vec![1; 9]);
    let mut encoder = named.write(Vec::new(), Compression::best());
    encoder.write_all(&text).unwrap();
    let named = encoder.finish().unwrap();
    assert_eq!(decoded(Coding::Gzip, named).await.unwrap(), text);

    let mut stored = GzEncoder::new(Vec::new(), Compression::none());
    stored.write_all(&text).unwrap();
    let stored = stored.finish().unwrap();
    assert_eq!(decoded(Coding::Gzip, stored).await.unwrap(), text);
}

#[tokio::test]
async fn every_window_of_brotli_is_read() {
    let text = text(1 << 20);
    for (quality, window) in [(0, 10), (5, 16), (9, 22), (4, 23), (4, 24)] {
        let body = brotli_of(&text, quality, window);
        let decoded = decoded(Coding::Brotli, body).await;
        assert!(decoded.unwrap() == text, "{quality} {window}");
    }
}

#[tokio::test]
async fn what_libzstd_makes_is_read() {
    let (short, long) = (text(SHORT), text(LONG));
    assert_eq!(decoded(Coding::Zstd, SHORT_ZST).await.unwrap(), short);
    for body in [LONG_ZST, WIDE_ZST] {
        assert!(decoded(Coding::Zstd, body).await.unwrap() == long);
    }
    assert_eq!(decoded(Coding::Zstd, TOO_WIDE_ZST).await, Err(400));

    // Frames, one behind the other, and one to skip between them (RFC 8878, section 3.1.2).
    let skipped = [0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 7, 8, 9];
    let frames = [SHORT_ZST, &skipped, LONG_ZST, &skipped].concat();
    let both = [short, long].concat();
    assert!(decoded(Coding::Zstd, frames.clone()).await.unwrap() == both);
    let cut = frames[..frames.len() - 1].to_vec();
    assert_eq!(decoded(Coding::Zstd, cut).await, Err(400));
}

#[tokio::test]
async fn a_body_that_is_cut_is_broken() {
    let text = text(SHORT);
    let libzstd = (Coding::Zstd, SHORT_ZST.to_vec());
    let bodies = CODINGS.map(|(coding, encode)| (coding, encode(&text)));
    for (coding, body) in bodies.into_iter().chain([libzstd]) {
        for end in 1..body.len() {
            let decoded = decoded(coding, body[..end].to_vec()).await;
            assert_eq!(decoded, Err(400), "{coding:?} cut at {end}");
        }
    }
}

#[tokio::test]
async fn nothing_may_stand_behind_a_body() {
    let text = text(SHORT);
    for (coding, encode) in CODINGS {
        for garbage in [b"\0".as_slice(), b"{}", &[0; 600_000]] {
            let body = [&encode(&text), garbage].concat();
            assert_eq!(decoded(coding, body).await, Err(400), "{coding:?}");
        }
    }
    let after_frames = [SHORT_ZST, b"(\xB5/"].concat();
    assert_eq!(decoded(Coding::Zstd, after_frames).await, Err(400));
}

/// Whatever comes, it ends, with a text of its length at most or a refusal.
#[tokio::test]
async fn damage_is_found_or_is_another_text() {
    let text = text(SHORT);
    let uploads = uploads(2 * SHORT, 1 << 20);
    for (coding, encode) in CODINGS {
        let body = encode(&text);
        for at in 0..body.len() {
            for damage in [1, 0x80, 0xFF] {
                let mut body = body.clone();
                body[at] ^= damage;
                match decoded_by(&uploads, coding, body).await {
                    Ok(text) => assert!(text.len() <= 2 * SHORT),
                    Err(status) => assert!(matches!(status, 400 | 413), "{status}"),
                }
            }
        }
    }
    assert!(uploads.budget.has_room(1 << 20), "something is still held");
}

#[test]
fn a_bomb_takes_no_more_than_a_body_may() {
    const MIB: usize = 1 << 20;
    /// What a decoder holds beside its window: tables, and a block at most.
    const TABLES: usize = MIB;
    let zeros = vec![0; 12 * MIB];
    let uploads = uploads(MIB, 16 * MIB);
    for (coding, encode) in CODINGS {
        let bomb = Bytes::from(encode(&zeros));
        let mut refused = None;
        let memory = measure(|| {
            let mut decoding = Decoding::new(coding, bomb.clone(), &uploads);
            refused = decoding.run(usize::MAX).err();
        });
        let status = response(refused.unwrap()).status();
        assert_eq!(status, 413, "{coding:?}");
        // That of the encoder is smaller here.
        let window = match coding {
            Coding::Brotli => 4 * MIB,
            _ => coding.max_window_bytes(),
        };
        let most = (2 * MIB + window + TABLES) as u64;
        assert!(memory.bytes_max <= most, "{coding:?}: {}", memory.bytes_max);
        assert!(uploads.budget.has_room(16 * MIB - 3 * MIB), "{coding:?}");
    }
}

#[tokio::test]
async fn text_is_of_the_budget_until_it_is_gone() {
    let (body, text) = (gzip(&text(100_000)), text(100_000));
    // Buffers double as they grow.
    let uploads = uploads(200_000, 300_000);
    let first = decoded_by(&uploads, Coding::Gzip, body.clone())
        .await
        .unwrap();
    assert!(uploads.budget.has_room(200_000));
    assert!(!uploads.budget.has_room(200_001));
    assert_eq!(decoded_by(&uploads, Coding::Gzip, body).await, Err(503));
    assert!(first == text);
    drop(first);
    assert!(uploads.budget.has_room(300_000));
}

/// Nobody else on the thread waits for a long one.
#[tokio::test]
async fn long_bodies_wait_for_a_thread() {
    let uploads = uploads(16 << 20, 128 << 20);
    let all = u32::try_from(uploads.decoders.available_permits()).unwrap();
    let busy = uploads.decoders.acquire_many(all).await.unwrap();
    let short = Bytes::from_static(SHORT_ZST);
    let mut short = pin!(decode(Coding::Zstd, &short, &uploads));
    let mut waker = Context::from_waker(Waker::noop());
    assert!(matches!(
        short.as_mut().poll(&mut waker),
        Poll::Ready(Ok(_))
    ));
    let long = Bytes::from_static(LONG_ZST);
    let mut long = pin!(decode(Coding::Zstd, &long, &uploads));
    assert!(long.as_mut().poll(&mut waker).is_pending());
    drop(busy);
    assert!(long.await.unwrap() == text(LONG));
}

#[test]
fn the_header_names_one_coding() {
    let of = |lines: &[&'static str]| {
        let mut headers = HeaderMap::new();
        for line in lines {
            let line = axum::http::HeaderValue::from_static(line);
            headers.append("content-encoding", line);
        }
        Coding::of(&headers)
    };
    for (lines, coding) in [
        (&[][..], None),
        (&["identity"], None),
        (&["", "Identity"], None),
        (&["gzip"], Some(Coding::Gzip)),
        (&["X-GZip"], Some(Coding::Gzip)),
        (&["zstd"], Some(Coding::Zstd)),
        (&["deflate"], Some(Coding::Deflate)),
        (&["identity", " br ,"], Some(Coding::Brotli)),
    ] {
        assert_eq!(of(lines).unwrap(), coding, "{lines:?}");
    }
    for lines in [
        &["compress"][..],
        &["gzip, br"],
        &["gzip", "gzip"],
        &["zst"],
        &["aws-chunked"],
    ] {
        let answer = response(of(lines).unwrap_err());
        assert_eq!(answer.status(), 415, "{lines:?}");
        assert_eq!(answer.headers()["accept-encoding"], ACCEPTED);
    }
}
