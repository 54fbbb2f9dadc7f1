//! What only protobuf says.

use std::io;

use brightstaff_metrics_core::exposition::{Exposition, Format};
use prometheus::Registry;

use super::{model, register, register_others, written};

fn families(registry: &Registry) -> Vec<model::MetricFamily> {
    model::decode(&written(registry, Format::Protobuf))
}

/// Prometheus refuses a scrape where a name does not end in its unit.
#[test]
fn units_are_told_where_names_end_in_them() {
    let registry = Registry::new();
    let _metrics = register(&registry);
    register_others(&registry);
    let families = families(&registry);
    for (name, unit) in [
        ("brightstaff_http_request_duration_seconds", Some("seconds")),
        ("brightstaff_llm_tokens_total", Some("tokens")),
        ("brightstaff_http_requests_total", None),
        ("mine_seconds_total", Some("seconds")),
        ("mine_gauge_seconds_total", None),
        ("mine_bytes", Some("bytes")),
    ] {
        let found = families.iter().find(|family| family.name() == name);
        assert_eq!(found.unwrap().unit.as_deref(), unit, "{name}");
    }
}

/// Ours stand in the order of the catalogue, before those of others.
#[test]
fn families_stand_in_their_order() {
    let registry = Registry::new();
    let _metrics = register(&registry);
    register_others(&registry);
    let families = families(&registry);
    let names: Vec<_> = families.iter().map(model::MetricFamily::name).collect();
    let ours = names.iter().position(|name| name.starts_with("mine_"));
    let all = brightstaff_metrics_core::catalogue::ALL.iter();
    let places: Vec<_> = names[..ours.unwrap()]
        .iter()
        .map(|name| all.clone().position(|family| family.name == *name))
        .collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted());
}

#[test]
fn an_output_that_fails_is_told() {
    /// Takes so many bytes.
    struct Short(usize);
    impl io::Write for Short {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let registry = Registry::new();
    let _metrics = register(&registry);
    for bytes in [0, 1, 3, 1000] {
        let mut out = Short(bytes);
        let told = Exposition::of(&registry).write(Format::Protobuf, &mut out);
        assert_eq!(told.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(out.0, 0);
    }
}
