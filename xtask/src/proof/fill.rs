//! The variables of a dashboard, filled in.

/// What the variables stand for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variables<'a> {
    pub(crate) rate_interval: &'a str,
    pub(crate) instance: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) model: &'a str,
}

impl Variables<'_> {
    /// An expression as Grafana sends it.
    pub(crate) fn fill(self, expression: &str) -> String {
        let filled = [
            ("$__rate_interval", self.rate_interval),
            ("$__range", self.rate_interval),
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
