//! Two listings compared by movebook's own rules: what a pass would copy, keep out and find extra.
//!
//! Pure. Invariant: every file of the source is in exactly one list of a [`Comparison`] (or in `same`), and nothing is extra
//! of which it is not known that the source lacks it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::listing::{Entry, Kind, Listing};
use super::log::Skipped;
use crate::copy::quarantine::is_quarantine;
use crate::copy::{Directories, EntryKind, ErrorClass, ExtraEntry, FileError, Links, Rule, names};
use crate::filter::{Candidate, Filter, fold_letter};

/// What the times of the target's files tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// They are those of the source, within this.
    Within(Duration),
    /// The storage keeps none: only sizes are compared.
    NotKept,
}

/// Whether the target tells upper and lower case apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    Apart,
    Folded,
}

/// What a comparison goes by.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    pub filter: &'a Filter,
    pub started: Timestamp,
    pub directories: Directories,
    pub links: Links,
    pub times: Times,
    pub letters: Letters,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    New,
    Changed,
}

/// In what two files differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    Size { source: u64, target: u64 },
    Time,
}

/// A file that is to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToCopy {
    pub path: String,
    pub bytes: u64,
    pub deed: Deed,
    /// `None` of one that is new.
    pub apart: Option<Apart>,
}

/// A file, or a folder with all in it, that the filter keeps out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptOut {
    pub path: String,
    pub bytes: u64,
    pub rule: Rule,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub copy: Vec<ToCopy>,
    /// With the bytes of each.
    pub same: Vec<(String, u64)>,
    pub kept_out: Vec<KeptOut>,
    pub links: Vec<String>,
    pub special: Vec<String>,
    /// With the bytes of each.
    pub failed: Vec<(FileError, u64)>,
    /// Folders of the source that take part.
    pub directories: u64,
    /// Of those the ones that the target lacks and that no copied file brings.
    pub missing_folders: Vec<String>,
    /// In an order in which they can be taken away.
    pub extras: Vec<ExtraEntry>,
    pub extra_filtered: Vec<(ExtraEntry, Rule)>,
    pub extra_unread: Vec<FileError>,
    /// Regular files of the target, but for those below folders that the pass does not enter.
    pub target_files: u64,
    /// Regular files that the filter let in in the source.
    pub source_files: u64,
}

/// What a pass makes of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entered {
    Yes,
    /// By its own name.
    No(Rule),
    /// It lies in one that is not entered.
    Below(Rule),
}

struct Comparer<'a> {
    terms: Terms<'a>,
    folders: HashMap<String, Entered>,
}

/// Compares what both sides hold; `None` for a target that is not there.
pub fn compare(source: &Listing, target: Option<&Listing>, terms: Terms<'_>) -> Comparison {
    let mut comparer = Comparer { terms, folders: HashMap::new() };
    let nothing = Listing::default();
    let target = target.unwrap_or(&nothing);
    let mut comparison = comparer.files(source, target);
    comparer.extras(source, target, &mut comparison);
    comparison
}

