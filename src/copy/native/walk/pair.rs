//! The names of one directory on both sides. Only the source's are kept: those of the target are looked up among them as
//! they are listed, and kept where the source has none of that name. A directory of a million files on both sides so
//! takes the memory of one list, 18 MB with its letters, and no more time than sorting a second list would. Of what the
//! target's listing tells of a file, a bit is kept: whether it is the same by what both listings tell.
//!
//! # Names that differ only in case
//!
//! Where the target folds case, `Mail` in the source and `mail` in the target are one: they are compared as one, and
//! neither is new or extra. What only differs in case is the same, and the target keeps its spelling, as with robocopy;
//! what is copied anew over it has the source's, as far as the volume gives it that. The volume has the last word on whether
//! two names are one.
//!
//! A source may hold several names that are one in the target, and not only one that tells case apart: its table of letters
//! may be another. One of them takes part: the one that the target has letter by letter, else the first in the order of
//! bytes, of those that the filter lets in, as far as a listing tells that, and that are no links or the like that are
//! skipped. The others are errors, each for itself: none is ever written over the first. Here nobody asks the volume,
//! which may have no such file yet: where its table lacks a letter, a file that it could hold beside the other is an error
//! too. Where it has more letters, or folds case and does not say so, the second of two is refused by its name.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::ops::Range;

use super::super::temporary;
use crate::copy::EntryKind;
use crate::sys::tree::{Case, Directory, ListedFile, Names, folded_hash, folded_order};

/// Whether a name is worth looking for in the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::copy::native) enum InTarget {
    /// The listing had no such name: what is there by now is another's, and not replaced.
    Absent,
    #[default]
    Look,
    /// The listing had it as a regular file.
    File,
}

/// Which of a directory's folders: the source's, or those that only the target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Source,
    TargetOnly,
}

/// The names of one directory on both sides.
pub(super) struct Pair {
    pub(super) source: Names,
    /// A bit a name of the source: whether the target has it too.
    met: Bits,
    /// … and as a regular file.
    met_files: Bits,
    /// … and the same by what both listings tell.
    same: Bits,
    /// Names of the source that the target takes for another one of it, by index, with that other.
    clashes: Vec<(usize, usize)>,
    /// The names that only the target has, sorted.
    pub(super) target_only: Names,
    /// Regular files in the target, but for what a killed pass left.
    pub(super) target_files: u64,
}

impl Pair {
    pub(super) fn new(source: Names) -> Self {
        let (met, met_files, same) = (Bits::default(), Bits::default(), Bits::default());
        Self {
            source,
            met,
            met_files,
            same,
            clashes: Vec::new(),
            target_only: Names::default(),
            target_files: 0,
        }
    }

    /// Lists the directory's counterpart in the target; `same` says whether two files are by what is listed of them.
    pub(super) fn meet<D: Directory>(
        &mut self,
        target: &D,
        same: &impl Fn(&ListedFile, &ListedFile) -> bool,
    ) -> io::Result<()> {
        for bits in [&mut self.met, &mut self.met_files, &mut self.same] {
            *bits = Bits::of(self.source.len());
        }
        target.each_entry(&mut |name, listed| {
            self.target_files +=
                u64::from(listed.kind() == EntryKind::File && !temporary::is_temporary(name));
            match self.source.find(name) {
                Some(index) => self.meet_one(index, listed.kind(), listed.file(), same),
                None => self.target_only.push_listed(name, &listed)?,
            }
            Ok(())
        })?;
        self.target_only.sort();
        if target.case() == Case::Folded && !self.target_only.is_empty() {
            self.meet_in_other_case(target, same)?;
        }
        Ok(())
    }

    fn meet_one(
        &mut self,
        index: usize,
        kind: EntryKind,
        listed: Option<ListedFile>,
        same: &impl Fn(&ListedFile, &ListedFile) -> bool,
    ) {
        self.met.set(index);
        if kind == EntryKind::File {
            self.met_files.set(index);
        }
        if let (Some(source), Some(target)) = (self.source.file(index), listed)
            && same(&source, &target)
        {
            self.same.set(index);
        }
    }

    /// Pairs names that only one side has with those of the other that differ from them only in case.
    fn meet_in_other_case<D: Directory>(
        &mut self,
        target: &D,
        same: &impl Fn(&ListedFile, &ListedFile) -> bool,
    ) -> io::Result<()> {
        let mut unmet: Vec<_> = (0..self.source.len()).filter(|index| !self.met.has(*index)).collect();
        unmet.sort_by(|one, other| self.order(*one, *other));
        let there = std::mem::take(&mut self.target_only);
        for index in 0..there.len() {
            let (name, kind, file) = (there.name(index), there.kind(index), there.file(index));
            let order = |one: &usize| folded_order(self.source.name(*one), name);
            let from = unmet.partition_point(|one| order(one) == Ordering::Less);
            let found = unmet.get(from).copied().filter(|one| order(one) == Ordering::Equal);
            match found.filter(|one| !self.met.has(*one)) {
                Some(one) if has(target, self.source.name(one)) => self.meet_one(one, kind, file, same),
                _ => self.target_only.push(name, kind)?,
            }
        }
        self.target_only.sort();
        Ok(())
    }

