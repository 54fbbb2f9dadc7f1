//! The paths of every API, merged into one table of places.
//!
//! The table is made by the compiler, and an event is scanned once, whoever speaks: what a place means is
//! asked when the API is known.

use super::apis::SPECS;
use super::json::Want;
use super::paths::{ApiSet, Path, Role, What};

/// A place in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node(u16);

impl Node {
    /// The event itself.
    pub(crate) const ROOT: Self = Self(0);
}

/// What is known of a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Under which place its members are found.
    scope: u16,
    /// Whether it may have members.
    pub(crate) opens: bool,
    pub(crate) want: Want,
    pub(crate) role: Role,
    pub(crate) signs: ApiSet,
    /// The APIs that have this member of the root.
    pub(crate) own: ApiSet,
    pub(crate) output: ApiSet,
    pub(crate) reasoning: ApiSet,
    pub(crate) finish: ApiSet,
    pub(crate) last: ApiSet,
    pub(crate) end: ApiSet,
    pub(crate) done: ApiSet,
}

impl Place {
    const NEW: Self = Self {
        scope: 0,
        opens: false,
        want: Want::Skip,
        role: Role::None,
        signs: ApiSet::NONE,
        own: ApiSet::NONE,
        output: ApiSet::NONE,
        reasoning: ApiSet::NONE,
        finish: ApiSet::NONE,
        last: ApiSet::NONE,
        end: ApiSet::NONE,
        done: ApiSet::NONE,
    };
}

/// The member that a place is, and of which.
#[derive(Clone, Copy, Debug)]
struct Edge {
    scope: u16,
    key: &'static [u8],
}

/// What stands in a slot of the index: a member of that scope, an index of `edges`.
#[derive(Clone, Copy, Debug)]
struct Found {
    scope: u16,
    /// 0 is none, since the root is nobody's member.
    at: u16,
}

/// All places of all APIs.
pub(crate) static TABLE: Table = Table::merge();

/// A power of two, so that no index of a place needs a check.
const MAX_PLACES: usize = 512;
const INDEX_BITS: u32 = 11;
const INDEX: usize = 1 << INDEX_BITS;
/// The scope of the names that begin with `$`.
const SHARED: u16 = u16::MAX;

/// The members of every place, in one hash table with open addressing.
#[derive(Debug)]
pub(crate) struct Table {
    places: [Place; MAX_PLACES],
    edges: [Edge; MAX_PLACES],
    index: [Found; INDEX],
    len: usize,
}

impl Table {
    #[inline]
    pub(crate) fn place(&self, node: Node) -> &Place {
        &self.places[usize::from(node.0) % MAX_PLACES]
    }

    /// The place of a member, `None` if nothing in it is wanted.
    #[inline(always)]
    pub(crate) fn member(&self, of: &Place, key: &[u8]) -> Option<Node> {
        let mut slot = hash(of.scope, key);
        loop {
            let Found { scope, at } = self.index[slot];
            if at == 0 {
                return None;
            }
            if scope == of.scope && is_key(self.edges[usize::from(at) % MAX_PLACES].key, key) {
                return Some(Node(at));
            }
            slot = (slot + 1) % INDEX;
        }
    }

    const fn merge() -> Self {
        assert!(SPECS.len() <= 64, "an `ApiSet` has 64 bits");
        let mut table = Self {
            places: [Place::NEW; MAX_PLACES],
            edges: [Edge { scope: 0, key: b"" }; MAX_PLACES],
            index: [Found { scope: 0, at: 0 }; INDEX],
            len: 1,
        };
        table.add_all(super::failure::PATHS, None);
        let mut api = 0;
        while api < SPECS.len() {
            table.add_all(SPECS[api].paths, Some(api));
            api += 1;
        }
        table
    }

    const fn add_all(&mut self, paths: &[Path], api: Option<usize>) {
        let mut at = 0;
        while at < paths.len() {
            self.add(&paths[at], api);
            at += 1;
        }
    }

    const fn add(&mut self, path: &Path, api: Option<usize>) {
        let mut rest = path.at.as_bytes();
        let mut scope = if rest[0] == b'$' { SHARED } else { 0 };
        let mut node = 0;
        loop {
            let (key, behind) = split(rest);
            if node > 0 || scope == 0 {
                self.places[node].opens = true;
            }
            let first = scope == 0;
            node = self.enter(scope, key);
            let place = &mut self.places[node];
            if let (true, Some(api), false) = (first, api, place.role.is_anyones()) {
                place.own = place.own.with(api);
            }
            scope = place.scope;
            match behind {
                Some(behind) => rest = behind,
                None => break,
            }
        }
        self.describe(node, path.what, api);
    }

    /// The place of a member, made where it is not there yet.
    const fn enter(&mut self, scope: u16, key: &'static [u8]) -> usize {
        let mut slot = hash(scope, key);
        loop {
            let at = self.index[slot].at as usize;
            if at == 0 {
                break;
            }
            if self.edges[at].scope == scope && same(self.edges[at].key, key) {
                return at;
            }
            slot = (slot + 1) % INDEX;
        }
        let at = self.len;
        assert!(at < MAX_PLACES, "`MAX_PLACES` is too small");
        self.edges[at] = Edge { scope, key };
        // `MAX_PLACES` is far below 2^16.
        #[allow(clippy::cast_possible_truncation)]
        let node = at as u16;
        self.places[at].scope = node;
        self.index[slot] = Found { scope, at: node };
        self.len += 1;
        at
    }

