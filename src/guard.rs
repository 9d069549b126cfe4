//! What is refused before anything is touched, as decisions over facts.
//!
//! Pure: the facts are gathered elsewhere, and nothing here looks at a file system. What cannot be told is refused: a
//! guard never lets pass what it does not know.

pub mod pair;
pub mod path;
pub mod purge;
pub mod target;

use serde::Serialize;

use crate::error::{Error, ExitCode};

pub use pair::{PairFacts, Place, judge_pair};
pub use path::{PathStyle, judge_path};
pub use purge::{Limits, Ownership, PurgeFacts, PurgeList, SourceFacts, Verdict, judge_purge};
pub use target::{
    ClaimFacts, ClaimVerdict, FoundNow, Protected, Purges, TargetFacts, judge_claim, judge_target,
};

/// What tells one file or folder from every other: device and inode, or volume serial and file index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Identity(pub String);

/// Why something is not done. The process ends with [`ExitCode::Refused`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// Stable, for scripts: `relative_path`.
    pub code: &'static str,
    pub reason: String,
    /// What to do.
    pub hint: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), hint: hint.into() }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::new(ExitCode::Refused, refusal.reason).hint(refusal.hint)
    }
}
