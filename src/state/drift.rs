//! How a plan made now differs from what a run rests on. Pure.
//!
//! Only what can change what the run does is drift: steps, their order and phases, and variables. A runbook whose text
//! alone changed (a comment, a description) has none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::fold::{RunState, Status};
use super::record::StepMark;

/// The plan as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    pub steps: &'a [StepMark],
    /// All variables that are not secret.
    pub vars: &'a BTreeMap<String, Value>,
    /// The same as the run rests on them.
    pub before: &'a BTreeMap<String, Value>,
    /// The names of the secret ones.
    pub secrets: &'a BTreeSet<String>,
}

/// How far the run is with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Done,
    Skipped,
    /// It was started, and is not done.
    Begun,
    Pending,
}

impl Standing {
    fn of(status: &Status) -> Self {
        match status {
            Status::Done => Self::Done,
            Status::Skipped { .. } => Self::Skipped,
            Status::Started { .. } | Status::Failed { .. } | Status::Interrupted => Self::Begun,
            Status::Pending => Self::Pending,
        }
    }

    fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Skipped)
    }
}

/// Where a step now stands among those that are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A step after it is done already.
    BeforeDone,
    AfterDone,
}

/// One difference.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    StepChanged { step: String, standing: Standing },
    StepAdded { step: String, place: Place },
    StepRemoved { step: String, standing: Standing },
    StepMoved { step: String, standing: Standing, place: Place },
    PhaseChanged { step: String, was: String, is: String },
    VarChanged { name: String, was: Value, is: Value, begun: Begun },
    VarAdded { name: String, is: Value },
    VarRemoved { name: String, was: Value },
    SecretChanged { name: String, begun: Begun },
    SecretAdded { name: String },
    SecretRemoved { name: String },
}

/// Whether the run has done anything with the values it began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    Yes,
    No,
}

/// What accepting a change takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The run does from here on what the runbook now says.
    Harmless,
    /// What was done and what the runbook says now do not fit together by themselves.
    NeedsThought,
}

/// All differences: variables first, then steps in the order of the new plan, then those that are gone.
///
/// `same_secret` tells whether the present value of a secret is the one with this hash.
pub fn compare(
    state: &RunState,
    present: &Present<'_>,
    mut same_secret: impl FnMut(&str, &str) -> bool,
) -> Vec<Change> {
    let mut changes = compare_vars(state, present);
    compare_secrets(state, present, &mut same_secret, &mut changes);
    compare_steps(state, present.steps, &mut changes);
    changes
}

fn compare_vars(state: &RunState, present: &Present<'_>) -> Vec<Change> {
    let before = present.before;
    let begun = begun(state);
    let mut changes = Vec::new();
    for (name, is) in present.vars {
        match before.get(name) {
            Some(was) if was == is => {}
            Some(was) => changes.push(Change::VarChanged {
                name: name.clone(),
                was: was.clone(),
                is: is.clone(),
                begun,
            }),
            None => changes.push(Change::VarAdded { name: name.clone(), is: is.clone() }),
        }
    }
    for (name, was) in before {
        if !present.vars.contains_key(name) {
            changes.push(Change::VarRemoved { name: name.clone(), was: was.clone() });
        }
    }
    changes
}

fn compare_secrets(
    state: &RunState,
    present: &Present<'_>,
    same_secret: &mut dyn FnMut(&str, &str) -> bool,
    changes: &mut Vec<Change>,
) {
    let before = &state.basis.secrets;
    for name in present.secrets {
        match before.get(name) {
            Some(hash) if same_secret(name, hash) => {}
            Some(_) => changes.push(Change::SecretChanged { name: name.clone(), begun: begun(state) }),
            None => changes.push(Change::SecretAdded { name: name.clone() }),
        }
    }
    for name in before.keys().filter(|name| !present.secrets.contains(*name)) {
        changes.push(Change::SecretRemoved { name: name.clone() });
    }
}

