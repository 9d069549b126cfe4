//! Trees as values, made on a disk and looked at again by a walk and hashes of the test's own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use filetime::FileTime;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use walkdir::WalkDir;

use crate::names;

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;
/// Limits of age that passes have, in days; the trees hold files an hour to either side of each.
pub const AGES: [i64; 3] = [1, 2, 7];
/// Limits of size that passes have; the trees hold files at each and a byte to either side.
pub const SIZES: [u64; 4] = [1, 3, 100, 4096];

/// A file that no pass may touch, beside the trees.
pub const OUTSIDE: &str = "outside";

/// Entries by their path below the root. What an entry lies in is a directory of the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<String, Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Directory,
    File(File),
    /// A link to this text.
    Link(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    pub size: u64,
    /// What it is filled with.
    pub fill: u8,
    /// Before the case began.
    pub age: Age,
}

/// In units of 100 nanoseconds, the finest that every system keeps; below zero it is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age(i64);

impl Age {
    const SECOND: i64 = 10_000_000;

    pub fn of_seconds(seconds: i64) -> Self {
        Self(seconds * Self::SECOND)
    }

    pub fn older_by(self, seconds: i64) -> Self {
        Self(self.0 + seconds * Self::SECOND)
    }

    fn before(self, now: SystemTime) -> SystemTime {
        let apart = Duration::from_nanos(self.0.unsigned_abs() * 100);
        if self.0 < 0 { now + apart } else { now - apart }
    }
}

impl Tree {
    /// A source: up to 25 files in up to eight directories, some of them empty, and a link now and then.
    pub fn source(chance: &mut StdRng) -> Self {
        let mut tree = Self::default();
        let directories = draw_directories(&mut tree, chance, 8);
        for _ in 0..chance.random_range(0..=25) {
            let file = File { size: size(chance), fill: chance.random(), age: age(chance) };
            let path = below(directories.choose(chance).unwrap(), names::file(chance));
            tree.add(path, Entry::File(file));
        }
        // A link needs a right that not everybody has on Windows.
        if cfg!(unix) && chance.random_bool(0.2) {
            let path = below(directories.choose(chance).unwrap(), names::file(chance));
            let to = ["Mail.DAT", ".", "nowhere"].choose(chance).unwrap();
            tree.add(path, Entry::Link((*to).to_owned()));
        }
        tree
    }

    /// A target: earlier copies, whole or not, of some of the source, and what only it has.
    pub fn target(source: &Self, chance: &mut StdRng) -> Self {
        let mut tree = Self::default();
        if chance.random_bool(0.2) {
            return tree;
        }
        for (path, entry) in &source.0 {
            match entry {
                Entry::Directory if chance.random_bool(0.6) => tree.add_with_parents(path, Entry::Directory),
                Entry::File(file) if chance.random_bool(0.6) => {
                    tree.add_with_parents(path, Entry::File(earlier(*file, chance)));
                }
                Entry::Link(_) if chance.random_bool(0.3) => {
                    let file = File { size: size(chance), fill: chance.random(), age: age(chance) };
                    tree.add_with_parents(path, Entry::File(file));
                }
                _ => {}
            }
        }
        let mut extras = Self::default();
        let mut directories = draw_directories(&mut extras, chance, 4);
        directories.extend(source.directories());
        for _ in 0..chance.random_range(0..=6) {
            let file = File { size: size(chance), fill: chance.random(), age: age(chance) };
            let path = below(directories.choose(chance).unwrap(), names::file(chance));
            extras.add_with_parents(&path, Entry::File(file));
        }
        if cfg!(unix) && chance.random_bool(0.15) {
            // In the place of a file, or of its own; the entry that was drawn there gives way.
            let files: Vec<&str> = source.files().map(|(path, _)| path).collect();
            let path = match files.choose(chance) {
                Some(path) if chance.random_bool(0.5) => (*path).to_owned(),
                _ => below(directories.choose(chance).unwrap(), names::file(chance)),
            };
            let is_directory = |tree: &Self| tree.0.get(&path) == Some(&Entry::Directory);
            if !is_directory(&tree) && !is_directory(source) && tree.has_room_above(&path) {
                tree.0.remove(&path);
                tree.add_with_parents(&path, Entry::Link(OUTSIDE.to_owned()));
            }
        }
        for (path, entry) in extras.0 {
            if !source.clashes_with(&path, &entry) && !tree.clashes_with(&path, &entry) {
                tree.add_with_parents(&path, entry);
            }
        }
        tree
    }

    pub fn files(&self) -> impl Iterator<Item = (&str, File)> {
        self.0.iter().filter_map(|(path, entry)| match entry {
            Entry::File(file) => Some((path.as_str(), *file)),
            _ => None,
        })
    }

    pub fn directories(&self) -> impl Iterator<Item = String> {
        let is_directory =
            |(path, entry): (&String, &Entry)| (*entry == Entry::Directory).then(|| path.clone());
        self.0.iter().filter_map(is_directory)
    }

