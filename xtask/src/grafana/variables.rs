//! The variables of a dashboard.

use brightstaff_metrics_core::catalogue::{BUILD_INFO, UPSTREAM_REQUESTS};
use serde_json::{Value, json};

use crate::promql::{INSTANCE, JOB, MODEL, PROVIDER, Source, recorded};

/// Which Prometheus is asked.
pub(super) fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

pub(super) fn all(source: Source) -> Vec<Value> {
    let calls = &UPSTREAM_REQUESTS;
    let build = match source {
        Source::Scraped => BUILD_INFO.name.to_owned(),
        _ => recorded((&BUILD_INFO).into(), "", true),
    };
    let job = query(
        JOB,
        "Job",
        "Which groups of replicas: what Prometheus scrapes them as",
        &format!("label_values({build}, {JOB})"),
    );
    let of_job = format!("{JOB}=~\"$job\"");
    let instance = query(
        INSTANCE,
        "Instance",
        "Which processes: what Prometheus scrapes them as",
        &format!("label_values({build}{{{of_job}}}, {INSTANCE})"),
    );
    let (series, narrowed, instance) = match source {
        Source::Scraped => (
            calls.name.to_owned(),
            format!("{of_job},{INSTANCE}=~\"$instance\""),
            Some(instance),
        ),
        _ => (recorded(calls.into(), "", false), of_job, None),
    };
    let mut all = vec![
        json!({
            "name": "datasource",
            "label": "Data source",
            "description": "Which Prometheus is asked",
            "type": "datasource",
            "query": "prometheus",
            "options": [],
            "refresh": 1,
            "regex": "",
            "hide": 0,
            "includeAll": false,
            "multi": false,
            "skipUrlSync": false,
        }),
        job,
    ];
    all.extend(instance);
    all.extend([
        query(
            PROVIDER,
            "Provider",
            "Who answers the calls",
            &format!("label_values({series}{{{narrowed}}}, {PROVIDER})"),
        ),
        query(
            MODEL,
            "Model",
            "Which models of these providers",
            &format!("label_values({series}{{{narrowed},{PROVIDER}=~\"$provider\"}}, {MODEL})"),
        ),
    ]);
    all
}

/// All is `.*`, so that what shows up later is in it.
fn query(name: &str, label: &str, about: &str, query: &str) -> Value {
    json!({
        "name": name,
        "label": label,
        "description": about,
        "type": "query",
        "datasource": datasource(),
        "query": { "qryType": 1, "query": query, "refId": format!("variable-{name}") },
        "current": { "selected": true, "text": ["All"], "value": ["$__all"] },
        "options": [],
        "refresh": 2,
        "regex": "",
        "sort": 1,
        "hide": 0,
        "includeAll": true,
        "allValue": ".*",
        "multi": true,
        "skipUrlSync": false,
    })
}
