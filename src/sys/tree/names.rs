//! The names in one directory, in one block of memory: a directory of a million files costs little more than the
//! letters of its names, six bytes each. Where a listing tells more of a file than its kind, that is 24 bytes more for it;
//! where it does not, not a byte.

use std::ffi::OsStr;
use std::io;
use std::time::{Duration, SystemTime};

use super::{Listed, ListedFile, Permissions};
use crate::copy::EntryKind;

/// Names with their kinds and what the listing told of files, sorted by bytes.
#[derive(Debug, Default)]
pub struct Names {
    /// The encoded bytes of all names, one behind the other, each behind its [`Head`]; what was told of it follows.
    letters: Vec<u8>,
    /// Where each begins, with its head.
    entries: Vec<u32>,
}

/// What stands in front of a name: its length, and in the lowest three bits its kind and whether more was told.
#[derive(Clone, Copy)]
struct Head(u16);

impl Head {
    const BYTES: usize = size_of::<u16>();
    const KINDS: [EntryKind; 4] =
        [EntryKind::File, EntryKind::Directory, EntryKind::Link, EntryKind::Special];
    const TOLD: u16 = 4;

    /// `None` where the name is too long: no file system known has names of 8 KiB.
    fn new(length: usize, listed: &Listed) -> Option<Self> {
        let kind = Self::KINDS.iter().position(|known| *known == listed.kind())?;
        let length = u16::try_from(length).ok().filter(|length| *length <= u16::MAX >> 3)?;
        let told = if listed.file().is_some() { Self::TOLD } else { 0 };
        Some(Self(length << 3 | told | kind as u16))
    }

    fn length(self) -> usize {
        usize::from(self.0 >> 3)
    }

    fn kind(self) -> EntryKind {
        Self::KINDS[usize::from(self.0 & 3)]
    }

    fn is_told(self) -> bool {
        self.0 & Self::TOLD != 0
    }
}

/// What a listing told of a file, as bytes: size, seconds and nanoseconds of the time, permissions.
struct Told;

impl Told {
    const BYTES: usize = 8 + 8 + 4 + 4;

    fn write(file: &ListedFile, letters: &mut Vec<u8>) {
        let (seconds, nanoseconds) = match file.modified.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => (after.as_secs() as i64, after.subsec_nanos()),
            Err(before) => {
                let before = before.duration();
                match before.subsec_nanos() {
                    0 => (-(before.as_secs() as i64), 0),
                    part => (-(before.as_secs() as i64) - 1, 1_000_000_000 - part),
                }
            }
        };
        letters.extend_from_slice(&file.size.to_ne_bytes());
        letters.extend_from_slice(&seconds.to_ne_bytes());
        letters.extend_from_slice(&nanoseconds.to_ne_bytes());
        letters.extend_from_slice(&file.permissions.number().to_ne_bytes());
    }

    /// `None` where it was not written so.
    fn read(bytes: &[u8]) -> Option<ListedFile> {
        let (size, bytes) = bytes.split_first_chunk()?;
        let (seconds, bytes) = bytes.split_first_chunk()?;
        let (nanoseconds, bytes) = bytes.split_first_chunk()?;
        let (permissions, _) = bytes.split_first_chunk()?;
        let seconds = i64::from_ne_bytes(*seconds);
        let whole = Duration::from_secs(seconds.unsigned_abs());
        let base = if seconds >= 0 {
            SystemTime::UNIX_EPOCH.checked_add(whole)
        } else {
            SystemTime::UNIX_EPOCH.checked_sub(whole)
        };
        let part = Duration::from_nanos(u32::from_ne_bytes(*nanoseconds).into());
        Some(ListedFile {
            size: u64::from_ne_bytes(*size),
            modified: base.and_then(|base| base.checked_add(part))?,
            permissions: Permissions::from_number(u32::from_ne_bytes(*permissions)),
        })
    }
}

impl Names {
    /// Adds a name of which nothing more than its kind is kept.
    pub fn push(&mut self, name: &OsStr, kind: EntryKind) -> io::Result<()> {
        self.push_listed(name, &Listed::Kind(kind))
    }

    /// Adds a name with what its listing told; the order is right only after [`Names::sort`].
    /// A name that no longer fits (4 GiB of letters in one directory) is refused.
    pub fn push_listed(&mut self, name: &OsStr, listed: &Listed) -> io::Result<()> {
        let bytes = name.as_encoded_bytes();
        let Ok(start) = u32::try_from(self.letters.len()) else {
            return Err(io::Error::other("the directory holds more names than can be listed"));
        };
        let Some(head) = Head::new(bytes.len(), listed) else {
            return Err(io::Error::other("the directory holds a name that is too long to be listed"));
        };
        self.letters.extend_from_slice(&head.0.to_ne_bytes());
        self.letters.extend_from_slice(bytes);
        if let Some(file) = listed.file() {
            Told::write(&file, &mut self.letters);
        }
        self.entries.push(start);
        Ok(())
    }

