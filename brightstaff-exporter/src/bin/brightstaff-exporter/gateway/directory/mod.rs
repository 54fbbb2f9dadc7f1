//! Who answers for which model.

mod candidate;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use brightstaff_metrics_core::{Metrics, labels::RouteKind};

pub(super) use self::candidate::{Alias, Candidate, Choice};
use super::{
    destination::Destination,
    endpoint::{Asked, Named, is_taken},
    error::Refusal,
    failover::{Failover, HealthBook},
    metrics::declare,
    tls::Tls,
    unknown,
};
use crate::config::{Api, BaseUrl, Config, ConfigError, Target, shown_name};

/// What stands in the label `model` of calls to agents. It tells them from the calls to models,
/// which an agent may make through this gateway again.
pub(super) const AGENT_MODEL: &str = "agent";

#[derive(Debug)]
pub(super) struct Directory {
    metrics: Metrics,
    /// With the roots that the system trusted when a destination first needed them.
    tls: Tls,
    providers: BTreeMap<String, Arc<Destination>>,
    in_order: Vec<Arc<Destination>>,
    named: Arc<[Named]>,
    agents: BTreeMap<String, Arc<Destination>>,
    /// The pairs that the configuration names.
    declared: BTreeSet<(String, String)>,
    aliases: HashMap<String, Alias>,
    /// The providers that list a model, by the model.
    listed: HashMap<String, Vec<String>>,
    health: HealthBook,
}

