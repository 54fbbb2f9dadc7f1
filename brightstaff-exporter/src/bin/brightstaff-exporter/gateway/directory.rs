//! Who answers for which model.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use brightstaff_metrics_core::{Metrics, Upstream, labels::RouteKind};

use super::{
    destination::Destination,
    error::Refusal,
    failover::{Failover, HealthBook},
    tls, unknown,
};
use crate::config::{BaseUrl, Config, Target};

/// What stands in the label `model` of calls to agents. It tells them from the calls to models,
/// which an agent may make through this gateway again.
pub(super) const AGENT_MODEL: &str = "agent";

/// One destination to try, and what of the request changes for it.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) destination: Arc<Destination>,
    pub(super) upstream: Upstream,
    /// The model to ask the destination for; agents get what the client wrote.
    pub(super) model: Option<Box<str>>,
    /// One of an alias that leads to several destinations. The client's key is for one of them at the
    /// most, and nobody knows for which, so that none gets it.
    pub(super) among_several: bool,
}

impl Candidate {
    /// What a decision for it selected: a model, or an agent.
    pub(super) fn selected(&self) -> &str {
        self.model.as_deref().unwrap_or(&self.destination.name)
    }

    /// Whether a client's own credentials reach it.
    pub(super) fn passes_credentials(&self) -> bool {
        !self.among_several && self.destination.passes_credentials()
    }

    /// What tells it from every other candidate of an alias, whatever their order.
    pub(super) fn full_name(&self) -> String {
        format!("{}/{}", self.destination.name, self.selected())
    }
}

/// An alias, and where it leads.
#[derive(Debug)]
pub(super) struct Alias {
    pub(super) name: Arc<str>,
    pub(super) route: RouteKind,
    pub(super) candidates: Vec<Candidate>,
    pub(super) failover: Failover,
}

/// Where a request goes.
#[derive(Debug)]
pub(super) enum Choice<'a> {
    /// The client named an alias: there is something to decide.
    Alias(&'a Alias),
    /// The client named its destination, or there is only one.
    Direct(Candidate),
}

#[derive(Debug)]
pub(super) struct Directory {
    metrics: Metrics,
    providers: BTreeMap<String, Arc<Destination>>,
    agents: BTreeMap<String, Arc<Destination>>,
    /// The pairs that the configuration names.
    declared: BTreeSet<(String, String)>,
    aliases: HashMap<String, Alias>,
    /// The providers that list a model, by the model.
    listed: HashMap<String, Vec<String>>,
}

impl Directory {
    pub(super) fn new(config: &Config, metrics: Metrics) -> anyhow::Result<Self> {
        let urls = config.providers.values().map(|provider| &provider.url);
        let mut urls = urls.chain(config.agents.values().map(|agent| &agent.url));
        let tls = tls::client_config(urls.any(BaseUrl::is_https))?;
        let mut directory = Self {
            metrics,
            providers: BTreeMap::new(),
            agents: BTreeMap::new(),
            declared: pairs(config).into_iter().collect(),
            aliases: HashMap::new(),
            listed: HashMap::new(),
        };
        for (name, provider) in &config.providers {
            let destination = Destination::provider(name, provider, config, &tls)?;
            directory
                .providers
                .insert(name.clone(), Arc::new(destination));
            for model in &provider.models {
                let listing = directory.listed.entry(model.clone()).or_default();
                listing.push(name.clone());
            }
        }
        for (name, agent) in &config.agents {
            let destination = Destination::agent(name, agent, config, &tls)?;
            directory.agents.insert(name.clone(), Arc::new(destination));
        }
        let mut health = HealthBook::new();
        for (name, route) in &config.routes {
            let candidates = route.candidates.iter();
            let mut candidates: Vec<_> = candidates
                .filter_map(|target| directory.target(target))
                .collect();
            let first = candidates
                .first()
                .map(|first| Arc::clone(&first.destination));
            let elsewhere = |other: &Candidate| {
                first
                    .as_ref()
                    .is_some_and(|first| !Arc::ptr_eq(first, &other.destination))
            };
            let among_several = candidates.iter().any(elsewhere);
            for candidate in &mut candidates {
                candidate.among_several = among_several;
            }
            let alias = Alias {
                name: name.as_str().into(),
                route: match route.candidates.first() {
                    Some(Target::Agent(_)) => RouteKind::Agent,
                    Some(Target::Model { .. }) | None => RouteKind::Llm,
                },
                failover: Failover::new(route, &candidates, &mut health),
                candidates,
            };
            directory.aliases.insert(name.clone(), alias);
        }
        Ok(directory)
    }