    const fn describe(&mut self, node: usize, what: What, api: Option<usize>) {
        let scope = match what {
            What::Like(name) => self.enter(SHARED, name.as_bytes()),
            What::Role(Role::Usage(_)) => self.enter(SHARED, b"$usage"),
            _ => 0,
        };
        let place = &mut self.places[node];
        if scope > 0 {
            // As above.
            #[allow(clippy::cast_possible_truncation)]
            let scope = scope as u16;
            assert!(
                !place.opens || place.scope == scope,
                "a place has members of its own, and is like another"
            );
            place.scope = scope;
            place.opens = true;
        }
        if let What::Role(role) = what {
            assert!(
                matches!(place.role, Role::None) || place.role.code() == role.code(),
                "two APIs give one place two roles"
            );
            place.role = role;
        }
        let want = match what {
            What::Output | What::Reasoning | What::Last => Want::Presence,
            What::Finish => Want::Text,
            What::Role(role) => role.want(),
            _ => Want::Skip,
        };
        match (place.want, want) {
            (_, Want::Text) => place.want = Want::Text,
            (Want::Skip, Want::Presence) => place.want = Want::Presence,
            _ => {}
        }
        let Some(api) = api else { return };
        match what {
            What::Sign => place.signs = place.signs.with(api),
            What::Output => place.output = place.output.with(api),
            What::Reasoning => place.reasoning = place.reasoning.with(api),
            What::Finish => place.finish = place.finish.with(api),
            What::Last => place.last = place.last.with(api),
            What::End => place.end = place.end.with(api),
            What::Done => place.done = place.done.with(api),
            What::Like(_) | What::Role(_) => {}
        }
    }
}

/// Keys of one scope differ in their length, or in one of these bytes, or else they share a slot.
// Of a length the lowest bits are enough.
#[allow(clippy::cast_possible_truncation)]
const fn hash(scope: u16, key: &[u8]) -> usize {
    let len = key.len();
    if len == 0 {
        return 0;
    }
    let bytes = key[0] as u32 | (key[len / 2] as u32) << 8 | (key[len - 1] as u32) << 16;
    let mixed = (bytes ^ (len as u32) << 24 ^ (scope as u32).wrapping_mul(0x85EB_CA6B))
        .wrapping_mul(0x9E37_79B1);
    (mixed >> (32 - INDEX_BITS)) as usize
}

/// Whether these are the same bytes. Keys are short: for almost all, two loads of each compare all of it, where a
/// call of `memcmp` would take longer than the rest of a lookup.
#[inline(always)]
fn is_key(key: &[u8], given: &[u8]) -> bool {
    let len = key.len();
    if len != given.len() {
        return false;
    }
    match len {
        0..4 => key.iter().eq(given),
        4..8 => are_ends::<4>(key, given),
        8..16 => are_ends::<8>(key, given),
        16..=32 => are_ends::<16>(key, given),
        _ => key == given,
    }
}

/// Whether they begin and end with the same `N` bytes.
#[inline(always)]
fn are_ends<const N: usize>(key: &[u8], given: &[u8]) -> bool {
    key.first_chunk::<N>() == given.first_chunk() && key.last_chunk::<N>() == given.last_chunk()
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The first name of a path, and what follows its dot.
const fn split(path: &'static [u8]) -> (&'static [u8], Option<&'static [u8]>) {
    let mut at = 0;
    while at < path.len() {
        if path[at] == b'.' {
            let (name, rest) = path.split_at(at);
            return (name, Some(rest.split_at(1).1));
        }
        at += 1;
    }
    (path, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::json::BOUND;

    fn place(path: &str) -> Option<Node> {
        path.split('.').try_fold(Node::ROOT, |node, key| {
            TABLE.member(TABLE.place(node), key.as_bytes())
        })
    }

    #[test]
    fn every_path_leads_where_its_api_says() {
        for spec in SPECS {
            for path in spec.paths.iter().filter(|path| !path.at.starts_with('$')) {
                assert!(place(path.at).is_some(), "{} {}", spec.name, path.at);
            }
        }
        assert!(place("choices.delta.content.nothing").is_none());
        assert!(place("").is_none());
    }

    #[test]
    fn usage_is_spelled_the_same_wherever_it_stands() {
        let counts = ["usage", "message.usage", "response.usage", "choices.usage"]
            .map(|usage| place(&format!("{usage}.output_tokens")));
        assert!(counts[0].is_some());
        assert!(counts.iter().all(|count| *count == counts[0]));
        let role = TABLE.place(counts[0].unwrap()).role;
        assert!(matches!(role, Role::Count(..)));
    }

    /// What is told of an event that is passed over is what was told of another: the members that say what an event
    /// is may not vary, whatever they are called.
    #[test]
    fn what_an_event_is_never_varies() {
        let texts = super::super::failure::PATHS.iter();
        for path in SPECS.iter().flat_map(|spec| spec.paths).chain(texts) {
            let bound = matches!(
                path.what,
                What::Role(
                    Role::Kind
                        | Role::Object
                        | Role::Tag
                        | Role::Tier
                        | Role::Index
                        | Role::CallIndex
                        | Role::CallType
                        | Role::IterationKind
                )
            );
            let name = path.at.rsplit('.').next().unwrap_or_default();
            assert!(!bound || BOUND.contains(&name.as_bytes()), "{}", path.at);
        }
    }

    #[test]
    fn a_key_is_another_where_any_byte_differs() {
        for len in 0..40 {
            let key = &b"completion_tokens_details_of_a_long_name"[..len];
            assert!(is_key(key, key));
            assert!(!is_key(key, b"completion_tokens_details_of_a_long_name!"));
            for at in 0..len {
                let mut other = key.to_vec();
                other[at] ^= 1;
                assert!(!is_key(key, &other), "{len} {at}");
            }
        }
    }

    #[test]
    fn the_table_has_room_for_another_api() {
        assert!(TABLE.len + 24 <= MAX_PLACES, "{} places", TABLE.len);
    }
}
