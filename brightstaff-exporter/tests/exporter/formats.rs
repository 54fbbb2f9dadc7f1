//! The formats, as scrapers ask for them.

use std::io::Read;

use crate::support::{EXPOSITION, ask, registry, serve};

const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// The registry's one family: its name, help, type 0, and a metric whose counter is a double.
fn message() -> Vec<u8> {
    let (name, help) = (b"answers_total", "Answers \u{e0} la carte.".as_bytes());
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
    let counter = [&[0x09][..], &42.0_f64.to_le_bytes()].concat();
    let counter = [&[0x1a, length(&counter)][..], &counter].concat();
    let family = [
        &[0x0a, length(name)][..],
        name,
        &[0x12, length(help)],
        help,
        &[0x18, 0],
        &[0x22, length(&counter)],
        &counter,
    ]
    .concat();
    [&[length(&family)][..], &family].concat()
}

#[tokio::test]
async fn each_format_is_answered_plain_and_compressed() {
    let address = serve(registry()).await;
    let text = EXPOSITION.as_bytes().to_vec();
    let open = EXPOSITION.replace("HELP answers_total", "HELP answers");
    let open = open.replace("TYPE answers_total", "TYPE answers") + "# EOF\n";
    for (accept, content_type, body) in [
        (
            "text/plain",
            "text/plain; version=0.0.4; charset=utf-8",
            text,
        ),
        (
            "application/openmetrics-text;version=1.0.0",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            open.into_bytes(),
        ),
        (PROTOBUF, PROTOBUF, message()),
    ] {
        for gzip in [false, true] {
            let encoding = if gzip {
                "accept-encoding: gzip\r\n"
            } else {
                ""
            };
            let headers = format!("accept: {accept}\r\n{encoding}");
            let answer = ask(address, "GET", "/metrics", &headers).await;
            assert_eq!(answer.headers["content-type"], content_type);
            assert_eq!(answer.headers["vary"], "accept, accept-encoding");
            assert_eq!(answer.headers.contains_key("content-encoding"), gzip);
            let mut plain = answer.body;
            if gzip {
                let compressed = std::mem::take(&mut plain);
                let mut decoder = flate2::read::GzDecoder::new(&compressed[..]);
                decoder.read_to_end(&mut plain).unwrap();
            }
            assert_eq!(plain, body, "{accept}");
        }
    }
}
