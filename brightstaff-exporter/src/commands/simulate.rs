use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    say::say,
    sim::{Book, Provider, Simulator},
};

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Simulate {
    /// Where the simulated OpenAI listens; port 0 is any free one.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:12001")]
    openai_bind: SocketAddr,

    /// Where the simulated Anthropic listens; port 0 is any free one.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:12002")]
    anthropic_bind: SocketAddr,
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
            bound.with_context(|| format!("cannot listen on {address}: set {option}"))
        }
    };
    let (openai, anthropic) = (options.openai_bind, options.anthropic_bind);
    let openai = bind("openai", Provider::OpenAi, openai, "--openai-bind").await?;
    let anthropic = bind(
        "anthropic",
        Provider::Anthropic,
        anthropic,
        "--anthropic-bind",
    )
    .await?;
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
