//! The variables of a dashboard, filled in.

/// What the variables stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variables<'a> {
    pub(super) rate_interval: &'a str,
    pub(super) instance: &'a str,
    pub(super) provider: &'a str,
    pub(super) model: &'a str,
}

impl Variables<'_> {
    /// An expression as Grafana sends it.
    pub(super) fn fill(self, expression: &str) -> String {
        let filled = [
            ("$__rate_interval", self.rate_interval),
            ("$instance", self.instance),
            ("$provider", self.provider),
            ("$model", self.model),
            ("$job", ".*"),
        ]
        .iter()
        .fold(expression.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        });
        assert!(!filled.contains('$'), "a variable nobody knows: {filled}");
        filled
    }
}