    /// Where a request to an LLM endpoint goes that names this model.
    pub(super) fn model(&self, name: &str) -> Result<Choice<'_>, Refusal> {
        if name.is_empty() {
            let fault = "you must provide a model parameter";
            return Err(Refusal::request("missing_model", fault).with_param("model"));
        }
        if let Some(alias) = self.alias(name, RouteKind::Llm) {
            return Ok(Choice::Alias(alias));
        }
        let prefixed = name.split_once('/').and_then(|(provider, model)| {
            let provider = self.providers.get(provider)?;
            (!model.is_empty()).then_some((provider, model))
        });
        if let Some((provider, model)) = prefixed {
            return Ok(Choice::Direct(self.candidate(provider, model)));
        }
        match self.listed.get(name).map(Vec::as_slice) {
            Some([provider]) => Ok(Choice::Direct(
                self.candidate(&self.providers[provider], name),
            )),
            Some(several) => {
                let names: Vec<_> = several.iter().map(|p| format!("{p}/{name}")).collect();
                let names = names.join(" or ");
                let fault = format!("several providers have the model `{name}`: write {names}");
                Err(Refusal::model(fault))
            }
            None => self
                .only_provider()
                .map(|provider| Choice::Direct(self.candidate(provider, name)))
                .ok_or_else(|| self.unknown_model(name)),
        }
    }

    /// Where a request under `/agents` goes that names this model.
    pub(super) fn agent(&self, name: &str) -> Result<Choice<'_>, Refusal> {
        if let Some(alias) = self.alias(name, RouteKind::Agent) {
            return Ok(Choice::Alias(alias));
        }
        let agent = self.agents.get(name).or_else(|| self.only_agent());
        agent
            .map(|agent| Choice::Direct(self.agent_candidate(agent)))
            .ok_or_else(|| unknown::agent(name, !self.agents.is_empty()))
    }

    fn unknown_model(&self, name: &str) -> Refusal {
        let mut aliases = self.aliases.values();
        let listed = !self.listed.is_empty() || aliases.any(|alias| alias.route == RouteKind::Llm);
        let providers: Vec<_> = self.providers.keys().map(String::as_str).collect();
        unknown::model(name, &providers, listed)
    }

    pub(super) fn only_provider(&self) -> Option<&Arc<Destination>> {
        only(&self.providers)
    }

    pub(super) fn only_agent(&self) -> Option<&Arc<Destination>> {
        only(&self.agents)
    }

    /// Whether the configuration names this model.
    pub(super) fn declares(&self, candidate: &Candidate) -> bool {
        let provider = candidate.destination.name.to_string();
        let model = candidate.selected().to_owned();
        self.declared.contains(&(provider, model))
    }

    fn alias(&self, name: &str, route: RouteKind) -> Option<&Alias> {
        self.aliases.get(name).filter(|alias| alias.route == route)
    }

    fn target(&self, target: &Target) -> Option<Candidate> {
        match target {
            Target::Model { provider, model } => {
                let provider = self.providers.get(provider)?;
                Some(self.candidate(provider, model))
            }
            Target::Agent(name) => Some(self.agent_candidate(self.agents.get(name)?)),
        }
    }

    fn candidate(&self, provider: &Arc<Destination>, model: &str) -> Candidate {
        Candidate {
            destination: Arc::clone(provider),
            upstream: self.metrics.upstream(&provider.name, model),
            model: Some(model.into()),
            among_several: false,
        }
    }

    fn agent_candidate(&self, agent: &Arc<Destination>) -> Candidate {
        Candidate {
            destination: Arc::clone(agent),
            upstream: self.metrics.upstream(&agent.name, AGENT_MODEL),
            model: None,
            among_several: false,
        }
    }
}

fn only(destinations: &BTreeMap<String, Arc<Destination>>) -> Option<&Arc<Destination>> {
    let mut all = destinations.values();
    all.next().filter(|_| all.next().is_none())
}

/// The pairs of provider and model that a configuration names: the models of the lists and of the
/// routes, and for each agent its name and `agent`.
pub(super) fn pairs(config: &Config) -> Vec<(String, String)> {
    let listed = config.providers.iter().flat_map(|(name, provider)| {
        let models = provider.models.iter();
        models.map(|model| (name.clone(), model.clone()))
    });
    let routed = config.routes.values().flat_map(|route| &route.candidates);
    let routed = routed.filter_map(|target| match target {
        Target::Model { provider, model } => Some((provider.clone(), model.clone())),
        Target::Agent(_) => None,
    });
    let agents = config.agents.keys();
    let agents = agents.map(|name| (name.clone(), AGENT_MODEL.to_owned()));
    let mut pairs: Vec<_> = listed.chain(routed).chain(agents).collect();
    pairs.sort();
    pairs.dedup();
    pairs
}
