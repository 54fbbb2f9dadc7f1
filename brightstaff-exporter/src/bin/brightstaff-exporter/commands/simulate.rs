use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use tokio::task::JoinSet;

use crate::{
    address,
    say::say,
    sim::{Book, Provider, Serves, Simulator},
};

const OPENAI: &str = "127.0.0.1:12001";
const ANTHROPIC: &str = "127.0.0.1:12002";
const EACH: &str = "127.0.0.1:12003";

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Simulate {
    /// Where the simulated OpenAI listens; port 0 is any free one.
    #[arg(long, value_name = "IP:PORT", default_value = OPENAI)]
    openai_bind: String,

    /// Where the simulated Anthropic listens; port 0 is any free one.
    #[arg(long, value_name = "IP:PORT", default_value = ANTHROPIC)]
    anthropic_bind: String,

    /// Where all simulated APIs listen, each under its name, as in /gemini; nowhere unless given.
    #[arg(long, value_name = "IP:PORT")]
    each_bind: Option<String>,
}

const HELP: &str = "\
Answers like OpenAI, Anthropic, Gemini, Bedrock, Azure, Cohere, Ollama and Mistral, streamed or not, with any
key. The same request always gets the same answer: what was uploaded or made is there under any id.";

/// `simulate`: the simulated providers alone, for any client or gateway.
pub(crate) fn simulate(options: &Simulate) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(run(options))
}

async fn run(options: &Simulate) -> Result<()> {
    let openai = Serves::One(Provider::OpenAi);
    let anthropic = Serves::One(Provider::Anthropic);
    let mut binds = vec![
        (
            "openai",
            openai,
            "--openai-bind",
            &options.openai_bind,
            OPENAI,
        ),
        (
            "anthropic",
            anthropic,
            "--anthropic-bind",
            &options.anthropic_bind,
            ANTHROPIC,
        ),
    ];
    if let Some(address) = &options.each_bind {
        binds.push(("each", Serves::Each, "--each-bind", address, EACH));
    }
    let book = Arc::new(Book::default());
    let mut simulators = Vec::new();
    for (name, serves, option, address, example) in binds {
        let address = address::parse(option, address, example)?;
        let bound = Simulator::bind(name, serves, address, Arc::clone(&book)).await;
        simulators.push(bound.with_context(|| {
            format!("cannot listen on {address}: set {option} to another IP:PORT")
        })?);
    }
    // Read by scripts: all ports take requests from here on.
    for simulator in &simulators {
        say!("{} listening on {}", simulator.name, simulator.url());
    }
    say!();
    say!("Put the gateway before them:");
    say!(
        "  brightstaff-exporter serve --upstream openai={} --upstream anthropic={}",
        simulators[0].url(),
        simulators[1].url()
    );
    say!("and ask it for models such as openai/gpt-4o and anthropic/claude-sonnet-4-5.");
    if let Some(each) = simulators.get(2) {
        say!(
            "Other APIs are below their names, as in --upstream gemini={}/gemini.",
            each.url()
        );
    }
    let mut serving = JoinSet::new();
    for simulator in simulators {
        serving.spawn(simulator.serve());
    }
    serving.join_all().await;
    Ok(())
}
