//! `service`: brings a service into a state and waits until it is there.
//!
//! What to do next is decided by `next`, which is pure. Invariant: the step is done only when the manager itself said
//! that the state is reached; that a start or stop was asked for is never taken for it.

mod commands;

use std::time::{Duration, Instant};

use self::commands::GivenCommands;
use super::outcome::{self, ActionWatch, Failure, Figures};
use super::output;
use crate::plan::{IfMissing, ServiceAction, ServiceState};
use crate::sys::service::{Manager, Patience, Problem, Status};
use crate::sys::{service, who};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// What a question for the state may take, even where `wait` is shorter.
const SHORTEST_LIMIT: Duration = Duration::from_secs(5);

/// Figures: `state` (`running`, `stopped` or `missing`) and `changed`, whether anything was started or stopped.
pub fn perform(action: &ServiceAction, watch: &ActionWatch<'_>) -> Result<Figures, Failure> {
    watch.check()?;
    let manager: Box<dyn Manager> = match &action.commands {
        Some(commands) => Box::new(GivenCommands::new(commands)),
        None => service::manager(&action.name, other_host(&action.host))
            .map_err(|problem| failure(action, problem, watch))?,
    };
    reach(action, manager.as_ref(), watch)
}

/// Whether a start or stop was asked for already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    NotYet,
    Already,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    Done,
    Ask,
    Wait,
    /// It was started and is stopped; its manager may know that it will not run any more.
    SeeWhy,
    /// There is no such service, and the step minds.
    Fail,
}

/// What to do about a service that is in this state.
fn next(wanted: ServiceState, if_missing: IfMissing, status: &Status, asked: Asked) -> Move {
    match (status, wanted) {
        (Status::Running, ServiceState::Running) | (Status::Stopped, ServiceState::Stopped) => Move::Done,
        (Status::Missing, _) if if_missing == IfMissing::Ok => Move::Done,
        (Status::Missing, _) => Move::Fail,
        // Most managers refuse to start what is just stopping, and the other way round.
        (Status::Changing(_), _) => Move::Wait,
        (Status::Running | Status::Stopped | Status::Paused, _) if asked == Asked::NotYet => Move::Ask,
        (Status::Stopped, ServiceState::Running) => Move::SeeWhy,
        (Status::Running | Status::Paused, _) => Move::Wait,
    }
}

fn reach(action: &ServiceAction, manager: &dyn Manager, watch: &ActionWatch<'_>) -> Result<Figures, Failure> {
    let begun = Instant::now();
    let mut asked = Asked::NotYet;
    let mut pause = FIRST_PAUSE;
    loop {
        watch.check()?;
        let patience = Patience {
            limit: action.wait.saturating_sub(begun.elapsed()).max(SHORTEST_LIMIT),
            cancel: watch.cancel,
        };
        let status = manager.status(patience).map_err(|problem| failure(action, problem, watch))?;
        match next(action.state, action.if_missing, &status, asked) {
            Move::Done => return Ok(figures(&status, asked)),
            Move::Fail => return Err(missing(action)),
            Move::Ask => {
                (watch.progress)(doing(action.state), None);
                let answer = match action.state {
                    ServiceState::Running => manager.start(patience),
                    ServiceState::Stopped => manager.stop(patience),
                };
                asked = Asked::Already;
                match answer {
                    Ok(()) => {}
                    // Time is up; the state itself has the last word below.
                    Err(Problem::TimedOut) => {}
                    Err(problem) => return Err(failure(action, problem, watch)),
                }
                continue;
            }
            Move::SeeWhy => {
                if let Some(why) =
                    manager.why_ended(patience).map_err(|problem| failure(action, problem, watch))?
                {
                    return Err(ended_early(action, &why));
                }
            }
            Move::Wait => {}
        }
        if begun.elapsed() >= action.wait {
            return Err(not_reached(action, &status));
        }
        (watch.progress)("waiting", None);
        watch.pause(pause.min(action.wait.saturating_sub(begun.elapsed())))?;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

fn figures(status: &Status, asked: Asked) -> Figures {
    Figures::from([
        ("state".to_owned(), words(status).into()),
        ("changed".to_owned(), (asked == Asked::Already).into()),
    ])
}

fn words(status: &Status) -> &str {
    match status {
        Status::Running => "running",
        Status::Stopped => "stopped",
        Status::Paused => "paused",
        Status::Changing(changing) => &changing.word,
        Status::Missing => "missing",
    }
}

fn doing(state: ServiceState) -> &'static str {
    match state {
        ServiceState::Running => "starting",
        ServiceState::Stopped => "stopping",
    }
}

fn wanted(state: ServiceState) -> &'static str {
    match state {
        ServiceState::Running => "running",
        ServiceState::Stopped => "stopped",
    }
}

/// Whether the service is one of the machine that movebook runs on.
pub fn is_of_this_machine(action: &ServiceAction) -> bool {
    other_host(&action.host).is_none()
}

/// `None` for this machine, by whichever name.
fn other_host(host: &str) -> Option<&str> {
    let host = host.trim_start_matches('\\');
    let is_this_machine = host.is_empty()
        || host == "."
        || host.eq_ignore_ascii_case("localhost")
        || host.eq_ignore_ascii_case(&who::host());
    (!is_this_machine).then_some(host)
}