fn compare_steps(state: &RunState, now: &[StepMark], changes: &mut Vec<Change>) {
    let before: BTreeMap<&str, (usize, &StepMark)> =
        state.basis.steps.iter().enumerate().map(|(at, mark)| (mark.id.as_str(), (at, mark))).collect();
    let standing = |step: &str| Standing::of(state.status(step));
    let last_done = now.iter().rposition(|mark| standing(&mark.id).is_final());
    let place = |at: usize| match last_done {
        Some(last) if at < last => Place::BeforeDone,
        _ => Place::AfterDone,
    };
    let common: Vec<(usize, &str)> =
        now.iter().filter_map(|mark| Some((before.get(mark.id.as_str())?.0, mark.id.as_str()))).collect();
    let unmoved = longest_increasing(&common);
    for (at, mark) in now.iter().enumerate() {
        let step = mark.id.clone();
        let Some((_, was)) = before.get(mark.id.as_str()) else {
            changes.push(Change::StepAdded { step, place: place(at) });
            continue;
        };
        let standing = standing(&mark.id);
        if was.digest != mark.digest {
            changes.push(Change::StepChanged { step: step.clone(), standing });
        }
        if was.phase != mark.phase {
            let (was, is) = (was.phase.clone(), mark.phase.clone());
            changes.push(Change::PhaseChanged { step: step.clone(), was, is });
        }
        if !unmoved.contains(mark.id.as_str()) {
            changes.push(Change::StepMoved { step, standing, place: place(at) });
        }
    }
    let after: BTreeSet<&str> = now.iter().map(|mark| mark.id.as_str()).collect();
    for mark in state.basis.steps.iter().filter(|mark| !after.contains(mark.id.as_str())) {
        changes.push(Change::StepRemoved { step: mark.id.clone(), standing: standing(&mark.id) });
    }
}

/// The largest set of steps that are still in their old order: all others moved.
fn longest_increasing<'a>(steps: &[(usize, &'a str)]) -> BTreeSet<&'a str> {
    // `ends[n]` is the step that ends the best chain of n + 1 steps; `links` leads each step back along its chain.
    let mut ends: Vec<usize> = Vec::new();
    let mut links: Vec<Option<usize>> = Vec::with_capacity(steps.len());
    for (at, (old, _)) in steps.iter().enumerate() {
        let length = ends.partition_point(|&end| steps[end].0 < *old);
        links.push(length.checked_sub(1).map(|before| ends[before]));
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    std::iter::successors(ends.last().copied(), |&at| links[at]).map(|at| steps[at].1).collect()
}

fn begun(state: &RunState) -> Begun {
    if state.steps.values().any(|step| step.status != Status::Pending) { Begun::Yes } else { Begun::No }
}

