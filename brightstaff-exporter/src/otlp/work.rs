//! One export after the other, each with its tries.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, SystemTime},
};

use brightstaff_metrics_core::{
    labels::ExportOutcome,
    otlp::{Encoder, Export},
};
use prometheus::Registry;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    client::{Client, Content, Failure, Response},
    content::{content, encode},
    outcomes::Outcomes,
    push::Push,
    retry::Patience,
    said::Said,
    verdict::Verdict,
};

/// How the work is told to end: by the instant until which one more export may take, or at once, by the sender's end.
pub(super) type Stop = watch::Receiver<Option<std::time::Instant>>;

/// How long the body of an export may be, in bytes, before it is compressed: more is not sent. Receivers take less, as
/// a rule, and 20,000 series are 8 MB.
const MAX_BODY_BYTES: usize = 64 << 20;

/// What the thread does.
#[derive(Debug)]
pub(super) struct Work {
    interval: Duration,
    export_timeout: Duration,
    gzip: bool,
    max_body_bytes: usize,
    encoder: Encoder,
    client: Client,
    outcomes: Outcomes,
    registry: Registry,
    patience: Patience,
    said: Said,
}

/// How long one export may take.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// Then it is over.
    ends: Instant,
    /// When the next one is due, which takes the place of one that waits.
    next: Instant,
    /// Whether there is no next one, and so nothing to wait for.
    last: bool,
}

impl Work {
    pub(super) fn new(push: Push) -> Self {
        let Push {
            interval,
            export_timeout,
            gzip,
            encoder,
            client,
            outcomes,
            registry,
        } = push;
        let said = Said::of(client.endpoint());
        Self {
            interval,
            export_timeout,
            gzip,
            max_body_bytes: MAX_BODY_BYTES,
            encoder,
            client,
            outcomes,
            registry,
            patience: Patience::default(),
            said,
        }
    }

    /// Exports until it is told to end, and tells what became of the last one, where one was asked for.
    pub(super) async fn run(mut self, mut stop: Stop) -> Option<ExportOutcome> {
        let mut due = Instant::now() + self.interval;
        loop {
            tokio::select! {
                biased;
                () = told(&mut stop) => break,
                () = sleep_until(due) => {}
            }
            let now = Instant::now();
            // In step, but for those that were missed.
            due = (due + self.interval).max(now);
            let turn = Turn {
                ends: now + self.export_timeout,
                next: due,
                last: false,
            };
            let mut waiting = stop.clone();
            let outcome = tokio::select! {
                biased;
                outcome = self.export(turn, &mut waiting) => outcome,
                () = cut_short(&mut stop) => ExportOutcome::Failed,
            };
            self.outcomes.count(outcome);
        }
        let ends = (*stop.borrow())?.into();
        let turn = Turn {
            ends,
            next: ends,
            last: true,
        };
        let outcome = self.export(turn, &mut stop).await;
        self.outcomes.count(outcome);
        Some(outcome)
    }

    /// Tries until something becomes of it, or its time is over.
    async fn export(&mut self, turn: Turn, stop: &mut Stop) -> ExportOutcome {
        // The last one does not wait for what earlier ones ran into: there is no later.
        if !turn.last && !self.wait(turn, stop).await {
            return ExportOutcome::Failed;
        }
        let Some((export, content)) = self.snapshot() else {
            return ExportOutcome::Failed;
        };
        loop {
            match self.attempt(&content, turn).await {
                Verdict::Taken(warning) => {
                    self.encoder.acknowledge(export);
                    self.patience.end();
                    match warning {
                        Some(warning) => self.said.fault(&warning),
                        None => self.said.well(),
                    }
                    return ExportOutcome::Ok;
                }
                // What was taken must not be sent again, nor told as new.
                Verdict::InPart(why) => {
                    self.encoder.acknowledge(export);
                    self.patience.end();
                    self.said.fault(&why);
                    return ExportOutcome::Rejected;
                }
                Verdict::Refused(why) => {
                    self.patience.end();
                    self.said.fault(&why);
                    return ExportOutcome::Rejected;
                }
                Verdict::Later(why, after) => {
                    self.patience.failed(after);
                    self.said.fault(&why);
                }
            }
            if !self.wait(turn, stop).await {
                return ExportOutcome::Failed;
            }
        }
    }

    /// Waits until the receiver may be asked again. `false` where the export is over before: its own time is, or a newer
    /// one takes its place.
    async fn wait(&self, turn: Turn, stop: &mut Stop) -> bool {
        let Some(at) = self.patience.until().filter(|at| *at > Instant::now()) else {
            return Instant::now() < turn.ends;
        };
        if at >= turn.ends.min(turn.next) {
            return false;
        }
        tokio::select! {
            () = sleep_until(at) => true,
            () = told(stop), if !turn.last => false,
        }
    }

    /// What there is to be sent.
    fn snapshot(&mut self) -> Option<(Export, Content)> {
        // A collector that is not ours may panic, and must not end what pushes the others.
        let encode = AssertUnwindSafe(|| encode(&mut self.encoder, &self.registry));
        let Ok(export) = catch_unwind(encode) else {
            self.said.fault("a collector of the registry panicked");
            return None;
        };
        let (len, most) = (export.body().len(), self.max_body_bytes);
        if len > most {
            self.said.fault(&format!(
                "{len} bytes are more than the {most} that are sent at a time: let fewer series be made"
            ));
            return None;
        }
        let content = content(&export, self.gzip);
        Some((export, content))
    }

    async fn attempt(&mut self, content: &Content, turn: Turn) -> Verdict {
        let post = timeout_at(turn.ends, self.client.post(content)).await;
        match post {
            Ok(Ok(response)) => self.verdict(&response),
            Ok(Err(failure)) => self.no_response(&failure),
            Err(_) => Verdict::Later("no response in the time of the export".to_owned(), None),
        }
    }

    fn verdict(&self, response: &Response) -> Verdict {
        Verdict::of(response, &self.client, SystemTime::now())
    }

    fn no_response(&self, failure: &Failure) -> Verdict {
        let hint = match failure {
            Failure::Broken(_) => self.client.endpoint().port_hint(),
            Failure::Late(_) | Failure::Unreachable(_) => "",
        };
        Verdict::Later(format!("{failure}{hint}"), None)
    }
}

/// Ready once the work is to end.
async fn told(stop: &mut Stop) {
    // Where the sender is gone, it is to end as well.
    let _ = stop.wait_for(Option::is_some).await;
}

/// Ready once an export that is under way has had its share of the time that is left: half, so that the last one, which
/// has the last numbers, has the other.
async fn cut_short(stop: &mut Stop) {
    told(stop).await;
    let ends = *stop.borrow();
    if let Some(ends) = ends {
        let left = ends.saturating_duration_since(std::time::Instant::now());
        tokio::time::sleep(left / 2).await;
    }
}

#[cfg(test)]
mod tests;
