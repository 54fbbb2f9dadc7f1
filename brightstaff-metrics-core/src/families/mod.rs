//! The families: each group declares, makes and walks its own children.

mod build;
mod context;
mod http;
mod pair;
mod process;
mod provider;
mod routing;
mod upstream;

#[cfg(feature = "otlp")]
pub(crate) use self::process::process_began;
pub(crate) use self::{
    build::BuildInfo,
    context::Context,
    http::{FoundHandler, HandlerSeries, HttpFamilies},
    pair::{CallInFlight, InFlight, Pair},
    process::{ProcessFamily, Readings},
    provider::{DEFAULT_OPEN_MODELS, Provider},
    routing::RoutingFamilies,
    upstream::{Call, UpstreamFamilies},
};
