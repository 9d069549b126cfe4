//! Runbook + values → [`Plan`]: the steps in order, every value known or marked as known only later.
//!
//! Pure: making a plan reads no target and changes nothing.

pub mod action;

use std::time::Duration;

use serde::Serialize;

pub use action::*;

/// A runbook rendered for one customer.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    pub name: String,
    pub title: String,
    pub phases: Vec<PlannedPhase>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PlannedPhase {
    pub id: String,
    pub title: String,
    pub downtime: bool,
    pub steps: Vec<PlannedStep>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PlannedStep {
    /// Unique in the plan; `ID[0]`, `ID[1]`, … where the step was expanded by `for_each`.
    pub id: String,
    pub phase: String,
    pub title: String,
    pub retry: Retry,
    pub on_interrupt: OnInterrupt,
    /// A digest (BLAKE3, hexadecimal) of everything that decides what the step does, without secrets.
    pub digest: String,
}

/// How often a whole step is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Retry {
    pub attempts: u32,
    pub wait: Duration,
}
