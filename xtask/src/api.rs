//! Prometheus' HTTP API, which its remote stores speak too.

use std::{collections::BTreeMap, time::SystemTime};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::http::agent;

/// Labels, by name.
pub(crate) type Labels = BTreeMap<String, String>;

/// What a query returns: the labels of each series, and its value, which may be NaN.
pub(crate) type Samples = Vec<(Labels, f64)>;

/// The `data` of a response, asked with these parameters.
pub(crate) fn get(base: &str, path: &str, parameters: &[(&str, &str)]) -> Result<Value> {
    let url = format!("{base}/api/v1/{path}");
    let mut answer = agent()
        .get(&url)
        .query_pairs(parameters.iter().copied())
        .call()
        .with_context(|| format!("GET {url}"))?;
    let body: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)
        .with_context(|| format!("{url} does not answer in JSON"))?;
    if body["status"] != "success" {
        bail!(
            "{url} {parameters:?}: {}",
            body["error"].as_str().unwrap_or("no error told")
        );
    }
    Ok(body["data"].clone())
}

/// The samples of an instant query, now.
pub(crate) fn query(base: &str, expression: &str) -> Result<Samples> {
    query_at(base, expression, epoch_seconds()?)
}

/// The same at another instant.
pub(crate) fn query_at(base: &str, expression: &str, at: f64) -> Result<Samples> {
    let at = at.to_string();
    let data = get(base, "query", &[("query", expression), ("time", &at)])?;
    let series = data["result"].as_array().context("no result")?;
    series.iter().map(sample).collect()
}

/// The time in Prometheus' unit: seconds since the epoch.
pub(crate) fn epoch_seconds() -> Result<f64> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(since.as_secs_f64())
}

fn sample(series: &Value) -> Result<(Labels, f64)> {
    let labels = series["metric"].as_object().context("no labels")?;
    let labels = labels.iter().map(|(name, value)| {
        let value = value.as_str().unwrap_or_default();
        (name.clone(), value.to_owned())
    });
    let value = series["value"][1].as_str().context("no value")?;
    Ok((labels.collect(), value.parse()?))
}
