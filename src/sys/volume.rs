//! Facts about the volume that a path lies on: how much room there is, how fine its clock is.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;
use std::path::Path;
use std::time::Duration;

#[cfg(unix)]
use unix as here;
#[cfg(windows)]
use windows as here;

/// Bytes that can still be written to the volume that holds the path (or its nearest ancestor that exists).
pub fn free_space(path: &Path) -> io::Result<u64> {
    fs4::available_space(nearest(path)?)
}

/// Brings everything written to the path's file system to the disk.
pub fn flush(path: &Path) -> io::Result<()> {
    use super::tree::{Directory, Here};
    Here::open(path)?.flush()
}

/// How far two stamps of the same moment may lie apart after a trip through this file system:
/// nothing where stamps are fine, 2 s on FAT and its like.
pub fn stamp_tolerance(path: &Path) -> io::Result<Duration> {
    here::stamp_tolerance(&nearest(path)?)
}

/// A word that stays the same as long as the system has kept, without a break, what was written to the volume of the path
/// (or of its nearest ancestor that exists): it changes with each boot, and with each mount of the volume. `None` where the
/// system has no such word; what was written and not flushed is then only known by its content.
pub fn continuity(path: &Path) -> Option<String> {
    here::continuity(&nearest(path).ok()?)
}

/// Whether new entries could be made in a directory, as far as that can be known without making one.
pub fn may_write(directory: &Path) -> bool {
    here::may_write(directory)
}

/// The path itself, or its nearest ancestor that exists.
fn nearest(path: &Path) -> io::Result<std::path::PathBuf> {
    path.ancestors()
        .map(|ancestor| if ancestor.as_os_str().is_empty() { Path::new(".") } else { ancestor })
        .find(|ancestor| ancestor.exists())
        .map(Path::to_path_buf)
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn continuity_is_the_same_for_two_looks_and_differs_between_volumes() {
        let folder = tempfile::tempdir().unwrap();
        let word = continuity(&folder.path().join("a/b")).unwrap();
        assert_eq!(continuity(folder.path()), Some(word.clone()));
        assert_ne!(continuity(Path::new("/proc")), Some(word));
    }

    #[test]
    fn free_space_is_known_for_a_path_that_does_not_exist_yet() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_space(&folder.path().join("a/b/c")).unwrap() > 0);
    }
}
