//! Why a row is not reached: kept by its id, apart from what is measured.

use anyhow::{Context, Result, ensure};
use toml::Table;

use super::rows;

const REASONS: &str = include_str!("reasons.toml");

/// The reasons.
pub(super) struct Reasons(Table);

impl Reasons {
    /// Reads them; each is of a row that there is.
    pub(super) fn read() -> Result<Self> {
        let table: Table = REASONS.parse().context("xtask/src/bench/reasons.toml")?;
        for (id, why) in &table {
            ensure!(
                rows::all().any(|row| row.id == id),
                "reasons.toml: no row is called {id}"
            );
            ensure!(why.is_str(), "reasons.toml: {id} is no sentence");
        }
        Ok(Self(table))
    }

    pub(super) fn of(&self, row: &str) -> Option<&str> {
        self.0.get(row)?.as_str()
    }
}