impl Directory {
    /// `before` is what it takes the place of: what did not change of its connections lives on.
    pub(super) fn new(
        config: &Config,
        metrics: Metrics,
        before: Option<&Self>,
    ) -> anyhow::Result<Self> {
        let urls = config.providers.values().map(|provider| &provider.url);
        let mut urls = urls.chain(config.agents.values().map(|agent| &agent.url));
        let tls = Tls::new(
            urls.any(BaseUrl::is_https),
            before.map(|before| &before.tls),
        )?;
        let mut directory = Self {
            metrics,
            tls,
            providers: BTreeMap::new(),
            in_order: Vec::new(),
            named: named(config)?,
            agents: BTreeMap::new(),
            declared: pairs(config).into_iter().collect(),
            aliases: HashMap::new(),
            listed: HashMap::new(),
            health: HealthBook::new(before.map(|before| &before.health)),
        };
        for (name, provider) in &config.providers {
            let before = before.and_then(|before| before.providers.get(name));
            let before = before.map(Arc::as_ref);
            let tls = directory.tls.config();
            let destination = Destination::provider(name, provider, config, tls, before)?;
            let destination = Arc::new(destination);
            directory.in_order.push(Arc::clone(&destination));
            directory.providers.insert(name.clone(), destination);
            for model in &provider.models {
                let listing = directory.listed.entry(model.clone()).or_default();
                listing.push(name.clone());
            }
        }
        for (name, agent) in &config.agents {
            let before = before.and_then(|before| before.agents.get(name));
            let before = before.map(Arc::as_ref);
            let tls = directory.tls.config();
            let destination = Destination::agent(name, agent, config, tls, before)?;
            directory.agents.insert(name.clone(), Arc::new(destination));
        }
        if before.is_some() {
            // Nothing can fail from here on.
            declare(config, &directory.metrics);
        }
        let known = |candidate: &Candidate| Some(&before?.known_as(candidate)?.health);
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
                failover: Failover::new(route, &candidates, &mut directory.health, known),
                candidates,
            };
            directory.aliases.insert(name.clone(), alias);
        }
        Ok(directory)
    }

    /// This, where it asks the destination of a candidate of another one in the same way.
    fn known_as(&self, candidate: &Candidate) -> Option<&Self> {
        let name = &*candidate.destination.name;
        let destination = self.providers.get(name).or_else(|| self.agents.get(name))?;
        destination.is_as(&candidate.destination).then_some(self)
    }

    /// Where a request goes that names this model, if it names one.
    pub(super) fn model(&self, asked: &Asked<'_>, name: &str) -> Result<Choice<'_>, Refusal> {
        if name.is_empty() {
            return match self.of_api(asked) {
                Some(provider) => Ok(Choice::Direct(self.candidate(provider, None))),
                None => {
                    let fault = "you must provide a model parameter";
                    Err(Refusal::request("missing_model", fault).with_param("model"))
                }
            };
        }
        if let Some(alias) = self.alias(name, RouteKind::Llm) {
            return Ok(Choice::Alias(alias));
        }
        let prefixed = name.split_once('/').and_then(|(provider, model)| {
            let provider = self.providers.get(provider)?;
            (!model.is_empty()).then_some((provider, model))
        });
        if let Some((provider, model)) = prefixed {
            return Ok(Choice::Direct(self.candidate(provider, Some(model))));
        }
        self.listed(asked, name).map(Choice::Direct)
    }

    /// The provider of a request that tells its model, if any, elsewhere than in its body: there it stays as it is.
    pub(super) fn provider_of(
        &self,
        asked: &Asked<'_>,
        model: Option<&str>,
    ) -> Result<Candidate, Refusal> {
        if let Some(model) = model {
            return self.listed(asked, model);
        }
        let provider = self.of_api(asked);
        provider
            .map(|provider| self.candidate(provider, None))
            .ok_or_else(|| {
                let names: Vec<_> = self.providers.keys().map(String::as_str).collect();
                unknown::provider(&asked.path, &names)
            })
    }

    /// The only provider that lists this model, or that speaks the API.
    fn listed(&self, asked: &Asked<'_>, name: &str) -> Result<Candidate, Refusal> {
        match self.listed.get(name).map(Vec::as_slice) {
            Some([provider]) => Ok(self.candidate(&self.providers[provider], Some(name))),
            Some(several) => {
                let names: Vec<_> = several.iter().map(|p| format!("{p}/{name}")).collect();
                let names = names.join(" or ");
                let fault = format!("several providers have the model `{name}`: write {names}");
                Err(Refusal::model(fault))
            }
            None => self
                .of_api(asked)
                .map(|provider| self.candidate(provider, Some(name)))
                .ok_or_else(|| self.unknown_model(name)),
        }
    }

    /// The only provider, or the only one of this API; where there is none of it, and it is OpenAI's, the only one that
    /// speaks that as well.
    pub(super) fn of_api(&self, asked: &Asked<'_>) -> Option<&Arc<Destination>> {
        let providers = || self.providers.values();
        let of = |api: Api| providers().filter(move |provider| provider.api == api);
        if let Some(only) = only(providers()) {
            return Some(only);
        }
        if of(asked.api).next().is_some() || asked.api != Api::OpenAi {
            return only(of(asked.api));
        }
        only(providers().filter(|provider| provider.api != Api::Anthropic))
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
        only(self.providers.values())
    }

    pub(super) fn only_agent(&self) -> Option<&Arc<Destination>> {
        only(self.agents.values())
    }

    /// The providers, in the order of [`named`](Self::named).
    pub(super) fn provider(&self, place: usize) -> &Arc<Destination> {
        &self.in_order[place]
    }

    /// What paths can begin with.
    pub(super) fn named(&self) -> &Arc<[Named]> {
        &self.named
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
                Some(self.candidate(provider, Some(model)))
            }
            Target::Agent(name) => Some(self.agent_candidate(self.agents.get(name)?)),
        }
    }

    /// A provider to ask for this model; where none is known, the response tells it.
    pub(super) fn candidate(&self, provider: &Arc<Destination>, model: Option<&str>) -> Candidate {
        Candidate {
            destination: Arc::clone(provider),
            upstream: match model {
                Some(model) => self.metrics.upstream(&provider.name, model),
                None => self.metrics.provider(&provider.name),
            },
            model: model.map(Into::into),
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

/// The providers that paths can begin with, in the order of their names.
fn named(config: &Config) -> Result<Arc<[Named]>, ConfigError> {
    let named = config.providers.iter().map(|(name, provider)| {
        let api = provider.api(name);
        if is_taken(name, api) {
            let fault = "paths of an API begin with this name: rename it";
            let key = format!("providers.{}", shown_name(name));
            return Err(ConfigError::new(key, fault));
        }
        Ok(Named {
            name: name.as_str().into(),
            api,
        })
    });
    named.collect()
}

fn only<'d>(
    mut destinations: impl Iterator<Item = &'d Arc<Destination>>,
) -> Option<&'d Arc<Destination>> {
    let first = destinations.next()?;
    destinations.next().is_none().then_some(first)
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
