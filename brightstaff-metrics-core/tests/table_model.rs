//! The table of children under [loom](https://docs.rs/loom): every order of the steps of a few threads, and
//! every value that their loads may see by the memory model, is played. The table's own source is compiled
//! with loom's primitives in place of the system's.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

#[path = "../src/series/table.rs"]
mod table;

/// What the table knows of the crate.
mod labels {
    pub(crate) const OTHER: &str = "other";
}

/// What `src/sync.rs` has from the system.
mod sync {
    use std::hash::{BuildHasher, Hasher};

    use loom::sync::atomic::AtomicBool;
    pub(crate) use loom::sync::{
        Mutex,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    };
    // Only counts references, and is the system's everywhere.
    pub(crate) use std::sync::Arc;

    /// The promises of `std::sync::OnceLock`: who gets a value sees what was done before it was set, and one
    /// of those who race sets it, while the others wait.
    pub(crate) struct OnceLock<T> {
        is_set: AtomicBool,
        setting: Mutex<()>,
        value: std::sync::OnceLock<T>,
    }

    impl<T> OnceLock<T> {
        pub(crate) fn new() -> Self {
            Self {
                is_set: AtomicBool::new(false),
                setting: Mutex::new(()),
                value: std::sync::OnceLock::new(),
            }
        }

        pub(crate) fn get(&self) -> Option<&T> {
            let is_set = self.is_set.load(Ordering::Acquire);
            self.value.get().filter(|_| is_set)
        }

        pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
            // Without a look first: loom forgets who loaded before this thread did, and would not play the orders
            // in which they load what is stored here.
            let _setting = self.setting.lock().unwrap();
            if self.value.get().is_none() {
                self.value.set(make()).ok().unwrap();
                self.is_set.store(true, Ordering::Release);
            }
            self.value.get().unwrap()
        }
    }

    /// The same on every run, and the first byte alone: keys that begin alike meet in a slot.
    #[derive(Default)]
    pub(crate) struct RandomState(());

    pub(crate) struct FirstByte(Option<u8>);

    impl BuildHasher for RandomState {
        type Hasher = FirstByte;

        fn build_hasher(&self) -> FirstByte {
            FirstByte(None)
        }
    }

    impl Hasher for FirstByte {
        fn write(&mut self, bytes: &[u8]) {
            self.0 = self.0.or(bytes.first().copied());
        }

        fn finish(&self) -> u64 {
            self.0.unwrap_or(0).into()
        }
    }
}

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use loom::thread;
use table::{Keyed, Room, Table};

/// A child that says by whom it was made.
struct Child {
    key: String,
    maker: &'static str,
}

impl Keyed<1> for Child {
    fn key(&self) -> [&str; 1] {
        [&self.key]
    }
}

fn child(maker: &'static str) -> impl Fn([&str; 1]) -> Child {
    move |[key]| Child {
        key: key.to_owned(),
        maker,
    }
}

/// How many were folded is no part of what is played.
fn inc(folded: &AtomicU64) -> impl FnOnce() {
    || {
        folded.fetch_add(1, Relaxed);
    }
}

type Shared = Arc<(Table<Child, 1>, AtomicU64)>;

fn table(cap: usize) -> Shared {
    let folded = AtomicU64::new(0);
    Arc::new((Table::new(Vec::new(), cap), folded))
}

fn ask(shared: &Shared, key: &'static str, maker: &'static str) -> Arc<Child> {
    let (table, folded) = &**shared;
    Arc::clone(table.get_or_insert([key], inc(folded), child(maker)))
}

fn keys(shared: &Shared) -> Vec<String> {
    shared.0.iter().map(|child| child.key.clone()).collect()
}

/// Of three threads, orders in which they are interrupted more often than this are left out: there are too
/// many, and faults show in few.
const MAX_PREEMPTIONS: usize = 2;

/// Plays every order, and tells how many there were.
fn model(name: &str, play: impl Fn() + Send + Sync + 'static) {
    explore(name, None, play);
}

fn model_of_three(name: &str, play: impl Fn() + Send + Sync + 'static) {
    explore(name, Some(MAX_PREEMPTIONS), play);
}

fn explore(name: &str, preemptions: Option<usize>, play: impl Fn() + Send + Sync + 'static) {
    let orders = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&orders);
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    model.check(move || {
        counted.fetch_add(1, Relaxed);
        play();
    });
    let orders = orders.load(Relaxed);
    println!("{name}: {orders} orders");
    assert!(orders > 10, "{name} raced with nobody: {orders} orders");
}

#[test]
fn a_key_has_one_child() {
    model("two who ask for one key", || {
        let shared = table(2);
        let other = Arc::clone(&shared);
        let asking = thread::spawn(move || ask(&other, "a", "one"));
        let mine = ask(&shared, "a", "two");
        let theirs = asking.join().unwrap();
        assert!(Arc::ptr_eq(&mine, &theirs));
        assert_eq!(keys(&shared), ["a"]);
        assert_eq!(shared.1.load(Relaxed), 0);
        // And it took one room, not two.
        assert_eq!(ask(&shared, "b", "two").key, "b");
        assert_eq!(ask(&shared, "c", "two").key, "other");
    });
}

