//! What a gateway shows before anything went wrong, so that the first time shows.

use brightstaff_metrics_core::{Metrics, adapter, labels::RequestMethod};
use prometheus::{Registry, TextEncoder};

#[test]
fn what_usually_happens_is_there_at_zero() {
    let registry = Registry::new();
    let builder = Metrics::builder().upstreams([("openai", "gpt-4o")]);
    let metrics = builder.process(false).register(&registry).unwrap();
    let _exchange = adapter::begin(&metrics, "llm_chat", RequestMethod::Post);
    let text = TextEncoder::new().encode_to_string(&registry.gather());
    let text = text.unwrap();
    for (status, error) in [
        ("2xx", "none"),
        ("2xx", "stream"),
        ("2xx", "cancelled"),
        ("4xx", "rate_limit"),
        ("4xx", "status"),
        ("5xx", "status"),
        ("error", "timeout"),
        ("error", "connect"),
    ] {
        let series = format!(
            "brightstaff_llm_upstream_requests_total{{error_class=\"{error}\",model=\"gpt-4o\",provider=\"openai\",status_class=\"{status}\"}} 0"
        );
        assert!(text.contains(&series), "{series} in {text}");
    }
    for status in ["2xx", "4xx", "5xx", "error"] {
        let series = format!(
            "brightstaff_http_requests_total{{handler=\"llm_chat\",method=\"POST\",status_class=\"{status}\"}} 0"
        );
        assert!(text.contains(&series), "{series} in {text}");
    }
    for series in [
        "brightstaff_http_in_flight_requests{handler=\"llm_chat\"} 1",
        "brightstaff_http_requests_cancelled_total{handler=\"llm_chat\",phase=\"headers\"} 0",
        "brightstaff_http_requests_cancelled_total{handler=\"llm_chat\",phase=\"body\"} 0",
        "brightstaff_llm_tokens_total{kind=\"prompt\",model=\"gpt-4o\",provider=\"openai\"} 0",
        "brightstaff_llm_tokens_total{kind=\"completion\",model=\"gpt-4o\",provider=\"openai\"} 0",
        "brightstaff_llm_time_to_first_token_seconds_count{model=\"gpt-4o\",provider=\"openai\"} 0",
        "brightstaff_routing_service_requests_total{outcome=\"no_candidates\"} 0",
        "brightstaff_session_cache_events_total{outcome=\"store_error\"} 0",
        "brightstaff_metrics_label_overflow_total{label=\"handler\"} 0",
    ] {
        assert!(text.contains(series), "{series} in {text}");
    }
    // Of other methods, and of requests that nobody made, there is nothing.
    assert_eq!(text.matches("brightstaff_http_requests_total{").count(), 4);
}
