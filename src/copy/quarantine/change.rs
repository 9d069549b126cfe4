//! Bringing back what purges took away, and deleting it for good.
//!
//! Nothing in the target is ever replaced: where something has the name by now, what is in the quarantine stays there.
//! Nothing outside of the purge's own folder is ever deleted. Both can be broken off anywhere and done again.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::{Kept, Missing, Selection, open};
use crate::cancel::Cancel;
use crate::copy::chain::{Chain, Origin};
use crate::copy::{EntryKind, Tally, names};
use crate::sys::tree::{Directory, Here, Status, Taken};

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Files, links and what else is no directory.
    pub files: Tally,
    /// Directories that were made in the target, or deleted in the quarantine.
    pub directories: u64,
    pub left: Vec<Left>,
}

/// What was meant and stays in the quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// As [`names::shown`] writes it.
    pub path: String,
    pub reason: String,
    pub help: &'static str,
}

/// Moves what is meant back to where it was below the target. Stops between two files where `cancel` says so.
///
/// # Errors
/// The folder or the target cannot be opened, or the target not brought to the disk.
pub fn restore(
    folder: &Path,
    target: &Path,
    selection: &Selection,
    cancel: &Cancel,
    told: &mut dyn FnMut(&Kept),
) -> io::Result<Changed> {
    let opened = open::<Here>(folder, Missing::Refuse)?;
    let mut work = Work {
        deed: Restoring { target: Chain::new(Here::open(target)?) },
        selection,
        cancel,
        told,
        changed: Changed::default(),
    };
    work.directory(&opened.folder, Path::new(""));
    work.deed.target.give_back_times();
    work.deed.target.root().flush()?;
    let changed = work.changed;
    opened.close();
    Ok(changed)
}

/// Deletes what is meant. Stops between two files where `cancel` says so.
///
/// # Errors
/// The folder cannot be opened.
pub fn discard(
    folder: &Path,
    selection: &Selection,
    cancel: &Cancel,
    told: &mut dyn FnMut(&Kept),
) -> io::Result<Changed> {
    let opened = open::<Here>(folder, Missing::Refuse)?;
    let mut work = Work { deed: Discarding, selection, cancel, told, changed: Changed::default() };
    work.directory(&opened.folder, Path::new(""));
    let changed = work.changed;
    opened.close();
    Ok(changed)
}

/// What is done with each entry.
trait Doing<D> {
    fn file(&mut self, from: &D, above: &Path, name: &OsStr) -> Result<(), Left>;
    /// A directory that is meant as a whole, or in which something was done. Tells how many were made or deleted for it.
    fn left(&mut self, path: &Path, before: &Status) -> Result<u64, Left>;
    /// What a directory counts for that was removed from the quarantine.
    const REMOVED: u64;
}

struct Work<'a, W> {
    deed: W,
    selection: &'a Selection,
    cancel: &'a Cancel,
    told: &'a mut dyn FnMut(&Kept),
    changed: Changed,
}