impl Comparer<'_> {
    fn files(&mut self, source: &Listing, target: &Listing) -> Comparison {
        let mut comparison = Comparison::default();
        let there: HashMap<String, &Entry> =
            target.entries.iter().map(|entry| (self.key(&entry.path), entry)).collect();
        let links: HashSet<String> = target.skipped.iter().map(|(path, _)| self.key(path)).collect();
        let mut taken: HashMap<String, &str> = HashMap::new();
        let mut brought: HashSet<&str> = HashSet::new();
        let mut folders = Vec::new();
        for entry in &source.entries {
            if !self.takes_part(&entry.path, &mut comparison, entry) {
                continue;
            }
            let bytes = entry.size.unwrap_or(0);
            if entry.kind == Kind::Folder {
                comparison.directories += 1;
                folders.push(entry.path.as_str());
                continue;
            }
            if let Err(rule) = self.terms.filter.judge(&candidate(entry), self.terms.started) {
                comparison.kept_out.push(KeptOut { path: entry.path.clone(), bytes, rule });
                continue;
            }
            comparison.source_files += 1;
            let key = self.key(&entry.path);
            if let Some(other) = taken.insert(key.clone(), &entry.path) {
                let why = format!(
                    "differs only in case from {}, and the target takes both for one: rename one of them in the source",
                    names::shown(Path::new(other))
                );
                comparison.failed.push((failed(&entry.path, ErrorClass::Permanent, why), bytes));
                continue;
            }
            if let Some(link) = self.link_at_or_above(&entry.path, &links) {
                let link = names::shown(Path::new(link));
                let why = format!(
                    "the target has a link in its way ({link}), which would be written through: move that away"
                );
                comparison.failed.push((failed(&entry.path, ErrorClass::Permanent, why), bytes));
                continue;
            }
            let deed = match there.get(&key) {
                None => (Deed::New, None),
                Some(found) if found.kind == Kind::Folder => {
                    let why = "the target has a directory in its place: move that out of the way".to_owned();
                    comparison.failed.push((failed(&entry.path, ErrorClass::Permanent, why), bytes));
                    continue;
                }
                Some(found) => match self.apart(entry, found) {
                    None => {
                        comparison.same.push((entry.path.clone(), bytes));
                        continue;
                    }
                    Some(apart) => (Deed::Changed, Some(apart)),
                },
            };
            let (deed, apart) = deed;
            comparison.target_files += u64::from(deed == Deed::New);
            brought.extend(above(&entry.path));
            comparison.copy.push(ToCopy { path: entry.path.clone(), bytes, deed, apart });
        }
        for (path, what) in &source.skipped {
            self.skipped(path, *what, &mut comparison);
        }
        for unread in &source.unread {
            if self.folder(&unread.path) == Entered::Yes {
                let error = failed(&format!("{}/", unread.path), unread.class, unread.error.clone());
                comparison.failed.push((error, 0));
            }
        }
        if self.terms.directories == Directories::All {
            let missing = folders.into_iter().filter(|path| {
                !brought.contains(path)
                    && self.link_at_or_above(path, &links).is_none()
                    && there.get(&self.key(path)).is_none_or(|found| found.kind != Kind::Folder)
            });
            comparison.missing_folders = missing.map(str::to_owned).collect();
        }
        comparison
    }

    /// Whether an entry of the source is looked at; a folder that is not entered is noted, once.
    fn takes_part(&mut self, path: &str, comparison: &mut Comparison, entry: &Entry) -> bool {
        if self.terms.directories == Directories::None && (path.contains('/') || entry.kind == Kind::Folder) {
            return false;
        }
        let folder = if entry.kind == Kind::Folder { path } else { parent(path) };
        match self.folder(folder) {
            Entered::Yes => true,
            Entered::No(rule) if entry.kind == Kind::Folder => {
                comparison.kept_out.push(KeptOut { path: format!("{path}/"), bytes: 0, rule });
                false
            }
            Entered::No(_) | Entered::Below(_) => false,
        }
    }

    fn skipped(&mut self, path: &str, what: Skipped, comparison: &mut Comparison) {
        let is_below = self.terms.directories == Directories::None && path.contains('/');
        if is_below || self.folder(parent(path)) != Entered::Yes {
            return;
        }
        if what == Skipped::Special {
            comparison.special.push(path.to_owned());
        } else if let Err(rule) = self.terms.filter.judge_name(Path::new(path)) {
            comparison.kept_out.push(KeptOut { path: path.to_owned(), bytes: 0, rule });
        } else if self.terms.links == Links::Skip {
            comparison.links.push(path.to_owned());
        } else {
            let why = "it is a link, and the pass is told to fail on links".to_owned();
            comparison.failed.push((failed(path, ErrorClass::Permanent, why), 0));
        }
    }

    fn extras(&mut self, source: &Listing, target: &Listing, comparison: &mut Comparison) {
        let mut known: HashSet<String> = HashSet::new();
        for path in
            source.entries.iter().map(|entry| &entry.path).chain(source.skipped.iter().map(|(path, _)| path))
        {
            known.extend(above(path).map(|folder| self.key(folder)));
            known.insert(self.key(path));
        }
        let letters = self.terms.letters;
        let known_loosely: HashSet<String> = known.iter().map(|key| letters.loose_key(key)).collect();
        let unread: HashSet<String> = source.unread.iter().map(|failed| self.key(&failed.path)).collect();
        let links = target.skipped.iter().map(|(path, what)| {
            let kind = match what {
                Skipped::Link => EntryKind::Link,
                Skipped::Special => EntryKind::Special,
            };
            (path.as_str(), kind, None)
        });
        let entries = target.entries.iter().map(|entry| match entry.kind {
            Kind::File => (entry.path.as_str(), EntryKind::File, Some(entry)),
            Kind::Folder => (entry.path.as_str(), EntryKind::Directory, Some(entry)),
        });
        // Folders that keep something, and so stay themselves.
        let mut staying: HashSet<String> = HashSet::new();
        let mut folders = Vec::new();
        for (path, kind, entry) in entries.chain(links) {
            let top = path.split('/').next().unwrap_or_default();
            let is_deeper = self.terms.directories == Directories::None
                && (path.contains('/') || kind == EntryKind::Directory);
            if is_deeper || is_quarantine(top.as_ref()) {
                continue;
            }
            let around = self.folder(parent(path));
            // Below a folder that both have and that is not entered, nothing is looked at.
            if around != Entered::Yes && self.is_shared_and_closed(path, &known) {
                continue;
            }
            comparison.target_files += u64::from(kind == EntryKind::File);
            let unknown = above(path).any(|folder| unread.contains(&self.key(folder)));
            if unknown || known_loosely.contains(&letters.loose_key(path)) {
                staying.extend(above(path).map(str::to_owned));
                continue;
            }
            let bytes = entry.and_then(|entry| entry.size).unwrap_or(0);
            let extra = ExtraEntry { path: system_path(path), kind, bytes };
            let judged = match (around, kind) {
                (Entered::No(rule) | Entered::Below(rule), _) => Err(rule),
                (Entered::Yes, EntryKind::Directory) => match self.folder(path) {
                    Entered::Yes => Ok(()),
                    Entered::No(rule) | Entered::Below(rule) => Err(rule),
                },
                (Entered::Yes, EntryKind::File) => match entry {
                    Some(entry) => self.terms.filter.judge(&candidate(entry), self.terms.started),
                    None => self.terms.filter.judge_name(Path::new(path)),
                },
                (Entered::Yes, _) => self.terms.filter.judge_name(Path::new(path)),
            };
            match (judged, kind) {
                (Ok(()), EntryKind::Directory) => folders.push((path, extra)),
                (Ok(()), _) => comparison.extras.push(extra),
                (Err(rule), kind) => {
                    staying.extend(above(path).map(str::to_owned));
                    // A folder is no file of any sum.
                    if kind != EntryKind::Directory {
                        comparison.extra_filtered.push((extra, rule));
                    }
                }
            }
        }
        for failed in &target.unread {
            staying.insert(failed.path.clone());
            staying.extend(above(&failed.path).map(str::to_owned));
            if self.folder(&failed.path) == Entered::Yes {
                let path = format!("{}/", failed.path);
                comparison.extra_unread.push(self::failed(&path, failed.class, failed.error.clone()));
            }
        }
        let going = folders.into_iter().filter(|(path, _)| !staying.contains(*path)).map(|(_, extra)| extra);
        comparison.extras.extend(going);
        comparison.extras.sort_by(in_purge_order);
    }

    /// Whether the outermost folder above a path that is not entered is one of the source, too.
    fn is_shared_and_closed(&mut self, path: &str, known: &HashSet<String>) -> bool {
        above(path)
            .find(|folder| matches!(self.folder(folder), Entered::No(_)))
            .is_some_and(|folder| known.contains(&self.key(folder)))
    }

    /// Whether a pass enters a folder of either side.
    fn folder(&mut self, path: &str) -> Entered {
        if path.is_empty() {
            return Entered::Yes;
        }
        if let Some(entered) = self.folders.get(path) {
            return *entered;
        }
        // From the outermost on: no depth is too deep for the stack.
        let mut entered = Entered::Yes;
        for folder in above(path).chain([path]) {
            entered = match (self.folders.get(folder), entered) {
                (Some(known), _) => *known,
                (None, Entered::No(rule) | Entered::Below(rule)) => Entered::Below(rule),
                (None, Entered::Yes) => match self.terms.filter.judge_directory(Path::new(folder)) {
                    Ok(()) => Entered::Yes,
                    Err(rule) => Entered::No(rule),
                },
            };
            self.folders.entry(folder.to_owned()).or_insert(entered);
        }
        entered
    }

    fn apart(&self, source: &Entry, target: &Entry) -> Option<Apart> {
        // What is not known tells nothing.
        match (source.size, target.size) {
            (Some(source), Some(target)) if source != target => return Some(Apart::Size { source, target }),
            _ => {}
        }
        match (self.terms.times, source.modified, target.modified) {
            (Times::Within(tolerance), Some(one), Some(other)) => {
                let apart = one.duration_since(other).unwrap_or_else(|error| error.duration());
                (apart > tolerance).then_some(Apart::Time)
            }
            _ => None,
        }
    }

    /// A link, or what is no file and no folder, that the target has in a file's place or above it.
    fn link_at_or_above<'p>(&self, path: &'p str, links: &HashSet<String>) -> Option<&'p str> {
        if links.is_empty() {
            return None;
        }
        above(path).chain([path]).find(|place| links.contains(&self.key(place)))
    }

    /// The name under which the target knows a path.
    fn key(&self, path: &str) -> String {
        self.terms.letters.key(path)
    }
}

