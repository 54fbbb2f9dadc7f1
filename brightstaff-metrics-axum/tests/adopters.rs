//! What gateways are written of compiles: names from their own tables, boxed bodies, imports beside each other.

#![cfg(feature = "matched-path")]

use brightstaff_metrics_axum::{Metrics, MetricsLayer};
use bytes::Bytes;
use http_body_util::BodyExt;

#[test]
fn names_come_from_the_gateways_own_tables() {
    use std::{collections::HashMap, sync::Arc};

    use brightstaff_metrics_axum::{HandlerName, RequestHead};

    let layer = || MetricsLayer::new(Metrics::unregistered());
    let names: HashMap<String, HandlerName> = [("/a".to_owned(), "alpha".to_owned().into())].into();
    let _ = layer().handler_fn(move |request| names.get(request.path()).cloned());
    let shared: HashMap<String, Arc<str>> = [("/a".to_owned(), "alpha".into())].into();
    let _ = layer().handler_fn(move |request| shared.get(request.path()).cloned());
    let _ = layer().handler_fn(|request| {
        Some(format!(
            "rpc:{}",
            request.headers().get("x-op")?.to_str().ok()?
        ))
    });
    let named = |request: &RequestHead<'_>| request.headers().contains_key("x").then_some("x");
    let _ = layer().handler_fn(named);
}

/// Bodies that boxes of http-body-util and reqwest's own take: they are `Sync`.
#[test]
fn observed_bodies_go_into_boxes() {
    use http_body_util::combinators::BoxBody;

    type Boxed = http::Response<BoxBody<Bytes, hyper::Error>>;
    fn hyper_gateway(metrics: &Metrics, response: http::Response<hyper::body::Incoming>) -> Boxed {
        let call = metrics.upstream("openai", "gpt-4o").start();
        call.observe(response).map(BodyExt::boxed)
    }
    fn back_to_reqwest(metrics: &Metrics, response: reqwest::Response) -> reqwest::Response {
        let call = metrics.upstream("openai", "gpt-4o").start();
        call.observe_reqwest(response)
    }
    let _ = (hyper_gateway, back_to_reqwest);
}

/// What this crate exports has no name that those beside it have: these would be ambiguous.
mod names {
    mod of_http {
        use brightstaff_metrics_axum::*;
        use http::*;

        pub(super) type Names = (Error, Method, Request<()>, MetricsLayer, ErrorClass);
    }

    mod of_axum {
        use axum::{extract::*, handler::*, response::*, routing::*, *};
        use brightstaff_metrics_axum::*;

        pub(super) type Names = (Error, Router, Request, Html<()>, Method, MetricsLayer);
        type Method = MethodRouter;

        pub(super) fn is_handler<H: Handler<T, ()>, T>(_: H) {}
    }

    #[test]
    fn they_do_not_collide() {
        let _: Option<(of_http::Names, of_axum::Names)> = None;
        of_axum::is_handler(async || "hello");
    }
}
