use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    address,
    say::say,
    sim::{Book, Provider, Simulator},
};

const OPENAI: &str = "127.0.0.1:12001";
const ANTHROPIC: &str = "127.0.0.1:12002";

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Simulate {
    /// Where the simulated OpenAI listens; port 0 is any free one.
    #[arg(long, value_name = "IP:PORT", default_value = OPENAI)]
    openai_bind: String,

    /// Where the simulated Anthropic listens; port 0 is any free one.
    #[arg(long, value_name = "IP:PORT", default_value = ANTHROPIC)]
    anthropic_bind: String,
}

const HELP: &str = "\
Answers Chat Completions, Completions, Embeddings and Responses like OpenAI, and Messages like
Anthropic, streamed or not, with any key. The same request always gets the same answer.";

/// `simulate`: the simulated providers alone, for any client or gateway.
pub(crate) fn simulate(options: &Simulate) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(run(options))
}

async fn run(options: &Simulate) -> Result<()> {
    let book = Arc::new(Book::default());
    let bind = |name, provider, address, option| {
        let book = Arc::clone(&book);
        async move {
            let bound = Simulator::bind(name, provider, address, book).await;
            bound.with_context(|| {
                format!("cannot listen on {address}: set {option} to another IP:PORT")
            })
        }
    };
    let (for_openai, for_anthropic) = ("--openai-bind", "--anthropic-bind");
    let openai = address::parse(for_openai, &options.openai_bind, OPENAI)?;
    let anthropic = address::parse(for_anthropic, &options.anthropic_bind, ANTHROPIC)?;
    let openai = bind("openai", Provider::OpenAi, openai, for_openai).await?;
    let anthropic = bind("anthropic", Provider::Anthropic, anthropic, for_anthropic).await?;
    // Read by scripts: both ports take requests from here on.
    say!("openai listening on {}", openai.url());
    say!("anthropic listening on {}", anthropic.url());
    say!();
    say!("Put the gateway before them:");
    say!(
        "  brightstaff-exporter serve --upstream openai={} --upstream anthropic={}",
        openai.url(),
        anthropic.url()
    );
    say!("and ask it for models such as openai/gpt-4o and anthropic/claude-sonnet-4-5.");
    tokio::join!(openai.serve(), anthropic.serve());
    Ok(())
}
