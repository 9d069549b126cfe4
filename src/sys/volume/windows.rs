//! Facts about volumes on Windows. Written by the documentation; not yet run on a Windows machine.

use std::io;
use std::path::Path;
use std::time::Duration;

/// What an access list says is known only by trying.
pub(super) fn may_write(directory: &Path) -> bool {
    std::fs::metadata(directory).is_ok_and(|metadata| metadata.is_dir())
}

/// None is needed: each file is synced before it gets its name.
pub(super) fn continuity(_: &Path) -> Option<String> {
    None
}

/// NTFS and ReFS keep 100 ns, FAT 2 s; telling them apart is left to `mtime_tolerance` until it is proven here.
pub(super) fn stamp_tolerance(path: &Path) -> io::Result<Duration> {
    std::fs::metadata(path).map(|_| Duration::ZERO)
}
