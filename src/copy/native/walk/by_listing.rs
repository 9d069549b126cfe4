//! What is settled by what the listings tell, without a look at the file: a file that the filter keeps out, and one that is
//! the same on both sides. So a pass with nothing to do lists each directory once a side, and opens no file.
//!
//! A listing's word is believed only where nothing follows from it. Whatever is to be copied, mended, replaced or told of as
//! different is looked at by its name or an open handle first, and decided anew by that: by its listing it may look changed
//! or let in, and be neither. That a file is kept out by its age or size, or is the same, is final.
//!
//! What a listing may be wrong about is told at [`Directory::each_entry`]. A file that is the same by both listings and not
//! in truth is therefore one that was open to be written while it was listed, or that was changed by another of its names;
//! robocopy has the same blind spot. A source that stands still has no such files of the first kind; those of the second
//! are found by `compare: content`, a verification by `blake3`, and `preserve: [hard-links]`.
//!
//! # A share's listings
//!
//! What was written on a server last is not in the listings that this machine keeps of its share
//! ([`Listings::MayBeOld`]). A pass that tolerates errors believes them all the same, as a later clean pass looks again, and
//! so does a survey, as the pass looks again. A pass that must be clean, and a verification, waits once before its first
//! listing, until what is kept is too old to be told ([`Directory::LISTINGS_KEPT`]): then each listing is no older than the
//! pass. A copy waits for its source alone, since all that is written to the target is written by this machine.
//!
//! What remains is a machine that was told to keep listings for longer (`DirectoryCacheLifetime` and
//! `FileInfoCacheLifetime` of `LanmanWorkstation`), and what the server's own NTFS writes late, as above.

use std::sync::Arc;
use std::time::Instant;

use super::pair::Pair;
use super::{Handler, PROGRESS, Turn, Walk, Worker};
use crate::copy::native::node::Node;
use crate::sys::tree::{Directory, ListedFile, Listings};

/// What is done about listings that may be old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::copy::native) enum OldListings {
    Believed,
    /// Those of the source are waited out.
    WaitedOutInSource,
    WaitedOut,
}

/// Whether a file needs no look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByListing {
    Settled,
    Open,
}

impl<D: Directory, H: Handler<D>> Walk<'_, D, H> {
    /// Waits until nothing is told any more that was listed before the pass, unless the pass is to end.
    pub(super) fn wait_out_old_listings(&self, root: &Node<D>) {
        let is_old = |directory: &D| directory.listings() == Listings::MayBeOld;
        let target = || root.target().is_some_and(|side| is_old(&side.directory));
        let waits = match self.orders.old_listings {
            OldListings::Believed => false,
            OldListings::WaitedOutInSource => is_old(&root.source),
            OldListings::WaitedOut => is_old(&root.source) || target(),
        };
        let begun = Instant::now();
        while waits && !self.is_stopped() {
            let rest = D::LISTINGS_KEPT.saturating_sub(begun.elapsed());
            if rest.is_zero() {
                return;
            }
            (self.watch.progress)(self.progress());
            std::thread::sleep(rest.min(PROGRESS));
        }
    }

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
