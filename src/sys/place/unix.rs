//! Device and inode.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Identity, Names};

#[cfg(not(target_os = "macos"))]
pub const NAMES: Names = Names::Exact;
#[cfg(target_os = "macos")]
pub const NAMES: Names = Names::IgnoreCase;

pub fn identity(path: &Path) -> io::Result<Identity> {
    let metadata = std::fs::metadata(path)?;
    Ok(Identity { volume: metadata.dev(), number: metadata.ino() })
}
