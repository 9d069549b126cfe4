//! What was found, in order → phases: what is done ahead, what waits for a person, what is done in the downtime, and what
//! comes after it.
//!
//! Pure. No item is lost and none changes its place; only a pass that is repeated right behind itself becomes one that is
//! tried so often.

use std::time::Duration;

use super::command::Service;
use super::pass::Pass;
use crate::copy::OnErrors;
use crate::plan::action::ServiceState;

/// A line of a script, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub file: String,
    pub line: usize,
    /// Without secrets; more than one line where it is a block.
    pub text: String,
}

/// A line that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    pub origin: Origin,
    pub why: Vec<String>,
}

/// What a script comes to, piece by piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Step(Step),
    Left(Left),
    /// A comment of the script, or a line that needs no step, with the reason.
    Remark {
        origin: Origin,
        why: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub origins: Vec<Origin>,
    pub notes: Vec<String>,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Copy(Box<Copy>),
    Service(Service),
    Wait(Duration),
    Checkpoint { ask: Option<String>, told: Vec<String>, asks_for: Option<char> },
}

/// A pass, and what its place decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    pub pass: Pass,
    pub errors: OnErrors,
    /// How often it is tried; 1 where it stands once.
    pub attempts: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    pub kind: Kind,
    pub items: Vec<Item>,
}

/// The purpose of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In front of the downtime, without a pass.
    Preflight,
    /// Passes while the services run.
    Prestage,
    /// From the first question behind a pass on.
    Freeze,
    /// The services are stopped.
    Downtime,
    /// They run again.
    After,
    /// No service is stopped at all.
    Copy,
}

/// A script as phases, and what stands behind its last step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Procedure {
    pub phases: Vec<Phase>,
    pub rest: Vec<Item>,
}

/// Puts items into phases.
pub fn arranged(items: Vec<Item>) -> Procedure {
    let kinds = kinds(&items);
    let mut procedure = Procedure::default();
    // Remarks belong to the step that they stand in front of.
    let mut waiting = Vec::new();
    let mut kinds = kinds.into_iter();
    for item in items {
        let is_step = matches!(item, Item::Step(_));
        waiting.push(item);
        if !is_step {
            continue;
        }
        let Some(kind) = kinds.next() else { break };
        match procedure.phases.last_mut() {
            Some(phase) if phase.kind == kind => phase.items.append(&mut waiting),
            _ => procedure.phases.push(Phase { kind, items: std::mem::take(&mut waiting) }),
        }
    }
    procedure.rest = waiting;
    judge_errors(&mut procedure.phases);
    for phase in &mut procedure.phases {
        join_repeated(&mut phase.items);
    }
    procedure
}

pub fn steps(items: &[Item]) -> impl Iterator<Item = &Step> + Clone {
    items.iter().filter_map(|item| match item {
        Item::Step(step) => Some(step),
        Item::Left(_) | Item::Remark { .. } => None,
    })
}

/// The phase of each step.
fn kinds(items: &[Item]) -> Vec<Kind> {
    let is = |step: &Step, wanted: ServiceState| matches!(&step.action, Action::Service(service) if service.state == wanted);
    let all: Vec<&Step> = steps(items).collect();
    let Some(stop) = all.iter().position(|step| is(step, ServiceState::Stopped)) else {
        return vec![Kind::Copy; all.len()];
    };
    let last_stop = all.iter().rposition(|step| is(step, ServiceState::Stopped)).unwrap_or(stop);
    // Where nothing is started again, all that follows is in the downtime.
    let start = (last_stop..all.len()).find(|at| is(all[*at], ServiceState::Running)).unwrap_or(all.len());
    let first_pass = all[..stop].iter().position(|step| matches!(step.action, Action::Copy(_)));
    let asks = |at: &usize| matches!(all[*at].action, Action::Checkpoint { .. });
    let freeze = first_pass.and_then(|first| (first..stop).find(asks)).unwrap_or(stop);
    (0..all.len())
        .map(|at| match at {
            _ if at >= start => Kind::After,
            _ if at >= stop => Kind::Downtime,
            _ if first_pass.is_none() => Kind::Preflight,
            _ if at >= freeze => Kind::Freeze,
            _ => Kind::Prestage,
        })
        .collect()
}

/// A pass right behind the same pass, to be repeated until it is clean, is one that is tried so often. Remarks between them
/// stay in front.
fn join_repeated(items: &mut Vec<Item>) {
    let mut joined: Vec<Item> = Vec::new();
    for item in items.drain(..).rev() {
        // What is not understood may change something between them.
        let next = joined.iter_mut().rev().find(|item| !matches!(item, Item::Remark { .. }));
        let next = match next {
            Some(Item::Step(step)) => Some(step),
            Some(Item::Left(_) | Item::Remark { .. }) | None => None,
        };
        if let Item::Step(Step { origins, action: Action::Copy(copy), .. }) = &item
            && let Some(Step { origins: of_next, action: Action::Copy(next), .. }) = next
            && next.errors == OnErrors::Fail
            && next.pass == copy.pass
        {
            next.attempts += 1;
            of_next.splice(..0, origins.iter().cloned());
            continue;
        }
        joined.push(item);
    }
    joined.reverse();
    *items = joined;
}

