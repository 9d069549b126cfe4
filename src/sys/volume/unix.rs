//! Facts about volumes on Unix.

use std::io;
use std::path::Path;
use std::time::Duration;

pub(super) fn may_write(directory: &Path) -> bool {
    rustix::fs::access(directory, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
}

/// FAT keeps even seconds, and exFAT is mounted by drivers that round alike.
#[cfg(target_os = "linux")]
pub(super) fn stamp_tolerance(path: &Path) -> io::Result<Duration> {
    const FAT: i64 = 0x4d44;
    const EXFAT: i64 = 0x2011_bab0;
    let kind = rustix::fs::statfs(path)?.f_type as i64;
    Ok(if kind == FAT || kind == EXFAT { Duration::from_secs(2) } else { Duration::ZERO })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn stamp_tolerance(path: &Path) -> io::Result<Duration> {
    std::fs::metadata(path).map(|_| Duration::ZERO)
}
