//! The names behind the sums of a pass: one JSON line for every file, in a file of the step's own beside the state file.
//!
//! A file holds the names of one pass and never of two: it is made anew when the pass begins. It is whole exactly where
//! its last line is the end that [`Writer::finish`] wrote, and it is that of the run exactly where its [`Mark`] is the one
//! in the journal. Files that were the same on both sides are counted and not named: to name a million of them would cost
//! more than the pass that finds them.
//!
//! Memory is bounded on both ways: each worker fills a [`Page`] of its own, and a [`Reader`] holds one line.
//! A file that cannot be written ends the account and never the pass: the copy is worth more than the list of it.

mod draft;
mod line;
pub mod list;
mod place;
mod read;
mod write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{EntryKind, ErrorClass, PassSummary, Rule, Tally};

pub use draft::Draft;
pub use place::{deletions_file_of, file_of, folder_of, list_file_of};
pub use read::{Line, Reader, Unreadable, mark_of};
pub use write::{Page, Unsynced, Writer};

/// The version of the format.
pub const FORMAT: u32 = 1;

/// Where a file of a pass is counted. Each has a [`Tally`] or a number in [`PassSummary`]; `same` has no names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    New,
    Changed,
    LinksCopied,
    Filtered,
    SkippedLinks,
    SkippedSpecial,
    Failed,
    Vanished,
    Purged,
    Kept,
    ExtraFiltered,
    ExtraUnread,
}

impl Bucket {
    pub const ALL: [Self; 12] = [
        Self::New,
        Self::Changed,
        Self::LinksCopied,
        Self::Filtered,
        Self::SkippedLinks,
        Self::SkippedSpecial,
        Self::Failed,
        Self::Vanished,
        Self::Purged,
        Self::Kept,
        Self::ExtraFiltered,
        Self::ExtraUnread,
    ];

    /// As it is written in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::LinksCopied => "links_copied",
            Self::Filtered => "filtered",
            Self::SkippedLinks => "skipped_links",
            Self::SkippedSpecial => "skipped_special",
            Self::Failed => "failed",
            Self::Vanished => "vanished",
            Self::Purged => "purged",
            Self::Kept => "kept",
            Self::ExtraFiltered => "extra_filtered",
            Self::ExtraUnread => "extra_unread",
        }
    }

    /// What a pass counted in it. Links, special files, what vanished and what is unread have no bytes.
    pub fn tally(self, summary: &PassSummary) -> Tally {
        let number = |files| Tally { files, bytes: 0 };
        match self {
            Self::New => summary.new,
            Self::Changed => summary.changed,
            Self::LinksCopied => number(summary.links_copied),
            Self::Filtered => summary.filtered_in_all(),
            Self::SkippedLinks => number(summary.skipped_links),
            Self::SkippedSpecial => number(summary.skipped_special),
            Self::Failed => summary.failed,
            Self::Vanished => number(summary.vanished),
            Self::Purged => summary.purged,
            Self::Kept => summary.kept,
            Self::ExtraFiltered => summary.extra_filtered,
            Self::ExtraUnread => number(summary.extra_unread),
        }
    }
}

/// The first line: whose names these are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`FORMAT`].
    pub account: u32,
    pub run: String,
    pub step: String,
    /// How often the step had been started by then.
    pub attempt: u32,
    pub started: Timestamp,
    pub from: String,
    pub to: String,
}

/// A file, or another entry, in its bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub bucket: Bucket,
    /// As [`super::names::shown`] writes it; that of a directory ends with `/`.
    pub path: String,
    pub bytes: u64,
    /// Of an extra entry that is no regular file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<EntryKind>,
    /// Which rule kept it out; only in [`Bucket::Filtered`] and [`Bucket::ExtraFiltered`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// What went wrong; in [`Bucket::Failed`], [`Bucket::Vanished`] and [`Bucket::ExtraUnread`], and in [`Bucket::Kept`] of
    /// what a purge could not take away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<ErrorClass>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Entry {
    /// Whether it is of its bucket's sum: folders that a purge took away are named and not counted. One that the filter
    /// keeps out is named only if it cannot be read, and counts for whatever it holds.
    pub fn is_counted(&self) -> bool {
        self.kind != Some(EntryKind::Directory) || self.bucket == Bucket::ExtraFiltered
    }
}

/// What the journal keeps of a pass beside its figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its errors are in the names.
    pub sums: PassSummary,
    pub names: Names,
}

/// Whether the names of a pass were written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    Kept(Mark),
    /// Why they could not be.
    Lost(String),
}

/// What tells a file of names from every other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Lines, with the first and the last one.
    pub lines: u64,
    /// BLAKE3 of the whole file.
    pub digest: String,
}

/// The lines of a file that names nothing: the first and the last.
pub const BARE: u64 = 2;
