//! The table on a terminal, drawn again and again.

use std::{
    io::{Read as _, stdin},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use rustix::process::{Signal, kill_current_process_group};
use tokio::{
    signal::unix::{self, SignalKind, signal},
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{
    client::Scrapes,
    clock::Clock,
    frame::{Choice, frame},
    keys::{Key, Keys},
    line::Line,
    screen::{Screen, size},
    table::COLUMNS,
    view::View,
};

/// How often ages are drawn again while nobody answers.
const TICK: Duration = Duration::from_secs(1);

/// How long a process that asked to be stopped waits to be.
const STOPPED: Duration = Duration::from_millis(500);

/// How many keys may wait.
const KEYS: usize = 64;

/// Draws until it is told to quit.
pub(super) async fn live(url: &str, mut scrapes: Scrapes, colours: bool) -> Result<()> {
    let mut interrupted = heard(SignalKind::interrupt())?;
    let mut terminated = heard(SignalKind::terminate())?;
    let mut hung_up = heard(SignalKind::hangup())?;
    let mut resized = heard(SignalKind::window_change())?;
    let mut continued = heard(SignalKind::from_raw(Signal::CONT.as_raw()))?;
    let screen = Screen::open(colours).context("cannot set up the terminal")?;
    let mut pressed = screen.has_keys().then(keys);
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut table = Table::new(url, screen.has_keys());
    // A terminal that is gone has nobody who looks.
    while screen.draw(&table.lines()).is_ok() {
        tokio::select! {
            scraped = scrapes.recv() => match scraped {
                Some(scraped) => table.view.take(scraped, table.clock.now()),
                None => break,
            },
            key = next(&mut pressed) => match key {
                None | Some(Key::Quit) => break,
                Some(Key::Suspend) => {
                    screen.leave();
                    let _ = kill_current_process_group(Signal::TSTP);
                    // It takes a moment, and a group that no shell looks after is not stopped.
                    let _ = timeout(STOPPED, continued.recv()).await;
                    screen.enter().context("cannot set up the terminal")?;
                }
                Some(key) => table.press(key),
            },
            _ = continued.recv() => screen.enter().context("cannot set up the terminal")?,
            _ = resized.recv() => {}
            _ = tick.tick() => {}
            _ = interrupted.recv() => break,
            _ = terminated.recv() => break,
            _ = hung_up.recv() => break,
        }
    }
    Ok(())
}

/// What is on the screen.
struct Table<'a> {
    url: &'a str,
    has_keys: bool,
    view: View,
    clock: Clock,
    choice: Choice,
    /// The last row that may stand at the top.
    last: usize,
}

impl<'a> Table<'a> {
    fn new(url: &'a str, has_keys: bool) -> Self {
        Self {
            url,
            has_keys,
            view: View::new(),
            clock: Clock::start(),
            choice: Choice::default(),
            last: 0,
        }
    }

    fn lines(&mut self) -> Vec<Line> {
        let mut summary = self.view.summary(self.clock.now());
        if let Some(shown) = &mut summary.shown {
            self.choice.sort.apply(&mut shown.pairs);
        }
        let (lines, last) = frame(self.url, &summary, self.choice, size(), self.has_keys);
        self.last = last;
        self.choice.scroll = self.choice.scroll.min(last);
        lines
    }

    fn press(&mut self, key: Key) {
        let Choice { sort, scroll } = &mut self.choice;
        let page = size().rows / 2;
        match key {
            Key::NextColumn => *sort = sort.moved(1),
            Key::PreviousColumn => *sort = sort.moved(COLUMNS.len() - 1),
            Key::Reverse => *sort = sort.reversed(),
            Key::Up => *scroll = scroll.saturating_sub(1),
            Key::Down => *scroll += 1,
            Key::PageUp => *scroll = scroll.saturating_sub(page),
            Key::PageDown => *scroll += page,
            Key::First => *scroll = 0,
            Key::Last => *scroll = self.last,
            Key::Quit | Key::Suspend | Key::Redraw => {}
        }
    }
}

fn heard(kind: SignalKind) -> Result<unix::Signal> {
    signal(kind).context("cannot listen for signals")
}

/// The next key; never where there are none.
async fn next(pressed: &mut Option<mpsc::Receiver<Key>>) -> Option<Key> {
    match pressed {
        Some(pressed) => pressed.recv().await,
        None => std::future::pending().await,
    }
}

/// Reads keys on a thread of its own, which waits for the next one when the process ends.
fn keys() -> mpsc::Receiver<Key> {
    let (sender, pressed) = mpsc::channel(KEYS);
    // Without a thread to be had, signals still end it.
    let _ = thread::Builder::new()
        .name("keys".to_owned())
        .spawn(move || {
            let mut keys = Keys::default();
            for byte in stdin().lock().bytes().map_while(Result::ok) {
                if let Some(key) = keys.next(byte)
                    && sender.blocking_send(key).is_err()
                {
                    return;
                }
            }
        });
    pressed
}
