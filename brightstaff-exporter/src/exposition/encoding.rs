//! One encoding in work at a time, whose bytes all share who waited for it.

use std::{
    fmt,
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use brightstaff_metrics_core::exposition::{self, Format};
use prometheus::Registry;
use tokio::sync::watch;

use super::gzip::{Chunks, Gzip};
use crate::priority::{self, Courtesy};

/// Encodes a registry for all who scrape it, in the formats that they ask for.
///
/// Whoever comes while an encoding is under way waits for the next one, together with all others who do. What is
/// under way may have read a counter before they asked: a scrape that a test or an operator starts after an event
/// must show the event, and of two scrapes one after the other the second must not show less.
#[derive(Clone, Debug)]
pub(crate) struct Encoder(Arc<Inner>);

struct Inner {
    registry: Registry,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether a thread is at work. It looks for the next ones to serve before it ends.
    at_work: bool,
    /// Those who wait for an encoding that has not begun, by format.
    next: Vec<(Format, watch::Sender<Option<Outcome>>)>,
}

/// An exposition, or why there is none.
pub(crate) type Outcome = Result<Exposition, Fault>;

/// A registry's text, compressed.
///
/// It is kept in this form alone, a tenth of the text or less: slow readers may hold as many of them as there may be
/// requests, each of another encoding.
#[derive(Clone, Debug)]
pub(crate) struct Exposition {
    pub(crate) gzip: Chunks,
    /// How long the text is that was compressed, in bytes.
    pub(crate) text_len: u64,
}

/// Why a registry has no exposition, in one line.
#[derive(Clone, Debug)]
pub(crate) struct Fault(Arc<str>);

impl Encoder {
    pub(crate) fn new(registry: Registry) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Inner { registry, state }))
    }

    /// An exposition of the registry in this format, none of which is older than this call.
    pub(crate) async fn encode(&self, format: Format) -> Outcome {
        let mut waiting = self.join(format);
        let outcome = match waiting.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            Err(_) => None,
        };
        outcome.unwrap_or_else(|| Err(Fault::new("no thread can be started")))
    }

    /// Waits for the next encoding in this format, and sees to it that there is one.
    fn join(&self, format: Format) -> watch::Receiver<Option<Outcome>> {
        let mut state = self.0.state();
        let found = state.next.iter().find(|(waited, _)| *waited == format);
        let waiting = if let Some((_, next)) = found {
            next.subscribe()
        } else {
            let (next, waiting) = watch::channel(None);
            state.next.push((format, next));
            waiting
        };
        if !state.at_work {
            // A thread of its own, since its priority is another: the runtime's threads for blocking work are for
            // everyone, and can never be raised again.
            let inner = Arc::clone(&self.0);
            let thread = thread::Builder::new().name("metrics-encoding".to_owned());
            match thread.spawn(move || inner.work()) {
                Ok(_) => state.at_work = true,
                // Whoever waits is told by the sender's end.
                Err(_) => state.next.clear(),
            }
        }
        waiting
    }
}

/// How long the pause after an encoding is at most: it is as long as the encoding took, so that scrapers without a pause
/// of their own take half of a processor, whatever its priorities, and no more.
const MAX_PAUSE: Duration = Duration::from_millis(50);

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one assignment: a panic leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Encodes until nobody waits.
    fn work(&self) {
        priority::lower();
        loop {
            let (format, waiting) = {
                let mut state = self.state();
                if state.next.is_empty() {
                    state.at_work = false;
                    return;
                }
                state.next.remove(0)
            };
            // All may have left meanwhile.
            if waiting.is_closed() {
                continue;
            }
            let begun = Instant::now();
            // A collector that is not ours may panic, and must not end what all scrapes wait for.
            let encoded = catch_unwind(AssertUnwindSafe(|| encode(&self.registry, format)));
            waiting.send_replace(Some(match encoded {
                Ok(Ok(exposition)) => Ok(exposition),
                Ok(Err(error)) => Err(Fault::new(format_args!(
                    "the registry cannot be encoded: {error}"
                ))),
                Err(_) => Err(Fault::new("a collector of the registry panicked")),
            }));
            // Whoever comes meanwhile waits a little longer, and shares the more.
            thread::sleep(begun.elapsed().min(MAX_PAUSE));
        }
    }
}

