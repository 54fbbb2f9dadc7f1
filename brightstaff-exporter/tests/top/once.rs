//! Without a terminal: one table, or one object.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::{
    server::{HOSTILE, Server, exposition, response},
    top,
};

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

fn said(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The one line of an error.
#[track_caller]
fn refused(output: &Output, code: i32) -> &str {
    let error = said(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(output.stdout.is_empty(), "{output:?}");
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

#[test]
fn a_pipe_gets_one_table_without_escapes() {
    let pairs = HOSTILE.map(|name| (name.to_owned(), 10));
    let server = Server::start(move |number| exposition(&pairs, number));
    let output = run(&mut top(&server.url()));
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let text = said(&output.stdout);
    assert_eq!(server.asked(), 2);
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n'),
        "{text:?}"
    );
    assert!(
        !text.contains(['\u{202e}', '\u{200b}', '\u{301}']),
        "{text:?}"
    );
    let names = [
        r"\u{1b}]0;hacked\u{7}",
        r"\u{1b}[2J\u{1b}[H",
        r"\u{9b}31mred",
        r"\n\ncopied\r",
        r"\u{202e}desrever",
        r"e\u{301}\u{200b}",
        "模型🦀",
    ];
    for name in names {
        let line = text.lines().find(|line| line.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("{name} is not in {text}"));
        // The second of two scrapes: ten calls, all of them well.
        let cells: Vec<_> = line.split_whitespace().collect();
        assert_eq!((cells[1], cells[2]), (name, "10"), "{line}");
        assert!(line.contains("100 %"), "{line}");
    }
    assert!(
        text.contains("version 9.9.9   commit 0123456789ab   up "),
        "{text}"
    );
    assert!(
        text.contains("7 pairs of provider and model, over the last 2 s"),
        "{text}"
    );
}

#[test]
fn json_is_one_line_that_acts_on_no_terminal() {
    let pairs = HOSTILE.map(|name| (name.to_owned(), 10));
    let server = Server::start(move |number| exposition(&pairs, number));
    let output = run(top(&server.url()).args(["--json", "--interval", "1s"]));
    let text = said(&output.stdout);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.is_ascii() || !text.contains(['\u{9b}', '\u{202e}']),
        "{text}"
    );
    let told: Value = serde_json::from_str(text).unwrap();
    let pairs = told["shown"]["pairs"].as_array().unwrap();
    let names: Vec<_> = pairs
        .iter()
        .map(|pair| pair["provider"].as_str().unwrap())
        .collect();
    for name in HOSTILE {
        assert!(names.contains(&&*name.replace("\\n", "\n")), "{name:?}");
    }
    assert!(
        pairs
            .iter()
            .all(|pair| pair["calls"] == 10.0 && pair["ttft_p50"].is_null())
    );
}

#[test]
fn what_is_no_gateway_is_told_in_one_line() {
    let html = response("200 OK", "<!doctype html><title>brightstaff_</title>\n");
    let large = {
        let mut bytes = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
        bytes.resize((64 << 20) + 4096, b'#');
        bytes
    };
    for (answer, fault) in [
        (html, "no metrics of a gateway there: is it the right URL?"),
        (response("404 Not Found", ""), "it responds with 404"),
        (
            response("307 Temporary Redirect", ""),
            "it responds with 307",
        ),
        (
            response("401 Unauthorized", ""),
            "it responds with 401: see --bearer-token-file and --user",
        ),
        (large, "it sends more than 64 MiB"),
        (
            b"\x1b[31mnonsense\r\n\r\n".to_vec(),
            "invalid HTTP version parsed",
        ),
    ] {
        let server = Server::start(move |_| answer.clone());
        let output = run(top(&server.url()).arg("--once"));
        let error = refused(&output, 1);
        assert_eq!(error, format!("error: {}/metrics: {fault}\n", server.url()));
    }
    let nobody = {
        let server = Server::start(|_| Vec::new());
        server.url()
    };
    let output = run(&mut top(&nobody));
    assert!(refused(&output, 1).contains("refused"), "{output:?}");
}

#[test]
fn what_cannot_be_asked_is_told_in_one_line() {
    for (arguments, fault) in [
        (&["ftp://h/"][..], "URL: is neither http nor https"),
        (
            &["http://user:secret@h/"],
            "--user NAME --password-file FILE",
        ),
        (
            &["h", "--bearer-token-file", "/no/secret"],
            "--bearer-token-file: the file cannot be read",
        ),
        (&["h", "--cacert", "/no/secret"], "--cacert: has no effect"),
        (
            &["https://h", "--cacert", "/dev/null"],
            "--cacert: the file holds no certificate in PEM",
        ),
    ] {
        let output = run(top(arguments[0]).args(&arguments[1..]));
        let error = refused(&output, 2);
        assert!(error.contains(fault), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
    for option in ["--interval=500ms", "--interval=2m", "--user=me"] {
        let output = run(top("h").arg(option));
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}

/// The demo, until it is dropped.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the demo knows, and where its metrics are.
fn demo() -> (Demo, String, Value) {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("top-truth.json");
    let _ = fs::remove_file(&file);
    let any = "127.0.0.1:0";
    let child = Command::new(env!("CARGO_BIN_EXE_brightstaff-exporter"))
        .args(["demo", "--bind", any, "--metrics-bind", any])
        .args(["--duration=4s", "--rate=20", "--hold=1h"])
        .arg("--truth-json")
        .arg(&file)
        .stdout(Stdio::piped())
        .spawn();
    let mut demo = Demo(child.unwrap());
    let lines = BufReader::new(demo.0.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    let url = lines.find_map(|line| Some(line.strip_prefix("metrics listening on ")?.to_owned()));
    // What it says goes on being read.
    thread::spawn(move || lines.count());
    let truth = loop {
        let text = fs::read_to_string(&file).unwrap_or_default();
        match serde_json::from_str(&text) {
            Ok(truth) => break truth,
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
        assert!(demo.0.try_wait().unwrap().is_none(), "the demo ended");
    };
    (demo, url.unwrap(), truth)
}

/// A pair's truth of this family, where its labels are these.
fn truth(told: &Value, family: &str, labels: &[(&str, &str)]) -> f64 {
    let series = told["families"][family].as_array().unwrap().iter();
    let of = |series: &&Value| {
        labels
            .iter()
            .all(|(name, value)| series["labels"][name] == *value)
    };
    series
        .filter(of)
        .filter_map(|series| series["truth"].as_f64())
        .sum()
}

#[test]
fn the_numbers_are_those_of_the_demo() {
    let (_demo, url, told) = demo();
    assert_eq!(told["agrees"], true);
    let output = run(top(&url).arg("--json"));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let pairs = shown["shown"]["pairs"].as_array().unwrap();
    const CALLS: &str = "brightstaff_llm_upstream_requests_total";
    const TOKENS: &str = "brightstaff_llm_tokens_total";
    let sum: f64 = pairs
        .iter()
        .map(|pair| pair["calls"].as_f64().unwrap())
        .sum();
    assert_eq!(sum, truth(&told, CALLS, &[]));
    for pair in pairs {
        let [provider, model] = ["provider", "model"].map(|name| pair[name].as_str().unwrap());
        let of = |family, label, value| {
            truth(
                &told,
                family,
                &[("provider", provider), ("model", model), (label, value)],
            )
        };
        for (what, expected) in [
            (
                "calls",
                truth(&told, CALLS, &[("provider", provider), ("model", model)]),
            ),
            ("calls_ok", of(CALLS, "error_class", "none")),
            ("calls_cancelled", of(CALLS, "error_class", "cancelled")),
            ("calls_2xx", of(CALLS, "status_class", "2xx")),
            ("tokens_in", of(TOKENS, "kind", "prompt")),
            ("tokens_out", of(TOKENS, "kind", "completion")),
            ("provider_in_flight", 0.0),
        ] {
            assert_eq!(pair[what], expected, "{what} of {provider} {model}");
        }
    }
    // The plain table says the same, rounded.
    let table = run(&mut top(&url));
    let busiest = pairs.iter().max_by(|a, b| {
        a["calls"]
            .as_f64()
            .unwrap()
            .total_cmp(&b["calls"].as_f64().unwrap())
    });
    let busiest = busiest.unwrap();
    let lines: Vec<_> = said(&table.stdout).lines().collect();
    let title = lines
        .iter()
        .position(|line| line.starts_with("PROVIDER"))
        .unwrap();
    let cells: Vec<_> = lines[title + 1].split_whitespace().collect();
    assert_eq!(
        cells[2],
        busiest["calls"].to_string().trim_end_matches(".0")
    );
}