impl Letters {
    /// The name under which a storage knows a path. Letter by letter: a word's last Σ has another small form than one within.
    pub fn key(self, path: &str) -> String {
        match self {
            Self::Apart => path.to_owned(),
            Self::Folded => path.chars().map(fold_letter).collect(),
        }
    }

    /// As [`Letters::key`], with all that any storage takes for one (ß and SS): what has the same one may be the same file.
    pub fn loose_key(self, path: &str) -> String {
        match self {
            Self::Apart => path.to_owned(),
            Self::Folded => self.key(&path.to_uppercase()),
        }
    }
}

fn candidate(entry: &Entry) -> Candidate<'_> {
    Candidate {
        path: Path::new(&entry.path),
        size: entry.size.unwrap_or(0),
        // One without a time is as old as can be: it is settled.
        modified: entry.modified.unwrap_or(SystemTime::UNIX_EPOCH),
    }
}

fn failed(path: &str, class: ErrorClass, error: String) -> FileError {
    let ending = if path.ends_with('/') { "/" } else { "" };
    FileError { path: format!("{}{ending}", names::shown(Path::new(path))), class, attempts: 1, error }
}

/// The folder that holds a path; empty for the root.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(above, _)| above)
}

/// The folders above a path, from the outermost on, without the root.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// In the system's own form.
fn system_path(path: &str) -> PathBuf {
    path.split('/').collect()
}

/// By path, but a directory after all that it holds.
fn in_purge_order(one: &ExtraEntry, other: &ExtraEntry) -> std::cmp::Ordering {
    let (mut ones, mut others) = (one.path.components(), other.path.components());
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return std::cmp::Ordering::Equal,
            (None, Some(_)) => return std::cmp::Ordering::Greater,
            (Some(_), None) => return std::cmp::Ordering::Less,
            (Some(one), Some(other)) if one != other => return one.cmp(&other),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
