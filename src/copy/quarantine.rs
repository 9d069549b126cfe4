//! Where a purge puts what it takes away, and how a pass knows that place again.
//!
//! The quarantine is on the target's volume, so that files get there by a rename and nothing is copied. Each purge of a
//! run has a folder of its own in it, numbered in the order of the run: a path that was purged twice lies in two of
//! them, and the journal tells which step filled which. The folders below the target's parent are entered one by one, so
//! that a link in the place of any of them leads nowhere.

mod change;
mod look;

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::EntryKind;
use crate::sys::place::Identity;
use crate::sys::tree::Directory;
use crate::sys::volume;

pub use change::{Changed, Left, discard, restore};
pub use look::{holds, look};

/// The folder's name inside a target, and the end of its name beside one.
pub const FOLDER: &str = ".movebook-quarantine";

/// Whether a name at the top of a tree is that of a quarantine, which every pass leaves out; in whatever case, since to a
/// volume that folds case it is the same name.
pub fn is_quarantine(name: &OsStr) -> bool {
    name.eq_ignore_ascii_case(FOLDER)
}

/// Where a run's purged files go: beside the target where its parent is on the same volume and can be written,
/// else inside the target. Makes nothing.
///
/// Beside it, the folder carries the target's name, since several targets may have one parent:
/// `/data/archive.movebook-quarantine/RUN`.
pub fn quarantine_place(target_root: &Path, run_id: &str) -> PathBuf {
    let beside = || {
        let (parent, name) = (target_root.parent()?, target_root.file_name()?);
        let same_volume = Identity::of(parent).ok()?.volume == Identity::of(target_root).ok()?.volume;
        let mut folder = OsString::from(name);
        folder.push(FOLDER);
        (same_volume && volume::may_write(parent)).then(|| parent.join(folder))
    };
    beside().unwrap_or_else(|| target_root.join(FOLDER)).join(run_id)
}

/// The folder of a run's next purge, and its number: the first from `number` on that is not there yet.
pub fn folder_for_purge(target_root: &Path, run_id: &str, number: u32) -> (u32, PathBuf) {
    let place = quarantine_place(target_root, run_id);
    let mut free = number;
    while place.join(free.to_string()).symlink_metadata().is_ok() && free < u32::MAX {
        free += 1;
    }
    (free, place.join(free.to_string()))
}

/// What lies in a purge's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// As it was below the target's root.
    pub path: PathBuf,
    /// A directory is told of only where it is empty.
    pub kind: EntryKind,
    pub bytes: u64,
}

/// Which of it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    All,
    /// These, and all below those that are directories.
    Paths(Vec<PathBuf>),
}

impl Selection {
    /// Whether an entry is meant.
    pub fn covers(&self, path: &Path) -> bool {
        match self {
            Self::All => true,
            Self::Paths(paths) => paths.iter().any(|meant| path.starts_with(meant)),
        }
    }

    /// Whether anything below a directory may be meant.
    fn reaches(&self, directory: &Path) -> bool {
        match self {
            Self::All => true,
            Self::Paths(paths) => {
                paths.iter().any(|meant| directory.starts_with(meant) || meant.starts_with(directory))
            }
        }
    }
}

/// What is done where a folder of the quarantine is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::copy) enum Missing {
    Make,
    Refuse,
}

/// A purge's folder with those above it: the target's parent (or the target), the quarantine, the run.
pub(in crate::copy) struct Opened<D> {
    above: Vec<D>,
    names: Vec<OsString>,
    folder: D,
}

/// How many folders belong to the quarantine: itself, the run's, the purge's.
const OWN: usize = 3;

/// Opens a purge's folder. The path that leads to the quarantine is the user's word; what is below is entered name by
/// name, and a link is refused.
pub(in crate::copy) fn open<D: Directory>(folder: &Path, missing: Missing) -> io::Result<Opened<D>> {
    let no_quarantine = || io::Error::new(ErrorKind::InvalidInput, "is no folder of a quarantine");
    let mut names = Vec::new();
    let mut root = folder;
    for _ in 0..OWN {
        names.insert(0, root.file_name().ok_or_else(no_quarantine)?.to_os_string());
        root = root.parent().ok_or_else(no_quarantine)?;
    }
    let mut above = Vec::new();
    let mut here = D::open(root)?;
    for name in &names {
        if missing == Missing::Make {
            match here.make_directory(name, &here.own_status()?.permissions) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        let next = here.enter(name)?;
        above.push(std::mem::replace(&mut here, next));
    }
    Ok(Opened { above, names, folder: here })
}

impl<D: Directory> Opened<D> {
    pub(in crate::copy) fn into_folder(self) -> D {
        self.folder
    }

    /// Removes what is empty of the quarantine's own folders, from the purge's up.
    fn close(self) {
        let Self { mut above, mut names, folder } = self;
        drop(folder);
        // Each is closed before the one above goes: some volumes keep a removed folder's name as long as it is open.
        while let (Some(above), Some(name)) = (above.pop(), names.pop()) {
            // One that holds another purge, or another run's, stays, and so do those above it.
            if above.remove_directory(&name).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quarantine_is_beside_the_target_where_it_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("archive");
        std::fs::create_dir(&target).unwrap();
        let expected = folder.path().join("archive.movebook-quarantine/run-1");
        assert_eq!(quarantine_place(&target, "run-1"), expected);
    }

    #[test]
    fn a_target_without_a_parent_holds_its_own_quarantine() {
        assert_eq!(quarantine_place(Path::new("/"), "run-1"), Path::new("/.movebook-quarantine/run-1"));
    }
}
