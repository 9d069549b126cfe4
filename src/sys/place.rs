//! Where a path is, whether or not it exists yet, by what the file system says and not by how it is spelled.
//!
//! `C:\Data`, `c:\data`, `\\server\c$\Data`, a mapped drive, a link and a bind mount may all be the same directory: names
//! cannot tell, the file's identity can.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

#[cfg(not(any(windows, movebook_windows_check)))]
mod unix;
#[cfg(not(any(windows, movebook_windows_check)))]
use unix as system;
#[cfg(any(windows, movebook_windows_check))]
mod windows;
#[cfg(any(windows, movebook_windows_check))]
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
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
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
