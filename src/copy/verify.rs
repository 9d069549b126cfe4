//! Compares two trees by size, time and content, and writes down what the target holds.
//!
//! A verification changes nothing but the manifest that it was asked for.

pub(in crate::copy) mod manifest;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Extra, Method, PassError, Watch};
use crate::filter::Filter;

/// One comparison of a source and a target tree.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyPass {
    pub from: PathBuf,
    pub to: PathBuf,
    pub filter: Filter,
    /// What ages are measured from.
    pub started: Timestamp,
    pub method: Method,
    /// `None`: what the target's file system can store.
    pub mtime_tolerance: Option<Duration>,
    pub threads: u32,
    /// Where the target's hashes are written, one line a file as `b3sum` does, sorted by path. Needs [`Method::Blake3`].
    pub manifest: Option<PathBuf>,
    pub extra: Extra,
}

/// In what source and target differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// The target lacks it.
    Missing,
    /// Only the target has it.
    Extra,
    /// A file here is a directory or a link there.
    Kind,
    Size,
    Mtime,
    Content,
    /// It could not be read, or changed while it was.
    Unreadable,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Difference {
    /// As [`super::names::shown`] writes it; a directory ends with `/`.
    pub path: String,
    pub kind: DifferenceKind,
    /// Both sides, or the error.
    pub detail: String,
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Regular files of the source that the filter let in.
    pub files: u64,
    pub bytes: u64,
    /// Files that agree in all that the method looks at.
    pub equal: u64,
    pub directories: u64,
    /// Links, and devices, sockets and pipes, which are not compared.
    pub skipped: u64,
    /// Files that the filter kept out.
    pub filtered: u64,
    /// Extra files that [`Extra::Ignore`] lets pass, and those that the filter keeps out.
    pub extra_ignored: u64,
    pub counts: BTreeMap<DifferenceKind, u64>,
    /// Sorted by path, at most [`Verification::LISTED`]; `counts` has all.
    pub differences: Vec<Difference>,
    /// Lines in the manifest.
    pub manifest_files: u64,
}

impl Verification {
    pub const LISTED: usize = 1000;

    /// Whether nothing differs.
    pub fn is_clean(&self) -> bool {
        self.counts.values().all(|count| *count == 0)
    }
}

/// Compares both trees. Differences are in the result; only what ends the whole pass is an `Err`.
pub fn verify(pass: &VerifyPass, watch: &Watch<'_>) -> Result<Verification, PassError> {
    super::native::verify(pass, watch)
}
