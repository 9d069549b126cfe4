//! What is mounted where, as Linux tells it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// One mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// As `st_dev` has it.
    pub device: u64,
    pub place: PathBuf,
    pub kind: String,
    /// A device, or `server:/export` and `//server/share`.
    pub source: OsString,
}

/// All mounts that this process sees, in the order in which they were made.
pub fn all() -> io::Result<Vec<Mount>> {
    Ok(read(&std::fs::read("/proc/self/mountinfo")?))
}

/// Mounts below a folder (not the one that the folder is on), by the path that the system itself has for it.
pub fn below(folder: &Path) -> io::Result<Vec<Mount>> {
    let all = all()?;
    Ok(all.into_iter().filter(|mount| mount.place != folder && mount.place.starts_with(folder)).collect())
}

/// Lines that are not understood are left out: a newer kernel may have a form of its own.
fn read(text: &[u8]) -> Vec<Mount> {
    text.split(|byte| *byte == b'\n').filter_map(line).collect()
}

/// `43 27 7:0 / /mnt rw,relatime shared:1 - ext4 /dev/loop0 rw`
fn line(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|byte| *byte == b' ');
    let device = std::str::from_utf8(words.nth(2)?).ok()?;
    let (major, minor) = device.split_once(':')?;
    let place = unescaped(words.nth(1)?);
    words.find(|word| *word == b"-")?;
    let kind = String::from_utf8_lossy(words.next()?).into_owned();
    let source = unescaped(words.next()?);
    let device = rustix::fs::makedev(major.parse().ok()?, minor.parse().ok()?);
    Some(Mount { device, place: place.into(), kind, source })
}

/// Blanks, tabs, line ends and backslashes are three octal digits there.
fn unescaped(word: &[u8]) -> OsString {
    let mut plain = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, behind)) = rest.split_first() {
        let digits = (*first == b'\\').then(|| behind.get(..3)).flatten();
        let byte = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        plain.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[3..] } else { behind };
    }
    OsString::from_vec(plain)
}

impl Mount {
    /// Whether the source is the same after another mount and on another machine, so that it names the volume.
    pub fn is_a_share(&self) -> bool {
        matches!(self.kind.as_str(), "nfs" | "nfs4" | "cifs" | "smb3")
    }

    pub fn source_bytes(&self) -> &[u8] {
        OsStr::as_bytes(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_with_and_without_optional_fields_and_escapes() {
        let text = b"43 27 7:0 / /mnt/a\\040b rw,relatime shared:1 master:2 - ext4 /dev/loop0 rw\n\
            44 27 0:52 / /mnt/share rw - nfs4 server:/export\\134x rw,vers=4.2\nno line\n";
        let mounts = read(text);
        assert_eq!(mounts.len(), 2);
        assert_eq!((mounts[0].place.as_path(), mounts[0].kind.as_str()), (Path::new("/mnt/a b"), "ext4"));
        assert_eq!(mounts[0].device, rustix::fs::makedev(7, 0));
        assert!(mounts[1].is_a_share() && !mounts[0].is_a_share());
        assert_eq!(mounts[1].source_bytes(), b"server:/export\\x");
    }

    #[test]
    fn the_root_is_mounted_and_lies_below_nothing() {
        assert!(all().unwrap().iter().any(|mount| mount.place == Path::new("/")));
        assert!(below(Path::new("/")).unwrap().iter().all(|mount| mount.place != Path::new("/")));
    }
}
