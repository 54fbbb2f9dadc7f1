use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error};

/// The word before the slash that makes a candidate an agent; no provider may have this name.
pub(super) const AGENTS: &str = "agents";

/// A candidate of a route: `provider/model`, or `agents/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Model { provider: String, model: String },
    Agent(String),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((AGENTS, name)) if !name.is_empty() => Ok(Self::Agent(name.to_owned())),
            Some((provider, model)) if !provider.is_empty() && !model.is_empty() => {
                Ok(Self::Model {
                    provider: provider.to_owned(),
                    model: model.to_owned(),
                })
            }
            _ => Err("is no candidate: write provider/model or agents/NAME".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model { provider, model } => write!(f, "{provider}/{model}"),
            Self::Agent(name) => write!(f, "{AGENTS}/{name}"),
        }
    }
}
