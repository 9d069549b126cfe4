//! The whole list of a purge that a person was asked about, kept so that what is left of it need not be asked again.
//!
//! The answer in the journal is to the digest of the list, and the digest is computed anew from the file: a list that was
//! touched counts for nothing. What is left of an agreed list was agreed to, name by name; what is not on it was not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use crate::copy::ExtraEntry;
use crate::sys::private_file;

/// No line is longer: see [`super::Reader`].
const LONGEST: u64 = 1024 * 1024;

/// A digest over the entries of a list, in order, and over the identity of the target that they are in.
pub struct Digest(blake3::Hasher);

impl Digest {
    pub fn new(target: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(target.as_bytes());
        Self(hasher)
    }

    pub fn add(&mut self, entry: &ExtraEntry) {
        let name = entry.path.as_os_str().as_encoded_bytes();
        self.0.update(&(name.len() as u64).to_le_bytes()).update(name).update(&[entry.kind as u8]);
        self.0.update(&entry.bytes.to_le_bytes());
    }

    pub fn finish(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

/// Writes a list down, readable by its owner only; an earlier one is replaced.
pub fn write(path: &Path, extras: &[ExtraEntry]) -> io::Result<()> {
    let mut file = BufWriter::new(private_file::make_anew(path)?);
    for entry in extras {
        serde_json::to_writer(&mut file, entry)?;
        file.write_all(b"\n")?;
    }
    file.flush()?;
    // The question that is about to be written down rests on it.
    file.get_ref().sync_data()
}

/// Whether all of `left` is on the list that was written there, whose digest a person agreed to.
///
/// Both are in the order in which a purge takes away, so that one line is held at a time.
pub fn covers(path: &Path, agreed: &str, target: &str, left: &[ExtraEntry]) -> io::Result<bool> {
    let mut file = BufReader::new(File::open(path)?);
    let (mut digest, mut text) = (Digest::new(target), Vec::new());
    let mut left = left.iter().peekable();
    loop {
        text.clear();
        (&mut file).take(LONGEST).read_until(b'\n', &mut text)?;
        if text.is_empty() {
            return Ok(left.peek().is_none() && digest.finish() == agreed);
        }
        let entry: ExtraEntry = serde_json::from_slice(&text)?;
        digest.add(&entry);
        if left.peek().is_some_and(|next| **next == entry) {
            left.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::EntryKind;

    fn extra(path: &str, bytes: u64) -> ExtraEntry {
        ExtraEntry { path: path.split('/').collect(), kind: EntryKind::File, bytes }
    }

    struct Agreed {
        folder: tempfile::TempDir,
        digest: String,
    }

    impl Agreed {
        fn to(list: &[ExtraEntry]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            write(&folder.path().join("list"), list).unwrap();
            let mut digest = Digest::new("1:2");
            list.iter().for_each(|entry| digest.add(entry));
            Self { digest: digest.finish(), folder }
        }

        fn covers(&self, left: &[ExtraEntry]) -> bool {
            covers(&self.folder.path().join("list"), &self.digest, "1:2", left).unwrap()
        }
    }

    #[test]
    fn what_is_left_of_an_agreed_list_is_covered() {
        let agreed = Agreed::to(&[extra("a", 1), extra("b/c", 2), extra("b", 0), extra("d", 3)]);
        for left in [vec![], vec![extra("a", 1)], vec![extra("b/c", 2), extra("d", 3)]] {
            assert!(agreed.covers(&left), "{left:?}");
        }
    }

    #[test]
    fn a_name_or_a_size_that_was_not_agreed_to_is_not_covered() {
        let agreed = Agreed::to(&[extra("a", 1), extra("b", 2)]);
        for left in
            [vec![extra("a", 2)], vec![extra("a", 1), extra("c", 1)], vec![extra("b", 2), extra("a", 1)]]
        {
            assert!(!agreed.covers(&left), "{left:?}");
        }
        let directory = ExtraEntry { kind: EntryKind::Directory, ..extra("a", 1) };
        assert!(!agreed.covers(&[directory]));
    }

    #[test]
    fn a_list_that_was_touched_or_is_of_another_target_covers_nothing() {
        let agreed = Agreed::to(&[extra("a", 1), extra("b", 2)]);
        let path = agreed.folder.path().join("list");
        assert!(!covers(&path, &agreed.digest, "1:3", &[extra("a", 1)]).unwrap());
        write(&path, &[extra("a", 1), extra("b", 2), extra("c", 3)]).unwrap();
        assert!(!agreed.covers(&[extra("a", 1)]) && !agreed.covers(&[extra("c", 3)]));
    }
}
