//! How much a pass will look at, as far as that is known before it has looked: from what this run did already.
//!
//! Pure. An earlier pass over the same source with the same filter counted it; for a pass without a filter every earlier
//! pass did, and so did a check that wanted room for it. What is found so is an estimate, and is told as one: the source
//! is alive.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::copy::Directories;
use crate::event::Expected;
use crate::filter::Filter;
use crate::plan::{Action, CheckAction, CopyAction, FreeSpace, Plan, VerifyAction};
use crate::state::fold::{RunState, Status};

/// What of the files that it looks at a pass will have to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moves {
    /// Nothing of them is in the target yet; or all of it is read.
    All,
    /// What is new or changed, which only the pass itself finds out.
    Some,
}

/// What is expected of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expectation {
    /// Files that take part, and all their bytes.
    pub(super) total: Expected,
    pub(super) moves: Moves,
}

/// What can be expected of a copy pass. The latest count is the best one.
pub(super) fn of_copy(plan: &Plan, state: &RunState, action: &CopyAction) -> Option<Expectation> {
    if action.directories == Directories::None {
        // Its one directory is listed before anybody could wait for it.
        return None;
    }
    let total = total(plan, state, &action.from, &action.filter)?;
    let was_there = done(plan, state).any(|(earlier, _)| match earlier {
        Action::Copy(copy) => copy.from == action.from && copy.to == action.to,
        _ => false,
    });
    Some(Expectation { total, moves: if was_there { Moves::Some } else { Moves::All } })
}

/// What can be expected of a verification, which reads everything.
pub(super) fn of_verify(plan: &Plan, state: &RunState, action: &VerifyAction) -> Option<Expectation> {
    let total = total(plan, state, &action.from, &action.filter)?;
    Some(Expectation { total, moves: Moves::All })
}

fn total(plan: &Plan, state: &RunState, from: &Path, filter: &Filter) -> Option<Expected> {
    done(plan, state)
        .filter_map(|(action, figures)| match action {
            Action::Copy(copy) if copy.from != from || copy.directories == Directories::None => None,
            Action::Copy(copy) if copy.filter.rules() == filter.rules() => {
                Some(sum(figures, &["new", "changed", "same"]))
            }
            Action::Copy(_) if filter.is_everything() => {
                Some(sum(figures, &["new", "changed", "same", "filtered"]))
            }
            Action::Check(checks) if filter.is_everything() && measures(checks, from) => {
                measured(figures, from)
            }
            _ => None,
        })
        .filter(|total| total.files > 0)
        .last()
}

/// The steps that are done, in the order of the plan, with what they left.
fn done<'r>(
    plan: &'r Plan,
    state: &'r RunState,
) -> impl Iterator<Item = (&'r Action, &'r BTreeMap<String, Value>)> {
    plan.steps().filter_map(|step| {
        let stood = state.steps.get(&step.id).filter(|stood| stood.status == Status::Done)?;
        Some((step.ready()?, &stood.figures))
    })
}

fn sum(figures: &BTreeMap<String, Value>, buckets: &[&str]) -> Expected {
    let get = |bucket: &str, what: &str| {
        figures.get(&format!("{bucket}_{what}")).and_then(Value::as_u64).unwrap_or(0)
    };
    Expected {
        files: buckets.iter().map(|bucket| get(bucket, "files")).sum(),
        bytes: buckets.iter().map(|bucket| get(bucket, "bytes")).sum(),
    }
}

fn measures(checks: &[CheckAction], from: &Path) -> bool {
    checks.iter().any(|check| match check {
        CheckAction::Path { free_space: Some(FreeSpace::Source(source)), .. } => source == from,
        _ => false,
    })
}

/// What a check summed up below a path.
fn measured(figures: &BTreeMap<String, Value>, from: &Path) -> Option<Expected> {
    let sizes = figures.get("measured")?.as_array()?;
    let path = from.display().to_string();
    let size = sizes.iter().find(|size| size["path"].as_str() == Some(&path))?;
    Some(Expected { files: size["files"].as_u64()?, bytes: size["bytes"].as_u64()? })
}
