//! Progress as numbers that only grow, written by all workers and read by one.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::copy::Progress;

#[derive(Debug, Default)]
pub(super) struct Meter {
    files_done: AtomicU64,
    bytes_done: AtomicU64,
    files_known: AtomicU64,
    bytes_known: AtomicU64,
    failed: AtomicU64,
    retrying: AtomicU64,
    /// Jobs that may still find files.
    listing: AtomicU64,
}

impl Meter {
    /// A file was found that takes part, with what is to be moved for it.
    pub(super) fn know(&self, bytes: u64) {
        self.files_known.fetch_add(1, Ordering::Relaxed);
        self.bytes_known.fetch_add(bytes, Ordering::Relaxed);
    }

    /// More is to be moved for a file that is known.
    pub(super) fn know_more(&self, bytes: u64) {
        self.bytes_known.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn finish_file(&self) {
        self.files_done.fetch_add(1, Ordering::Relaxed);
    }

    /// So many files took part for which nothing was to be moved.
    pub(super) fn finish_unmoved(&self, files: u64) {
        if files > 0 {
            self.files_known.fetch_add(files, Ordering::Relaxed);
            self.files_done.fetch_add(files, Ordering::Relaxed);
        }
    }

    pub(super) fn move_bytes(&self, bytes: u64) {
        self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn fail(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn retry_begins(&self) {
        self.retrying.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn retry_ends(&self) {
        self.retrying.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn listing_begins(&self) {
        self.listing.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn listing_ends(&self) {
        self.listing.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Progress {
        // What is done is read before what is known, so that it never seems to be more.
        let listed = self.listing.load(Ordering::Acquire) == 0;
        let files_done = self.files_done.load(Ordering::Acquire);
        let bytes_done = self.bytes_done.load(Ordering::Acquire);
        Progress {
            files_done,
            bytes_done,
            files_known: self.files_known.load(Ordering::Acquire),
            bytes_known: self.bytes_known.load(Ordering::Acquire),
            listed,
            failed: self.failed.load(Ordering::Acquire),
            retrying: self.retrying.load(Ordering::Acquire),
            ..Progress::default()
        }
    }
}
