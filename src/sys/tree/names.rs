//! The names in one directory, in one block of memory: a directory of a million files costs little more than the
//! letters of its names.

use std::ffi::OsStr;

use crate::copy::EntryKind;

/// Names with their kinds, sorted by bytes.
#[derive(Debug, Default)]
pub struct Names {
    /// The encoded bytes of all names, one behind the other.
    letters: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u32,
    length: u16,
    kind: EntryKind,
}

impl Names {
    /// Adds a name; the order is right only after [`Names::sort`].
    /// A name that no longer fits (4 GiB of letters in one directory) is refused.
    pub fn push(&mut self, name: &OsStr, kind: EntryKind) -> std::io::Result<()> {
        let bytes = name.as_encoded_bytes();
        let (Ok(start), Ok(length)) = (u32::try_from(self.letters.len()), u16::try_from(bytes.len())) else {
            return Err(std::io::Error::other("the directory holds more names than can be listed"));
        };
        self.letters.extend_from_slice(bytes);
        self.entries.push(Entry { start, length, kind });
        Ok(())
    }

    pub fn sort(&mut self) {
        let letters = &self.letters;
        self.entries.sort_unstable_by(|a, b| bytes_of(letters, a).cmp(bytes_of(letters, b)));
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
        self.entries[index].kind
    }

    pub fn name(&self, index: usize) -> &OsStr {
        // SAFETY: the bytes are those of one whole OsStr, taken by as_encoded_bytes in `push` and never changed.
        unsafe { OsStr::from_encoded_bytes_unchecked(bytes_of(&self.letters, &self.entries[index])) }
    }

    /// The index of a name, once they are sorted.
    pub fn find(&self, name: &OsStr) -> Option<usize> {
        let wanted = name.as_encoded_bytes();
        self.entries.binary_search_by(|entry| bytes_of(&self.letters, entry).cmp(wanted)).ok()
    }
}

fn bytes_of<'a>(letters: &'a [u8], entry: &Entry) -> &'a [u8] {
    &letters[entry.start as usize..entry.start as usize + usize::from(entry.length)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_sorted_with_their_kinds() {
        let mut names = Names::default();
        for (name, kind) in [("b", EntryKind::File), ("a b", EntryKind::Directory), ("ä", EntryKind::Link)] {
            names.push(OsStr::new(name), kind).unwrap();
        }
        names.sort();
        let listed: Vec<_> = (0..names.len()).map(|index| (names.name(index), names.kind(index))).collect();
        let expected = [("a b", EntryKind::Directory), ("b", EntryKind::File), ("ä", EntryKind::Link)];
        assert_eq!(listed, expected.map(|(name, kind)| (OsStr::new(name), kind)));
        assert_eq!(names.find(OsStr::new("b")), Some(1));
        assert_eq!(names.find(OsStr::new("z")), None);
    }
}
