//! The names of one directory on both sides, matched without a table: both lists are sorted alike.

use std::ops::Range;

use crate::sys::tree::Names;

/// Whether a name is worth looking for in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InTarget {
    Absent,
    Look,
}

/// The names of one directory on both sides.
pub(super) struct Pair {
    pub(super) source: Names,
    pub(super) target: Names,
}

impl Pair {
    /// The source's names in a range, each with whether the target has it too.
    pub(super) fn merged(&self, range: Range<usize>) -> impl Iterator<Item = (usize, InTarget)> {
        let mut other =
            if range.is_empty() { 0 } else { self.target.lower_bound(self.source.name(range.start)) };
        range.map(move |index| {
            let name = self.source.name(index).as_encoded_bytes();
            while other < self.target.len() && self.target.name(other).as_encoded_bytes() < name {
                other += 1;
            }
            let same = other < self.target.len() && self.target.name(other).as_encoded_bytes() == name;
            (index, if same { InTarget::Look } else { InTarget::Absent })
        })
    }

    /// The indices of the names that only the target has.
    pub(super) fn only_in_target(&self) -> impl Iterator<Item = usize> {
        let mut other = 0;
        (0..self.target.len()).filter(move |index| {
            let name = self.target.name(*index).as_encoded_bytes();
            while other < self.source.len() && self.source.name(other).as_encoded_bytes() < name {
                other += 1;
            }
            other == self.source.len() || self.source.name(other).as_encoded_bytes() != name
        })
    }
}
