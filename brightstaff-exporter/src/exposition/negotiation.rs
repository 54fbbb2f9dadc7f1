//! Which format a scraper asks for.

use std::cmp::Reverse;

use axum::http::{HeaderMap, header::ACCEPT};
use brightstaff_metrics_core::exposition::Format;

/// The format that `Accept` prefers (RFC 9110, section 12.5.1); the text format where they ask for
/// none that is offered, since a scraper that says so takes it all the same.
///
/// Of formats that are accepted alike, the one that is named goes before one that a wildcard covers, then the
/// one that is named first, then text before the others: a server that reads protobuf has more work with it, so that it
/// is for who asks for it.
pub(crate) fn negotiate(headers: &HeaderMap) -> Format {
    let accept = headers.get_all(ACCEPT).into_iter();
    let accept = accept.filter_map(|value| value.to_str().ok());
    let ranges: Vec<_> = accept
        .flat_map(|value| value.split(','))
        .enumerate()
        .filter_map(|(position, range)| Range::parse(range, position))
        .collect();
    let wanted = OFFERED.iter().rev().filter_map(|offer| {
        let range = ranges
            .iter()
            .filter_map(|range| Some((range.fits(offer)?, range)));
        // "The media type quality factor associated with a given type is determined by finding the media range with
        // the highest precedence that matches the type."
        let (precision, range) =
            range.max_by_key(|(precision, range)| (*precision, range.weight))?;
        let named = precision >= Precision::Named;
        let position = named.then_some(Reverse(range.position));
        (range.weight > 0).then_some((range.weight, named, position, offer.format))
    });
    // Of equals the last, which is the first that is offered.
    let best = wanted.max_by_key(|(weight, named, position, _)| (*weight, *named, *position));
    best.map_or(Format::Text, |(.., format)| format)
}

/// A format, as a media range names it.
struct Offer {
    format: Format,
    /// The two parts of its media type.
    media_type: (&'static str, &'static str),
    /// Parameters that have to be these, where a range has them; and whether it has to have them, and no wildcard will do.
    parameters: &'static [(&'static str, &'static str)],
    strict: bool,
}

const OFFERED: [Offer; 3] = [
    Offer {
        format: Format::Text,
        media_type: ("text", "plain"),
        parameters: &[("version", "0.0.4")],
        strict: false,
    },
    Offer {
        format: Format::OpenMetrics,
        media_type: ("application", "openmetrics-text"),
        parameters: &[("version", "1.0.0")],
        strict: false,
    },
    // Any message could be meant, and two ways to write messages as text.
    Offer {
        format: Format::Protobuf,
        media_type: ("application", "vnd.google.protobuf"),
        parameters: &[
            ("proto", "io.prometheus.client.MetricFamily"),
            ("encoding", "delimited"),
        ],
        strict: true,
    },
];

/// A media range: `text/plain;version=0.0.4;q=0.5`.
struct Range<'a> {
    media_type: (&'a str, &'a str),
    parameters: Vec<(&'a str, &'a str)>,
    /// In thousandths.
    weight: u16,
    position: usize,
}

/// How precisely a range means a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    /// `*/*`
    Any,
    /// `text/*`
    Half,
    /// `text/plain`
    Named,
    /// `text/plain;version=0.0.4`
    WithParameters,
}

