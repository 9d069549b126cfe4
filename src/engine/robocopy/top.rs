//! The target's top, which robocopy gives the attributes of the source's: those of a drive's root would hide it.

use std::io;
use std::path::Path;

use crate::sys::tree::{self, Directory, Here, Permissions};

/// What the top was before robocopy came.
pub struct Top {
    directory: Here,
    own: Permissions,
}

impl Top {
    pub fn of(path: &Path) -> io::Result<Self> {
        let directory = Here::open(path)?;
        let own = directory.own_status()?.permissions;
        Ok(Self { directory, own })
    }

    /// Leaves it as hidden as it was; all else stays as robocopy set it.
    pub fn keep(self) -> io::Result<()> {
        let now = self.directory.own_status()?.permissions;
        let kept = tree::top_permissions(&now, &self.own);
        match tree::same_permissions(&now, &kept) {
            true => Ok(()),
            false => self.directory.set_own_permissions(&kept),
        }
    }
}
