//! What was brought into a new directory that then could not get its name (see `node`): it is whole, and nobody finds it.
//!
//! It was counted and named as new already. Once all below the directory is done it is taken back: its files count as
//! failed, and the account says so of the directory. What is in it was made by this pass alone, so it is counted by
//! looking. The next pass knows the directory by its temporary name, removes it and makes it anew.

use std::ffi::OsString;
use std::io;

use super::temporary;
use crate::copy::{EntryKind, PassOutcome, Tally};
use crate::sys::tree::Directory;

/// What is taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Nowhere {
    pub(super) files: Tally,
    pub(super) links: u64,
}

impl Nowhere {
    /// Adds what a directory holds that no directory below it has taken back for itself; half files were never counted.
    pub(super) fn add<D: Directory>(&mut self, directory: &D, half: &[OsString]) -> io::Result<()> {
        let names = directory.names()?;
        for index in 0..names.len() {
            let (name, kind) = (names.name(index), names.kind(index));
            match kind {
                // A part was not counted either, and a directory that has no name was told of before.
                _ if temporary::is_temporary(name) || half.iter().any(|half| half == name) => {}
                EntryKind::Directory => self.add(&directory.enter(name)?, &[])?,
                EntryKind::File => self.files.add(directory.status(name)?.size),
                EntryKind::Link => self.links += 1,
                EntryKind::Special => {}
            }
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.files.merge(other.files);
        self.links += other.links;
    }

    /// Takes it back from the sums of a pass.
    pub(super) fn take_back(self, outcome: &mut PassOutcome) {
        let less = |sum: &mut Tally, part: Tally| {
            sum.files = sum.files.saturating_sub(part.files);
            sum.bytes = sum.bytes.saturating_sub(part.bytes);
        };
        let summary = &mut outcome.summary;
        less(&mut summary.new, self.files);
        summary.links_copied = summary.links_copied.saturating_sub(self.links);
        summary.failed.merge(self.files);
        summary.failed.files += self.links;
        outcome.target_files = outcome.target_files.saturating_sub(self.files.files);
        // Of what is left, no more can be linked than there is.
        let linked = &mut summary.linked;
        linked.files = linked.files.min(summary.new.files + summary.changed.files);
        linked.bytes = linked.bytes.min(summary.new.bytes + summary.changed.bytes);
    }
}
