//! Lines on their way to a writer that may be slow, stuck or broken: nobody who has a line to log waits
//! for it.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind, Write},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use prometheus::IntCounter;

/// The most bytes of one line, so that the whole queue is bounded, too.
const LINE_BYTES: usize = 16 * 1024;

/// How long a writer that would block is left alone. Standard error is non-blocking where another
/// process that shares it has made it so.
const RETRY: Duration = Duration::from_millis(10);

/// A bounded queue of lines, which one thread writes.
#[derive(Debug)]
pub(super) struct Queue {
    /// How many lines may wait to be written. What comes while so many do is dropped, and counted.
    most: usize,
    state: Mutex<State>,
    /// There may be something to write.
    filled: Condvar,
    /// All that could be written is.
    emptied: Condvar,
    /// Every line that was ever dropped.
    pub(super) dropped: IntCounter,
}

#[derive(Debug)]
struct State {
    lines: VecDeque<Box<[u8]>>,
    /// Dropped lines that the log does not tell of yet.
    untold: u64,
    writing: bool,
}

/// What the thread writes next.
enum Next {
    Line(Box<[u8]>),
    /// That so many lines were dropped.
    Dropped(u64),
}

impl Queue {
    pub(super) fn new(most: usize, dropped: IntCounter) -> Self {
        let state = State {
            lines: VecDeque::with_capacity(most),
            untold: 0,
            writing: false,
        };
        Self {
            most,
            state: Mutex::new(state),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            dropped,
        }
    }

    /// Takes a line, if there is room for it.
    pub(super) fn push(&self, line: impl Into<Box<[u8]>> + AsRef<[u8]>) {
        let line = bounded(line);
        let mut state = self.lock();
        if state.lines.len() < self.most {
            state.lines.push_back(line);
            self.filled.notify_one();
        } else {
            state.untold += 1;
            self.dropped.inc();
        }
    }

    /// Takes the line that a process ends with, room or not.
    pub(super) fn push_last(&self, line: impl Into<Box<[u8]>> + AsRef<[u8]>) {
        let line = bounded(line);
        self.lock().lines.push_back(line);
        self.filled.notify_one();
    }

    /// Waits until everything is written or was given up, for so long at most.
    pub(super) fn flush(&self, patience: Duration) {
        let busy = |state: &mut State| state.writing || !state.lines.is_empty();
        let waited = self.emptied.wait_timeout_while(self.lock(), patience, busy);
        drop(waited);
    }

    /// Writes what comes, for ever. What cannot be written is lost: there is nowhere to say so.
    /// Where lines were dropped, the line that `missing` makes of their number stands in their place.
    pub(super) fn write_to(&self, mut out: impl Write, missing: impl Fn(u64) -> String) {
        // A writer that failed is not told what it missed before it has taken another line.
        let (mut works, mut since_told) = (true, 0);
        loop {
            let next = self.next(works && since_told >= self.most, works);
            works = match next {
                Next::Line(line) => {
                    since_told += 1;
                    write_patiently(&mut out, &line).is_ok()
                }
                Next::Dropped(count) => {
                    since_told = 0;
                    let written = write_patiently(&mut out, missing(count).as_bytes()).is_ok();
                    if !written {
                        self.lock().untold += count;
                    }
                    written
                }
            };
        }
    }

