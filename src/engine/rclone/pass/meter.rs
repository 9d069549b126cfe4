//! How far a pass is: what was listed, what there is to move, and what rclone says of it.

use std::time::{Duration, Instant};

use crate::copy::{LargeFile, Progress, Watch, names};
use crate::rclone::compare::Comparison;
use crate::rclone::log::Stats;

/// Shows progress at most ten times a second. Numbers only grow, though each call of rclone counts from nothing.
pub(super) struct Meter<'a> {
    watch: Option<&'a Watch<'a>>,
    state: Progress,
    shown: Option<Instant>,
    /// Of the sides that were listed whole.
    listed: u64,
    entries: u64,
    same: u64,
    /// What earlier calls moved, and the last one.
    before: (u64, u64),
    now: (u64, u64),
}

impl<'a> Meter<'a> {
    const EVERY: Duration = Duration::from_millis(100);

    pub(super) fn new(watch: &'a Watch<'a>) -> Self {
        Self {
            watch: Some(watch),
            state: Progress::default(),
            shown: None,
            listed: 0,
            entries: 0,
            same: 0,
            before: (0, 0),
            now: (0, 0),
        }
    }

    /// Of a look of which nothing is shown.
    pub(super) fn silent(watch: &'a Watch<'a>) -> Self {
        Self { watch: None, ..Self::new(watch) }
    }

    /// So many entries of a side were listed so far.
    pub(super) fn listing(&mut self, entries: usize) {
        let entries = entries as u64;
        if entries < self.entries {
            self.listed += self.entries;
        }
        self.entries = entries;
        if !self.state.listed {
            self.state.files_known = self.state.files_known.max(self.listed.max(entries));
            self.show();
        }
    }

    /// Both sides were listed: the totals are known.
    pub(super) fn listed(&mut self, comparison: &Comparison) {
        self.same = comparison.same.len() as u64;
        self.state = Progress {
            files_done: self.same,
            files_known: comparison.source_files,
            bytes_known: comparison.copy.iter().map(|file| file.bytes).sum(),
            listed: true,
            failed: comparison.failed.len() as u64,
            ..Progress::default()
        };
        self.shown = None;
        self.show();
    }

    /// rclone is called (again).
    pub(super) fn call(&mut self) {
        self.before = (self.before.0 + self.now.0, self.before.1 + self.now.1);
        self.now = (0, 0);
        self.state.retrying = 0;
    }

    pub(super) fn again(&mut self, files: usize) {
        self.state.retrying = files as u64;
        self.state.under_way = 0;
        self.state.large.clear();
        self.shown = None;
        self.show();
    }

    pub(super) fn moved(&mut self, stats: &Stats) {
        self.now = (stats.transfers, stats.bytes);
        let state = &mut self.state;
        let files = (self.same + self.before.0 + self.now.0).min(state.files_known);
        let bytes = (self.before.1 + self.now.1).min(state.bytes_known);
        state.files_done = state.files_done.max(files);
        state.bytes_done = state.bytes_done.max(bytes);
        state.under_way = stats.under_way.len() as u64;
        let mut large: Vec<LargeFile> = stats
            .under_way
            .iter()
            .map(|moving| LargeFile {
                path: names::shown(std::path::Path::new(&moving.path)),
                bytes_done: moving.bytes.min(moving.size),
                bytes: moving.size,
            })
            .collect();
        large.sort_by(|one, other| other.bytes.cmp(&one.bytes).then_with(|| one.path.cmp(&other.path)));
        large.truncate(Progress::LARGE);
        state.large = large;
        self.show();
    }

    fn show(&mut self) {
        let is_due = self.shown.is_none_or(|shown| shown.elapsed() >= Self::EVERY);
        if let (Some(watch), true) = (self.watch, is_due) {
            self.shown = Some(Instant::now());
            (watch.progress)(self.state.clone());
        }
    }
}
