//! Where a purge puts what it takes away, and how a pass knows that place again.
//!
//! The quarantine is on the target's volume, so that files get there by a rename and nothing is copied.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::sys::place::Identity;
use crate::sys::volume;

/// The folder's name inside a target, and the end of its name beside one.
pub const FOLDER: &str = ".movebook-quarantine";

/// Whether a name at the top of a tree is that of a quarantine, which every pass leaves out.
pub fn is_quarantine(name: &OsStr) -> bool {
    name == FOLDER
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
