use std::collections::BTreeMap;

use brightstaff_metrics_core::otlp::Resource;

use super::super::random::random;

/// What is measured, as OpenTelemetry's resource attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes(BTreeMap<String, String>);

const SERVICE_NAME: &str = "service.name";
/// That of the job in the shipped configuration of Prometheus, which the rules look for.
const DEFAULT_NAME: &str = "brightstaff";
const INSTANCE: &str = "service.instance.id";

impl Attributes {
    pub(super) fn insert(&mut self, key: String, value: String) {
        self.0.insert(key, value);
    }

    /// With the two that every resource has, made up where they were not given.
    pub(super) fn resource(mut self) -> Resource {
        self.0.retain(|_, value| !value.is_empty());
        let name = self.0.entry(SERVICE_NAME.to_owned());
        name.or_insert_with(|| DEFAULT_NAME.to_owned());
        self.0.entry(INSTANCE.to_owned()).or_insert_with(uuid);
        Resource::new(self.0)
    }
}

/// A random one (RFC 9562, section 5.4).
fn uuid() -> String {
    let mut bytes: [u8; 16] = random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    let (a, b, c) = (&hex[..8], &hex[8..12], &hex[12..16]);
    format!("{a}-{b}-{c}-{}-{}", &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_have_ids_that_differ() {
        let (one, two) = (uuid(), uuid());
        assert_ne!(one, two);
        let parts: Vec<_> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(one.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&one.as_bytes()[19]));
    }
}
