//! A copy pass as a value, what comes out of it, and the trait of those who can do one.
//!
//! Nothing here touches a file system; `native` does.

pub mod account;
pub mod bandwidth;
mod chain;
pub mod names;
pub mod native;
pub mod preserve;
pub mod quarantine;
pub mod spelled;
pub mod verify;
pub(crate) mod windows_names;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cancel::Cancel;
use crate::filter::Filter;

pub use bandwidth::Bandwidth;
pub use preserve::{Preserve, Preserved};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EngineName {
    Native,
    Robocopy,
    Rclone,
}

impl EngineName {
    /// As it is written in a runbook.
    pub fn word(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Robocopy => "robocopy",
            Self::Rclone => "rclone",
        }
    }
}

/// Which directories a pass makes in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Directories {
    /// Every one (`robocopy /e`).
    All,
    /// Those that hold a copied file (`robocopy /s`).
    NonEmpty,
    /// Only the top: no directory is entered.
    None,
}

/// What a file that cannot be copied means for the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnErrors {
    Fail,
    /// The step is done, with debt that a later pass must clear.
    Tolerate,
}

/// How source and target are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Compare {
    /// By size and modification time.
    Metadata,
    /// By reading both.
    Content,
}

/// What is done with symbolic links and junctions in the source. They are never followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Links {
    Skip,
    Copy,
    Fail,
}

/// What becomes of files that a purge takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// They are moved into a quarantine on the target's volume.
    Quarantine,
    /// They are deleted.
    None,
}

/// How much a pass gives way to what else the machine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// It takes what it gets, like any other program.
    Normal,
    /// Its workers ask the processor and the disks for what others leave.
    Gentle,
}

/// In whose rights the trees are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// The user's.
    Ordinary,
    /// Those of whoever makes backups, whatever the access lists say (Windows; elsewhere there is nothing to ask for).
    Backup,
}

/// How far `verify` looks: each method includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    Size,
    Mtime,
    Blake3,
}

/// What `verify` says to files that only the target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Extra {
    Fail,
    Ignore,
}

/// One pass over a source and a target tree.
#[derive(Clone, Debug, Serialize)]
pub struct CopyPass {
    pub from: PathBuf,
    pub to: PathBuf,
    pub filter: Filter,
    /// What ages are measured from: the start of the pass, the same for every file.
    pub started: Timestamp,
    pub directories: Directories,
    pub errors: OnErrors,
    /// How often a file with a transient error is tried again.
    pub retries: u32,
    /// The pause before a file is tried again; other files go on meanwhile.
    pub wait: Duration,
    pub threads: u32,
    pub compare: Compare,
    /// `None`: what the target's file system can store.
    pub mtime_tolerance: Option<Duration>,
    pub links: Links,
    pub preserve: Preserve,
    /// Bytes a second over all workers; `None`: no limit.
    pub bandwidth: Option<Bandwidth>,
    pub priority: Priority,
    /// An interrupted copy of a larger file goes on where it was instead of at the start.
    pub resume_over: u64,
    /// What the target got from this moment on may lack its content, since it was never flushed and the machine or the
    /// volume went away meanwhile: a file that looks the same is compared by content.
    pub distrust: Option<Timestamp>,
    /// Whether extra files are looked for; they are purged only by [`Engine::purge`].
    pub extras: Extras,
}

impl CopyPass {
    /// What [`CopyPass::resume_over`] is unless told: 256 MiB, a few seconds' work on most disks.
    pub const RESUME_OVER: u64 = 256 * 1024 * 1024;
}

/// Whether a pass lists what only the target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extras {
    /// They are counted as kept.
    Keep,
    /// They are listed, for a purge, and counted by whoever judges that.
    List,
}

/// Files and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub files: u64,
    pub bytes: u64,
}

impl Tally {
    pub fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }

    pub fn merge(&mut self, other: Tally) {
        self.files += other.files;
        self.bytes += other.bytes;
    }
}

/// Why a filter left a file out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    Include,
    Exclude,
    ExcludeDirectories,
    MinAge,
    MaxAge,
    MinSize,
    MaxSize,
    MaxDepth,
}

