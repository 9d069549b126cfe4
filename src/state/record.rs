//! The records of a state file: one a line, in the order in which things happened.
//!
//! A record never holds a secret: of a secret answer or variable only an Argon2id hash (PHC string) is kept.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::copy::FileError;
use crate::copy::account::Account;
use crate::plan::{AnswerKind, Evidence};

/// The version of the format; a newer one is refused.
pub const FORMAT: u32 = 1;

/// One line of the journal, but for its `chain`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub seq: u64,
    pub at: Timestamp,
    #[serde(flatten)]
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// Always the first record, and only the first: enough to go on from and to report from.
    RunStarted {
        format: u32,
        run: String,
        movebook: String,
        host: String,
        user: String,
        basis: Basis,
    },
    /// A process took the run up (the first one too).
    SessionStarted {
        host: String,
        user: String,
        pid: u32,
        movebook: String,
    },
    /// Intent: written and synced before the step touches anything.
    StepStarted {
        step: String,
        attempt: u32,
        digest: String,
        /// Of a copy step's target as the step began: see [`crate::sys::volume::continuity`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        continuity: Option<String>,
    },
    StepDone {
        step: String,
        seconds: f64,
        /// What later templates see as `steps.STEP.FIELD`.
        figures: BTreeMap<String, Value>,
        /// File errors that the step tolerated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        debt: Option<Debt>,
        /// Steps whose debt this one cleared.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        clears: Vec<String>,
        /// What a pass saw and did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<Account>,
    },
    StepFailed {
        step: String,
        seconds: f64,
        error: String,
        hints: Vec<String>,
        /// File errors, for the report; bounded.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<FileError>,
        /// The exit code that the failure ends the process with (1, or 7 for a guard).
        code: u8,
        /// What a pass saw and did, where it went to its end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<Account>,
    },
    StepSkipped {
        step: String,
        reason: String,
    },
    /// A step was stopped by Ctrl-C in an orderly way.
    StepInterrupted {
        step: String,
        seconds: f64,
    },
    /// The run stopped to ask.
    Asked {
        step: String,
        question: Question,
        prompt: Prompt,
        /// What the question is about, name by name; bounded.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        list: Vec<String>,
    },
    Answered {
        step: String,
        question: Question,
        answer: Answer,
        by: String,
        host: String,
        how: How,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<EvidenceFile>,
    },
    /// The identity of a pass's target, and how the first pass found it.
    TargetClaimed {
        path: String,
        identity: String,
        found: Found,
    },
    /// Intent: files are about to be moved from a target into this run's quarantine.
    PurgeStarted(PurgeStarted),
    /// Intent: a person brings back what purges took away, or deletes it for good.
    QuarantineChanging {
        deed: Deed,
        by: String,
        host: String,
        /// The purges whose files these are.
        purges: Vec<u32>,
        files: u64,
        bytes: u64,
        /// What was named, bounded; empty: all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        names: Vec<String>,
    },
    QuarantineChanged {
        deed: Deed,
        files: u64,
        bytes: u64,
        /// Entries that stay in the quarantine though they were meant.
        left: u64,
    },
    DebtWaived {
        step: String,
        by: String,
        host: String,
        note: String,
    },
    /// A person accepted that the runbook or the variables are no longer those of the start.
    ChangesAccepted {
        by: String,
        host: String,
        changes: Vec<String>,
        basis: Basis,
    },
    RunFinished {
        seconds: f64,
    },
}

/// A purge into the quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeStarted {
    pub step: String,
    /// From 1 on, in the order of the run.
    pub number: u32,
    pub target: String,
    pub identity: String,
    /// The purge's own folder in the quarantine.
    pub folder: String,
    /// What is on its list.
    pub files: u64,
    pub bytes: u64,
}

/// What becomes of what is in the quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    Restore,
    Discard,
}

/// What a run rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// The main file first, then the included ones.
    pub files: Vec<RunbookText>,
    /// BLAKE3 over names and texts of the files.
    pub digest: String,
    /// Paths of the variable files, for people and for `resume`.
    pub vars_files: Vec<String>,
    /// When the run began, as templates see it.
    pub started: Timestamp,
    /// Environment variables that the runbook may read, as they were.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Variables that came from the environment or the command line, as they were written; never a secret.
    #[serde(default)]
    pub given: BTreeMap<String, String>,
    /// The values of all variables that are not secret.
    pub vars: BTreeMap<String, Value>,
    /// Argon2id hashes of the secret ones.
    pub secrets: BTreeMap<String, String>,
    pub phases: Vec<PhaseMark>,
    /// The steps of the plan, in order.
    pub steps: Vec<StepMark>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunbookText {
    /// Absolute for the main file; as the `include` says it for the others, relative to the main file's folder.
    pub path: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseMark {
    pub id: String,
    pub title: String,
    pub downtime: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepMark {
    pub id: String,
    pub phase: String,
    pub title: String,
    /// The key that the step's action has in the runbook: `copy`, `checkpoint`, …
    pub action: String,
    pub digest: String,
}

/// File errors that an early pass tolerated and that a later pass must clear.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Debt {
    pub from: String,
    pub to: String,
    pub files: u64,
    /// At most [`crate::copy::PassSummary::LISTED_ERRORS`].
    pub errors: Vec<FileError>,
}

/// What a run may stop for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The step is a checkpoint.
    Checkpoint,
    /// A purge of more than its limits. `list` is the digest of what would go.
    Purge { files: u64, bytes: u64, target_files: u64, list: String },
    /// A target that is not empty, to be taken over.
    Adopt { path: String, identity: String, files: u64 },
    /// A command was under way when the process ended: was it done?
    Unknown,
    /// Debt is left at the end of the run.
    Debt { files: u64 },
}

/// All that is needed to ask, and to judge an answer, without the runbook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    pub ask: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    pub answer: AnswerKind,
    pub evidence: Evidence,
    /// A secret checkpoint whose answer must be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<String>,
}

/// An answer as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Confirmed,
    Text(String),
    Choice(String),
    /// An Argon2id hash of the answer, as a PHC string.
    Secret(String),
}

impl Answer {
    /// The answer as people and templates see it; of a secret nothing.
    pub fn visible(&self) -> Option<&str> {
        match self {
            Self::Confirmed => Some("confirmed"),
            Self::Text(text) | Self::Choice(text) => Some(text),
            Self::Secret(_) => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Terminal,
    Approve,
    /// By `run --answer`, before it was asked.
    Ahead,
    /// By `run --yes`: no person looked.
    Yes,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceFile {
    pub name: String,
    pub bytes: u64,
    pub blake3: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    Absent,
    Empty,
    /// It held files, and a person agreed to take it over.
    Adopted,
}