impl<'a> Range<'a> {
    fn parse(range: &'a str, position: usize) -> Option<Self> {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next()?.split_once('/')?;
        let mut parsed = Self {
            media_type,
            parameters: Vec::new(),
            weight: 1000,
            position,
        };
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            if name.eq_ignore_ascii_case("q") {
                parsed.weight = thousandths(value);
            } else {
                parsed.parameters.push((name, value));
            }
        }
        Some(parsed)
    }

    /// How precisely it means this format, if it does. Parameters that no format of ours has (`escaping`, `charset`)
    /// change nothing of what is written.
    fn fits(&self, offer: &Offer) -> Option<Precision> {
        let is = str::eq_ignore_ascii_case;
        let (kind, subtype) = self.media_type;
        match (
            is(kind, offer.media_type.0),
            is(subtype, offer.media_type.1),
        ) {
            (true, true) => {}
            // Nobody reads it by eye: it is for who names it.
            _ if offer.strict => return None,
            (true, false) if subtype == "*" => return Some(Precision::Half),
            _ if (kind, subtype) == ("*", "*") => return Some(Precision::Any),
            _ => return None,
        }
        let mut precision = Precision::Named;
        for (name, value) in offer.parameters {
            let mut given = self.parameters.iter();
            match given.find(|(given, _)| is(given, name)) {
                Some((_, given)) if given == value => precision = Precision::WithParameters,
                None if !offer.strict => {}
                _ => return None,
            }
        }
        Some(precision)
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

    const TEXT: Format = Format::Text;
    const OPEN: Format = Format::OpenMetrics;
    const PROTO: Format = Format::Protobuf;

    fn headers(accept: &[&'static str]) -> HeaderMap {
        let values = accept.iter().map(|value| HeaderValue::from_static(value));
        values.map(|value| (ACCEPT, value)).collect()
    }

    #[track_caller]
    fn assert_negotiated(table: &[(&str, &'static str, Format)]) {
        for (who, accept, format) in table {
            assert_eq!(negotiate(&headers(&[accept])), *format, "{who}");
        }
    }

    /// prometheus/prometheus, scrape/scrape.go: `scrapeAcceptHeader`, `scrapeAcceptHeaderWithProtobuf` at v2.42.0;
    /// `acceptHeader` at v2.53.3 and v3.5.0, with `DefaultScrapeProtocols` and `DefaultProtoFirstScrapeProtocols` of
    /// config/config.go. What 3.14 sends is the same as 3.5.
    #[test]
    fn prometheus_gets_what_it_asks_for() {
        assert_negotiated(&[
            (
                "2.42",
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                OPEN,
            ),
            (
                "2.42 with native histograms",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
                 application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                PROTO,
            ),
            (
                "2.53",
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                OPEN,
            ),
            (
                "2.53 with native histograms",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5,\
                 application/openmetrics-text;version=1.0.0;q=0.4,application/openmetrics-text;version=0.0.1;q=0.3,\
                 text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                PROTO,
            ),
            (
                "3.5",
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                OPEN,
            ),
            (
                "3.5 with native histograms",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
                 application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                 text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                PROTO,
            ),
            (
                "3.5, scrape_protocols: [PrometheusText0.0.4]",
                "text/plain;version=0.0.4;q=0.6,*/*;q=0.5",
                TEXT,
            ),
            (
                "3.5, scrape_protocols: [PrometheusText1.0.0, PrometheusText0.0.4]",
                "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.4",
                TEXT,
            ),
            (
                "3.5, scrape_protocols: [PrometheusText0.0.4, PrometheusProto]",
                "text/plain;version=0.0.4;q=0.6,application/vnd.google.protobuf;\
                 proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5,*/*;q=0.4",
                TEXT,
            ),
            (
                "2.4, before OpenMetrics had a version 1",
                "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                TEXT,
            ),
        ]);
    }

    #[test]
    fn other_scrapers_get_what_they_ask_for() {
        assert_negotiated(&[
            (
                // VictoriaMetrics/VictoriaMetrics, lib/promscrape/client.go, `ReadData`, the same in vmagent.
                "VictoriaMetrics",
                "text/plain;version=0.0.4;q=1,*/*;q=0.1",
                TEXT,
            ),
            // open-telemetry/opentelemetry-collector-contrib, receiver/prometheusreceiver: the scrape package of
            // Prometheus itself, of its newest version, and its `scrape_protocols`; the next two as its users set them.
            (
                "the OpenTelemetry collector",
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                OPEN,
            ),
            (
                "the OpenTelemetry collector, with scrape_native_histograms, or PrometheusProto first",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
                 application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                PROTO,
            ),
            // DataDog/integrations-core, datadog_checks_base/…/openmetrics/v2/scraper/base_scraper.py, `send_request`;
            // before 2023 v2/scraper.py, `__init__`.
            ("Datadog's agent", "text/plain", TEXT),
            (
                "Datadog's agent, with use_latest_spec",
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1",
                OPEN,
            ),
            (
                "Datadog's older agent, with use_latest_spec",
                "application/openmetrics-text; version=0.0.1; charset=utf-8",
                TEXT,
            ),
            // grafana/alloy, internal/component/prometheus/scrape/scrape.go, `SetToDefault`, `Validate`: the scrape package
            // of Prometheus 3, with names as they always were (`escaping`).
            (
                "Alloy",
                "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=underscores;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                OPEN,
            ),
            (
                "Alloy, with scrape_native_histograms",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
                 application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=underscores;q=0.3,\
                 text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                PROTO,
            ),
            (
                // grafana/agent, go.mod: a fork of Prometheus of January 2024, 2.49.
                "Grafana's agent",
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                OPEN,
            ),
            ("nobody", "", TEXT),
            ("curl", "*/*", TEXT),
            (
                "a browser",
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                TEXT,
            ),
        ]);
    }

    #[test]
    fn weights_decide_then_names_then_order() {
        assert_negotiated(&[
            (
                "a preference for text",
                "text/plain;q=0.9, application/openmetrics-text; version=\"1.0.0\"; q=0.8",
                TEXT,
            ),
            (
                "the first",
                "application/openmetrics-text, text/plain",
                OPEN,
            ),
            (
                "the first",
                "text/plain, application/openmetrics-text",
                TEXT,
            ),
            ("the named", "*/*, application/openmetrics-text", OPEN),
            (
                "one that is refused",
                "application/openmetrics-text;q=0, */*",
                TEXT,
            ),
            ("text that is refused", "text/plain;q=0, */*", OPEN),
            ("text that is refused in vain", "text/plain;q=0", TEXT),
            (
                "text that is wanted least, whatever a wildcard says",
                "text/plain;q=0.1, application/openmetrics-text;q=0.5, */*;q=0.9",
                OPEN,
            ),
            ("half a wildcard", "application/*", OPEN),
            ("half a wildcard", "text/*;q=0.5, */*;q=0.9", OPEN),
            ("another", "application/json", TEXT),
            (
                "in capitals",
                "Application/OpenMetrics-Text; Version=1.0.0",
                OPEN,
            ),
            ("what is no range", "text, ;q=1, /, =, text/plain/x", TEXT),
        ]);
        let several = ["text/plain;q=0.5", "application/openmetrics-text"];
        assert_eq!(negotiate(&headers(&several)), OPEN, "in two fields");
    }

    /// Go's `expfmt` knows two more encodings, and any message may come as protobuf.
    #[test]
    fn protobuf_is_what_prometheus_calls_so() {
        assert_negotiated(&[
            (
                "as in its own documentation",
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
                PROTO,
            ),
            (
                "in any order, in quotes, in capitals",
                "Application/Vnd.Google.Protobuf; Encoding=\"delimited\"; \
                 Proto=\"io.prometheus.client.MetricFamily\"; q=1",
                PROTO,
            ),
            (
                "its form for people",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
                TEXT,
            ),
            (
                "the same, short",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=compact-text",
                TEXT,
            ),
            (
                "the same, with another that is offered",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=compact-text,\
                 application/openmetrics-text;q=0.1",
                OPEN,
            ),
            (
                "another message",
                "application/vnd.google.protobuf;proto=opentelemetry.proto.metrics.v1;encoding=delimited",
                TEXT,
            ),
            ("any message", "application/vnd.google.protobuf", TEXT),
            (
                "a wildcard",
                "text/plain;q=0, application/openmetrics-text;q=0, */*",
                TEXT,
            ),
            (
                "without an encoding",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily",
                TEXT,
            ),
        ]);
    }
}
