//! Facts about volumes on Unix.

use std::io;
use std::path::Path;
use std::time::Duration;

pub(super) fn may_write(directory: &Path) -> bool {
    rustix::fs::access(directory, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
}

/// The boot's id and the mount's: of the mount the one that is never given again where the kernel has it (6.8).
#[cfg(target_os = "linux")]
pub(super) fn continuity(path: &Path) -> Option<String> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    let unique = StatxFlags::from_bits_retain(0x4000);
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let mount = [unique, StatxFlags::MNT_ID].into_iter().find_map(|asked| {
        let told = statx(CWD, path, AtFlags::empty(), asked).ok()?;
        (told.stx_mask & asked.bits() != 0).then_some(told.stx_mnt_id)
    })?;
    Some(format!("{}/{mount}", boot.trim()))
}

/// Only Linux needs it: each file is synced elsewhere.
#[cfg(not(target_os = "linux"))]
pub(super) fn continuity(_: &Path) -> Option<String> {
    None
}

/// FAT keeps even seconds, and exFAT is mounted by drivers that round alike; HFS+ keeps seconds. What Windows keeps (NTFS,
/// and shares of it) has steps of 100 ns: a stamp is cut there, and would else differ in every pass.
#[cfg(target_os = "linux")]
pub(super) fn stamp_tolerance(path: &Path) -> io::Result<Duration> {
    Ok(tolerance_of(rustix::fs::statfs(path)?.f_type as i64))
}

#[cfg(target_os = "linux")]
fn tolerance_of(kind: i64) -> Duration {
    const FAT: i64 = 0x4d44;
    const EXFAT: i64 = 0x2011_bab0;
    const HFS_PLUS: i64 = 0x482b;
    const CIFS: i64 = 0xff53_4d42;
    const SMB2: i64 = 0xfe53_4d42;
    const NTFS: i64 = 0x5346_544e;
    const NTFS3: i64 = 0x7366_746e;
    const FUSE_BLOCK: i64 = 0x6573_5546;
    // Some systems give the number as a signed one of 32 bits.
    match kind & 0xffff_ffff {
        FAT | EXFAT => Duration::from_secs(2),
        HFS_PLUS => Duration::from_secs(1),
        CIFS | SMB2 | NTFS | NTFS3 | FUSE_BLOCK => Duration::from_micros(1),
        _ => Duration::ZERO,
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn stamp_tolerance(path: &Path) -> io::Result<Duration> {
    std::fs::metadata(path).map(|_| Duration::ZERO)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_that_cuts_stamps_is_given_its_grain() {
        assert_eq!(tolerance_of(0x4d44), Duration::from_secs(2));
        assert_eq!(tolerance_of(i64::from(0xfe53_4d42_u32.cast_signed())), Duration::from_micros(1), "SMB2");
        assert_eq!(tolerance_of(0xef53), Duration::ZERO, "ext4");
    }
}
