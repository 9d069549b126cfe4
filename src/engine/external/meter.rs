//! How far a program is, against what the survey found.

use std::time::{Duration, Instant};

use crate::copy::{PassSummary, Progress, Tally, Watch};

/// Shows how far the program is, against what the survey found; at most ten times a second.
pub(super) struct Meter<'a> {
    watch: &'a Watch<'a>,
    state: Progress,
    shown: Instant,
    same: u64,
}

impl<'a> Meter<'a> {
    const EVERY: Duration = Duration::from_millis(100);

    pub(super) fn new(found: &PassSummary, watch: &'a Watch<'a>) -> Self {
        let state = Progress {
            files_done: found.same.files,
            files_known: found.new.files + found.changed.files + found.same.files,
            bytes_known: found.new.bytes + found.changed.bytes,
            listed: true,
            ..Progress::default()
        };
        (watch.progress)(state.clone());
        Self { watch, state, shown: Instant::now(), same: found.same.files }
    }

    /// What the program has brought over so far, by its own word: never more than there is.
    pub(super) fn moved(&mut self, moved: Tally) {
        let files = (self.same + moved.files).min(self.state.files_known);
        self.state.files_done = self.state.files_done.max(files);
        self.state.bytes_done = self.state.bytes_done.max(moved.bytes.min(self.state.bytes_known));
        if self.shown.elapsed() >= Self::EVERY {
            self.shown = Instant::now();
            (self.watch.progress)(self.state.clone());
        }
    }
}