impl Change {
    /// What accepting it takes.
    pub fn weight(&self) -> Weight {
        let harmless = match self {
            Self::StepChanged { standing, .. } => *standing == Standing::Pending,
            Self::StepAdded { place, .. } => *place == Place::AfterDone,
            Self::StepRemoved { standing, .. } => standing.is_final(),
            Self::StepMoved { standing, place, .. } => {
                *standing == Standing::Pending && *place == Place::AfterDone
            }
            Self::VarChanged { begun, .. } | Self::SecretChanged { begun, .. } => *begun == Begun::No,
            Self::PhaseChanged { .. }
            | Self::VarAdded { .. }
            | Self::VarRemoved { .. }
            | Self::SecretAdded { .. }
            | Self::SecretRemoved { .. } => true,
        };
        if harmless { Weight::Harmless } else { Weight::NeedsThought }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StepChanged { step, standing } => match standing {
                Standing::Done => {
                    write!(f, "step `{step}` is done and now reads otherwise; it will not be done again")
                }
                Standing::Skipped => {
                    write!(f, "step `{step}` was skipped and now reads otherwise; it stays skipped")
                }
                Standing::Begun => write!(
                    f,
                    "step `{step}` was begun and now reads otherwise; it begins anew as it now reads"
                ),
                Standing::Pending => write!(f, "step `{step}` is still to come and now reads otherwise"),
            },
            Self::StepAdded { step, place } => match place {
                Place::AfterDone => write!(f, "step `{step}` is new and still to come"),
                Place::BeforeDone => write!(
                    f,
                    "step `{step}` is new and stands before steps that are done; it will be done after them"
                ),
            },
            Self::StepRemoved { step, standing } => match standing {
                Standing::Done => write!(f, "step `{step}` is gone; it is done, and what it did stays"),
                Standing::Skipped => write!(f, "step `{step}` is gone; it was skipped"),
                Standing::Begun => write!(f, "step `{step}` is gone; it was begun and will not be finished"),
                Standing::Pending => write!(f, "step `{step}` is gone and will not be done"),
            },
            Self::StepMoved { step, standing, place } => match (standing, place) {
                (Standing::Done | Standing::Skipped, _) => {
                    write!(f, "step `{step}` moved; it is over and stays so")
                }
                (_, Place::BeforeDone) => {
                    write!(f, "step `{step}` moved before steps that are done; it will be done after them")
                }
                (_, Place::AfterDone) => write!(f, "step `{step}` moved and is still to come"),
            },
            Self::PhaseChanged { step, was, is } => {
                write!(f, "step `{step}` moved from phase `{was}` to `{is}`")
            }
            Self::VarChanged { name, was, is, .. } => {
                write!(f, "variable `{name}` was {was} and is now {is}")
            }
            Self::VarAdded { name, is } => write!(f, "variable `{name}` is new: {is}"),
            Self::VarRemoved { name, was } => write!(f, "variable `{name}` is gone; it was {was}"),
            Self::SecretChanged { name, .. } => write!(f, "secret `{name}` has another value"),
            Self::SecretAdded { name } => write!(f, "secret `{name}` is new"),
            Self::SecretRemoved { name } => write!(f, "secret `{name}` is gone"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::fold::fold;
    use crate::state::record::Body;
    use crate::state::sample::{self, done, mark, run_started, session, skipped, started};

    fn state(bodies: impl IntoIterator<Item = Body>) -> RunState {
        fold(&sample::records([run_started(), session()].into_iter().chain(bodies).collect())).unwrap()
    }

    /// `key` is done, `early` skipped, `stop` begun, the others pending.
    fn midway() -> RunState {
        state([started("key"), done("key"), skipped("early"), started("stop")])
    }

    fn steps_against(state: &RunState, change: impl FnOnce(&mut Vec<StepMark>)) -> Vec<Change> {
        let mut steps = state.basis.steps.clone();
        change(&mut steps);
        let secrets = BTreeSet::from(["password".to_string()]);
        compare(
            state,
            &Present { steps: &steps, vars: &state.basis.vars, before: &state.basis.vars, secrets: &secrets },
            |_, _| true,
        )
    }

    fn vars_against(
        state: &RunState,
        change: impl FnOnce(&mut BTreeMap<String, Value>, &mut BTreeSet<String>),
        same: bool,
    ) -> Vec<Change> {
        let mut vars = state.basis.vars.clone();
        let mut secrets = BTreeSet::from(["password".to_string()]);
        change(&mut vars, &mut secrets);
        compare(
            state,
            &Present { steps: &state.basis.steps, vars: &vars, before: &state.basis.vars, secrets: &secrets },
            |name, hash| {
                assert_eq!((name, hash), ("password", "$argon2id$x"));
                same
            },
        )
    }

    /// The one change, as a person reads it, and its weight.
    fn only(changes: Vec<Change>) -> (String, Weight) {
        let [change] = changes.as_slice() else { panic!("one change expected: {changes:?}") };
        (change.to_string(), change.weight())
    }

    #[test]
    fn the_same_plan_has_no_drift() {
        assert_eq!(steps_against(&midway(), |_| {}), []);
    }

    #[test]
    fn titles_are_text_and_no_drift() {
        assert_eq!(steps_against(&midway(), |steps| steps[0].title = "Another".into()), []);
    }

    #[test]
    fn a_changed_step_weighs_by_how_far_it_is() {
        let changed = |at: usize| only(steps_against(&midway(), |steps| steps[at].digest = "new".into()));
        let (text, weight) = changed(0);
        assert!(text.contains("`key` is done") && weight == Weight::NeedsThought, "{text}");
        let (text, weight) = changed(1);
        assert!(text.contains("`early` was skipped") && weight == Weight::NeedsThought, "{text}");
        let (text, weight) = changed(2);
        assert!(text.contains("`stop` was begun") && weight == Weight::NeedsThought, "{text}");
        let (text, weight) = changed(3);
        assert!(text.contains("`final` is still to come") && weight == Weight::Harmless, "{text}");
    }

    #[test]
    fn a_step_added_behind_the_done_ones_is_harmless() {
        let (text, weight) =
            only(steps_against(&midway(), |steps| steps.insert(4, mark("new", "downtime", "n"))));
        assert!(text.contains("`new` is new and still to come") && weight == Weight::Harmless, "{text}");
    }

    #[test]
    fn a_step_added_before_done_ones_needs_thought() {
        let (text, weight) =
            only(steps_against(&midway(), |steps| steps.insert(1, mark("new", "prepare", "n"))));
        assert!(text.contains("before steps that are done") && weight == Weight::NeedsThought, "{text}");
    }

    #[test]
    fn a_removed_step_weighs_by_how_far_it_is() {
        let removed = |at: usize| only(steps_against(&midway(), |steps| drop(steps.remove(at))));
        assert_eq!(removed(0).1, Weight::Harmless);
        assert_eq!(removed(1).1, Weight::Harmless);
        assert_eq!(removed(2).1, Weight::NeedsThought);
        let (text, weight) = removed(3);
        assert!(
            text.contains("`final` is gone and will not be done") && weight == Weight::NeedsThought,
            "{text}"
        );
    }

    #[test]
    fn only_the_step_that_moved_is_named() {
        let changes = steps_against(&midway(), |steps| {
            let last = steps.pop().unwrap();
            steps.insert(3, last);
        });
        let expected =
            Change::StepMoved { step: "after".into(), standing: Standing::Pending, place: Place::AfterDone };
        assert_eq!(changes, [expected]);
        assert_eq!(changes[0].weight(), Weight::Harmless);
    }

    #[test]
    fn a_step_moved_before_done_ones_needs_thought() {
        let (text, weight) = only(steps_against(&midway(), |steps| {
            let last = steps.pop().unwrap();
            steps.insert(0, last);
        }));
        assert!(
            text.contains("`after` moved before steps that are done") && weight == Weight::NeedsThought,
            "{text}"
        );
    }

    #[test]
    fn another_phase_is_told_by_both_names() {
        let (text, weight) = only(steps_against(&midway(), |steps| steps[4].phase = "end".into()));
        assert!(text.contains("from phase `downtime` to `end`") && weight == Weight::Harmless, "{text}");
    }

    #[test]
    fn a_changed_variable_is_shown_with_both_values() {
        let changed = |state: &RunState| {
            only(vars_against(state, |vars, _| drop(vars.insert("threads".into(), json!(16))), true))
        };
        let (text, weight) = changed(&midway());
        assert!(text.contains("`threads` was 8 and is now 16") && weight == Weight::NeedsThought, "{text}");
        assert_eq!(changed(&state([])).1, Weight::Harmless, "nothing was begun with the old value");
    }

    #[test]
    fn added_and_removed_variables_are_told() {
        let (text, _) =
            only(vars_against(&midway(), |vars, _| drop(vars.insert("x".into(), json!("y"))), true));
        assert_eq!(text, "variable `x` is new: \"y\"");
        let (text, _) = only(vars_against(&midway(), |vars, _| drop(vars.remove("threads")), true));
        assert_eq!(text, "variable `threads` is gone; it was 8");
    }

    #[test]
    fn a_secret_that_does_not_match_its_hash_is_told_without_a_value() {
        let (text, weight) = only(vars_against(&midway(), |_, _| {}, false));
        assert_eq!(text, "secret `password` has another value");
        assert_eq!(weight, Weight::NeedsThought);
    }

    #[test]
    fn added_and_removed_secrets_are_told() {
        let (text, _) = only(vars_against(&midway(), |_, secrets| secrets.extend(["pin".to_string()]), true));
        assert_eq!(text, "secret `pin` is new");
        let (text, _) = only(vars_against(&midway(), |_, secrets| secrets.clear(), true));
        assert_eq!(text, "secret `password` is gone");
    }

    #[test]
    fn a_variable_that_became_a_secret_does_not_show_its_new_value() {
        let changes = vars_against(
            &midway(),
            |vars, secrets| {
                vars.remove("threads");
                secrets.insert("threads".into());
            },
            true,
        );
        let texts: Vec<_> = changes.iter().map(Change::to_string).collect();
        assert_eq!(texts, ["variable `threads` is gone; it was 8", "secret `threads` is new"]);
    }
}