    pub fn sort(&mut self) {
        let letters = &self.letters;
        self.entries.sort_unstable_by(|a, b| bytes_of(letters, *a).cmp(bytes_of(letters, *b)));
        self.entries.shrink_to_fit();
        self.letters.shrink_to_fit();
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn kind(&self, index: usize) -> EntryKind {
        head_of(&self.letters, self.entries[index]).kind()
    }

    /// What the listing told of a file; `None` where it told its kind alone, and of anything else.
    pub fn file(&self, index: usize) -> Option<ListedFile> {
        let start = self.entries[index];
        let head = head_of(&self.letters, start);
        let behind = start as usize + Head::BYTES + head.length();
        if head.is_told() { Told::read(self.letters.get(behind..behind + Told::BYTES)?) } else { None }
    }

    pub fn name(&self, index: usize) -> &OsStr {
        // SAFETY: the bytes are those of one whole OsStr, taken by as_encoded_bytes in `push` and never changed.
        unsafe { OsStr::from_encoded_bytes_unchecked(bytes_of(&self.letters, self.entries[index])) }
    }

    /// The index of a name, once they are sorted.
    pub fn find(&self, name: &OsStr) -> Option<usize> {
        let wanted = name.as_encoded_bytes();
        self.entries.binary_search_by(|entry| bytes_of(&self.letters, *entry).cmp(wanted)).ok()
    }
}

fn head_of(letters: &[u8], start: u32) -> Head {
    let start = start as usize;
    Head(u16::from_ne_bytes([letters[start], letters[start + 1]]))
}

fn bytes_of(letters: &[u8], start: u32) -> &[u8] {
    let name = &letters[start as usize + Head::BYTES..];
    &name[..head_of(letters, start).length()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::tree::{Owner, Presence, Status};

    #[test]
    fn names_come_back_sorted_with_their_kinds() {
        let mut names = Names::default();
        let longest = "z".repeat(8_191);
        let given = [
            ("b", EntryKind::File),
            ("a b", EntryKind::Directory),
            ("ä", EntryKind::Link),
            ("c", EntryKind::Special),
            (&longest, EntryKind::File),
        ];
        for (name, kind) in given {
            names.push(OsStr::new(name), kind).unwrap();
        }
        names.push(OsStr::new(&format!("{longest}z")), EntryKind::File).unwrap_err();
        names.sort();
        let listed: Vec<_> = (0..names.len()).map(|index| (names.name(index), names.kind(index))).collect();
        let expected = [given[1], given[0], given[3], given[4], given[2]];
        assert_eq!(listed, expected.map(|(name, kind)| (OsStr::new(name), kind)));
        assert_eq!(names.find(OsStr::new("b")), Some(1));
        assert_eq!(names.find(OsStr::new("y")), None);
    }

    fn told(kind: EntryKind, size: u64, modified: SystemTime) -> Listed {
        Listed::Status(Status {
            kind,
            size,
            modified,
            changed: None,
            permissions: Permissions::from_number(0o640),
            presence: Presence::Named,
            identity: None,
            names: 1,
            allocated: size,
            owner: Owner::default(),
        })
    }

    #[test]
    fn what_was_told_of_files_comes_back_by_index() {
        let tick = Duration::from_nanos(100);
        let times = [
            SystemTime::UNIX_EPOCH,
            SystemTime::UNIX_EPOCH - tick,
            // Where the time of Windows begins.
            SystemTime::UNIX_EPOCH - Duration::from_secs(11_644_473_600),
            SystemTime::UNIX_EPOCH + Duration::new(4_000_000_000, 999_999_900),
        ];
        let mut names = Names::default();
        names.push(OsStr::new("untold"), EntryKind::File).unwrap();
        names.push_listed(OsStr::new("folder"), &told(EntryKind::Directory, 0, times[0])).unwrap();
        for (number, time) in times.into_iter().enumerate().rev() {
            let listed = told(EntryKind::File, u64::MAX - number as u64, time);
            names.push_listed(OsStr::new(&format!("a{number}")), &listed).unwrap();
        }
        names.sort();
        for (number, modified) in times.into_iter().enumerate() {
            let (size, permissions) = (u64::MAX - number as u64, Permissions::from_number(0o640));
            assert_eq!(names.name(number), OsStr::new(&format!("a{number}")));
            assert_eq!(names.file(number), Some(ListedFile { size, modified, permissions }));
        }
        assert_eq!((names.name(4), names.kind(4)), (OsStr::new("folder"), EntryKind::Directory));
        assert_eq!((names.file(4), names.file(5)), (None, None));
    }

    /// Each with its letters, the bytes that a name costs.
    #[test]
    fn a_million_names_stay_within_32_mib_where_a_listing_tells_only_kinds() {
        let cost = |names: &Names| names.letters.capacity() + size_of::<u32>() * names.entries.capacity();
        let (mut plain, mut more) = (Names::default(), Names::default());
        let listed = told(EntryKind::File, 5, SystemTime::UNIX_EPOCH);
        for number in 0..1_000_000 {
            let name = format!("{number:08}.eml");
            plain.push(OsStr::new(&name), EntryKind::File).unwrap();
            if number < 1000 {
                more.push_listed(OsStr::new(&name), &listed).unwrap();
            }
        }
        plain.sort();
        more.sort();
        assert_eq!((cost(&plain), cost(&more)), (1_000_000 * (12 + 6), 1000 * (12 + 6 + 24)));
        assert!(cost(&plain) < 32 << 20);
    }
}
