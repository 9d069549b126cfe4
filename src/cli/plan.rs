//! `movebook plan RUNBOOK`: what a run would do. Writes nothing anywhere.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use super::inputs::{self, RunFacts, Variables};
use crate::cancel::Cancel;
use crate::copy::{Access, EngineName, PassError, Preserved, Progress, Watch};
use crate::engine;
use crate::error::{Error, ExitCode, Result};
use crate::plan::{Action, Condition, CopyAction, Plan, VerifyAction};
use crate::report::passes;
use crate::report::plan::{Report, Scan};
use crate::report::terminal::Colour;
use crate::report::words;
use crate::run::{self, service};
use crate::sys::process;
use crate::sys::who::{self, Rights};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The runbook
    runbook: PathBuf,
    #[command(flatten)]
    variables: Variables,
    /// Do not look at the trees: the steps alone, at once
    #[arg(long)]
    no_scan: bool,
    /// For people or for programs, or the passes as commands of other programs
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// What a plan is printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Step by step
    Human,
    /// One JSON object
    Json,
    /// Every pass as a person would type it for robocopy (in cmd) and for rclone (in a shell); no tree is looked at
    Commands,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Human,
    Json,
}

pub fn run(args: &Args, colour: Colour) -> Result<ExitCode> {
    let runbook = inputs::load(&args.runbook, colour)?;
    let given = args.variables.given(&runbook)?;
    let values = inputs::resolve(&runbook, &given, colour)?;
    let plan = inputs::make_plan(runbook, values, RunFacts::None, colour)?;
    let written = match args.format {
        Format::Human => Written::Human,
        Format::Json => Written::Json,
        Format::Commands => return commands(&plan),
    };
    let copies: Vec<(&str, &CopyAction)> = plan
        .phases
        .iter()
        .filter(|phase| !matches!(phase.condition, Condition::Never { .. }))
        .flat_map(|phase| &phase.steps)
        .filter(|step| !matches!(step.condition, Condition::Never { .. }))
        .filter_map(|step| match step.ready() {
            Some(Action::Copy(action)) => Some((step.id.as_str(), action)),
            _ => None,
        })
        .collect();
    let mut refusals = Vec::new();
    let mut scans = Vec::new();
    let cancel = Cancel::new();
    super::begin::end_on_signal(&cancel)?;
    for (step, action) in copies {
        // Without a scan nothing is looked at: only how the paths are spelled is judged.
        let judged = match args.no_scan {
            true => run::judge_paths(action),
            false => run::judge_copy(action).and_then(|()| run::judge_found(&plan, action)),
        };
        if let Err(refusal) = judged {
            refusals.push((step.to_owned(), refusal.to_string()));
        } else if !args.no_scan {
            scans.push((step.to_owned(), scan(step, action, &cancel)?));
        }
    }
    let failed = scans.iter().any(|(_, scan)| matches!(scan, Scan::Failed { .. }));
    let refused = !refusals.is_empty();
    let rights = who::rights();
    let notes = plan
        .steps()
        .filter_map(|step| {
            let action = step.ready()?;
            let notes: Vec<&str> =
                [lacking_rights(action, rights), lacking_program(action)].into_iter().flatten().collect();
            (!notes.is_empty()).then(|| (step.id.clone(), notes.join("; ")))
        })
        .collect();
    let report = Report { plan: &plan, scans, refusals, notes };
    let text = match written {
        Written::Human => report.human(if std::io::stdout().is_terminal() { colour } else { Colour::Never }),
        Written::Json => report.json().map_err(|error| {
            Error::new(ExitCode::StepFailed, "cannot write the plan as JSON").caused_by(error)
        })?,
    };
    super::print_data(&text)?;
    Ok(match (refused, failed) {
        (true, _) => ExitCode::Refused,
        (false, true) => ExitCode::StepFailed,
        (false, false) => ExitCode::Done,
    })
}

/// Prints the passes as commands; in the place of one that a run would refuse stands why.
fn commands(plan: &Plan) -> Result<ExitCode> {
    let judge = |action: &CopyAction| {
        run::judge_words(action).map_err(|refusal| format!("{refusal}; {}", refusal.hint))
    };
    let commands = passes::commands(plan, &judge);
    super::print_data(&commands.text)?;
    Ok(if commands.refused == 0 { ExitCode::Done } else { ExitCode::Refused })
}

