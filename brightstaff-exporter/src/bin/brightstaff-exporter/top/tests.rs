//! The cases that the live page meets, too, and screens of every size.

use serde_json::Value;

use super::{
    client::Scraped,
    format,
    frame::{Choice, Size, frame},
    history::{History, Span},
    line::Line,
    pairs::pairs,
    plain::plain,
    quantile::Quantile,
    table::{COLUMNS, Sort},
    text::{is_plain, width},
    view::View,
    warnings::warnings,
};

fn cases() -> Value {
    serde_json::from_str(include_str!("../../../../page/cases.json")).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// Three digits are shown, and six are compared.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[test]
fn numbers_are_written_as_on_the_page() {
    let cases = cases();
    for (name, write) in [
        ("decimal", format::decimal as fn(f64) -> String),
        ("count", format::count),
        ("duration", format::duration),
        ("age", format::age),
    ] {
        for case in list(&cases["texts"][name]) {
            let value = case[0].as_f64().unwrap();
            assert_eq!(write(value), case[1].as_str().unwrap(), "{name} of {value}");
        }
    }
    assert_eq!(cases["texts"].as_object().unwrap().len(), 4);
    for case in list(&cases["shares"]) {
        let [part, whole] = [0, 1].map(|index| case[index].as_f64().unwrap());
        assert_eq!(format::share(part, whole), case[2].as_str().unwrap());
    }
    for not_finite in [f64::NAN, f64::INFINITY] {
        assert_eq!(format::decimal(not_finite), "–");
        assert_eq!(format::count(not_finite), "–");
        assert_eq!(format::duration(not_finite), "–");
    }
}

#[test]
fn quantiles_are_those_of_the_page() {
    for case in list(&cases()["quantiles"]) {
        let buckets = list(&case[1]).iter().map(|bucket| {
            let bound = bucket[0].as_str().unwrap().parse().unwrap();
            (bound, bucket[1].as_f64().unwrap())
        });
        let buckets: Vec<_> = buckets.collect();
        let quantile = Quantile::of(case[0].as_f64().unwrap(), &buckets);
        let text = format::quantile(quantile);
        assert_eq!(text, case[2].as_str().unwrap(), "{case}");
    }
}

/// The text of one scrape of a case.
fn scrape(series: &Value, index: usize) -> String {
    let series = series.as_object().unwrap().iter();
    let there = series.filter(|(_, values)| !values[index].is_null());
    there
        .map(|(id, values)| format!("{id} {}\n", values[index]))
        .collect()
}

#[test]
fn histories_tell_what_they_tell_the_page() {
    for case in list(&cases()["histories"]) {
        let mut history = History::new();
        for (index, time) in list(&case["at"]).iter().enumerate() {
            let there = case["there"][index].as_f64();
            history.add(
                &scrape(&case["series"], index),
                time.as_f64().unwrap(),
                there,
            );
        }
        tells(&history, &case["name"], &case["expect"]);
    }
}

#[track_caller]
fn tells(history: &History, name: &Value, expect: &Value) {
    let span = history.span();
    assert_eq!(
        span.map(Span::seconds),
        expect["seconds"].as_f64(),
        "{name}"
    );
    let Some(span) = span else {
        return;
    };
    let calls = history.sum("brightstaff_llm_upstream_requests_total", span, |_| true);
    assert_eq!(Some(calls), expect["calls"].as_f64(), "{name}");
    let open = history.of("brightstaff_llm_upstream_in_flight");
    let open: f64 = open.map(|series| history.gauge(series)).sum();
    let recent = history.recent(10.0).unwrap().seconds();
    for (what, told) in [
        ("in_flight", Value::from(open)),
        ("recent_10", Value::from(recent)),
        ("restarted", Value::from(history.restarted())),
        ("several", Value::from(history.several())),
    ] {
        let expected = &expect[what];
        let same = expected.is_null()
            || told == *expected
            || told.as_f64() == expected.as_f64() && told.is_f64();
        assert!(same, "{name}: {what} is {told}");
    }
    if let Some(instances) = expect["instances"].as_u64() {
        assert_eq!(history.instances() as u64, instances, "{name}");
    }
    let all = pairs(history, span);
    for (id, row) in expect["pairs"].as_object().into_iter().flatten() {
        let of = |pair: &&super::pairs::Pair| format!("{} {}", pair.provider, pair.model) == *id;
        let pair = all.iter().find(of).unwrap();
        let shown = serde_json::json!({
            "calls": pair.calls,
            "success": format::share(pair.good(), pair.judged()),
            "p50": format::quantile(pair.p50),
            "p95": format::quantile(pair.p95),
            "speed": rounded(pair.speed()),
            "tokens_in": pair.tokens_in,
            "tokens_out": pair.tokens_out,
            "missing": format::share(pair.usage_missing, pair.succeeded_2xx),
        });
        for (what, value) in row.as_object().unwrap() {
            let same = shown[what] == *value
                || shown[what]
                    .as_f64()
                    .is_some_and(|told| Some(told) == value.as_f64());
            assert!(same, "{name}: {what} of {id} is {}", shown[what]);
        }
    }
    if let Some(expected) = expect["warnings"].as_array() {
        let mut found = warnings(history, span, &all);
        found.sort_by(|a, b| a.title.cmp(&b.title));
        let found: Vec<_> = found
            .iter()
            .map(|warning| serde_json::json!([warning.title, warning.detail, warning.critical]))
            .collect();
        assert_eq!(found, *expected, "{name}");
    }
}

/// Two scrapes of this many pairs.
fn view(pairs: usize, name: impl Fn(usize) -> String) -> View {
    let mut view = View::new();
    for (turn, at) in [(1, 9002.0), (2, 9004.0)] {
        let lines = (0..pairs).map(|index| {
            let (name, calls) = (name(index), (10 + index) * turn);
            let class = if index % 2 == 0 { "none" } else { "stream" };
            format!(
                "brightstaff_llm_upstream_requests_total{{error_class=\"{class}\",model=\"{name}\",provider=\"{name}\",status_class=\"2xx\"}} {calls}\n"
            )
        });
        let text = format!(
            "process_start_time_seconds 1\nbrightstaff_build_info{{git_sha=\"0123456789abcdef\",version=\"9.9.9\"}} 1\n{}",
            lines.collect::<String>()
        );
        let date = None;
        view.take(Ok(Scraped { text, date }), at);
    }
    view
}

fn screen(view: &View, choice: Choice, columns: usize, rows: usize) -> (Vec<Line>, usize) {
    let mut summary = view.summary(9004.0);
    if let Some(shown) = &mut summary.shown {
        choice.sort.apply(&mut shown.pairs);
    }
    frame(
        "http://h/metrics",
        &summary,
        choice,
        Size { columns, rows },
        true,
    )
}

fn text(line: &Line) -> String {
    line.iter()
        .map(|piece| format!("{} ", piece.text))
        .collect()
}

#[test]
fn every_size_is_kept_to() {
    let view = view(40, |index| format!("模型-provider-{index:03}"));
    for columns in [1, 2, 7, 20, 40, 80, 132, 500] {
        for rows in [1, 2, 3, 5, 8, 24, 300] {
            let (lines, _) = screen(&view, Choice::default(), columns, rows);
            assert!(lines.len() <= rows, "{columns}x{rows}");
            assert!(!lines.is_empty() && !lines[0].is_empty());
            for piece in lines.iter().flatten() {
                let end = piece.column + width(&piece.text);
                let cut = end <= columns || columns < 20;
                assert!(cut, "{columns}x{rows}: {piece:?}");
                assert!(piece.text.chars().all(is_plain), "{piece:?}");
            }
            if rows >= 5 {
                let seen = lines.iter().filter(|line| text(line).contains('%'));
                assert!(columns < 60 || seen.count() > 0, "{columns}x{rows}");
            }
        }
    }
}

#[test]
fn no_columns_are_shown_over_each_other() {
    let view = view(5, |index| format!("some-long-name-of-a-provider-{index}"));
    for columns in (20..200).step_by(3) {
        let (lines, _) = screen(&view, Choice::default(), columns, 40);
        for line in lines {
            for two in line.windows(2) {
                let end = two[0].column + width(&two[0].text);
                assert!(end < two[1].column, "{columns}: {line:?}");
            }
        }
    }
}

#[test]
fn all_rows_are_within_reach() {
    let view = view(200, |index| format!("p{index:03}"));
    let mut seen = std::collections::BTreeSet::new();
    let (_, last) = screen(&view, Choice::default(), 120, 24);
    for scroll in (0..=last).step_by(9).chain([last]) {
        let sort = Sort::default();
        let (lines, _) = screen(&view, Choice { sort, scroll }, 120, 24);
        let rows = lines.iter().filter(|line| line.len() > 3);
        seen.extend(rows.map(|line| line[0].text.clone()));
    }
    assert_eq!(seen.len(), 200);
    let (sort, scroll) = (Sort::default(), usize::MAX);
    let (lines, _) = screen(&view, Choice { sort, scroll }, 120, 24);
    assert!(
        lines.iter().any(|line| text(line).starts_with("p000 ")),
        "the idlest is the last"
    );
}

#[test]
fn every_column_sorts_both_ways() {
    let view = view(9, |index| format!("p{index}"));
    let first = |sort: Sort| {
        let mut shown = view.summary(9004.0).shown.unwrap();
        sort.apply(&mut shown.pairs);
        shown.pairs[0].provider.clone()
    };
    let mut sort = Sort::default();
    assert_eq!(
        (first(sort), first(sort.reversed())),
        ("p8".to_owned(), "p0".to_owned())
    );
    for _ in 0..COLUMNS.len() {
        sort = sort.moved(1);
        first(sort);
    }
    assert_eq!(sort, Sort::default());
    let provider = sort.moved(COLUMNS.len() - 2);
    assert_eq!(
        (first(provider), first(provider.reversed())),
        ("p0".to_owned(), "p8".to_owned())
    );
}

#[test]
fn nothing_is_said_before_it_is_known() {
    let mut view = View::new();
    let said = |view: &View| {
        let (lines, _) = screen(view, Choice::default(), 100, 5);
        lines.iter().map(text).collect::<String>()
    };
    assert!(said(&view).contains("waiting for the first scrape"));
    assert!(!said(&view).contains("rates need"));
    view.take(Err("no".to_owned()), 9000.0);
    assert!(said(&view).contains("not answering for 4 s (no)"));
    assert!(!said(&view).contains("from before") && !said(&view).contains("rates need"));
    let text = "process_start_time_seconds 1\n".to_owned();
    view.take(Ok(Scraped { text, date: None }), 9002.0);
    assert!(said(&view).contains("live") && said(&view).contains("rates need two scrapes"));
}

#[test]
fn a_gateway_that_is_gone_is_told_with_what_was_known() {
    let mut view = view(2, |index| format!("p{index}"));
    view.take(Err("Connection \x1b[2J refused".to_owned()), 9010.0);
    view.take(Err("it responds with 500".to_owned()), 9012.0);
    let summary = view.summary(9015.0);
    let told = plain("http://h/metrics", summary);
    assert!(
        told.contains("not answering for 5 s (it responds with 500)"),
        "{told}"
    );
    assert!(told.contains("\np1 "), "{told}");
    let (lines, _) = screen(&view, Choice::default(), 120, 24);
    assert!(
        text(&lines[0]).contains("the numbers are from before"),
        "{lines:?}"
    );
    let text = "process_start_time_seconds 1\n".to_owned();
    view.take(Ok(Scraped { text, date: None }), 9020.0);
    assert!(view.summary(9020.0).lost.is_none());
}

/// Whoever answers may be anybody: what is kept stays bounded.
#[test]
fn more_series_than_are_kept_are_passed_over() {
    let mut history = History::new();
    let line = |index| format!("brightstaff_llm_upstream_in_flight{{provider=\"{index}\"}} 1\n");
    let text: String = (0..60_000).map(line).collect();
    history.add(&text, 9000.0, None);
    assert!(history.passed_over());
    assert_eq!(
        history.of("brightstaff_llm_upstream_in_flight").count(),
        50_000
    );
}