    /// Finds the names of the source that a target which folds case takes for one; once both have met. What is kept out or
    /// skipped takes no part.
    pub(super) fn find_clashes(&mut self, mut takes_part: impl FnMut(&Names, usize) -> bool) {
        let hashes = (0..self.source.len()).map(|index| (folded_hash(self.source.name(index)), index));
        // Numbers are sorted many times faster than names are compared, and hardly any directory has two that are one.
        let mut hashes: Vec<_> = hashes.collect();
        hashes.sort_unstable();
        let mut alike: Vec<usize> = hashes
            .chunk_by(|(one, _), (other, _)| one == other)
            .filter(|group| group.len() > 1)
            .flatten()
            .map(|(_, index)| *index)
            .collect();
        drop(hashes);
        alike.sort_by(|one, other| self.order(*one, *other));
        let mut clashes = Vec::new();
        let is_one = |one: &usize, other: &usize| {
            folded_order(self.source.name(*one), self.source.name(*other)) == Ordering::Equal
        };
        let mut taken_over = Vec::new();
        for group in alike.chunk_by(is_one).filter(|group| group.len() > 1) {
            let part = group.iter().copied().filter(|index| takes_part(&self.source, *index));
            let part: Vec<_> = part.collect();
            let Some(first) = part.iter().find(|index| self.met.has(**index)).or(part.first()) else {
                continue;
            };
            if group.iter().any(|index| self.met.has(*index)) {
                taken_over.push(*first);
            }
            let others = part.iter().filter(|index| *index != first && !self.met.has(**index));
            clashes.extend(others.map(|index| (*index, *first)));
        }
        clashes.sort_unstable();
        self.clashes = clashes;
        // What the target has under the name of one that takes no part is in the place of the one that does.
        for index in taken_over {
            self.met.set(index);
        }
    }

    /// By letters without case, and those that are one by their bytes.
    fn order(&self, one: usize, other: usize) -> Ordering {
        folded_order(self.source.name(one), self.source.name(other)).then(one.cmp(&other))
    }

    /// The other name that the target takes this one for.
    pub(super) fn clash(&self, index: usize) -> Option<&OsStr> {
        let place = self.clashes.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        Some(self.source.name(self.clashes[place].1))
    }

    /// Whether a file is the same by what both listings tell.
    pub(super) fn is_same(&self, index: usize) -> bool {
        self.same.has(index)
    }

    fn names_of(&self, whose: Whose) -> &Names {
        match whose {
            Whose::Source => &self.source,
            Whose::TargetOnly => &self.target_only,
        }
    }

    pub(super) fn name_of(&self, whose: Whose, index: usize) -> &OsStr {
        self.names_of(whose).name(index)
    }

    /// The folders among the names from one on, but for what is temporary: so many of them, and where the next one is.
    pub(super) fn folders(&self, whose: Whose, from: usize, most: usize) -> (Vec<usize>, Option<usize>) {
        let names = self.names_of(whose);
        let mut folders = (from..names.len()).filter(|index| {
            names.kind(*index) == EntryKind::Directory && !temporary::is_temporary(names.name(*index))
        });
        let found = folders.by_ref().take(most).collect();
        (found, folders.next())
    }

    /// Whether the target has one of the source's names too.
    pub(super) fn in_target(&self, index: usize) -> InTarget {
        match (self.met.has(index), self.met_files.has(index)) {
            (false, _) => InTarget::Absent,
            (true, false) => InTarget::Look,
            (true, true) => InTarget::File,
        }
    }

    /// The source's names in a range, each with whether the target has it too.
    pub(super) fn both(&self, range: Range<usize>) -> impl Iterator<Item = (usize, InTarget)> {
        range.map(|index| (index, self.in_target(index)))
    }
}

/// Whether a directory has something of that name, as it takes names. What cannot be looked at is there: whoever handles it
/// says why it cannot be, of that one entry.
fn has<D: Directory>(directory: &D, name: &OsStr) -> bool {
    directory.status(name).map_or_else(|error| error.kind() != ErrorKind::NotFound, |_| true)
}

/// A bit for each of so many names.
#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn of(names: usize) -> Self {
        Self(vec![0; names.div_ceil(64)])
    }

    fn set(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    fn has(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|bits| bits >> (index % 64) & 1 == 1)
    }
}
