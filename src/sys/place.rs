//! Where a path is, whether or not it exists yet, by what the file system says and not by how it is spelled.
//!
//! `C:\Data`, `c:\data`, `\\server\c$\Data`, a mapped drive, a link and a bind mount may all be the same directory: names
//! cannot tell, the file's identity can.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::tree::is_absence;

#[cfg(not(windows))]
mod unix;
#[cfg(not(windows))]
use unix as system;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

/// What a file or directory is, under whichever name: volume and number. Holds only while it is not deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    pub volume: u64,
    pub number: u64,
}

impl Identity {
    /// Of what the path leads to; the last link is followed.
    pub fn of(path: &Path) -> io::Result<Self> {
        system::identity(path)
    }
}

/// What a folder is, in a word that is the same after the machine was started anew or the volume was mounted again: device
/// numbers may change with both. A volume is named by what its file system (or its server) calls it where that is known,
/// else by its device. An exact copy of a volume may have the word of its original.
pub fn lasting_identity(path: &Path) -> io::Result<String> {
    let identity = Identity::of(path)?;
    Ok(match system::lasting_volume(path, identity.volume) {
        Some(volume) => format!("{volume}:{:x}", identity.number),
        None => identity.to_string(),
    })
}

/// As the journal keeps it.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}:{:x}", self.volume, self.number)
    }
}

/// How one place lies to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Apart,
    Same,
    /// The first is inside the second.
    Inside,
    /// The second is inside the first.
    Around,
}

/// A path's nearest existing ancestor, the identities of that and of everything above it, and what does not exist yet.
#[derive(Clone, Debug)]
pub struct Place {
    nearest: PathBuf,
    /// Of `nearest` first, then of its parent, up to the root. Never empty.
    identities: Vec<Identity>,
    /// The components below `nearest`, in order.
    missing: Vec<OsString>,
}

impl Place {
    /// Fails where the path is not absolute, or what exists of it cannot be looked at.
    pub fn of(path: &Path) -> io::Result<Self> {
        if !path.is_absolute() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "the path is not absolute"));
        }
        let mut missing = Vec::new();
        let mut ancestor = path;
        let nearest = loop {
            match dunce::canonicalize(ancestor) {
                Ok(found) => break found,
                // To name what a link to nowhere stands for would be a guess.
                Err(error) if ancestor.is_symlink() => return Err(error),
                Err(error) if is_absence(&error) || error.kind() == ErrorKind::NotADirectory => {
                    match (ancestor.parent(), ancestor.file_name()) {
                        (Some(parent), Some(name)) => {
                            missing.push(name.to_owned());
                            ancestor = parent;
                        }
                        // `..` below what does not exist leads nowhere that could be judged; a root that is not there neither.
                        _ => return Err(error),
                    }
                }
                Err(error) => return Err(error),
            }
        };
        missing.reverse();
        let identities = nearest.ancestors().map(Identity::of).collect::<io::Result<_>>()?;
        Ok(Self { nearest, identities, missing })
    }

    /// What exists of the path, links resolved.
    pub fn nearest(&self) -> &Path {
        &self.nearest
    }

    /// The components below [`Place::nearest`] that do not exist yet, in order.
    pub fn missing(&self) -> &[OsString] {
        &self.missing
    }

    pub fn exists(&self) -> bool {
        self.missing.is_empty()
    }

    /// Of the path itself first, where it exists; then of everything above it.
    pub fn identities(&self) -> &[Identity] {
        &self.identities
    }

    pub fn relation_to(&self, other: &Self) -> Relation {
        match (self.is_within(other), other.is_within(self)) {
            (true, true) => Relation::Same,
            (true, false) => Relation::Inside,
            (false, true) => Relation::Around,
            (false, false) => Relation::Apart,
        }
    }

    /// Whether this is `other` or inside it.
    fn is_within(&self, other: &Self) -> bool {
        if other.exists() {
            return self.identities.contains(&other.identities[0]);
        }
        // What does not exist can only hold what does not exist either, below the same directory.
        self.identities[0] == other.identities[0]
            && self.missing.len() >= other.missing.len()
            && self.missing.iter().zip(&other.missing).all(|(one, another)| same_name(one, another))
    }
}

/// As the file system will most likely see it.
fn same_name(one: &OsStr, another: &OsStr) -> bool {
    match system::NAMES {
        Names::Exact => one == another,
        Names::IgnoreCase => one.to_string_lossy().to_lowercase() == another.to_string_lossy().to_lowercase(),
    }
}

/// Whether names that differ in case only are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "each system uses one of them")]
enum Names {
    Exact,
    IgnoreCase,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(one: &Path, other: &Path) -> Relation {
        Place::of(one).unwrap().relation_to(&Place::of(other).unwrap())
    }

    #[test]
    fn a_directory_keeps_its_identity_under_a_new_name() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (directory.path().join("old"), directory.path().join("new"));
        std::fs::create_dir(&old).unwrap();
        let before = Identity::of(&old).unwrap();
        std::fs::rename(&old, &new).unwrap();
        assert_eq!(Identity::of(&new).unwrap(), before);
        assert_ne!(Identity::of(directory.path()).unwrap(), before);
    }

    #[test]
    fn places_are_the_same_inside_around_or_apart_whether_or_not_they_exist() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::create_dir_all(at("a/b")).unwrap();
        assert_eq!(relation(&at("a"), &at("a/b/..")), Relation::Same);
        assert_eq!(relation(&at("a/b"), &at("a")), Relation::Inside);
        assert_eq!(relation(&at("a"), &at("a/b/new")), Relation::Around);
        assert_eq!(relation(&at("new/x"), &at("new")), Relation::Inside);
        assert_eq!(relation(&at("new"), &at("new")), Relation::Same);
        assert_eq!(relation(&at("new/x"), &at("new/xy")), Relation::Apart);
        assert_eq!(relation(&at("new"), &at("a/b")), Relation::Apart);
    }

    #[test]
    fn what_is_missing_of_a_path_is_told_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::of(&directory.path().join("x/y/z")).unwrap();
        assert_eq!(place.missing(), ["x", "y", "z"]);
        assert_eq!(place.identities()[0], Identity::of(directory.path()).unwrap());
        assert!(!place.exists());
    }

    // Windows goes back by the letters of a path, whatever exists.
    #[cfg(unix)]
    #[test]
    fn a_path_that_leads_back_through_what_is_missing_has_no_place() {
        let directory = tempfile::tempdir().unwrap();
        assert!(Place::of(&directory.path().join("gone/../x")).is_err());
    }

    #[test]
    fn a_relative_path_has_no_place() {
        assert!(Place::of(Path::new("here")).is_err());
    }
}
