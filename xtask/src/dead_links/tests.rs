use super::*;

const FILES: [&str; 6] = [
    "README.md",
    "docs/guide.md",
    "docs/picture.png",
    "core/src/series/table.rs",
    "core/tests/gateway/drain.rs",
    "config/rules.yaml",
];

const GUIDE: &str = "# The guide\n\n## What `it` does: all\n\n## Twice\n\n## Twice\n";

/// What is found in this README.
fn found(readme: &str) -> Vec<String> {
    let tree = Tree::new(FILES.into_iter());
    let documents = [("README.md", readme), ("docs/guide.md", GUIDE)];
    let documents = documents.map(|(file, text)| (file.to_owned(), Document::read(text)));
    faults(&tree, &documents.into(), &[])
}

#[track_caller]
fn alive(readme: &str) {
    assert_eq!(found(readme), [""; 0], "{readme}");
}

#[track_caller]
fn dead(readme: &str, why: &str) {
    let found = found(readme);
    let [only] = &found[..] else {
        panic!("{readme}: {found:?}");
    };
    assert_eq!(only.split_once(": ").unwrap().1, why);
}

#[test]
fn a_link_leads_to_a_file_or_a_folder() {
    alive("[a](docs/guide.md) [b](docs) [c](./docs/) [d](core/src/series/table.rs)");
    dead(
        "[a](docs/gone.md)",
        "docs/gone.md leads to docs/gone.md, which is not there",
    );
    dead(
        "![a](docs/Picture.png)",
        "docs/Picture.png leads to docs/Picture.png, which is not there",
    );
    dead("[a](../x.md)", "../x.md leads out of the repository");
    dead("[a](/README.md)", "/README.md leads out of the repository");
    alive("`[a](docs/gone.md)`\n\n```md\n[a](docs/gone.md)\n```\n");
}

#[test]
fn an_anchor_is_a_heading() {
    alive("# Here\n\n[a](#here) [b](docs/guide.md#what-it-does-all) [c](docs/guide.md#twice-1)");
    dead("[a](#here)", "#here: README.md has no heading #here");
    dead(
        "[a](docs/guide.md#twice-2)",
        "docs/guide.md#twice-2: docs/guide.md has no heading #twice-2",
    );
    dead(
        "[a](core/src/series/table.rs#L1)",
        "core/src/series/table.rs#L1: core/src/series/table.rs has no heading #L1",
    );
}

#[test]
fn labels_are_defined() {
    alive("[a][b] [words]\n\n[b]: docs/guide.md");
    dead("rate(x[5m]) [a][b]", "[b] is defined nowhere");
    dead(
        "[a][b]\n\n[b]: gone.md",
        "gone.md leads to gone.md, which is not there",
    );
    dead(
        "<a href=\"gone.md\">a</a>",
        "a link in HTML: write it in Markdown",
    );
}

#[test]
fn paths_in_backticks_are_there() {
    alive(
        "`series/table.rs` `table.rs` `core/src/` `gateway/drain` `core/tests/gateway` `docs/guide.md`",
    );
    for other in [
        "/v1/models",
        "text/plain",
        "openai/gpt-4o",
        "*/*",
        "GET /metrics",
        "prometheus.yml",
        "`a/b`",
        "`{provider}/…`",
    ] {
        alive(&format!("`{other}`"));
    }
    for gone in [
        "series/gone.rs",
        "gone.rs",
        "ble.rs",
        "gone/",
        "gateway/gone",
        "config/gone.yaml",
    ] {
        let why = format!("`{gone}` looks like a path, and no file is called so");
        dead(&format!("`{gone}`"), &why);
    }
}

#[test]
fn other_sites_have_an_address() {
    alive("<https://example.com/a?b=c#d> [a](http://localhost:9090)");
    dead("[a](https://)", "https:// is no address: empty host");
    dead("[a](https://example)", "https://example names no host");
    dead(
        "[a](htps://example.com)",
        "htps://example.com: nothing reads htps",
    );
}

#[test]
fn dashboards_and_rules_lead_to_headings() {
    let tree = Tree::new(FILES.into_iter());
    let documents = [("docs/guide.md".to_owned(), Document::read(GUIDE))].into();
    let rule = |anchor: &str| {
        let url = format!("{}/docs/guide.md{anchor}", links::DOCUMENTS);
        let text = format!("alert: A\nrunbook_url: \"{url}\"\n");
        faults(&tree, &documents, &[("config/rules.yaml".to_owned(), text)])
    };
    assert_eq!(rule("#twice"), [""; 0]);
    assert_eq!(
        rule("#thrice"),
        ["config/rules.yaml:2: /docs/guide.md#thrice: docs/guide.md has no heading #thrice"]
    );
}

#[test]
fn lines_are_told() {
    assert_eq!(
        found("one\n\ntwo `gone.rs`"),
        ["README.md:3: `gone.rs` looks like a path, and no file is called so"]
    );
}
