//! What happens in a run, as values: the only thing that `run` and `report` share.
//!
//! An event is shown only after the journal holds what it tells. It never holds a secret.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::copy::{FileError, Progress};
use crate::state::record::{Prompt, Question};

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    RunStarted {
        run: String,
        name: String,
        title: String,
        state_file: String,
        phases: Vec<PhaseOutline>,
        /// Steps that an earlier process has done already.
        done: usize,
        resumed: bool,
    },
    PhaseStarted {
        phase: String,
        title: String,
        downtime: bool,
        number: usize,
        of: usize,
    },
    StepStarted {
        step: String,
        title: String,
        action: &'static str,
        number: usize,
        of: usize,
        attempt: u32,
        attempts: u32,
    },
    StepProgress {
        step: String,
        /// What is being done, in a word or two: `listing`, `copying`, `flushing`, `purging`, `hashing`, `waiting`; before and
        /// behind what another program copies `comparing` and `looking again`.
        doing: &'static str,
        #[serde(flatten)]
        progress: Progress,
        seconds: f64,
        /// Bytes a second over the last seconds.
        rate: f64,
        /// What the pass will look at in all, by what this run counted earlier; absent once the listing is complete.
        #[serde(skip_serializing_if = "Option::is_none")]
        expected: Option<Expected>,
        /// Seconds left; absent while it cannot be known.
        left: Option<f64>,
        /// What `left` rests on.
        #[serde(skip_serializing_if = "Option::is_none")]
        left_by: Option<LeftBy>,
    },
    StepDone {
        step: String,
        action: &'static str,
        seconds: f64,
        figures: BTreeMap<String, Value>,
        debt: u64,
    },
    StepSkipped {
        step: String,
        reason: String,
    },
    StepFailed {
        step: String,
        seconds: f64,
        error: String,
        hints: Vec<String>,
        errors: Vec<FileError>,
    },
    StepRetry {
        step: String,
        attempt: u32,
        attempts: u32,
        wait: f64,
        error: String,
    },
    StepInterrupted {
        step: String,
    },
    /// The run stops to ask. `list` names what a purge would take away, or files that were never copied.
    Waiting {
        step: String,
        question: Question,
        prompt: Prompt,
        list: Vec<String>,
        /// Whether somebody is asked on this terminal.
        here: Presence,
    },
    Answered {
        step: String,
        answer: String,
        by: String,
    },
    Warning {
        step: Option<String>,
        message: String,
    },
    RunEnded {
        outcome: Outcome,
        exit_code: u8,
        seconds: f64,
        downtime: Option<f64>,
        state_file: String,
        next: Vec<String>,
    },
}

/// Files and bytes of a source, as they were when they were last counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Expected {
    pub files: u64,
    pub bytes: u64,
}

/// What a time that is left was reckoned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftBy {
    /// All that is to be done is known.
    Listing,
    /// What this run counted earlier in the same source: an estimate.
    Estimate,
}

/// Whether a person can be asked at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// On this terminal.
    Here,
    /// By `approve`, some other time.
    Elsewhere,
}

/// How a process's part of a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    Failed,
    Waiting,
    Refused,
    Interrupted,
}

#[derive(Clone, Debug, Serialize)]
pub struct PhaseOutline {
    pub id: String,
    pub title: String,
    pub downtime: bool,
    pub steps: Vec<StepOutline>,
}

#[derive(Clone, Debug, Serialize)]
pub struct StepOutline {
    pub id: String,
    pub title: String,
    pub action: &'static str,
    /// Whether an earlier process has done (or skipped) it.
    pub done: bool,
}

/// Who wants to see events. Called from one thread at a time.
pub trait Sink: Send {
    fn event(&mut self, event: &Event);
}
