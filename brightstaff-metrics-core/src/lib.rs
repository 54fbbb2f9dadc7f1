//! Prometheus metrics for LLM gateways.

pub mod labels;
pub mod meter;
