//! The files that are being moved at this moment: how many, and how far the large ones are.
//!
//! A file is under way for as long as its [`Moving`] lives, whichever way it ends. A small one costs two additions; a
//! large one has a place in a list, which nobody holds for longer than it takes to copy a few names.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::copy::{LargeFile, Progress};

/// Files from this size on are told by name: smaller ones are done before anybody has read it.
const TOLD_FROM: u64 = 32 * 1024 * 1024;

#[derive(Debug, Default)]
pub(super) struct UnderWay {
    files: AtomicU64,
    large: Mutex<Vec<Arc<LargeMove>>>,
}

/// A large file that is being moved, by one worker or by several.
#[derive(Debug)]
pub(super) struct LargeMove {
    path: String,
    size: u64,
    moved: AtomicU64,
}

/// One file that is being moved.
pub(super) struct Moving<'u> {
    under_way: &'u UnderWay,
    large: Option<Arc<LargeMove>>,
}

impl UnderWay {
    /// The moving of a file begins; its path is asked for only if it is told.
    pub(super) fn begin(&self, size: u64, path: impl FnOnce() -> String) -> Moving<'_> {
        self.files.fetch_add(1, Ordering::Relaxed);
        let large = (size >= TOLD_FROM).then(|| {
            let large = Arc::new(LargeMove { path: path(), size, moved: AtomicU64::new(0) });
            self.list().push(Arc::clone(&large));
            large
        });
        Moving { under_way: self, large }
    }

    /// The progress, with what is under way; the largest files first.
    pub(super) fn told(&self, mut progress: Progress) -> Progress {
        progress.under_way = self.files.load(Ordering::Relaxed);
        progress.large = self.list().iter().map(|large| large.told()).collect();
        progress
            .large
            .sort_by(|one, other| other.bytes.cmp(&one.bytes).then_with(|| one.path.cmp(&other.path)));
        progress.large.truncate(Progress::LARGE);
        progress
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<LargeMove>>> {
        // The list is whole after every step, so a panic elsewhere does not spoil it.
        self.large.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LargeMove {
    /// So many bytes of it are moved now, by all its workers; a second attempt begins anew.
    pub(super) fn is_at(&self, moved: u64) {
        self.moved.store(moved, Ordering::Relaxed);
    }

    fn told(&self) -> LargeFile {
        let moved = self.moved.load(Ordering::Relaxed);
        LargeFile { path: self.path.clone(), bytes_done: moved.min(self.size), bytes: self.size }
    }
}

impl Moving<'_> {
    /// The file's place in the list, if it has one; for those who move it.
    pub(super) fn large(&self) -> Option<Arc<LargeMove>> {
        self.large.clone()
    }
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        self.under_way.files.fetch_sub(1, Ordering::Relaxed);
        if let Some(large) = &self.large {
            self.under_way.list().retain(|other| !Arc::ptr_eq(large, other));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1024 * 1024 * 1024;

    #[test]
    fn a_file_is_under_way_until_its_moving_ends() {
        let under_way = UnderWay::default();
        let one = under_way.begin(GIB, || "one".into());
        let small = under_way.begin(10, || panic!("nobody asks for the name of a small file"));
        one.large().unwrap().is_at(GIB / 2);
        one.large().unwrap().is_at(GIB / 4 * 3);
        let told = under_way.told(Progress::default());
        assert_eq!(told.under_way, 2);
        let large = LargeFile { path: "one".into(), bytes_done: GIB / 4 * 3, bytes: GIB };
        assert_eq!(told.large, [large]);
        drop(one);
        assert_eq!(under_way.told(Progress::default()).under_way, 1);
        assert_eq!(under_way.told(Progress::default()).large, []);
        drop(small);
        assert_eq!(under_way.told(Progress::default()).under_way, 0);
    }

    #[test]
    fn the_largest_few_are_told() {
        let under_way = UnderWay::default();
        let moving: Vec<_> = [3, 9, 1, 5, 7, 2]
            .into_iter()
            .map(|size| under_way.begin(size * GIB, || size.to_string()))
            .collect();
        let told = under_way.told(Progress::default());
        let names: Vec<_> = told.large.iter().map(|large| large.path.as_str()).collect();
        assert_eq!(names, ["9", "7", "5", "3"]);
        assert_eq!(told.under_way, 6);
        drop(moving);
    }
}
