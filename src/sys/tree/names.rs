//! The names in one directory, in one block of memory: a directory of a million files costs little more than the
//! letters of its names, six bytes each.

use std::ffi::OsStr;

use crate::copy::EntryKind;

/// Names with their kinds, sorted by bytes.
#[derive(Debug, Default)]
pub struct Names {
    /// The encoded bytes of all names, one behind the other, each behind its [`Head`].
    letters: Vec<u8>,
    /// Where each begins, with its head.
    entries: Vec<u32>,
}

/// What stands in front of a name: its length, and its kind in the lowest two bits.
#[derive(Clone, Copy)]
struct Head(u16);

impl Head {
    const BYTES: usize = size_of::<u16>();
    const KINDS: [EntryKind; 4] =
        [EntryKind::File, EntryKind::Directory, EntryKind::Link, EntryKind::Special];

    /// `None` where the name is too long.
    fn new(length: usize, kind: EntryKind) -> Option<Self> {
        let kind = Self::KINDS.iter().position(|known| *known == kind)?;
        let length = u16::try_from(length).ok().filter(|length| *length <= u16::MAX >> 2)?;
        Some(Self(length << 2 | kind as u16))
    }

    fn length(self) -> usize {
        usize::from(self.0 >> 2)
    }

    fn kind(self) -> EntryKind {
        Self::KINDS[usize::from(self.0 & 3)]
    }
}

impl Names {
    /// Adds a name; the order is right only after [`Names::sort`].
    /// A name that no longer fits (4 GiB of letters in one directory) is refused.
    pub fn push(&mut self, name: &OsStr, kind: EntryKind) -> std::io::Result<()> {
        let bytes = name.as_encoded_bytes();
        let Ok(start) = u32::try_from(self.letters.len()) else {
            return Err(std::io::Error::other("the directory holds more names than can be listed"));
        };
        let Some(head) = Head::new(bytes.len(), kind) else {
            return Err(std::io::Error::other("the directory holds a name that is too long to be listed"));
        };
        self.letters.extend_from_slice(&head.0.to_ne_bytes());
        self.letters.extend_from_slice(bytes);
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

    #[test]
    fn names_come_back_sorted_with_their_kinds() {
        let mut names = Names::default();
        let longest = "z".repeat(16_383);
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
}
