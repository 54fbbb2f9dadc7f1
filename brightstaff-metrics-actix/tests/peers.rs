//! Two attacks on a gateway on actix-web, as our middleware tells of them and as actix-web-prom does.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "../../brightstaff-metrics-core/tests/support/attacks.rs"]
mod attacks;

use std::{net::SocketAddr, sync::mpsc, thread, time::Duration};

use actix_web::{
    App, Error, HttpResponse, HttpServer,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    rt,
    web::{self, Bytes},
};
use actix_web_prom::PrometheusMetricsBuilder;
use attacks::{HANG_UPS, PATHS, Target, attack, told_in_docs};
use brightstaff_metrics_actix::{Metrics, MetricsMiddleware};
use prometheus::{Registry, TextEncoder};

#[test]
fn two_attacks_make_no_series_and_leave_nothing_in_flight() {
    let registry = Registry::new();
    let metrics = Metrics::builder().register(&registry).unwrap();
    let ours = attack(&Target {
        address: serve(move || app().wrap(MetricsMiddleware::new(metrics.clone()))),
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

    let registry = Registry::new();
    let incumbent = PrometheusMetricsBuilder::new("incumbent")
        .registry(registry.clone())
        .build()
        .unwrap();
    let theirs = attack(&Target {
        address: serve(move || app().wrap(incumbent.clone())),
        exposition: &|| {
            TextEncoder::new()
                .encode_to_string(&registry.gather())
                .unwrap()
        },
        requests: "incumbent_http_requests_total",
        in_flight: None,
        cancelled: None,
    });
    told_in_docs(
        env!("CARGO_MANIFEST_DIR"),
        &[
            ("brightstaff-metrics-actix".to_owned(), ours),
            ("actix-web-prom".to_owned(), theirs),
        ],
    );
}

/// A gateway whose only route streams until the client has enough.
fn app() -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new().route(
        "/v1/chat/completions",
        web::post().to(async || HttpResponse::Ok().streaming(endless())),
    )
}

fn endless() -> impl futures_util::Stream<Item = Result<Bytes, Error>> {
    futures_util::stream::unfold((), async |()| {
        rt::time::sleep(Duration::from_millis(5)).await;
        Some((Ok(Bytes::from_static(b"data: {}\n\n")), ()))
    })
}

/// On a thread of its own, as actix has it, until the process ends.
fn serve<F, S, B>(app: F) -> SocketAddr
where
    F: Fn() -> App<S> + Send + Clone + 'static,
    S: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        rt::System::new().block_on(async move {
            let server = HttpServer::new(app).workers(1).h1_allow_half_closed(false);
            let server = server.bind("127.0.0.1:0").unwrap();
            tell.send(server.addrs()[0]).unwrap();
            server.run().await
        })
    });
    told.recv().unwrap()
}