    pub fn links(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, entry)| matches!(entry, Entry::Link(_))).map(|(path, _)| path.as_str())
    }

    pub fn empty_directories(&self) -> impl Iterator<Item = String> {
        self.directories().filter(|path| !self.0.keys().any(|other| other.starts_with(&format!("{path}/"))))
    }

    /// Takes an entry away, with all below it.
    pub fn without(&self, path: &str) -> Self {
        let below = format!("{path}/");
        let stays = |other: &String| other != path && !other.starts_with(&below);
        Self(
            self.0
                .iter()
                .filter(|(other, _)| stays(other))
                .map(|(path, entry)| (path.clone(), entry.clone()))
                .collect(),
        )
    }

    /// Makes the tree in a folder of the test's, which has a file outside of all trees for links to lead to.
    pub fn make(&self, root: &Path, folder: &Path, now: SystemTime) {
        fs::create_dir_all(root).unwrap();
        for (path, entry) in &self.0 {
            let path = root.join(path);
            match entry {
                Entry::Directory => fs::create_dir(&path).unwrap(),
                Entry::File(file) => {
                    fs::write(&path, vec![file.fill; usize::try_from(file.size).unwrap()]).unwrap();
                    let modified = FileTime::from_system_time(file.age.before(now));
                    filetime::set_file_mtime(&path, modified).unwrap();
                }
                Entry::Link(to) if to == OUTSIDE => link(folder.join(OUTSIDE).to_str().unwrap(), &path),
                Entry::Link(to) => link(to, &path),
            }
        }
        // Last, since what is made in a directory sets its time. No two have the same.
        for (number, path) in self.directories().enumerate() {
            let modified = Age::of_seconds(30 * DAY + i64::try_from(number).unwrap()).before(now);
            filetime::set_file_mtime(root.join(path), FileTime::from_system_time(modified)).unwrap();
        }
    }

    fn add(&mut self, path: String, entry: Entry) {
        if !self.clashes_with(&path, &entry) {
            self.0.entry(path).or_insert(entry);
        }
    }

    fn add_with_parents(&mut self, path: &str, entry: Entry) {
        for (end, _) in path.match_indices('/') {
            self.0.entry(path[..end].to_owned()).or_insert(Entry::Directory);
        }
        self.0.entry(path.to_owned()).or_insert(entry);
    }

    /// Whether an entry cannot be added, or not in the same pair: something else has its place, or is what it would lie in, or
    /// (where a name is the same in any case) has its name.
    fn clashes_with(&self, path: &str, entry: &Entry) -> bool {
        let is_other = |other: &Entry| std::mem::discriminant(other) != std::mem::discriminant(entry);
        if self.0.get(path).is_some_and(is_other) {
            return true;
        }
        !self.has_room_above(path) || (cfg!(windows) && self.has_in_another_case(path))
    }

    /// Whether nothing but directories lies above a path.
    fn has_room_above(&self, path: &str) -> bool {
        let mut above = path.match_indices('/').map(|(end, _)| &path[..end]);
        above.all(|parent| self.0.get(parent).is_none_or(|entry| *entry == Entry::Directory))
    }

    fn has_in_another_case(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        ends.map(|end| &path[..end]).any(|part| {
            self.0.keys().any(|other| other != part && other.to_uppercase() == part.to_uppercase())
        })
    }
}

/// One entry a line, as people read it.
impl fmt::Display for Tree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, entry) in &self.0 {
            match entry {
                Entry::Directory => writeln!(formatter, "    {path}/")?,
                Entry::File(File { size, fill, age }) => {
                    let seconds = age.0 as f64 / Age::SECOND as f64;
                    writeln!(formatter, "    {path}: {size} × {fill:#04x}, {seconds} s old")?;
                }
                Entry::Link(to) => writeln!(formatter, "    {path} -> {to}")?,
            }
        }
        Ok(())
    }
}

/// The root among them, as nothing.
fn draw_directories(tree: &mut Tree, chance: &mut StdRng, most: usize) -> Vec<String> {
    let mut directories = vec![String::new()];
    for _ in 0..chance.random_range(0..=most) {
        let path = below(directories.choose(chance).unwrap(), names::directory(chance));
        if !tree.clashes_with(&path, &Entry::Directory) {
            tree.0.insert(path.clone(), Entry::Directory);
            directories.push(path);
        }
    }
    directories
}

