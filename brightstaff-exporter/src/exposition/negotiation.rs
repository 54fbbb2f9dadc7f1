//! Which format a scraper asks for.

use axum::http::{HeaderMap, header::ACCEPT};
use brightstaff_metrics_core::exposition::Format;

/// The format that `Accept` prefers (RFC 9110, section 12.5.1); the text format where they ask for
/// none that is offered, since a scraper that says so takes it all the same.
///
/// Of formats that are accepted alike, the one that is named goes before one that a wildcard covers, and then the
/// one that is named first.
pub(crate) fn negotiate(headers: &HeaderMap) -> Format {
    let accept = headers.get_all(ACCEPT).into_iter();
    let accept = accept.filter_map(|value| value.to_str().ok());
    let ranges = accept.flat_map(|value| value.split(','));
    let mut best = (Format::Text, Rank::default());
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let Some((format, named)) = parts.next().and_then(offered) else {
            continue;
        };
        let (mut weight, mut fits) = (1000, true);
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => weight = thousandths(value),
                "version" => fits = value == version(format),
                _ => {}
            }
        }
        let rank = Rank { weight, named };
        if fits && weight > 0 && rank > best.1 {
            best = (format, rank);
        }
    }
    best.0
}

/// How much a format is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    weight: u16,
    named: bool,
}

/// The format that a media range names or covers, and whether it names it.
fn offered(range: &str) -> Option<(Format, bool)> {
    match range.to_ascii_lowercase().as_str() {
        "application/openmetrics-text" => Some((Format::OpenMetrics, true)),
        "text/plain" => Some((Format::Text, true)),
        "text/*" | "*/*" => Some((Format::Text, false)),
        _ => None,
    }
}

fn version(format: Format) -> &'static str {
    match format {
        Format::OpenMetrics => "1.0.0",
        _ => "0.0.4",
    }
}

/// A weight from 0 to 1, in thousandths; 1 where it cannot be read.
fn thousandths(weight: &str) -> u16 {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    match (whole, part.parse()) {
        ("0", Ok(part)) => part,
        _ => 1000,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(accept: &[&'static str]) -> HeaderMap {
        let values = accept.iter().map(|value| HeaderValue::from_static(value));
        values.map(|value| (ACCEPT, value)).collect()
    }

    #[test]
    fn scrapers_get_what_they_ask_for() {
        let (text, open) = (Format::Text, Format::OpenMetrics);
        for (who, accept, format) in [
            ("nothing", "", text),
            ("curl", "*/*", text),
            (
                "a browser",
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                text,
            ),
            (
                "Prometheus 2.42",
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                open,
            ),
            (
                "Prometheus 3",
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                open,
            ),
            (
                "Prometheus 3 with native histograms, before protobuf is offered",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,\
                 application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3,\
                 */*;q=0.2",
                open,
            ),
            (
                "Prometheus 2.4",
                "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                text,
            ),
            (
                "VictoriaMetrics",
                "text/plain;version=0.0.4;q=1,*/*;q=0.1",
                text,
            ),
            (
                "a preference for text",
                "text/plain;q=0.9, application/openmetrics-text; version=\"1.0.0\"; q=0.8",
                text,
            ),
            (
                "both alike: the first",
                "application/openmetrics-text, text/plain",
                open,
            ),
            (
                "both alike: the named",
                "*/*, application/openmetrics-text",
                open,
            ),
            (
                "one that is refused",
                "application/openmetrics-text;q=0, */*",
                text,
            ),
            ("another", "application/json", text),
            (
                "in capitals",
                "Application/OpenMetrics-Text; Version=1.0.0",
                open,
            ),
        ] {
            assert_eq!(negotiate(&headers(&[accept])), format, "{who}");
        }
        let several = ["text/plain;q=0.5", "application/openmetrics-text"];
        assert_eq!(negotiate(&headers(&several)), open, "in two fields");
    }
}
