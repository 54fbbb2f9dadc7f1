use std::fmt;

use clap::ValueEnum;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// Whether the gateway asks for the usage of streamed completions where the client did not choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IncludeUsage {
    /// It asks, and clients do not see what comes of it.
    Hidden,
    /// It asks, and clients see one chunk more, whose choices are empty.
    Shown,
    /// It does not ask: such streams have no tokens.
    Off,
}

const NAMES: [&str; 3] = ["hidden", "shown", "off"];

impl<'de> Deserialize<'de> for IncludeUsage {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Word)
    }
}

struct Word;

impl Visitor<'_> for Word {
    type Value = IncludeUsage;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [hidden, shown, off] = NAMES;
        write!(f, "one of `{hidden}`, `{shown}`, `{off}`")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<IncludeUsage, E> {
        match word {
            "hidden" => Ok(IncludeUsage::Hidden),
            "shown" => Ok(IncludeUsage::Shown),
            "off" => Ok(IncludeUsage::Off),
            _ => Err(E::unknown_variant(word, &NAMES)),
        }
    }

    /// What it was once.
    fn visit_bool<E: Error>(self, asks: bool) -> Result<IncludeUsage, E> {
        let fix = if asks {
            "is no longer true or false: write \"shown\" for what true was, or \"hidden\", which clients do not see"
        } else {
            "is no longer true or false: write \"off\" for what false was, or \"hidden\", which clients do not see"
        };
        Err(E::custom(fix))
    }
}
