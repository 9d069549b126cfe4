//! What is settled by what the listings tell, without a look at the file: a file that the filter keeps out, and one that is
//! the same on both sides. So a pass with nothing to do lists each directory once a side, and opens no file.
//!
//! A listing's word is believed only where nothing follows from it. Whatever is to be copied, mended, replaced or told of as
//! different is looked at by its name or an open handle first, and decided anew by that: by its listing it may look changed
//! or let in, and be neither.
//!
//! What a listing may be wrong about is told at [`Directory::each_entry`]. A file that is the same by both listings and not
//! in truth is therefore one that was open to be written while it was listed, or that was changed by another of its names;
//! robocopy has the same blind spot. A source that stands still has no such files of the first kind; those of the second
//! are found by `compare: content`, a verification by `blake3`, and `preserve: [hard-links]`.
//!
//! One more can be avoided: what was written on a server last is not in the listings that this machine keeps of its share
//! ([`Listings::MayBeOld`]). A pass that tolerates errors believes such a listing all the same, as a later clean pass looks
//! again, and so does a survey, as the pass looks again. A pass that must be clean, and a verification, look at each file of
//! the source by opening it; what the target's listing tells is still believed, since all that is written there is written
//! by this machine.

use std::sync::Arc;

use super::pair::Pair;
use super::{Handler, Turn, Walk, Worker};
use crate::copy::native::node::Node;
use crate::sys::tree::{Directory, ListedFile, Listings};

/// What is done with the listing of a source that may be old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::copy::native) enum OldListings {
    Believed,
    /// Each file is looked at as well.
    Checked,
}

/// Whether a file needs no look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByListing {
    Settled,
    Open,
}

impl<D: Directory, H: Handler<D>> Walk<'_, D, H> {
    /// Settles a file of a pair by what was listed of it, where that says enough.
    pub(super) fn settle_by_listing(
        &self,
        worker: &mut Worker<'_, D, H>,
        node: &Arc<Node<D>>,
        pair: &Pair,
        index: usize,
    ) -> ByListing {
        let Some(listed) = pair.source.file(index) else { return ByListing::Open };
        let name = pair.source.name(index);
        let is_believed =
            node.source.listings() == Listings::Fresh || self.orders.old_listings == OldListings::Believed;
        // Only a file that may be settled by it is looked at here: all others are anyway.
        let is_seen = || node.source.status(name).is_ok_and(|status| listed.is(&status));
        let is_known = is_believed || (pair.is_same(index) && is_seen());
        if !is_known {
            return ByListing::Open;
        }
        let ListedFile { size, modified, .. } = listed;
        if let Err(rule) = self.judge(worker, &node.relative, name, size, modified) {
            self.handler.kept_out(&mut worker.tally, node, name, rule, size);
            return ByListing::Settled;
        }
        if !pair.is_same(index) {
            return ByListing::Open;
        }
        let mut turn = Turn::default();
        self.handler.same(worker, size, &mut turn);
        worker.finish_file(turn.known.unwrap_or(0), 0);
        ByListing::Settled
    }
}