/// The program that a step calls and that this machine has not got; the run may be on another.
fn lacking_program(action: &Action) -> Option<&'static str> {
    match action {
        Action::Copy(CopyAction { engine: EngineName::Robocopy, .. })
            if !process::is_found(&process::of_system("robocopy")) =>
        {
            Some(
                "robocopy is not found on this machine: it is a part of Windows; `engine: native` gives the same target tree without it",
            )
        }
        _ => None,
    }
}

/// What a step needs that a process with these rights has not got; whoever runs the plan may have it.
fn lacking_rights(action: &Action, rights: Rights) -> Option<&'static str> {
    let is_ordinary = rights == Rights::Ordinary;
    match action {
        Action::Service(action)
            if is_ordinary && action.commands.is_none() && service::is_of_this_machine(action) =>
        {
            Some(
                "starting and stopping services needs the rights of an administrator, which this console has not got: open one by `Run as administrator` for the run",
            )
        }
        Action::Copy(CopyAction { access: Access::Backup, .. })
        | Action::Verify(VerifyAction { access: Access::Backup, .. })
            if is_ordinary =>
        {
            Some(
                "`backup: true` needs the rights of a member of Administrators or Backup Operators, which this console has not got: open one by `Run as administrator` for the run",
            )
        }
        Action::Copy(copy) if is_ordinary && copy.preserve.holds(Preserved::Owner) => Some(
            "to keep the owners of files needs the rights of an administrator, which this console has not got: open one by `Run as administrator` for the run",
        ),
        _ => None,
    }
}

fn scan(step: &str, action: &CopyAction, cancel: &Cancel) -> Result<Scan> {
    let shows = std::io::stderr().is_terminal();
    let begun = Instant::now();
    let progress = |progress: Progress| {
        // A short scan says nothing.
        if shows && begun.elapsed() > Duration::from_secs(1) {
            anstream::eprint!("\r\x1b[Kscanning {step}: {} …", words::files(progress.files_known));
        }
    };
    let _rights = run::rights_to_look(action);
    let surveyed = engine::of(action)
        .survey(&run::pass_of(action), &Watch { progress: &progress, cancel, account: None });
    if shows && begun.elapsed() > Duration::from_secs(1) {
        anstream::eprint!("\r\x1b[K");
    }
    match surveyed {
        Ok(survey) => Ok(Scan::Would(Box::new(survey.into()))),
        Err(PassError::Interrupted) => {
            Err(Error::new(ExitCode::Interrupted, "interrupted while scanning; nothing was changed")
                .hint("`--no-scan` gives the steps at once"))
        }
        Err(PassError::Fatal { what, path, hint, source }) => {
            let cause = source.map_or(String::new(), |source| format!(": {source}"));
            Ok(Scan::Failed { error: format!("{what} ({path}){cause}"), hint })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::{Extra, Method};
    use crate::filter::Filter;
    use crate::plan::{IfMissing, ServiceAction, ServiceState};

    fn verify(access: Access) -> Action {
        Action::Verify(VerifyAction {
            from: "/old".into(),
            to: "/new".into(),
            filter_name: None,
            filter: Filter::everything(),
            method: Method::Size,
            threads: 1,
            mtime_tolerance: None,
            manifest: None,
            extra: Extra::Fail,
            access,
            environment: indexmap::IndexMap::new(),
        })
    }

    fn service(host: &str) -> Action {
        Action::Service(ServiceAction {
            name: "a".into(),
            host: host.into(),
            state: ServiceState::Stopped,
            wait: Duration::ZERO,
            if_missing: IfMissing::Fail,
            commands: None,
        })
    }

    #[test]
    fn what_a_step_lacks_is_said_before_the_run_and_only_where_it_is_known() {
        for (action, lacks) in [
            (verify(Access::Backup), true),
            (verify(Access::Ordinary), false),
            (service(""), true),
            (service("another"), false),
        ] {
            assert_eq!(lacking_rights(&action, Rights::Ordinary).is_some(), lacks, "{action:?}");
            for rights in [Rights::Administrator, Rights::Unknown] {
                assert_eq!(lacking_rights(&action, rights), None, "{action:?}");
            }
        }
        let said = lacking_rights(&verify(Access::Backup), Rights::Ordinary).unwrap();
        assert!(said.contains("`backup: true`") && said.contains("Run as administrator"), "{said}");
    }
}
