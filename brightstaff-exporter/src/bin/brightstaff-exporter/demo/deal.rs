//! Deals the deck: draws the content of each card, and makes an order of it.

use std::time::Duration;

use axum::http::Method;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus, seq::SliceRandom};
use serde_json::{Value, json};

use super::{
    card::{Ask, Card, Mishap, Plain, Prefix, Target},
    deck::deck,
    order::{HangUp, Order, Routing},
    setup::{SCRIBE, TRAVEL},
};
use crate::sim::{Behaviour, Content, Fault};

/// How many requests a session has before the next one starts.
const TURNS: u32 = 4;

/// Draws orders, the same ones for the same seed.
#[derive(Debug)]
pub(super) struct Dealer {
    rng: Xoshiro256PlusPlus,
    hand: Vec<Card>,
    next: u64,
    turns: u32,
}

impl Dealer {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
            hand: Vec::new(),
            next: 0,
            turns: 0,
        }
    }

    /// The next order.
    pub(super) fn deal(&mut self) -> Order {
        if self.hand.is_empty() {
            self.hand = deck();
            self.hand.shuffle(&mut self.rng);
        }
        let card = self.hand.pop().expect("a deck has cards");
        let order = match card.ask {
            Ask::Plain(plain) => self.plain(plain),
            _ => self.llm(&card),
        };
        self.next += 1;
        Order {
            id: self.next,
            ..order
        }
    }

    /// A request for a response of a model.
    fn llm(&mut self, card: &Card) -> Order {
        let path = match card.ask {
            Ask::Chat | Ask::Plain(_) => "/v1/chat/completions",
            Ask::Completion => "/v1/completions",
            Ask::Embeddings => "/v1/embeddings",
            Ask::Responses => "/v1/responses",
            Ask::Messages => "/v1/messages",
        };
        let (prefix, handler) = match (card.prefix, card.ask) {
            (Prefix::None, Ask::Embeddings) => ("", "embeddings"),
            (Prefix::None, _) => ("", "llm_chat"),
            (Prefix::Agents, _) => ("/agents", "agent_chat"),
            (Prefix::Routing, _) => ("/routing", "routing_decision"),
        };
        let routing = match (card.prefix, card.target) {
            (Prefix::Routing, Target::Alias(alias)) => Routing::Service(alias),
            (Prefix::Routing, Target::Garbage) => Routing::ServiceGarbage,
            (Prefix::Routing, _) => Routing::ServiceUnknown,
            (_, Target::Alias(alias)) => Routing::Alias(alias),
            _ => Routing::Nothing,
        };
        let session = card.session.then(|| {
            self.turns += 1;
            format!("session-{}", self.turns.div_ceil(TURNS))
        });
        let hang_up = card.mishaps.iter().find_map(|mishap| match mishap {
            Mishap::HungUpBeforeHead => Some(HangUp::BeforeHead),
            Mishap::HungUpInBody => Some(HangUp::InBody),
            _ => None,
        });
        let id = session.iter().map(|id| ("x-session-id", id.clone()));
        Order {
            path: format!("{prefix}{path}"),
            headers: id.collect(),
            body: self.body(card),
            streamed: card.streamed,
            behaviours: self.behaviours(card),
            hang_up,
            handler,
            routing,
            session,
            ..Order::default()
        }
    }

    fn body(&mut self, card: &Card) -> String {
        let model = match card.target {
            Target::Garbage => return "no JSON".to_owned(),
            Target::Model => self.model(card),
            Target::Alias(alias) => alias.name.to_owned(),
            Target::Agent if card.ask == Ask::Messages => SCRIBE.to_owned(),
            Target::Agent => TRAVEL.to_owned(),
            Target::Unknown => "nowhere/nothing".to_owned(),
        };
        let question = "What does the gateway count?";
        let messages = json!([{"role": "user", "content": question}]);
        let mut body = match card.ask {
            Ask::Chat | Ask::Plain(_) => json!({"model": model, "messages": messages}),
            Ask::Completion => json!({"model": model, "prompt": question}),
            Ask::Embeddings => json!({"model": model, "input": [question]}),
            Ask::Responses => json!({"model": model, "input": question}),
            Ask::Messages => json!({"model": model, "messages": messages, "max_tokens": 1024}),
        };
        if card.streamed {
            body["stream"] = Value::Bool(true);
            if card.usage && matches!(card.ask, Ask::Chat | Ask::Completion) {
                body["stream_options"] = json!({"include_usage": true});
            }
        }
        body.to_string()
    }

    /// A model of the API's provider: bare, or with the provider before it.
    fn model(&mut self, card: &Card) -> String {
        let (provider, models): (_, &[&str]) = match card.ask {
            Ask::Messages => ("anthropic", &["claude-sonnet-4-5", "claude-haiku-4-5"]),
            Ask::Embeddings => ("openai", &["text-embedding-3-small"]),
            _ if card.reasoning => ("openai", &["o4-mini"]),
            _ => ("openai", &["gpt-4o", "gpt-4o-mini"]),
        };
        let model = models[self.rng.random_range(0..models.len())];
        if self.rng.random_bool(0.5) {
            format!("{provider}/{model}")
        } else {
            model.to_owned()
        }
    }

    /// What the providers do: as the mishaps say, and then nothing goes wrong any more.
    fn behaviours(&mut self, card: &Card) -> Vec<Behaviour> {
        let mishaps = card.mishaps.iter().copied().chain([Mishap::Nothing]);
        mishaps.map(|mishap| self.behaviour(card, mishap)).collect()
    }

    fn behaviour(&mut self, card: &Card, mishap: Mishap) -> Behaviour {
        let content = self.content(card);
        let some = self.rng.random_range(0..content.words);
        let fault = match mishap {
            Mishap::Nothing | Mishap::Slow | Mishap::Refused(_) => None,
            Mishap::Cut => Some(Fault::Cut(some)),
            Mishap::ErrorEvent => Some(Fault::ErrorEvent(some)),
            Mishap::EarlyEnd => Some(Fault::EarlyEnd(some)),
            Mishap::HungUpBeforeHead => Some(Fault::HoldHead),
            Mishap::HungUpInBody => Some(Fault::HoldBody(some)),
        };
        let refusal = match mishap {
            Mishap::Refused(refusal) => Some(refusal),
            _ => None,
        };
        let first_token = match mishap {
            Mishap::Slow => 900..1400,
            _ => 40..150,
        };
        let mut millis = |range| Duration::from_millis(self.rng.random_range(range));
        Behaviour {
            refusal,
            content,
            fault,
            packing: card.packing,
            thinking: millis(2..15),
            first_token: millis(first_token),
            token: millis(3..12),
        }
    }

    fn content(&mut self, card: &Card) -> Content {
        let rng = &mut self.rng;
        let prompt = rng.random_range(20..400);
        let cached = rng.random_bool(0.4);
        let part = |of: u64| if cached { of } else { 0 };
        Content {
            prompt,
            cache_read: part(prompt / 2),
            cache_write: part(prompt / 5),
            reasoning: if card.reasoning {
                rng.random_range(8..20)
            } else {
                0
            },
            words: rng.random_range(5..30),
            tool_call: card.tool_call,
        }
    }

    fn plain(&mut self, plain: Plain) -> Order {
        let get = |path: &str, handler| Order {
            method: Method::GET,
            path: path.to_owned(),
            handler,
            ..Order::default()
        };
        let post = |body: &str| Order {
            body: body.to_owned(),
            ..Order::default()
        };
        match plain {
            Plain::ListModels => get("/v1/models", "list_models"),
            Plain::ListAgents => get("/agents/v1/models", "list_models"),
            Plain::HeadModels => Order {
                method: Method::HEAD,
                ..get("/v1/models", "list_models")
            },
            Plain::Preflight => Order {
                method: Method::OPTIONS,
                headers: vec![
                    ("origin", "https://example.com".to_owned()),
                    ("access-control-request-method", "POST".to_owned()),
                ],
                handler: "cors_preflight",
                ..Order::default()
            },
            Plain::NotFound => {
                let path = format!("/no/such/path/{}", self.rng.random::<u32>());
                get(&path, "not_found")
            }
            Plain::OddMethod => Order {
                method: Method::from_bytes(b"BREW").expect("a token is a method"),
                ..Order::default()
            },
            Plain::UnknownModel => post(r#"{"model":"nowhere/nothing","messages":[]}"#),
            Plain::Garbage => post("{"),
        }
    }
}

impl Default for Order {
    /// What most requests are.
    fn default() -> Self {
        Self {
            id: 0,
            method: Method::POST,
            path: "/v1/chat/completions".to_owned(),
            headers: Vec::new(),
            body: String::new(),
            streamed: false,
            behaviours: Vec::new(),
            hang_up: None,
            handler: "llm_chat",
            routing: Routing::Nothing,
            session: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_everything() {
        let orders = |seed| {
            let mut dealer = Dealer::new(seed);
            let orders = (0..200).map(|_| dealer.deal());
            orders.map(|order| format!("{order:?}")).collect::<Vec<_>>()
        };
        assert_eq!(orders(7), orders(7));
        assert_ne!(orders(7), orders(8));
    }

    #[test]
    fn every_deck_has_the_same_shares() {
        let mut dealer = Dealer::new(1);
        let size = deck().len();
        let hang_ups = |dealer: &mut Dealer| {
            let orders = (0..size).map(|_| dealer.deal());
            orders.filter(|order| order.hang_up.is_some()).count()
        };
        let first = hang_ups(&mut dealer);
        assert!(first > 0);
        assert_eq!(first, hang_ups(&mut dealer));
    }
}