/// The class of a file's error; it decides what is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// A sharing violation, a lock, the network: tried again.
    Transient,
    /// The file was listed and then gone.
    Vanished,
    /// No permission.
    Denied,
    /// No space, the target gone, read-only: the pass ends at once.
    Fatal,
    /// Anything else that belongs to this one file (a name too long, a directory in its place).
    Permanent,
}

/// One file that could not be handled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileError {
    /// Below the root, with `/` between components; bytes that are no UTF-8 are escaped as `\xNN`.
    pub path: String,
    pub class: ErrorClass,
    pub attempts: u32,
    pub error: String,
}

/// The account of a pass: every file seen is in exactly one of the source's buckets, every extra one in one of the target's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PassSummary {
    pub new: Tally,
    pub changed: Tally,
    pub same: Tally,
    /// By rule. A directory that is not entered counts once, by the rule that keeps the pass out of it: what is in it
    /// is not seen.
    pub filtered: std::collections::BTreeMap<Rule, Tally>,
    pub skipped_links: u64,
    /// Devices, sockets and pipes.
    pub skipped_special: u64,
    pub failed: Tally,
    pub vanished: u64,
    /// What is no directory in the target and not in the source, taken away by a purge.
    pub purged: Tally,
    /// Extra files, links and special files that stay, since the pass does not purge (or a person said so).
    pub kept: Tally,
    /// Extra files, links and special files that the filter keeps out of the pass, and folders that it keeps out and that
    /// cannot be read.
    pub extra_filtered: Tally,
    /// Extra entries that could not be looked at, a folder as one: what is in it is not known. They stay, and forbid a purge.
    pub extra_unread: u64,
    pub directories: u64,
    pub directories_created: u64,
    pub links_copied: u64,
    /// Files of `same` whose owner, permissions, attributes or access list were put right without copying them.
    #[serde(default)]
    pub attributes_mended: u64,
    /// Files of `new` and `changed` that were linked to another name of the same file instead of being copied.
    #[serde(default)]
    pub linked: Tally,
    pub retried: u64,
    /// Large files whose copy was gone on with, and the bytes that an earlier pass had brought over. They are in `new` or
    /// `changed` too, as whole files.
    #[serde(default)]
    pub resumed: Tally,
    /// At most [`PassSummary::LISTED_ERRORS`]; `failed.files`, `vanished` and `extra_unread` count all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FileError>,
}

impl PassSummary {
    pub const LISTED_ERRORS: usize = 1000;

    /// Counts a named entry in its bucket.
    pub fn count(&mut self, entry: &account::Entry) {
        use account::Bucket;

        match entry.bucket {
            Bucket::New => self.new.add(entry.bytes),
            Bucket::Changed => self.changed.add(entry.bytes),
            Bucket::LinksCopied => self.links_copied += 1,
            // A line without a rule was written by nobody.
            Bucket::Filtered => {
                let rule = entry.rule.unwrap_or(Rule::Exclude);
                self.filtered.entry(rule).or_default().add(entry.bytes);
            }
            Bucket::SkippedLinks => self.skipped_links += 1,
            Bucket::SkippedSpecial => self.skipped_special += 1,
            Bucket::Failed => self.failed.add(entry.bytes),
            Bucket::Vanished => self.vanished += 1,
            Bucket::Purged => self.purged.add(entry.bytes),
            Bucket::Kept => self.kept.add(entry.bytes),
            Bucket::ExtraFiltered => self.extra_filtered.add(entry.bytes),
            Bucket::ExtraUnread => self.extra_unread += 1,
        }
    }

    /// What the filter left out, whatever its rule.
    pub fn filtered_in_all(&self) -> Tally {
        let mut all = Tally::default();
        self.filtered.values().for_each(|tally| all.merge(*tally));
        all
    }
}

/// A file (or link, or directory) that only the target has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExtraEntry {
    /// Relative to the target's root, in the system's own form; in records as [`names::shown`] writes it.
    #[serde(with = "names::as_text")]
    pub path: PathBuf,
    pub kind: EntryKind,
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    File,
    Link,
    Directory,
    Special,
}