impl<W> Work<'_, W> {
    fn directory<D: Directory>(&mut self, directory: &D, path: &Path)
    where
        W: Doing<D>,
    {
        let names = match directory.names() {
            Ok(names) => names,
            Err(error) => return self.stays(path, "cannot list the folder in the quarantine", &error, SEE),
        };
        for index in 0..names.len() {
            if self.cancel.is_requested() {
                return;
            }
            let (name, kind) = (names.name(index), names.kind(index));
            let inner_path = path.join(name);
            if kind == EntryKind::Directory {
                if self.selection.reaches(&inner_path) {
                    self.inner(directory, name, &inner_path);
                }
            } else if self.selection.covers(&inner_path) {
                let bytes = directory.status(name).map_or(0, |status| status.size);
                match self.deed.file(directory, path, name) {
                    Ok(()) => {
                        self.changed.files.add(bytes);
                        (self.told)(&Kept { path: inner_path, kind, bytes });
                    }
                    Err(left) => self.changed.left.push(left),
                }
            }
        }
    }

    fn inner<D: Directory>(&mut self, above: &D, name: &OsStr, path: &Path)
    where
        W: Doing<D>,
    {
        let entered = above.enter(name).and_then(|inner| Ok((inner.own_status()?, inner)));
        let (before, inner) = match entered {
            Ok(entered) => entered,
            Err(error) => return self.stays(path, "cannot enter the folder in the quarantine", &error, SEE),
        };
        let files = self.changed.files.files;
        self.directory(&inner, path);
        let whole = self.selection.covers(path) && !self.cancel.is_requested();
        if whole || self.changed.files.files > files {
            match self.deed.left(path, &before) {
                Ok(made) => self.changed.directories += made,
                Err(left) => return self.changed.left.push(left),
            }
        }
        let emptied = inner.names().is_ok_and(|names| names.is_empty());
        if emptied && (whole || self.changed.files.files > files) {
            match above.remove_directory(name) {
                Ok(()) => self.changed.directories += W::REMOVED,
                Err(error) => {
                    self.stays(path, "cannot remove the empty folder in the quarantine", &error, SEE)
                }
            }
        } else {
            // What is brought back later shall find the folder's time as it was; a courtesy.
            let _ = inner.set_own_modified(before.modified);
        }
    }

    fn stays(&mut self, path: &Path, what: &str, error: &io::Error, help: &'static str) {
        self.changed.left.push(Left::of(path, what, error, help));
    }
}

const SEE: &str = "see to the permissions of the quarantine, and give the same command again";

impl Left {
    fn of(path: &Path, what: &str, error: &io::Error, help: &'static str) -> Self {
        Self { path: names::shown(path), reason: format!("{what}: {error}"), help }
    }
}

struct Restoring<D> {
    target: Chain<D>,
}

impl<D: Directory> Doing<D> for Restoring<D> {
    const REMOVED: u64 = 0;

    fn file(&mut self, from: &D, above: &Path, name: &OsStr) -> Result<(), Left> {
        let path = above.join(name);
        let into = self.target.make(above).map_err(|error| no_folder(&path, &error))?;
        from.rename(name, into, name, Taken::Refuse).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Left {
                path: names::shown(&path),
                reason: "the target has something of this name by now, which is not replaced".into(),
                help: "move that out of the way and restore again, or discard this one",
            },
            ErrorKind::CrossesDevices => Left {
                path: names::shown(&path),
                reason: "its place in the target is on another volume than the quarantine".into(),
                help: "copy it back by hand, then discard it",
            },
            _ => Left::of(
                &path,
                "cannot move it back into the target",
                &error,
                "see to the permissions of its folder in the target, and restore again",
            ),
        })
    }

    /// Makes the directory where it is missing, and gives one that was made here its time and its permissions.
    fn left(&mut self, path: &Path, before: &Status) -> Result<u64, Left> {
        self.target.make(path).map_err(|error| no_folder(path, &error))?;
        let Some((directory, Origin::Made)) = self.target.kept(path) else { return Ok(0) };
        // Both are courtesies: the files are back.
        let _ = directory.set_own_permissions(&before.permissions);
        let _ = directory.set_own_modified(before.modified);
        self.target.set_modified(path, before.modified);
        Ok(1)
    }
}

fn no_folder(path: &Path, error: &io::Error) -> Left {
    match error.kind() {
        ErrorKind::NotADirectory => Left {
            path: names::shown(path),
            reason: "something that is no folder is in the place of its folder in the target".into(),
            help: "move that out of the way, and restore again",
        },
        _ => Left::of(
            path,
            "cannot make its folder in the target",
            error,
            "see to the permissions of the target, and restore again",
        ),
    }
}

struct Discarding;

impl<D: Directory> Doing<D> for Discarding {
    const REMOVED: u64 = 1;

    fn file(&mut self, from: &D, above: &Path, name: &OsStr) -> Result<(), Left> {
        from.remove_file(name).map_err(|error| Left::of(&above.join(name), "cannot delete it", &error, SEE))
    }

    fn left(&mut self, _: &Path, _: &Status) -> Result<u64, Left> {
        Ok(0)
    }
}
