//! Runbook + values → [`Plan`]: the steps in order, every value known or marked as known only later.
//!
//! Pure: making a plan reads no target and changes nothing. The same runbook and values always give the same plan,
//! whatever a run has learned meanwhile; that is why a step's digest tells whether the runbook changed.

pub mod action;
mod diagnostics;
mod engine;
mod fields;
mod make;
mod render_action;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

pub use action::*;
pub(crate) use make::secret_argument;
pub use make::{EnvironmentVariables, complete, decide, make};

use crate::render::Known;
use crate::runbook::model::{Runbook, Step};
use crate::runbook::source::Spanned;
use crate::vars::Values;

/// A runbook rendered for one customer.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    pub name: String,
    pub title: String,
    pub phases: Vec<PlannedPhase>,
    /// What late values are completed from.
    #[serde(skip)]
    pub(crate) origin: Arc<Origin>,
}

/// What a plan was made from. Nothing outside this module reads the runbook in it.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) runbook: Runbook,
    pub(crate) values: Values,
    run: Value,
    environment: EnvironmentVariables,
}

#[derive(Clone, Debug, Serialize)]
pub struct PlannedPhase {
    pub id: String,
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub downtime: bool,
    pub condition: Condition,
    pub steps: Vec<PlannedStep>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PlannedStep {
    /// Unique in the plan; `ID[0]`, `ID[1]`, … where the step was expanded by `for_each`.
    pub id: String,
    pub phase: String,
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The action's key in the runbook.
    pub action: &'static str,
    pub condition: Condition,
    pub retry: Retry,
    pub on_interrupt: OnInterrupt,
    /// Every value of the action as the plan shows it, late ones as `(known after STEP)`; without secrets.
    pub detail: Value,
    /// Steps that must be done before all values are known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub known_after: Vec<String>,
    /// A digest (BLAKE3, hexadecimal) of everything that decides what the step does, without secrets.
    pub digest: String,
    #[serde(skip)]
    pub work: Work,
}

/// What a step will do, or what it takes to know that.
#[derive(Clone, Debug)]
pub enum Work {
    Ready(Box<Action>),
    Late(LateStep),
}

/// A step with a value that is known only during the run; [`complete`] makes it an [`Action`].
#[derive(Clone, Debug)]
pub struct LateStep {
    pub(crate) step: Arc<Step>,
    pub(crate) item: Option<Value>,
}

/// Whether a phase or a step takes place.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "takes_place", rename_all = "snake_case")]
pub enum Condition {
    Always,
    /// The expression was false when the plan was made.
    Never {
        when: String,
    },
    /// Decided during the run, by [`decide`].
    Late {
        when: String,
        known_after: Vec<String>,
        #[serde(skip)]
        expression: Box<Spanned<String>>,
        #[serde(skip)]
        item: Option<Value>,
    },
}

impl PlannedStep {
    /// The action, where every value of it is known.
    pub fn ready(&self) -> Option<&Action> {
        match &self.work {
            Work::Ready(action) => Some(action),
            Work::Late(_) => None,
        }
    }
}

/// How often a whole step is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Retry {
    /// At least 1.
    pub attempts: u32,
    #[serde(serialize_with = "as_written")]
    pub wait: Duration,
}

/// A duration as the language writes it: `30s`.
fn as_written<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::values::written(*duration))
}

impl Plan {
    /// All steps in order.
    pub fn steps(&self) -> impl Iterator<Item = &PlannedStep> {
        self.phases.iter().flat_map(|phase| &phase.steps)
    }

    pub fn step(&self, id: &str) -> Option<&PlannedStep> {
        self.steps().find(|step| step.id == id)
    }

    /// The texts that the plan came from: name (as included) and text, the main file first.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.origin.runbook.sources.iter().map(|(_, source)| (source.name.as_str(), &*source.text))
    }

    /// What templates know before any step is done.
    pub fn known(&self) -> Known {
        Known {
            run: self.origin.run.clone(),
            environment: self.origin.environment.clone(),
            ..Known::default()
        }
    }

    pub fn values(&self) -> &Values {
        &self.origin.values
    }
}