fn below(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

fn size(chance: &mut StdRng) -> u64 {
    let limit = *SIZES.choose(chance).unwrap();
    [0, 5, limit - 1, limit, limit, limit + 1].choose(chance).copied().unwrap()
}

/// An hour from a limit: no pass takes that long.
fn age(chance: &mut StdRng) -> Age {
    let limit = *AGES.choose(chance).unwrap() * DAY;
    let seconds = [limit - HOUR, limit - HOUR, limit + HOUR, limit + HOUR, HOUR, 30 * DAY, -DAY];
    let whole = Age::of_seconds(*seconds.choose(chance).unwrap());
    // At the second, or between two.
    if chance.random_bool(0.5) { whole } else { Age(whole.0 + chance.random_range(0..Age::SECOND)) }
}

/// What the target may have of a file.
fn earlier(file: File, chance: &mut StdRng) -> File {
    let other = file.fill.wrapping_add(1);
    match chance.random_range(0..7) {
        0 | 1 => file,
        // The same to every engine, that looks at size and time.
        2 => File { fill: other, ..file },
        3 => File {
            fill: other,
            age: file.age.older_by(*[1, 2, 3, -1, -2, -3].choose(chance).unwrap()),
            ..file
        },
        4 => File {
            fill: other,
            age: file.age.older_by(*[DAY, -DAY, 40 * DAY].choose(chance).unwrap()),
            ..file
        },
        5 => File { size: file.size + 1, ..file },
        _ => File { size: size(chance), fill: other, age: age(chance) },
    }
}

#[cfg(unix)]
fn link(to: &str, link: &Path) {
    std::os::unix::fs::symlink(to, link).unwrap();
}

#[cfg(not(unix))]
fn link(to: &str, link: &Path) {
    panic!("no tree has the link {} -> {to} here", link.display());
}

/// What a tree on a disk holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen(BTreeMap<String, Thing>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Thing {
    Directory(SystemTime),
    /// Size, hash, time.
    File(u64, blake3::Hash, SystemTime),
    Link(String),
}

/// Whether directories have to have the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryTimes {
    Compared,
    LeftOut,
}

impl Seen {
    pub fn at(root: &Path) -> Self {
        let entries = WalkDir::new(root).min_depth(1).into_iter().map(|entry| {
            let entry = entry.unwrap();
            let name = entry.path().strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            let is = entry.path().symlink_metadata().unwrap();
            let thing = if is.is_symlink() {
                Thing::Link(fs::read_link(entry.path()).unwrap().display().to_string())
            } else if is.is_dir() {
                Thing::Directory(is.modified().unwrap())
            } else {
                let content = fs::read(entry.path()).unwrap();
                Thing::File(is.len(), blake3::hash(&content), is.modified().unwrap())
            };
            (name, thing)
        });
        Self(entries.collect())
    }

    /// What one tree holds and the other does not, by name; times of directories for those named alone.
    pub fn differences(&self, other: &Self, times: DirectoryTimes, timed: &BTreeSet<String>) -> Vec<String> {
        let all: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let is_same = |path: &String| match (self.0.get(path), other.0.get(path)) {
            (Some(Thing::Directory(one)), Some(Thing::Directory(other))) => {
                times == DirectoryTimes::LeftOut || !timed.contains(path) || one == other
            }
            (one, other) => one == other,
        };
        all.into_iter()
            .filter(|path| !is_same(path))
            .map(|path| format!("{path}: {} / {}", told(self.0.get(path)), told(other.0.get(path))))
            .collect()
    }
}

fn told(thing: Option<&Thing>) -> String {
    let time = |time: &SystemTime| jiff::Timestamp::try_from(*time).unwrap().to_string();
    match thing {
        None => "nothing".to_owned(),
        Some(Thing::Directory(modified)) => format!("a directory of {}", time(modified)),
        Some(Thing::File(size, hash, modified)) => {
            format!("{size} bytes ({}) of {}", &hash.to_hex()[..6], time(modified))
        }
        Some(Thing::Link(to)) => format!("a link to {to}"),
    }
}

#[test]
fn every_difference_of_two_trees_is_told() {
    let (folder, now) = (tempfile::tempdir().unwrap(), SystemTime::now());
    let file = File { size: 3, fill: 1, age: Age::of_seconds(DAY) };
    let seen = |name: &str, entries: &[(&str, Entry)]| {
        let root = folder.path().join(name);
        let entries = entries.iter().map(|(path, entry)| ((*path).to_owned(), entry.clone()));
        Tree([("d".to_owned(), Entry::Directory)].into_iter().chain(entries).collect()).make(
            &root,
            folder.path(),
            now,
        );
        Seen::at(&root)
    };
    let timed = BTreeSet::from(["d".to_owned()]);
    let whole = seen("whole", &[("d/a", Entry::File(file))]);
    for (number, (path, other)) in [
        ("d/A", file),
        ("d/a", File { size: 4, ..file }),
        ("d/a", File { fill: 2, ..file }),
        ("d/a", File { age: Age(file.age.0 + 1), ..file }),
    ]
    .into_iter()
    .enumerate()
    {
        let other = seen(&number.to_string(), &[(path, Entry::File(other))]);
        assert!(!whole.differences(&other, DirectoryTimes::Compared, &timed).is_empty(), "{path}: {other:?}");
    }
    let same = seen("same", &[("d/a", Entry::File(file))]);
    assert_eq!(whole.differences(&same, DirectoryTimes::Compared, &timed), [""; 0]);
    let root = folder.path().join("same");
    filetime::set_file_mtime(root.join("d"), FileTime::from_unix_time(0, 0)).unwrap();
    let later = Seen::at(&root);
    assert_eq!(whole.differences(&later, DirectoryTimes::Compared, &timed).len(), 1);
    assert_eq!(whole.differences(&later, DirectoryTimes::LeftOut, &timed), [""; 0]);
}