/// What a pass did, and what a purge would take away (in order, files before the directories that hold them).
#[derive(Clone, Debug, Default)]
pub struct PassOutcome {
    pub summary: PassSummary,
    pub extras: Vec<ExtraEntry>,
    /// Regular files that the target held before the purge, outside of folders that the pass does not enter;
    /// the base of `max_percent`.
    pub target_files: u64,
    /// Regular files that the filter let in in the source.
    pub source_files: u64,
    /// Of the changed ones those in whose place the target has a link, which is replaced.
    pub over_links: u64,
    /// Of the links that take part those that the target had already.
    pub links_same: u64,
    /// What a person should know though no file is concerned.
    pub warning: Option<String>,
}

/// What a pass would do.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    pub outcome: PassOutcome,
    /// The largest files to be copied, largest first, at most [`Survey::LARGEST`].
    pub largest: Vec<(String, u64)>,
}

impl Survey {
    pub const LARGEST: usize = 10;
}

/// A state of progress. Numbers only grow within one pass (but `retrying` and what is under way).
///
/// Files are all that take part; bytes are those that have to be moved for them, none for a file that is the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub files_done: u64,
    pub bytes_done: u64,
    /// Files known so far; the total once `listed`.
    pub files_known: u64,
    pub bytes_known: u64,
    /// Whether the listing is complete, so that the known figures are the totals.
    pub listed: bool,
    pub failed: u64,
    /// What else than the work itself these figures are of.
    #[serde(skip)]
    pub phase: Option<Phase>,
    /// Files that wait to be tried again.
    pub retrying: u64,
    /// Files that are being moved.
    #[serde(default)]
    pub under_way: u64,
    /// The largest of those, at most [`Progress::LARGE`], largest first; small ones are not told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub large: Vec<LargeFile>,
}

impl Progress {
    pub const LARGE: usize = 4;
}

/// What a pass that another program does is doing while that does not run. Each phase counts from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Both trees are surveyed before it.
    Comparing,
    /// They are surveyed behind it.
    LookingAgain,
}

impl Phase {
    pub fn word(self) -> &'static str {
        match self {
            Self::Comparing => "comparing",
            Self::LookingAgain => "looking again",
        }
    }
}

/// How far one large file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargeFile {
    /// As [`names::shown`] writes it.
    pub path: String,
    pub bytes_done: u64,
    pub bytes: u64,
}

/// How a pass is watched and stopped.
pub struct Watch<'a> {
    /// Called at most ten times a second, from one thread at a time.
    pub progress: &'a (dyn Fn(Progress) + Sync),
    pub cancel: &'a Cancel,
    /// Where the names of what a pass finds and does, or in a survey would do, are written.
    pub account: Option<&'a account::Writer>,
}

/// Why a pass ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    #[error("interrupted")]
    Interrupted,
    /// The target's volume is full, gone or read-only; the source is gone.
    #[error("{what} ({path})")]
    Fatal {
        what: String,
        path: String,
        hint: String,
        #[source]
        source: Option<std::io::Error>,
    },
}

/// Who can do a pass. All engines give the same target tree.
pub trait Engine: Sync {
    /// Says what a pass would do; writes nothing anywhere.
    fn survey(&self, pass: &CopyPass, watch: &Watch<'_>) -> Result<Survey, PassError>;

    /// Copies what is new or changed, makes the directories, and flushes the target to the disk.
    /// File errors are in the summary; only what ends the whole pass is an `Err`.
    fn copy(&self, pass: &CopyPass, watch: &Watch<'_>) -> Result<PassOutcome, PassError>;

    /// Takes the given extras away (into the quarantine folder, or for good) and flushes.
    /// Each is looked at again first: what is no longer the same kind stays and is reported in `errors`.
    fn purge(
        &self,
        pass: &CopyPass,
        extras: &[ExtraEntry],
        disposal: &Disposal,
        watch: &Watch<'_>,
    ) -> Result<Purged, PassError>;
}

/// Where purged files go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disposal {
    /// Moved below this folder, on the target's volume, under their relative paths.
    Quarantine(PathBuf),
    Delete,
}

/// What a purge did.
#[derive(Clone, Debug, Default)]
pub struct Purged {
    pub files: Tally,
    pub directories: u64,
    /// What is no directory and could not be taken away.
    pub kept: Tally,
    pub errors: Vec<FileError>,
}
