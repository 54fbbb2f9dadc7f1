//! The deck: which requests there are, and how often. The load deals it from the top, shuffles and
//! deals again, so that every share is known and nothing is left to chance but the order.

use super::{
    card::{Ask, Card, Mishap, Plain, Prefix, Target},
    setup,
};
use crate::sim::{Packing, Refusal};

/// All cards of a deck: about two in three go well.
pub(super) fn deck() -> Vec<Card> {
    let deck: [&[(usize, Card)]; 5] = [SOUND, BROKEN, ROUTED, AGENTS, PLAIN];
    let cards = deck.into_iter().flatten();
    cards
        .flat_map(|(count, card)| std::iter::repeat_n(*card, *count))
        .collect()
}

const CHAT: Card = Card::new(Ask::Chat);
const MESSAGES: Card = Card::new(Ask::Messages);
const RESPONSES: Card = Card::new(Ask::Responses);

/// Sound responses of every API.
const SOUND: &[(usize, Card)] = &[
    (5, CHAT.streamed()),
    (2, CHAT.streamed().without_usage()),
    (1, CHAT.streamed().tool_call()),
    (1, CHAT.streamed().reasoning()),
    (1, CHAT.streamed().packed(Packing::Glued)),
    (1, CHAT.streamed().packed(Packing::Split)),
    (3, CHAT),
    (1, CHAT.tool_call()),
    (4, MESSAGES.streamed()),
    (1, MESSAGES.streamed().tool_call()),
    (1, MESSAGES.streamed().reasoning()),
    (1, MESSAGES.streamed().packed(Packing::Split)),
    (2, MESSAGES),
    (2, RESPONSES.streamed()),
    (1, RESPONSES),
    (1, Card::new(Ask::Completion).streamed()),
    (1, Card::new(Ask::Completion)),
    (3, Card::new(Ask::Embeddings)),
    (1, CHAT.streamed().with(&[Mishap::Slow])),
    (1, MESSAGES.streamed().with(&[Mishap::Slow])),
];

/// Refusals, breaks in the stream, and clients that hang up.
const BROKEN: &[(usize, Card)] = &[
    (1, CHAT.with(&[Mishap::Refused(Refusal::RateLimit)])),
    (
        1,
        MESSAGES
            .streamed()
            .with(&[Mishap::Refused(Refusal::RateLimit)]),
    ),
    (
        1,
        CHAT.streamed().with(&[Mishap::Refused(Refusal::Failure)]),
    ),
    (1, MESSAGES.with(&[Mishap::Refused(Refusal::Overload)])),
    (1, CHAT.streamed().with(&[Mishap::Cut])),
    (1, MESSAGES.with(&[Mishap::Cut])),
    (1, CHAT.streamed().with(&[Mishap::ErrorEvent])),
    (1, MESSAGES.streamed().with(&[Mishap::ErrorEvent])),
    (1, RESPONSES.streamed().with(&[Mishap::EarlyEnd])),
    (1, CHAT.with(&[Mishap::HungUpBeforeHead])),
    (1, MESSAGES.streamed().with(&[Mishap::HungUpBeforeHead])),
    (1, CHAT.streamed().with(&[Mishap::HungUpInBody])),
    (1, MESSAGES.streamed().with(&[Mishap::HungUpInBody])),
    (1, RESPONSES.with(&[Mishap::HungUpInBody])),
];

/// Aliases with fallbacks, sessions, and the routing service.
const ROUTED: &[(usize, Card)] = &[
    (1, CHAT.streamed().to(Target::Alias(&setup::FAST))),
    (
        1,
        CHAT.to(Target::Alias(&setup::FAST))
            .with(&[Mishap::Refused(Refusal::RateLimit)]),
    ),
    (
        1,
        CHAT.streamed()
            .to(Target::Alias(&setup::FAST))
            .with(&[Mishap::Refused(Refusal::Failure), Mishap::HungUpInBody]),
    ),
    (
        1,
        CHAT.to(Target::Alias(&setup::FAST)).with(&[
            Mishap::Refused(Refusal::Overload),
            Mishap::Refused(Refusal::RateLimit),
        ]),
    ),
    (
        1,
        MESSAGES
            .streamed()
            .to(Target::Alias(&setup::CAREFUL))
            .with(&[Mishap::Refused(Refusal::Overload)]),
    ),
    (1, CHAT.to(Target::Alias(&setup::RESCUED))),
    (
        3,
        CHAT.streamed().to(Target::Alias(&setup::FAST)).in_session(),
    ),
    (
        1,
        CHAT.to(Target::Alias(&setup::FAST))
            .in_session()
            .with(&[Mishap::Refused(Refusal::RateLimit)]),
    ),
    (
        2,
        CHAT.under(Prefix::Routing).to(Target::Alias(&setup::FAST)),
    ),
    (
        1,
        MESSAGES
            .under(Prefix::Routing)
            .to(Target::Alias(&setup::CAREFUL)),
    ),
    (1, CHAT.under(Prefix::Routing).to(Target::Unknown)),
    (1, CHAT.under(Prefix::Routing).to(Target::Garbage)),
];

/// Agents.
const AGENTS: &[(usize, Card)] = &[
    (3, CHAT.streamed().under(Prefix::Agents).to(Target::Agent)),
    (1, CHAT.under(Prefix::Agents).to(Target::Agent)),
    (
        1,
        CHAT.under(Prefix::Agents).to(Target::Alias(&setup::TRIP)),
    ),
    (
        1,
        CHAT.streamed()
            .under(Prefix::Agents)
            .to(Target::Alias(&setup::TRIP))
            .with(&[Mishap::Refused(Refusal::Overload)]),
    ),
    (
        1,
        MESSAGES.streamed().under(Prefix::Agents).to(Target::Agent),
    ),
    (
        1,
        CHAT.streamed()
            .under(Prefix::Agents)
            .to(Target::Agent)
            .with(&[Mishap::HungUpInBody]),
    ),
];

/// Requests that ask no model for anything.
const PLAIN: &[(usize, Card)] = &[
    (2, Card::new(Ask::Plain(Plain::ListModels))),
    (1, Card::new(Ask::Plain(Plain::ListAgents))),
    (1, Card::new(Ask::Plain(Plain::HeadModels))),
    (1, Card::new(Ask::Plain(Plain::Preflight))),
    (1, Card::new(Ask::Plain(Plain::NotFound))),
    (1, Card::new(Ask::Plain(Plain::OddMethod))),
    (1, Card::new(Ask::Plain(Plain::UnknownModel))),
    (1, Card::new(Ask::Plain(Plain::Garbage))),
];