/// Early passes tolerate what a later one clears; whichever nothing comes behind must be clean.
fn judge_errors(phases: &mut [Phase]) {
    let mut later: Vec<Pass> = Vec::new();
    let items = phases.iter_mut().rev().flat_map(|phase| phase.items.iter_mut().rev());
    for item in items {
        let Item::Step(Step { action: Action::Copy(copy), .. }) = item else { continue };
        let is_cleared = later.iter().any(|pass| pass.covers(&copy.pass));
        copy.errors = if is_cleared { OnErrors::Tolerate } else { OnErrors::Fail };
        later.push(copy.pass.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(action: Action) -> Item {
        Item::Step(Step { origins: Vec::new(), notes: Vec::new(), action })
    }

    fn copy(exclude: &[&str]) -> Item {
        let mut pass = Pass::plain("/a".to_owned(), "/b".to_owned());
        pass.rules.exclude = exclude.iter().map(|pattern| (*pattern).to_owned()).collect();
        step(Action::Copy(Box::new(Copy { pass, errors: OnErrors::Fail, attempts: 1 })))
    }

    fn service(state: ServiceState) -> Item {
        step(Action::Service(Service { name: "x".to_owned(), host: String::new(), state, note: None }))
    }

    fn pause() -> Item {
        step(Action::Checkpoint { ask: None, told: Vec::new(), asks_for: None })
    }

    fn shape(items: Vec<Item>) -> Vec<(Kind, usize)> {
        let procedure = arranged(items);
        procedure.phases.iter().map(|phase| (phase.kind, phase.items.len())).collect()
    }

    #[test]
    fn phases_follow_the_services_and_the_questions() {
        use ServiceState::{Running, Stopped};
        let items = vec![
            copy(&["a"]),
            pause(),
            copy(&["b"]),
            pause(),
            service(Stopped),
            copy(&[]),
            service(Running),
            pause(),
        ];
        assert_eq!(
            shape(items),
            [(Kind::Prestage, 1), (Kind::Freeze, 3), (Kind::Downtime, 2), (Kind::After, 2)]
        );
        assert_eq!(
            shape(vec![pause(), service(Stopped), copy(&[])]),
            [(Kind::Preflight, 1), (Kind::Downtime, 2)]
        );
        assert_eq!(shape(vec![copy(&[]), pause(), copy(&["a"])]), [(Kind::Copy, 3)]);
        let two = vec![
            service(Stopped),
            copy(&[]),
            service(Running),
            service(Stopped),
            copy(&["a"]),
            service(Running),
        ];
        assert_eq!(shape(two), [(Kind::Downtime, 5), (Kind::After, 1)]);
    }

    #[test]
    fn a_pass_that_is_repeated_is_one_that_is_tried_again() {
        let procedure = arranged(vec![copy(&["a"]), copy(&[]), copy(&[]), copy(&[])]);
        let copies: Vec<_> = steps(&procedure.phases[0].items)
            .map(|step| match &step.action {
                Action::Copy(copy) => (copy.attempts, copy.errors),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(copies, [(1, OnErrors::Tolerate), (3, OnErrors::Fail)]);
    }

    #[test]
    fn passes_with_something_unknown_between_them_stay_two() {
        let origin = Origin { file: "x".to_owned(), line: 1, text: "y".to_owned() };
        let left = Item::Left(Left { origin: origin.clone(), why: Vec::new() });
        assert_eq!(shape(vec![copy(&[]), left, copy(&[])]), [(Kind::Copy, 3)]);
        assert_eq!(shape(vec![copy(&[]), Item::Remark { origin, why: None }, copy(&[])]), [(Kind::Copy, 2)]);
    }

    #[test]
    fn an_early_pass_that_is_repeated_stays_two() {
        assert_eq!(shape(vec![copy(&["a"]), copy(&["a"]), copy(&[])]), [(Kind::Copy, 3)]);
    }

    #[test]
    fn a_pass_that_nothing_clears_fails_on_errors() {
        let procedure = arranged(vec![copy(&[]), copy(&["a"])]);
        for step in steps(&procedure.phases[0].items) {
            assert!(matches!(&step.action, Action::Copy(copy) if copy.errors == OnErrors::Fail));
        }
    }

    #[test]
    fn what_stands_behind_the_last_step_is_kept() {
        let remark = Item::Remark {
            origin: Origin { file: "x".to_owned(), line: 1, text: "y".to_owned() },
            why: None,
        };
        assert_eq!(arranged(vec![pause(), remark.clone()]).rest, [remark]);
    }
}
