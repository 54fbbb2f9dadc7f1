//! The `gen_ai` view of a gateway, as receivers name it.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::tee::Tee;
use crate::{
    api, http,
    lab::{Exporter, VictoriaMetrics},
};

const SERVICE: &str = "gen-ai";

/// OpenTelemetry's names and Prometheus': dots become underscores, a unit and `_total` come behind. What a histogram has
/// behind its name is left out.
const COUNTERS: [(&str, &str); 5] = [
    (
        "gen_ai.client.inference.usage.input_tokens",
        "gen_ai_client_inference_usage_input_tokens_total",
    ),
    (
        "gen_ai.client.inference.usage.output_tokens",
        "gen_ai_client_inference_usage_output_tokens_total",
    ),
    (
        "gen_ai.client.inference.usage.cache_read.input_tokens",
        "gen_ai_client_inference_usage_cache_read_input_tokens_total",
    ),
    (
        "gen_ai.client.inference.usage.cache_write.input_tokens",
        "gen_ai_client_inference_usage_cache_write_input_tokens_total",
    ),
    (
        "gen_ai.client.inference.usage.reasoning.output_tokens",
        "gen_ai_client_inference_usage_reasoning_output_tokens_total",
    ),
];
const HISTOGRAMS: [(&str, &str); 8] = [
    (
        "gen_ai.client.inference.operation.input_tokens",
        "gen_ai_client_inference_operation_input_tokens",
    ),
    (
        "gen_ai.client.inference.operation.output_tokens",
        "gen_ai_client_inference_operation_output_tokens",
    ),
    (
        "gen_ai.client.operation.duration",
        "gen_ai_client_operation_duration_seconds",
    ),
    (
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai_client_operation_time_to_first_chunk_seconds",
    ),
    (
        PER_CHUNK,
        "gen_ai_client_operation_time_per_output_chunk_seconds",
    ),
    (
        "gen_ai.server.request.duration",
        "gen_ai_server_request_duration_seconds",
    ),
    (
        "gen_ai.server.time_to_first_token",
        "gen_ai_server_time_to_first_token_seconds",
    ),
    (
        "gen_ai.server.time_per_output_token",
        "gen_ai_server_time_per_output_token_seconds",
    ),
];

/// Has a sample for each chunk but the first.
const PER_CHUNK: &str = "gen_ai.client.operation.time_per_output_chunk";

/// Calls through the gateway, each streamed.
const CALLS: u32 = 3;

/// What the points of all say.
const CHAT: [(&str, &str); 3] = [
    ("gen_ai.operation.name", "chat"),
    ("gen_ai.provider.name", "openai"),
    ("gen_ai.request.model", "gpt-4o"),
];

/// Plays some calls, and checks what both receivers have of them.
pub(super) fn check(
    dir: &Path,
    prometheus: &str,
    victoria: &mut VictoriaMetrics,
    tee: &Tee,
) -> Result<String> {
    let dir = dir.join("gen_ai");
    let providers = Exporter::simulate(&dir)?;
    let gateway = Exporter::configured(&dir, &configuration(providers.port, &tee.url), &[])?;
    for _ in 0..CALLS {
        call(gateway.port)?;
    }
    tee.two_more()?;
    victoria.flush()?;
    let translated = CHAT.map(|(name, value)| format!("{}=\"{value}\"", name.replace('.', "_")));
    let dotted = CHAT.map(|(name, value)| format!("\"{name}\"=\"{value}\""));
    let in_prometheus = |name: &str| sum(prometheus, name, &translated);
    let in_victoria = |name: &str| sum(&victoria.url, name, &dotted);
    for (name, translated) in COUNTERS {
        same(name, in_prometheus(translated)?, in_victoria(name)?)?;
    }
    for (name, translated) in HISTOGRAMS {
        let there = in_prometheus(&format!("{translated}_count"))?;
        same(name, there, in_victoria(&format!("{name}_count"))?)?;
        if name != PER_CHUNK {
            same(name, there, f64::from(CALLS))?;
        }
    }
    for (kind, (_, translated)) in ["prompt", "completion"].into_iter().zip(COUNTERS) {
        let of_kind = [format!("kind=\"{kind}\"")];
        let ours = sum(prometheus, "brightstaff_llm_tokens_total", &of_kind)?;
        ensure!(ours > 0.0, "no {kind} tokens");
        same(translated, in_prometheus(translated)?, ours)?;
    }
    Ok(format!(
        "gen_ai: {} metrics of {CALLS} calls have the names that are expected in both",
        COUNTERS.len() + HISTOGRAMS.len()
    ))
}

/// The sum of the service's series of this name, of which there is one at least.
fn sum(server: &str, name: &str, labels: &[String]) -> Result<f64> {
    let labels = labels.join(",");
    let sum = format!("sum({{__name__=\"{name}\",job=\"{SERVICE}\",{labels}}})");
    let returned = api::query(server, &sum)?;
    let (_, value) = returned
        .first()
        .with_context(|| format!("no data: {sum}"))?;
    Ok(*value)
}

/// Counts of few things are whole numbers, and so exact.
fn same(name: &str, one: f64, other: f64) -> Result<()> {
    ensure!(
        one.to_bits() == other.to_bits(),
        "{name}: {one} and {other}"
    );
    Ok(())
}

fn configuration(provider: u16, url: &str) -> String {
    format!(
        "[providers.openai]\nurl = \"http://127.0.0.1:{provider}\"\n\
         [otlp]\nendpoint = \"{url}\"\ninterval = \"1s\"\nservice_name = \"{SERVICE}\"\ngen_ai = \"latest\"\n"
    )
}

fn call(gateway: u16) -> Result<()> {
    let body = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}],"stream":true}"#;
    let mut response = http::agent()
        .post(format!("http://127.0.0.1:{gateway}/v1/chat/completions"))
        .header("Content-Type", "application/json")
        .send(body)?;
    let said = response.body_mut().read_to_string()?;
    ensure!(response.status() == 200, "{}: {said}", response.status());
    ensure!(said.contains("[DONE]"), "a stream without its end: {said}");
    Ok(())
}
