//! What is wrong with the imports of a crate.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use super::{
    Crate, File,
    source::{self, Path, Said},
};

const TABLE: &str = "xtask/src/layout/floors.rs";

/// Every fault of a crate's layout, each in one line.
pub(super) fn check(of: &Crate, files: &[File]) -> Result<Vec<String>> {
    let modules: BTreeSet<Path> = files.iter().map(|(file, _)| module(file)).collect();
    let said = files
        .iter()
        .map(|(file, text)| {
            let file = format!("{}/{file}", of.sources);
            source::read(text, module(&file[of.sources.len() + 1..]), &modules).context(file)
        })
        .collect::<Result<Vec<_>>>()?;
    let tests: BTreeSet<_> = said.iter().flat_map(|said| &said.tests).collect();
    let for_tests = |module: &Path| tests.iter().any(|test| module.starts_with(test));

    let house = House::new(of, files, &said);
    let mut faults = house.vacant(&modules);
    let mut edges = Edges::new();
    for ((file, _), said) in files.iter().zip(&said) {
        let module = module(file);
        if module.is_empty() || for_tests(&module) {
            continue;
        }
        let file = format!("{}/{file}", of.sources);
        let Some(from) = house.room(&module) else {
            let module = module.join("::");
            faults.push(format!(
                "{file}:1: {module} stands on no floor: name it in {TABLE}"
            ));
            continue;
        };
        for import in &said.imports {
            let at = format!("{file}:{}", import.line);
            match house.meant(&import.path) {
                Meant::Room(to) if to != from => {
                    faults.extend(house.upward(&at, from, to));
                    edges.entry((from, to)).or_insert(at);
                }
                // A module without a floor is reported once, in its own file.
                Meant::Room(_) | Meant::Homeless => {}
                Meant::Root(name) => faults.push(format!(
                    "{at}: {} imports {name}, which the root defines, above all floors: \
                     imports go down, so move it into a module",
                    from.module
                )),
            }
        }
    }
    faults.extend(house.circles(&edges));
    Ok(faults)
}

/// Which module a file holds.
fn module(file: &str) -> Path {
    let name = file.strip_suffix(".rs").unwrap_or(file);
    if ["lib", "main"].contains(&name) {
        return Vec::new();
    }
    let mut path: Path = name.split('/').map(str::to_owned).collect();
    if path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    path
}

/// A module of the table, and how far from the top its floor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Room {
    floor: usize,
    module: &'static str,
}

/// Where the first import of one by the other is.
type Edges = BTreeMap<(Room, Room), String>;

/// What a path leads to.
enum Meant {
    Room(Room),
    Homeless,
    /// Something that the crate's root defines itself.
    Root(String),
}

struct House<'a> {
    of: &'a Crate,
    rooms: BTreeMap<Path, Room>,
    /// The names that the root passes on, and of what.
    names: BTreeMap<&'a str, &'a Path>,
    /// The modules right below the root.
    top: BTreeSet<String>,
}

impl<'a> House<'a> {
    fn new(of: &'a Crate, files: &[File], said: &'a [Said]) -> Self {
        let floors = of.floors.iter().enumerate();
        let rooms = floors.flat_map(|(floor, on)| {
            on.modules.iter().map(move |module| {
                let path = module.split("::").map(str::to_owned).collect();
                (path, Room { floor, module })
            })
        });
        let roots = files.iter().zip(said);
        let roots = roots.filter(|((file, _), _)| module(file).is_empty());
        Self {
            of,
            rooms: rooms.collect(),
            names: roots
                .flat_map(|(_, said)| &said.names)
                .map(|(name, path)| (&**name, path))
                .collect(),
            top: files
                .iter()
                .filter_map(|(file, _)| module(file).into_iter().next())
                .collect(),
        }
    }

    /// Rooms of the table in which nobody lives.
    fn vacant(&self, modules: &BTreeSet<Path>) -> Vec<String> {
        let lived_in = |path: &Path| modules.iter().any(|module| module.starts_with(path));
        let vacant = self.rooms.iter().filter(|(path, _)| !lived_in(path));
        vacant
            .map(|(_, room)| format!("{TABLE}: {} has no module {}", self.of.sources, room.module))
            .collect()
    }

    /// The room of a path: of two, the inner one.
    fn room(&self, path: &[String]) -> Option<Room> {
        let outwards = (1..=path.len()).rev();
        outwards
            .filter_map(|depth| self.rooms.get(&path[..depth]))
            .next()
            .copied()
    }

    fn meant(&self, path: &Path) -> Meant {
        let Some((first, rest)) = path.split_first() else {
            return Meant::Root("everything".to_owned());
        };
        if self.top.contains(first) {
            return self.room(path).map_or(Meant::Homeless, Meant::Room);
        }
        match self.names.get(&**first) {
            Some(passed_on) if *passed_on != path => self.meant(&[passed_on, rest].concat()),
            _ => Meant::Root(first.clone()),
        }
    }

    fn upward(&self, at: &str, from: Room, to: Room) -> Option<String> {
        (to.floor < from.floor).then(|| {
            let name = |room: Room| self.of.floors[room.floor].name;
            format!(
                "{at}: {} ({}) imports {} ({}), which stands above it: imports go down",
                from.module,
                name(from),
                to.module,
                name(to)
            )
        })
    }

    /// Those who import each other, on one floor: one circle through each import that closes one.
    fn circles(&self, edges: &Edges) -> Vec<String> {
        let mut told = BTreeSet::new();
        let mut faults = Vec::new();
        for ((from, to), at) in edges {
            if from.floor != to.floor {
                continue;
            }
            let Some(mut circle) = way(edges, *to, *from) else {
                continue;
            };
            let names = |rooms: &[Room]| {
                let names: Vec<_> = rooms.iter().map(|room| room.module).collect();
                names.join(" → ")
            };
            let shown = format!("{} → {}", from.module, names(&circle));
            circle.sort_unstable();
            if told.insert(circle) {
                faults.push(format!(
                    "{at}: {} imports {}, and so a circle closes on the floor {}: {shown}",
                    from.module, to.module, self.of.floors[from.floor].name
                ));
            }
        }
        faults
    }
}

/// The shortest way from one to the other by imports on their floor, both included.
fn way(edges: &Edges, from: Room, to: Room) -> Option<Vec<Room>> {
    let mut ways = vec![vec![from]];
    let mut seen = BTreeSet::from([from]);
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = *way.last()?;
            if last == to {
                return Some(way);
            }
            for (_, next) in edges.keys().filter(|(of, _)| *of == last) {
                if next.floor == to.floor && seen.insert(*next) {
                    longer.push([&way[..], &[*next]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}
