//! Prometheus metrics for LLM gateways.

pub mod labels;