    /// Waits for what is to be written: the lines in their order, and then, or where it is `due`, how
    /// many are missing.
    fn next(&self, due: bool, works: bool) -> Next {
        let mut state = self.lock();
        loop {
            if state.untold > 0 && (due || works && state.lines.is_empty()) {
                state.writing = true;
                return Next::Dropped(std::mem::take(&mut state.untold));
            }
            if let Some(line) = state.lines.pop_front() {
                state.writing = true;
                return Next::Line(line);
            }
            state.writing = false;
            self.emptied.notify_all();
            let filled = self.filled.wait(state);
            state = filled.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nothing is done under the lock that could leave half of it behind.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bounded(line: impl Into<Box<[u8]>> + AsRef<[u8]>) -> Box<[u8]> {
    match line.as_ref().split_at_checked(LINE_BYTES) {
        Some((kept, [_, ..])) => [kept, b"...\n"].concat().into(),
        _ => line.into(),
    }
}

/// `write_all`, but for a writer that would block.
fn write_patiently(out: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};

    use super::*;

    const LINES: usize = 16;

    /// A wait that nobody is meant to sit out.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// Tells of each write, and then does as it is told.
    struct Scripted {
        written: mpsc::Sender<String>,
        results: mpsc::Receiver<io::Result<()>>,
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            // The test may be over.
            let _ = self.written.send(text);
            let result = self.results.recv().unwrap_or(Ok(()));
            result.map(|()| bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Log {
        queue: Arc<Queue>,
        written: mpsc::Receiver<String>,
        results: mpsc::Sender<io::Result<()>>,
    }

    impl Log {
        fn start() -> Self {
            let counter = IntCounter::new("dropped_total", "Dropped.").unwrap();
            let queue = Arc::new(Queue::new(LINES, counter));
            let (send_written, written) = mpsc::channel();
            let (results, receive_results) = mpsc::channel();
            let out = Scripted {
                written: send_written,
                results: receive_results,
            };
            let writing = Arc::clone(&queue);
            thread::spawn(move || writing.write_to(out, crate::log::missing));
            Self {
                queue,
                written,
                results,
            }
        }

        /// The next line, whose write then ends like this.
        fn next(&self, result: io::Result<()>) -> String {
            let line = self.written.recv_timeout(PATIENCE).unwrap();
            self.results.send(result).unwrap();
            line
        }

        /// Fills the queue behind a line that is being written, and finds no room for so many more.
        fn overfill(&self, dropped: usize) {
            self.queue.push(&b"stuck\n"[..]);
            assert_eq!(self.written.recv_timeout(PATIENCE).unwrap(), "stuck\n");
            for number in 0..LINES + dropped {
                self.queue.push(format!("{number}\n").into_bytes());
            }
        }
    }

    #[test]
    fn what_has_no_room_is_dropped_counted_and_told_once() {
        let log = Log::start();
        log.overfill(3);
        assert_eq!(log.queue.dropped.get(), 3);
        log.results.send(Ok(())).unwrap();
        for number in 0..LINES - 1 {
            assert_eq!(log.next(Ok(())), format!("{number}\n"));
        }
        // A whole queue was written, so that a log that never comes to rest tells of it, too.
        assert_eq!(log.next(Ok(())), "3 log lines were dropped\n");
        assert_eq!(log.next(Ok(())), format!("{}\n", LINES - 1));
        log.queue.push(&b"later\n"[..]);
        assert_eq!(log.next(Ok(())), "later\n");
        assert_eq!(log.queue.dropped.get(), 3);
    }

    #[test]
    fn what_a_broken_writer_was_not_told_it_is_told_when_it_works() {
        let log = Log::start();
        log.overfill(1);
        let broken = || Err(ErrorKind::StorageFull.into());
        log.results.send(broken()).unwrap();
        for _ in 0..LINES {
            log.next(broken());
        }
        log.queue.push(&b"works\n"[..]);
        assert_eq!(log.next(Ok(())), "works\n");
        assert_eq!(log.next(broken()), "1 log line was dropped\n");
        log.queue.push(&b"again\n"[..]);
        assert_eq!(log.next(Ok(())), "again\n");
        assert_eq!(log.next(Ok(())), "1 log line was dropped\n");
    }

    #[test]
    fn a_writer_that_would_block_gets_the_line_again() {
        let log = Log::start();
        log.queue.push(&b"line\n"[..]);
        assert_eq!(log.next(Err(ErrorKind::WouldBlock.into())), "line\n");
        assert_eq!(log.next(Err(ErrorKind::Interrupted.into())), "line\n");
        assert_eq!(log.next(Ok(())), "line\n");
    }

    #[test]
    fn a_flush_waits_for_the_last_line_and_not_for_ever() {
        let log = Log::start();
        log.overfill(0);
        log.queue.flush(Duration::ZERO);
        log.queue.push_last(&b"last words\n"[..]);
        log.results.send(Ok(())).unwrap();
        for _ in 0..LINES {
            log.next(Ok(()));
        }
        assert_eq!(log.next(Ok(())), "last words\n");
        log.queue.flush(PATIENCE);
        let state = log.queue.lock();
        assert!(state.lines.is_empty() && !state.writing);
    }

    #[test]
    fn a_line_is_bounded() {
        let line = [b'a'; LINE_BYTES + 1];
        assert_eq!(bounded(&line[..]).len(), LINE_BYTES + "...\n".len());
        assert_eq!(bounded(&line[1..]).len(), LINE_BYTES);
    }
}
