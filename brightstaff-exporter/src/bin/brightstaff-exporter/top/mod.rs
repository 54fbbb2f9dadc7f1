//! `top`: the table of the live page, on a terminal.
//!
//! The sums are those of the page (`page/src/`), file by file: `history`, `pairs`, `quantile`, `warnings`, `format`. The cases in
//! `page/cases.json` are put to both.

mod client;
mod clock;
mod format;
mod frame;
mod head;
mod history;
mod json;
#[cfg(unix)]
mod keys;
mod line;
#[cfg(unix)]
mod live;
mod options;
mod pairs;
mod plain;
mod quantile;
#[cfg(unix)]
mod screen;
mod table;
mod text;
mod view;
mod warnings;

use std::{
    env,
    io::{IsTerminal, stdout},
};

use anyhow::{Context as _, Result, anyhow};

pub(crate) use self::options::Top;
use self::{
    client::{Scrapes, Target},
    clock::Clock,
    json::json,
    plain::plain,
    view::View,
};
use crate::say::print;

/// `top`: shows what a gateway does, until somebody has seen enough.
pub(crate) fn top(options: &Top) -> Result<()> {
    let (target, url) = options.target()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let terminal = stdout().is_terminal() && !options.once && !options.json;
    let ran = runtime.block_on(async {
        if terminal {
            watch(&url, target.scrapes(options.interval)).await
        } else {
            once(&url, &target, options).await
        }
    });
    // A name may still be looked up.
    runtime.shutdown_background();
    ran
}

/// Two scrapes, and what lies between them.
async fn once(url: &str, target: &Target, options: &Top) -> Result<()> {
    let (clock, mut view) = (Clock::start(), View::new());
    for last in [false, true] {
        let scraped = target.scrape().await;
        let scraped = scraped.map_err(|why| anyhow!("{url}: {}", text::shown(&why)))?;
        view.take(Ok(scraped), clock.now());
        if !last {
            tokio::time::sleep(options.interval).await;
        }
    }
    let summary = view.summary(clock.now());
    let text = if options.json {
        json(url, &summary)
    } else {
        plain(url, summary)
    };
    print(format!("{text}\n").as_bytes())
}

/// On the screen, where the terminal has one.
async fn watch(url: &str, scrapes: Scrapes) -> Result<()> {
    #[cfg(unix)]
    if env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb") {
        let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        return live::live(url, scrapes, !plain).await;
    }
    append(url, scrapes).await
}

/// One table below the other.
async fn append(url: &str, mut scrapes: Scrapes) -> Result<()> {
    let (clock, mut view) = (Clock::start(), View::new());
    while let Some(scraped) = scrapes.recv().await {
        view.take(scraped, clock.now());
        let text = plain(url, view.summary(clock.now()));
        print(format!("{text}\n\n").as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
