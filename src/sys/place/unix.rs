//! Device and inode.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Identity, Names};

#[cfg(not(target_os = "macos"))]
pub const NAMES: Names = Names::Exact;
#[cfg(target_os = "macos")]
pub const NAMES: Names = Names::IgnoreCase;

#[cfg(target_os = "linux")]
pub fn lasting_volume(path: &Path, device: u64) -> Option<String> {
    const EXT: i64 = 0xef53;
    const BTRFS: i64 = 0x9123_683e;
    const F2FS: i64 = 0xf2f5_2010;
    // These make the number from the volume's UUID; others from the device, or not at all.
    let kind = rustix::fs::statfs(path).ok()?.f_type as i64 & 0xffff_ffff;
    if matches!(kind, EXT | BTRFS | F2FS) {
        let number = rustix::fs::statvfs(path).ok()?.f_fsid;
        return (number != 0).then(|| format!("volume-{number:x}"));
    }
    by_uuid(device).or_else(|| {
        let mounts = crate::sys::mounts::all().ok()?;
        let share = mounts.into_iter().find(|mount| mount.device == device && mount.is_a_share())?;
        // Hashed, since a source may hold anything, also a user's name.
        Some(format!("share-{}", &blake3::hash(share.source_bytes()).to_hex()[..16]))
    })
}

/// The device's name among those that the system keeps by UUID.
#[cfg(target_os = "linux")]
fn by_uuid(device: u64) -> Option<String> {
    let links = std::fs::read_dir("/dev/disk/by-uuid").ok()?;
    let mut found = links
        .flatten()
        .filter(|link| std::fs::metadata(link.path()).is_ok_and(|metadata| metadata.rdev() == device));
    Some(format!("uuid-{}", found.next()?.file_name().to_str()?))
}

#[cfg(not(target_os = "linux"))]
pub fn lasting_volume(_: &Path, _: u64) -> Option<String> {
    None
}

pub fn identity(path: &Path) -> io::Result<Identity> {
    let metadata = std::fs::metadata(path)?;
    Ok(Identity { volume: metadata.dev(), number: metadata.ino() })
}
