//! How each incident is played: what stands where, what happens, and what clients send and see.

use std::time::Duration;

use serde_json::json;

use super::{
    load::{Request, Seen},
    provider::Fault,
};

/// One incident, played.
pub(super) struct Scene {
    /// As the table of incidents calls it.
    pub(super) name: &'static str,
    pub(super) gateway: Gateway,
    pub(super) happens: Happens,
    /// What clients send, by the number of the request and whether the incident has begun.
    pub(super) sends: fn(u64, bool) -> Request,
    /// What some of them must see of the incident, or it was not the one that was to be played.
    pub(super) sees: &'static [Seen],
}

/// What takes the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gateway {
    /// The sidecar.
    Serve,
    /// The sidecar, whose clients ask for an alias of two candidates.
    Routes,
    /// The same, which keeps sessions in a Redis.
    Sessions,
    /// The sidecar, which does not ask streams for their usage.
    Unasked,
    /// A gateway on axum whose handler panics.
    Panics,
}

/// What happens when an incident begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happens {
    /// What happens is that clients send something else.
    Nothing,
    /// The provider fails.
    Fails(Fault),
    /// The provider is gone.
    ProviderEnds,
    /// The gateway is gone.
    GatewayEnds,
    /// The Redis does not respond any more.
    RedisStalls,
}

/// From where on a first token is late, and more.
const LATE: Duration = Duration::from_secs(7);

pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "Provider down",
        gateway: Gateway::Serve,
        happens: Happens::ProviderEnds,
        sends: |_, _| stream("gpt-4o"),
        sees: &[Seen::Whole(502)],
    },
    Scene {
        name: "All candidates down",
        gateway: Gateway::Routes,
        happens: Happens::ProviderEnds,
        sends: |_, _| stream("fast"),
        sees: &[Seen::Whole(502)],
    },
    Scene {
        name: "429 storm",
        gateway: Gateway::Serve,
        happens: Happens::Fails(Fault::Limits(2)),
        sends: |_, _| stream("gpt-4o"),
        sees: &[Seen::Whole(200), Seen::Whole(429)],
    },
    Scene {
        name: "Client sends bad JSON",
        gateway: Gateway::Serve,
        happens: Happens::Nothing,
        sends: |number, begun| match number % 3 {
            1 if begun => body(json!({"model": "gpt-4o", "messages": "hello"}).to_string()),
            // What the gateway refuses by itself makes no call.
            2 if begun => body("{\"model\": \"gpt-4o\"".to_owned()),
            _ => stream("gpt-4o"),
        },
        sees: &[Seen::Whole(200), Seen::Whole(400)],
    },
    Scene {
        name: "Wrong operator key",
        gateway: Gateway::Serve,
        happens: Happens::Fails(Fault::Revokes),
        sends: |_, _| stream("gpt-4o"),
        sees: &[Seen::Whole(401)],
    },
    Scene {
        name: "Stream cuts",
        gateway: Gateway::Serve,
        happens: Happens::Fails(Fault::Cuts(5)),
        sends: |_, _| stream("gpt-4o"),
        sees: &[Seen::Whole(200), Seen::Broken(200)],
    },
    Scene {
        name: "Slow first token",
        gateway: Gateway::Serve,
        happens: Happens::Fails(Fault::Delays(5, LATE)),
        sends: |_, _| stream("gpt-4o"),
        sees: &[Seen::Whole(200)],
    },
    Scene {
        name: "Gateway panics",
        gateway: Gateway::Panics,
        happens: Happens::Nothing,
        sends: |number, begun| {
            let text = json!("hello");
            let parts = json!([{"type": "text", "text": "hello"}]);
            let panics = begun && number.is_multiple_of(10);
            let content = if panics { parts } else { text };
            asks("gpt-4o", &content, true)
        },
        sees: &[Seen::Whole(200), Seen::Nothing],
    },
    Scene {
        name: "Scrape down",
        gateway: Gateway::Serve,
        happens: Happens::GatewayEnds,
        sends: |_, _| stream("gpt-4o"),
        sees: &[Seen::Nothing],
    },
    Scene {
        name: "Usage missing",
        gateway: Gateway::Unasked,
        happens: Happens::Nothing,
        sends: |number, begun| {
            let usage = !(begun && number.is_multiple_of(10));
            asks("gpt-4o", &json!("hello"), usage)
        },
        sees: &[Seen::Whole(200)],
    },
    Scene {
        name: "Label flood",
        gateway: Gateway::Serve,
        happens: Happens::Nothing,
        sends: |number, begun| {
            if begun && number.is_multiple_of(20) {
                return stream(&format!("openai/made-up-{number}"));
            }
            stream("gpt-4o")
        },
        sees: &[Seen::Whole(200), Seen::Whole(404)],
    },
    Scene {
        name: "Redis down",
        gateway: Gateway::Sessions,
        happens: Happens::RedisStalls,
        sends: |number, _| Request {
            session: Some(format!("session-{}", number % 8)),
            ..stream("fast")
        },
        sees: &[Seen::Whole(200)],
    },
    Scene {
        name: "Nothing wrong",
        gateway: Gateway::Sessions,
        happens: Happens::Fails(Fault::Limits(49)),
        sends: |number, begun| match number % 50 {
            11 if begun => body(json!({"model": "gpt-4o", "messages": "hello"}).to_string()),
            21 if begun => body("{\"model\": \"gpt-4o\"".to_owned()),
            31 if begun => Request {
                leaves: true,
                ..stream("gpt-4o")
            },
            even if even % 2 == 0 => Request {
                // Each has ten turns.
                session: Some(format!("session-{}", number / 20)),
                ..stream("fast")
            },
            _ => stream("gpt-4o"),
        },
        sees: &[
            Seen::Whole(200),
            Seen::Whole(400),
            Seen::Whole(429),
            Seen::Left,
        ],
    },
];

fn stream(model: &str) -> Request {
    asks(model, &json!("hello"), true)
}

/// A streamed completion, which asks for its usage or not.
fn asks(model: &str, content: &serde_json::Value, usage: bool) -> Request {
    let messages = json!([{"role": "user", "content": content}]);
    let mut asked = json!({"model": model, "stream": true, "messages": messages});
    if usage {
        asked["stream_options"] = json!({"include_usage": true});
    }
    body(asked.to_string())
}

fn body(body: String) -> Request {
    Request {
        body,
        session: None,
        leaves: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::incidents;

    #[test]
    fn every_incident_of_the_table_is_played() {
        let played: Vec<_> = SCENES.iter().map(|scene| scene.name).collect();
        let told: Vec<_> = incidents::ALL.iter().map(|told| told.name).collect();
        assert_eq!(played, told);
    }
}
