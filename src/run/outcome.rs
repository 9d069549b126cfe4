//! What an action hands back, and how it is watched while it works.
//!
//! An action never prints, never writes to the journal and never asks: it ends with figures or with a reason.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cancel::Cancel;
use crate::guard::Refusal;

/// What later templates see as `steps.STEP.FIELD`. Never holds a secret.
pub type Figures = BTreeMap<String, Value>;

/// Why an action did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The run was asked to stop; what the action had begun is ended.
    Interrupted,
    Failed {
        error: String,
        hints: Vec<String>,
    },
    /// A guard refused before anything was touched.
    Refused {
        reason: String,
        hints: Vec<String>,
    },
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { reason: refusal.reason, hints: vec![refusal.hint] }
    }
}

impl Failure {
    pub fn failed(error: impl Into<String>) -> Self {
        Self::Failed { error: error.into(), hints: Vec::new() }
    }

    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into(), hints: Vec::new() }
    }

    /// Adds a sentence that says what to do next. An interruption has none and stays as it is.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        match &mut self {
            Self::Interrupted => {}
            Self::Failed { hints, .. } | Self::Refused { hints, .. } => hints.push(hint.into()),
        }
        self
    }
}

/// Takes every secret out of what is told of a failure.
pub fn redacted(failure: Failure, redact: &dyn Fn(&str) -> String) -> Failure {
    let all = |hints: Vec<String>| hints.iter().map(|hint| redact(hint)).collect();
    match failure {
        Failure::Interrupted => Failure::Interrupted,
        Failure::Failed { error, hints } => Failure::Failed { error: redact(&error), hints: all(hints) },
        Failure::Refused { reason, hints } => Failure::Refused { reason: redact(&reason), hints: all(hints) },
    }
}

/// How an action is watched, stopped and kept from telling secrets.
#[derive(Clone, Copy)]
pub struct ActionWatch<'a> {
    pub cancel: &'a Cancel,
    /// What is being done, in a word, and how long it will still take where that is known.
    pub progress: &'a (dyn Fn(&'static str, Option<Duration>) + Sync),
    /// Takes every secret of the run out of a text.
    pub redact: &'a (dyn Fn(&str) -> String + Sync),
}

impl ActionWatch<'_> {
    /// The longest time between two looks at the wish to stop.
    const SLICE: Duration = Duration::from_millis(50);

    pub fn check(&self) -> Result<(), Failure> {
        if self.cancel.is_requested() { Err(Failure::Interrupted) } else { Ok(()) }
    }

    /// Sleeps, but not past the wish to stop.
    pub fn pause(&self, duration: Duration) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            self.check()?;
            let left = duration.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(Self::SLICE));
        }
    }
}
