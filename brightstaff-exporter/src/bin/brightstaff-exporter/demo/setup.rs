//! What is measured: the gateway as it ships, with simulated providers behind it.

use std::{fmt::Write as _, net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use tokio::{net::TcpSocket, task::JoinSet};

use crate::{
    config::Config,
    sim::{Book, Provider, Serves, Simulator},
};

/// A route alias of the demo.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Alias {
    pub(crate) name: &'static str,
    pub(crate) candidates: &'static [Candidate],
}

/// A candidate of an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) provider: &'static str,
    /// None for an agent.
    pub(crate) model: Option<&'static str>,
}

const fn model(provider: &'static str, model: &'static str) -> Candidate {
    let model = Some(model);
    Candidate { provider, model }
}

const fn agent(provider: &'static str) -> Candidate {
    let model = None;
    Candidate { provider, model }
}

/// The provider that nobody can reach.
pub(crate) const OFFLINE: &str = "offline";

/// The agents: the one that speaks OpenAI's API, its stand-in, and the one that speaks Anthropic's.
pub(crate) const TRAVEL: &str = "travel";
const TRAVEL_AGAIN: &str = "travel-standby";
pub(crate) const SCRIBE: &str = "scribe";

pub(crate) static FAST: Alias = Alias {
    name: "fast",
    candidates: &[model("openai", "gpt-4o-mini"), model("openai", "gpt-4o")],
};
pub(crate) static CAREFUL: Alias = Alias {
    name: "careful",
    candidates: &[
        model("anthropic", "claude-sonnet-4-5"),
        model("anthropic", "claude-haiku-4-5"),
    ],
};
pub(crate) static RESCUED: Alias = Alias {
    name: "rescued",
    candidates: &[model(OFFLINE, "gpt-4o"), model("openai", "gpt-4o")],
};
pub(crate) static TRIP: Alias = Alias {
    name: "trip",
    candidates: &[agent(TRAVEL), agent(TRAVEL_AGAIN)],
};

static ALIASES: [&Alias; 4] = [&FAST, &CAREFUL, &RESCUED, &TRIP];

/// The simulated providers and agents, and the gateway's configuration for them.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: Config,
    /// The simulators, which answer as long as this lives.
    _simulators: JoinSet<()>,
    /// Bound, but never listening: whoever connects is refused.
    _offline: TcpSocket,
}

impl World {
    pub(crate) async fn new(book: &Arc<Book>) -> Result<Self> {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut simulators = JoinSet::new();
        let mut toml = String::new();
        for (name, provider) in [
            ("openai", Provider::OpenAi),
            ("anthropic", Provider::Anthropic),
        ] {
            let simulator =
                Simulator::bind(name, Serves::One(provider), loopback, Arc::clone(book)).await?;
            let (url, models) = (simulator.url(), provider.models());
            writeln!(
                toml,
                "[providers.{name}]\nurl = {url:?}\nmodels = {models:?}"
            )?;
            simulators.spawn(simulator.serve());
        }
        for (name, provider) in [
            (TRAVEL, Provider::OpenAi),
            (TRAVEL_AGAIN, Provider::OpenAi),
            (SCRIBE, Provider::Anthropic),
        ] {
            let simulator =
                Simulator::bind(name, Serves::One(provider), loopback, Arc::clone(book)).await?;
            writeln!(toml, "[agents.{name}]\nurl = {:?}", simulator.url())?;
            simulators.spawn(simulator.serve());
        }
        let offline = TcpSocket::new_v4()?;
        offline.bind(loopback)?;
        let address = offline.local_addr()?;
        writeln!(toml, "[providers.{OFFLINE}]\nurl = \"http://{address}\"")?;
        for alias in ALIASES {
            let names: Vec<_> = alias.candidates.iter().map(Candidate::full_name).collect();
            writeln!(toml, "[routes.{}]\ncandidates = {names:?}", alias.name)?;
        }
        let config = Config::from_toml(&toml).context("the demo's own configuration")?;
        Ok(Self {
            config,
            _simulators: simulators,
            _offline: offline,
        })
    }
}

impl Candidate {
    /// As a configuration names it.
    fn full_name(&self) -> String {
        match self.model {
            Some(model) => format!("{}/{model}", self.provider),
            None => format!("agents/{}", self.provider),
        }
    }

    /// What a decision for it selects.
    pub(crate) fn selected(&self) -> &'static str {
        self.model.unwrap_or(self.provider)
    }

    /// The labels of calls to it.
    pub(crate) fn pair(&self) -> [(&'static str, &'static str); 2] {
        [
            ("provider", self.provider),
            ("model", self.model.unwrap_or(AGENT)),
        ]
    }
}

/// The model of calls to agents.
pub(crate) const AGENT: &str = "agent";
