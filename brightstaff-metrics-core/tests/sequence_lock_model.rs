//! The sequence lock of exemplars under [loom](https://docs.rs/loom): every order of the steps of a few threads, and
//! every value that their loads may see by the memory model, is played. The lock's own source is compiled with loom's
//! primitives in place of the system's.
#![allow(unreachable_pub, clippy::unwrap_used)]

#[path = "../src/series/sequence_lock.rs"]
mod sequence_lock;

/// What `src/series/sync.rs` has from the system.
mod sync {
    pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};
}

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use loom::thread;
use sequence_lock::SequenceLock;

type Lock = SequenceLock<2>;

/// Two words that belong together.
fn pair(number: u64) -> [u64; 2] {
    [number, number * 10]
}

fn writer(lock: &Arc<Lock>, number: u64) -> thread::JoinHandle<()> {
    let lock = Arc::clone(lock);
    thread::spawn(move || lock.write(pair(number)))
}

/// Plays every order.
fn model(name: &str, play: impl Fn() + Send + Sync + 'static) {
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&orders);
    loom::model(move || {
        counted.fetch_add(1, Relaxed);
        play();
    });
    let orders = orders.load(Relaxed);
    println!("{name}: {orders} orders");
    assert!(orders > 5, "{name} raced with nobody: {orders} orders");
}

#[test]
fn a_reader_sees_all_of_one_writing_or_none() {
    model("one who reads while one writes", || {
        let lock = Arc::new(Lock::new());
        assert_eq!(lock.read(), None);
        lock.write(pair(1));
        let writing = writer(&lock, 2);
        if let Some(words) = lock.read() {
            assert!([pair(1), pair(2)].contains(&words), "{words:?}");
        }
        writing.join().unwrap();
        assert_eq!(lock.read(), Some(pair(2)));
    });
}

#[test]
fn of_two_writers_one_wins() {
    model("two who write", || {
        let lock = Arc::new(Lock::new());
        let writing = writer(&lock, 1);
        lock.write(pair(2));
        writing.join().unwrap();
        let words = lock.read().unwrap();
        assert!([pair(1), pair(2)].contains(&words), "{words:?}");
    });
}
