//! The code in `README.md`: cut from the examples, which are built and run.

use anyhow::{Context, Result};
use xshell::Shell;

const MARK: &str = "<!-- cut: ";

/// The README with every block of code that follows a mark `<!-- cut: FUNCTION of FILE -->` as it is in
/// that file now.
pub(crate) fn render(sh: &Shell, readme: &str) -> Result<String> {
    let mut lines = readme.lines();
    let mut out = String::new();
    while let Some(line) = lines.next() {
        push(&mut out, line);
        let Some(mark) = line.strip_prefix(MARK) else {
            continue;
        };
        let (function, file) = mark
            .strip_suffix(" -->")
            .and_then(|mark| mark.split_once(" of "))
            .with_context(|| format!("README.md: {line:?} is no mark"))?;
        let fence = lines.next().unwrap_or_default();
        push(&mut out, fence);
        lines.by_ref().find(|line| *line == "```");
        let source = sh.read_file(file)?;
        let cut = cut(&source, function);
        out += &cut.with_context(|| format!("{file} has no function {function}"))?;
        push(&mut out, "```");
    }
    Ok(out)
}

/// A function at the top level of a file, with its attributes and docs.
fn cut(source: &str, function: &str) -> Option<String> {
    let lines: Vec<_> = source.lines().collect();
    let head = format!("async fn {function}(");
    let head = lines.iter().position(|line| line.starts_with(&head))?;
    let above = lines[..head].iter().rev();
    let above = above.take_while(|line| line.starts_with("#[") || line.starts_with("///"));
    let first = head - above.count();
    let last = head + lines[head..].iter().position(|line| *line == "}")?;
    let mut out = String::new();
    for line in &lines[first..=last] {
        push(&mut out, line);
    }
    Some(out)
}

fn push(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_cut_with_what_belongs_to_it() {
        let source =
            "fn a() {\n}\n\n/// B.\n#[b]\nasync fn b() {\n    if c {\n    }\n}\n\nfn d() {}\n";
        let expected = "/// B.\n#[b]\nasync fn b() {\n    if c {\n    }\n}\n";
        assert_eq!(cut(source, "b").as_deref(), Some(expected));
        assert_eq!(cut(source, "c"), None);
    }
}
