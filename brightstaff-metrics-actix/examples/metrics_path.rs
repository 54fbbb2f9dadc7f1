//! Metrics at a path of the gateway's own port, instead of one of their own.
//!
//! ```sh
//! cargo run --package brightstaff-metrics-actix --example actix-metrics-path
//! curl http://127.0.0.1:12000/internal/metrics
//! ```
//!
//! Whoever reaches the gateway reaches them as well: let what stands before it keep `/internal` from strangers.

use std::error::Error;

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    body::SizedStream,
    http::StatusCode,
    web::{self, Data},
};
use brightstaff_exporter::{Exporter, MetricsHandler};
use brightstaff_metrics_actix::{Metrics, MetricsMiddleware, prometheus::Registry};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();
    let metrics = Metrics::builder().register(&registry)?;
    // One for all workers: they share an encoding where they are scraped at once.
    let scrapes = Data::new(Exporter::new(registry).metrics_handler());
    let app = move || {
        App::new()
            .app_data(scrapes.clone())
            .route("/internal/metrics", web::get().to(scrape))
            .route("/v1/models", web::get().to(|| async { "[]" }))
            .wrap(MetricsMiddleware::new(metrics.clone()).skip("/internal/metrics"))
    };
    let server = HttpServer::new(app).bind("127.0.0.1:12000")?;
    server.h1_allow_half_closed(false).run().await?;
    Ok(())
}

async fn scrape(scrapes: Data<MetricsHandler>, request: HttpRequest) -> HttpResponse {
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
    let scraped = scrapes.respond(headers).await;
    let status =
        StatusCode::from_u16(scraped.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for header in scraped.headers() {
        response.append_header(header);
    }
    response.body(SizedStream::new(
        scraped.content_length(),
        scraped.into_body(),
    ))
}
