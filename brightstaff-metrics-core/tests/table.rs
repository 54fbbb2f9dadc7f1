//! The table of children, played by threads of the system. `table_model.rs` plays every order of their steps.
#![allow(dead_code, unused_imports, unreachable_pub, clippy::unwrap_used)]

#[allow(unused_imports)] // More than the table stands on it.
#[path = "../src/series/sync.rs"]
mod sync;
#[path = "../src/series/table.rs"]
mod table;

/// What the table knows of the crate.
mod labels {
    pub(crate) const OTHER: &str = "other";
}

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use table::{Keyed, Room, Table};

#[derive(Debug, PartialEq)]
struct Pair(String, String);

impl Keyed<2> for Pair {
    fn key(&self) -> [&str; 2] {
        [&self.0, &self.1]
    }
}

fn pair([a, b]: [&str; 2]) -> Pair {
    Pair(a.to_owned(), b.to_owned())
}

/// How many were folded.
fn folded() -> AtomicU64 {
    AtomicU64::new(0)
}

fn inc(folded: &AtomicU64) -> impl FnOnce() {
    || {
        folded.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn keys_are_compared_whole() {
    let table = Table::new(vec![], 4);
    table.get_or_insert(["open", "ai-gpt"], || {}, pair);
    assert!(table.get(["openai", "-gpt"]).is_none());
    assert!(table.get(["open", "ai-gpt"]).is_some());
}

#[test]
fn the_cap_spares_the_reserved() {
    let reserved = [["a", "b"], ["a", "b"], ["a", "c"]];
    let table = Table::new(reserved.map(pair).into(), 2);
    let folded = folded();
    for n in 0..5 {
        let b = n.to_string();
        let placed = table.get_or_insert(["x", &b], inc(&folded), pair);
        assert_eq!(placed.key() == ["x", &b], n < 2, "{n}");
    }
    assert_eq!(folded.load(Ordering::Relaxed), 3);
    assert_eq!(table.iter().count(), 4 + 1);
    assert!(table.get(["a", "c"]).is_some());
}

#[test]
fn a_child_takes_from_every_room_or_none() {
    let table = Table::new(vec![], 3);
    let (small, large) = (Room::new(1), Room::new(9));
    let insert = |key, rooms: &[&Room]| table.insert(key, rooms.iter().copied(), pair).is_some();
    assert!(insert(["a", "1"], &[&small, &large]));
    assert!(!insert(["a", "2"], &[&small, &large]), "no room of its own");
    assert!(insert(["a", "1"], &[&small]), "it is there");
    assert!(insert(["b", "1"], &[&large]));
    assert!(insert(["b", "2"], &[&large]));
    assert!(!insert(["b", "3"], &[&large]), "past the cap");
    assert_eq!(table.iter().count(), 3);
}

#[test]
fn what_is_reserved_later_takes_nothing_of_the_cap() {
    let table = Table::with_later(vec![], 1, 3);
    assert!(table.reserve(["a", "1"], pair).is_some());
    assert!(table.reserve(["a", "1"], pair).is_some(), "it is there");
    assert!(table.raise_cap(1));
    assert!(!table.raise_cap(2), "all of them, or none");
    let insert = |key| table.insert(key, [].into_iter(), pair).is_some();
    assert!(insert(["b", "1"]) && insert(["b", "2"]));
    assert!(!insert(["b", "3"]), "past the cap, though a place is left");
    assert!(table.reserve(["b", "3"], pair).is_some());
    assert!(table.reserve(["a", "2"], pair).is_none());
    assert!(table.reserve(["other", "other"], pair).is_none());
    assert_eq!(table.iter().count(), 4);
}

#[test]
fn other_is_there_once_and_takes_no_room() {
    for reserved in [vec![], vec![pair(["other", "other"])]] {
        let table = Table::new(reserved, 1);
        let folded = folded();
        table.get_or_insert(["other", "other"], inc(&folded), pair);
        assert_eq!(folded.load(Ordering::Relaxed), 0, "it is called so itself");
        table.get_or_insert(["a", "b"], inc(&folded), pair);
        assert_eq!(folded.load(Ordering::Relaxed), 0, "it took the room");
        table.get_or_insert(["a", "c"], inc(&folded), pair);
        assert_eq!(folded.load(Ordering::Relaxed), 1);
        let keys: Vec<_> = table.iter().map(Keyed::key).collect();
        assert_eq!(keys, [["a", "b"], ["other", "other"]]);
    }
}

#[test]
fn threads_that_race_agree() {
    let table = Table::new(vec![], 60);
    let folded = folded();
    let child = |n: usize| {
        let b = n.to_string();
        Arc::as_ptr(table.get_or_insert(["m", &b], inc(&folded), pair)) as usize
    };
    let seen: Vec<Vec<_>> = std::thread::scope(|scope| {
        let all = || (0..100).map(child).collect();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(all)).collect();
        let threads = threads.into_iter();
        threads.map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(table.iter().count(), 60 + 1);
    let other = Arc::as_ptr(table.other(pair)) as usize;
    for n in 0..100 {
        let mut children: Vec<_> = seen.iter().map(|seen| seen[n]).collect();
        children.sort_unstable();
        children.dedup();
        assert_eq!(children.len(), 1, "{n} is {children:?}, and other {other}");
    }
}