fn shown(action: &ServiceAction) -> String {
    match other_host(&action.host) {
        Some(host) => format!("service {} on {host}", action.name),
        None => format!("service {}", action.name),
    }
}

fn missing(action: &ServiceAction) -> Failure {
    Failure::failed(format!("{} does not exist", shown(action)))
        .hint("check its name and its host; where it may be absent, say `if_missing: ok`")
}

fn ended_early(action: &ServiceAction, why: &str) -> Failure {
    Failure::failed(format!("{} was started and is stopped again: {why}", shown(action)))
        .hint("look at its log and at the event log, mend what keeps it from running, and run again")
}

fn not_reached(action: &ServiceAction, last: &Status) -> Failure {
    let process = match last {
        Status::Changing(changing) => changing.process,
        Status::Running | Status::Stopped | Status::Paused | Status::Missing => None,
    };
    let failure = Failure::failed(format!(
        "{} is not {} after {}: it is {}{}",
        shown(action),
        wanted(action.state),
        crate::values::written(action.wait),
        words(last),
        process.map(|number| format!(" (process {number})")).unwrap_or_default()
    ))
    .hint("look at its log; if it only needs longer, raise the step's `wait:`, and run again");
    match process {
        Some(number) => failure.hint(format!(
            "if it hangs and its maker says that it may be ended, end process {number}{} by hand",
            other_host(&action.host).map(|host| format!(" on {host}")).unwrap_or_default()
        )),
        None => failure,
    }
}

fn failure(action: &ServiceAction, problem: Problem, watch: &ActionWatch<'_>) -> Failure {
    match problem {
        Problem::Interrupted => Failure::Interrupted,
        Problem::TimedOut => Failure::failed(format!("{} does not tell its state in time", shown(action)))
            .hint(match &action.commands {
                Some(_) => "run its status command by hand and see whether it ends",
                None => "see whether the service manager of that machine answers other programs",
            }),
        Problem::Failed { what, said, hint } => {
            let words = said.and_then(|ended| output::last_words(&ended.stdout, &ended.stderr, watch.redact));
            let failure = output::failed_saying(format!("{}: {what}", shown(action)), words);
            let failure = match hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            };
            outcome::redacted(failure, watch.redact)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::service::Changing;

    fn stopping(process: Option<u32>) -> Status {
        Status::Changing(Changing { word: "stopping".to_owned(), process })
    }

    #[test]
    fn a_state_that_is_reached_is_done_without_asking() {
        for asked in [Asked::NotYet, Asked::Already] {
            assert_eq!(next(ServiceState::Running, IfMissing::Fail, &Status::Running, asked), Move::Done);
            assert_eq!(next(ServiceState::Stopped, IfMissing::Fail, &Status::Stopped, asked), Move::Done);
        }
    }

    #[test]
    fn a_service_is_asked_once_and_then_waited_for() {
        assert_eq!(next(ServiceState::Stopped, IfMissing::Fail, &Status::Running, Asked::NotYet), Move::Ask);
        assert_eq!(
            next(ServiceState::Stopped, IfMissing::Fail, &Status::Running, Asked::Already),
            Move::Wait
        );
    }

    #[test]
    fn a_service_that_was_started_and_is_stopped_is_asked_why() {
        let next = |asked| next(ServiceState::Running, IfMissing::Fail, &Status::Stopped, asked);
        assert_eq!(next(Asked::NotYet), Move::Ask);
        assert_eq!(next(Asked::Already), Move::SeeWhy);
    }

    #[test]
    fn a_service_that_is_changing_is_not_asked() {
        let stopping = stopping(None);
        assert_eq!(next(ServiceState::Running, IfMissing::Fail, &stopping, Asked::NotYet), Move::Wait);
    }

    #[test]
    fn a_stop_that_never_ends_is_told_with_its_process() {
        let action = ServiceAction {
            name: "Archive".to_owned(),
            host: "oldserver".to_owned(),
            state: ServiceState::Stopped,
            wait: Duration::from_secs(600),
            if_missing: IfMissing::Fail,
            commands: None,
        };
        let Failure::Failed { error, hints } = not_reached(&action, &stopping(Some(4711))) else {
            panic!("it is a failure")
        };
        assert_eq!(
            error,
            "service Archive on oldserver is not stopped after 10m: it is stopping (process 4711)"
        );
        assert!(hints[1].ends_with("end process 4711 on oldserver by hand"), "{hints:?}");
    }

    #[test]
    fn a_missing_service_is_done_only_where_the_step_says_so() {
        assert_eq!(next(ServiceState::Stopped, IfMissing::Ok, &Status::Missing, Asked::NotYet), Move::Done);
        assert_eq!(next(ServiceState::Stopped, IfMissing::Fail, &Status::Missing, Asked::NotYet), Move::Fail);
    }

    #[test]
    fn this_machine_has_several_names() {
        assert_eq!(other_host(""), None);
        assert_eq!(other_host("LOCALHOST"), None);
        assert_eq!(other_host(&who::host().to_uppercase()), None);
        assert_eq!(other_host(r"\\oldserver"), Some("oldserver"));
    }
}
