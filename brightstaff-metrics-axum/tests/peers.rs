//! Two attacks on a gateway on axum, as our layer tells of them and as axum-prometheus does.

#![cfg(feature = "matched-path")]
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "../../brightstaff-metrics-core/tests/support/attacks.rs"]
mod attacks;

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use attacks::{HANG_UPS, PATHS, Target, attack, told_in_docs};
use axum::{Router, body::Body, routing::post};
use brightstaff_metrics_axum::{Metrics, MetricsLayer};
use prometheus::{Registry, TextEncoder};
use tokio::{net::TcpListener, runtime::Runtime};

#[test]
fn two_attacks_make_no_series_and_leave_nothing_in_flight() {
    let runtime = Runtime::new().unwrap();
    let registry = Registry::new();
    let metrics = Metrics::builder().register(&registry).unwrap();
    let ours = attack(&Target {
        address: serve(&runtime, router().layer(MetricsLayer::new(metrics))),
        exposition: &|| {
            TextEncoder::new()
                .encode_to_string(&registry.gather())
                .unwrap()
        },
        requests: "brightstaff_http_requests_total",
        in_flight: Some("brightstaff_http_in_flight_requests"),
        cancelled: Some("brightstaff_http_requests_cancelled_total"),
    });
    assert_eq!(ours.flood_series[1], 0, "strangers make series");
    assert_eq!(ours.flood_counted, 4 * PATHS as u64);
    assert_eq!(ours.hang_ups_counted, HANG_UPS as u64);
    assert_eq!(ours.cancelled, Some(HANG_UPS as u64));
    assert_eq!(ours.in_flight, Some(0));

    let (layer, handle) =
        runtime.block_on(async { axum_prometheus::PrometheusMetricLayer::pair() });
    let theirs = attack(&Target {
        address: serve(&runtime, router().layer(layer)),
        exposition: &|| handle.render(),
        requests: "axum_http_requests_total",
        in_flight: Some("axum_http_requests_pending"),
        cancelled: None,
    });
    told_in_docs(
        env!("CARGO_MANIFEST_DIR"),
        &[
            ("brightstaff-metrics-axum".to_owned(), ours),
            ("axum-prometheus".to_owned(), theirs),
        ],
    );
}

/// A gateway whose only route streams until the client has enough.
fn router() -> Router {
    Router::new().route(
        "/v1/chat/completions",
        post(async || Body::from_stream(endless())),
    )
}

fn endless() -> impl futures_util::Stream<Item = Result<&'static str, Infallible>> {
    futures_util::stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Some((Ok("data: {}\n\n"), ()))
    })
}

fn serve(runtime: &Runtime, app: Router) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async { axum::serve(listener, app).await });
    address
}
