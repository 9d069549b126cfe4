//! What belongs to one thread of a walk, and how it tells progress of its files.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{Handler, Turn, Walk};
use crate::copy::native::large::Tools;
use crate::sys::tree::Directory;

/// What belongs to one thread.
pub(in crate::copy::native) struct Worker<'w, D: Directory, H: Handler<D>> {
    pub(in crate::copy::native) walk: &'w Walk<'w, D, H>,
    pub(in crate::copy::native) tally: H::Tally,
    /// Two blocks' worth, taken by who reads.
    pub(in crate::copy::native) buffer: Vec<u8>,
    /// Where paths are put together for the filter.
    pub(super) path: PathBuf,
    /// Files that are done without anything to move, and that progress was not told of yet: telling of each by itself
    /// costs a pass with nothing to do a twentieth of its time.
    pub(super) unmoved: u64,
}

impl<D: Directory, H: Handler<D>> Worker<'_, D, H> {
    /// A file takes part, and so many bytes are to be moved for it.
    pub(in crate::copy::native) fn know(&self, bytes: u64) {
        if bytes > 0 {
            self.walk.meter.know(bytes);
        }
    }

    /// A file is through, of whose bytes so many were told.
    pub(super) fn finish_file(&mut self, known: u64, told: u64) {
        if known > 0 {
            self.walk.meter.move_bytes(known.saturating_sub(told));
            self.walk.meter.finish_file();
        } else {
            self.unmoved += 1;
        }
    }

    /// Tells progress how far a file is, unless an earlier attempt was as far.
    pub(in crate::copy::native) fn tell(&self, turn: &mut Turn, moved: u64) {
        let moved = moved.min(turn.known.unwrap_or(0));
        if let Some(large) = &turn.moving {
            large.is_at(moved);
        }
        if moved > turn.told {
            self.walk.meter.move_bytes(moved - turn.told);
            turn.told = moved;
        }
    }

    /// What the work on a large file takes.
    pub(in crate::copy::native) fn tools(&mut self) -> Tools<'_> {
        Tools { buffer: &mut self.buffer, meter: &self.walk.meter, pace: self.walk }
    }

    /// Puts a path together for the filter.
    pub(super) fn below(&mut self, above: &Path, name: &OsStr) -> &Path {
        self.path.clear();
        self.path.push(above);
        self.path.push(name);
        &self.path
    }
}