/// Reads /proc, and runs collectors that are not ours.
fn encode(registry: &Registry, format: Format) -> io::Result<Exposition> {
    let mut written = Counted {
        gzip: Gzip::new(),
        len: 0,
        in_turn: 0,
        courtesy: Courtesy::default(),
    };
    exposition::Exposition::of(registry).write(format, &mut written)?;
    Ok(Exposition {
        gzip: written.gzip.finish()?,
        text_len: written.len,
    })
}

/// How much text is compressed before others are let in, in bytes: some 20 µs of work.
pub(crate) const TURN_BYTES: usize = 16 * 1024;

/// What is compressed, and how much it was.
struct Counted {
    gzip: Gzip,
    len: u64,
    /// Since others were let in.
    in_turn: usize,
    courtesy: Courtesy,
}

impl Write for Counted {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let room = TURN_BYTES - self.in_turn;
        let written = self.gzip.write(&text[..text.len().min(room)])?;
        self.len += written as u64;
        self.in_turn += written;
        if self.in_turn == TURN_BYTES {
            self.in_turn = 0;
            self.courtesy.give_way(thread::yield_now);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Fault {
    fn new(fault: impl fmt::Display) -> Self {
        Self(fault.to_string().into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use brightstaff_metrics_core::{
        Metrics,
        labels::{Fallback, RouteKind},
    };
    use bytes::Buf as _;
    use flate2::bufread::GzDecoder;

    use super::*;

    /// The most that an encoding may hold at a time beyond what comes of it, in bytes.
    const MOST_BYTES: u64 = 256 * 1024;

    /// As many series, and the few that are always there.
    fn series(count: usize) -> Registry {
        let registry = Registry::new();
        let builder = Metrics::builder().process(false).selected_model_cap(count);
        let metrics = builder.register(&registry).unwrap();
        for n in 0..count {
            let (model, decided) = (format!("model-{n}"), Duration::ZERO);
            let routing = metrics.routing();
            routing.decision(RouteKind::Llm, &model, Fallback::No, decided);
        }
        registry
    }

    #[test]
    fn an_encoding_holds_little_however_long_it_is() {
        for count in [1_000, 30_000] {
            let registry = series(count);
            let mut encoded = None;
            let memory = allocation_counter::measure(|| {
                encoded = Some(encode(&registry, Format::Text).unwrap());
            });
            let Exposition { gzip, text_len } = encoded.unwrap();
            let (most, kept) = (memory.bytes_max, gzip.remaining() as u64);
            println!("{text_len} bytes, {kept} of them kept: {most} at a time");
            assert!(most <= kept + MOST_BYTES, "{most} bytes for {kept}");
            assert!(kept < text_len / 10);
            let mut text = String::new();
            let mut decoder = GzDecoder::new(gzip.reader());
            decoder.read_to_string(&mut text).unwrap();
            assert_eq!(text.len() as u64, text_len);
            assert!(text.lines().count() > count);
        }
    }

    #[test]
    fn an_encoding_gives_way_between_turns_of_16_kib() {
        let mut written = Counted {
            gzip: Gzip::new(),
            len: 0,
            in_turn: 0,
            courtesy: Courtesy::default(),
        };
        let text = [b'a'; TURN_BYTES + 10];
        assert_eq!(written.write(&text[..10]).unwrap(), 10);
        assert_eq!(written.write(&text).unwrap(), TURN_BYTES - 10);
        assert_eq!((written.len, written.in_turn), (TURN_BYTES as u64, 0));
        written.write_all(&text).unwrap();
        assert_eq!(written.in_turn, 10);
    }
}