#[test]
fn the_last_room_is_for_one_key_and_who_asks_for_it_finds_it() {
    model("two who ask for the last room with one key", || {
        let shared = table(1);
        let other = Arc::clone(&shared);
        let asking = thread::spawn(move || ask(&other, "a", "one").key.clone());
        assert_eq!(ask(&shared, "a", "two").key, "a");
        assert_eq!(asking.join().unwrap(), "a");
        assert_eq!(shared.1.load(Relaxed), 0);
    });
    model_of_three("three who ask for the last room, two with one key", || {
        let shared = table(1);
        let ask_for = |key, maker| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || ask(&shared, key, maker).key.clone())
        };
        let (one, two) = (ask_for("a1", "one"), ask_for("a1", "two"));
        let mine = ask(&shared, "a2", "three").key.clone();
        let (one, two) = (one.join().unwrap(), two.join().unwrap());
        let got: BTreeSet<_> = [&*one, &*two, &*mine].into();
        if mine == "a2" {
            assert_eq!(got, ["a2", "other"].into());
            assert_eq!(shared.1.load(Relaxed), 2);
        } else {
            assert_eq!(got, ["a1", "other"].into());
            assert_eq!(shared.1.load(Relaxed), 1);
        }
        assert_eq!(keys(&shared).len(), 2, "the cap, and other");
    });
}

#[test]
fn who_is_seen_is_whole_and_stays() {
    model_of_three("one who reads while two grow the table", || {
        let shared = table(2);
        let grow = |key, maker| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || drop(ask(&shared, key, maker)))
        };
        // Of the same slot: the second has to go on to the next.
        let growing = [grow("a1", "one"), grow("a2", "two")];
        let mut seen = Vec::new();
        for _ in 0..2 {
            let now: Vec<_> = shared.0.iter().collect();
            for child in &now {
                let maker = if child.key == "a1" { "one" } else { "two" };
                assert_eq!(child.maker, maker);
            }
            let now: Vec<_> = now.iter().map(|child| child.key.clone()).collect();
            // In their order, too.
            assert!(
                now.starts_with(&seen),
                "{seen:?} were there, and now {now:?}"
            );
            // What is listed is found.
            assert!(now.iter().all(|key| shared.0.get([key]).is_some()));
            seen = now;
        }
        for growing in growing {
            growing.join().unwrap();
        }
        for key in ["a1", "a2"] {
            assert_eq!(shared.0.get([key]).unwrap().key, key);
        }
        assert_eq!(shared.1.load(Relaxed), 0);
    });
}

#[test]
fn no_room_is_overdrawn() {
    model("two who share a room that is smaller than the cap", || {
        let shared = Arc::new((table(3), Room::new(1)));
        let insert = |shared: &(Shared, Room), key: &'static str| {
            let (table, room) = (&shared.0.0, &shared.1);
            let rooms = std::iter::once(room);
            table.insert([key], rooms, child("one")).is_some()
        };
        let other = Arc::clone(&shared);
        let asking = thread::spawn(move || insert(&other, "a"));
        let mine = insert(&shared, "b");
        let theirs = asking.join().unwrap();
        assert!(mine != theirs, "one room, and {mine}, {theirs}");
        assert_eq!(shared.0.0.iter().count(), 1);
        // The cap is not spent by who found no room.
        for (key, key_is) in [("c", "c"), ("d", "d"), ("e", "other")] {
            assert_eq!(ask(&shared.0, key, "one").key, key_is);
        }
    });
}

#[test]
fn who_is_declared_while_another_earns_is_there_once() {
    model("one who reserves a key that another inserts", || {
        let table = Arc::new(Table::with_later(Vec::new(), 1, 1));
        let other = Arc::clone(&table);
        let inserting =
            thread::spawn(move || other.insert(["a"], [].into_iter(), child("one")).is_some());
        let reserved = table.reserve(["a"], child("two")).is_some();
        assert!(reserved && inserting.join().unwrap());
        assert_eq!(table.iter().count(), 1);
        // It took one of the two rooms.
        let cap = table.insert(["b"], [].into_iter(), child("one")).is_some();
        let later = table.reserve(["c"], child("two")).is_some();
        assert!(cap != later, "{cap}, {later}");
    });
}

#[test]
fn other_is_made_once() {
    model("two who find no room", || {
        let shared = table(0);
        let other = Arc::clone(&shared);
        let asking = thread::spawn(move || ask(&other, "a", "one"));
        // Who reads meanwhile finds it whole, or not at all.
        assert!(keys(&shared).iter().all(|key| key == "other"));
        let mine = ask(&shared, "b", "two");
        assert!(Arc::ptr_eq(&mine, &asking.join().unwrap()));
        assert_eq!((shared.1.load(Relaxed), keys(&shared).len()), (2, 1));
    });
}

/// How a provider is named while a pair of it earns its slot: whoever of the two comes second sees the other.
#[test]
fn what_is_done_alone_is_seen_by_who_inserts_or_sees_what_was_inserted() {
    model_of_three("two who insert unless something is done alone", || {
        let shared = Arc::new((table(2), table(2)));
        let earning = ["one", "two"].map(|maker| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (pairs, named) = (&shared.0.0, &shared.1.0);
                let unnamed = || named.get(["p"]).is_none();
                let earned = pairs.insert_if(unnamed, ["p"], [].into_iter(), child(maker));
                earned.is_some()
            })
        });
        let (pairs, named) = (&shared.0.0, &shared.1.0);
        let name = || {
            named
                .insert(["p"], [].into_iter(), child("three"))
                .is_some()
        };
        assert!(pairs.alone(name));
        let seen = pairs.get(["p"]).is_some();
        for earning in earning {
            let earned = earning.join().unwrap();
            assert!(seen || !earned, "earned, and not seen");
        }
        assert_eq!(pairs.get(["p"]).is_some(), seen);
    });
}
