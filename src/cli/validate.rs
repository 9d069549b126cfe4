//! `movebook validate RUNBOOK…`: every problem of every runbook, in one go.

use std::path::PathBuf;

use super::inputs::{self, RunFacts, Variables};
use crate::error::{ExitCode, Result};
use crate::plan;
use crate::report::diagnostics::{Colour, Format, print};
use crate::report::words;
use crate::runbook::{self, Problems, Runbook};
use crate::vars;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The runbooks
    #[arg(required = true, value_name = "RUNBOOK")]
    runbooks: Vec<PathBuf>,
    /// With variables each runbook is rendered too, and every value is checked
    #[command(flatten)]
    variables: Variables,
    /// How problems are shown
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

pub fn run(args: &Args, colour: Colour) -> Result<ExitCode> {
    let mut problems = Vec::new();
    let mut good = String::new();
    for path in &args.runbooks {
        let checked = match runbook::load(path) {
            Err(wrong) => Err(wrong),
            Ok(runbook) => {
                let summary = figures(&runbook);
                rendered(args, runbook)?.map(|()| summary)
            }
        };
        match checked {
            Ok(figures) => {
                good.push_str(&format!("{}: valid, {figures}\n", words::name(&path.display().to_string())))
            }
            Err(wrong) => problems.push(wrong),
        }
    }
    // For people problems go to stderr; for scripts they are the data.
    match args.format {
        Format::Human => {
            super::print_data(&good)?;
            anstream::eprint!("{}", print(&problems, Format::Human, colour));
        }
        format => super::print_data(&print(&problems, format, Colour::Never))?,
    }
    Ok(if problems.is_empty() { ExitCode::Done } else { ExitCode::Usage })
}

/// With variables, the runbook is rendered as a run would render it.
fn rendered(args: &Args, runbook: Runbook) -> Result<Result<(), Problems>> {
    if args.variables.files.is_empty() && args.variables.arguments.is_empty() {
        return Ok(Ok(()));
    }
    let given = args.variables.given(&runbook)?;
    let environment = inputs::allowed_environment(&runbook);
    let facts = RunFacts::None.to_json(&runbook.name.value);
    Ok(vars::resolve(&runbook, &given)
        .and_then(|values| plan::make(runbook, values, facts, environment))
        .map(|_| ()))
}

/// `5 phases, 14 steps, 8 variables`.
fn figures(runbook: &Runbook) -> String {
    let steps: usize = runbook.phases.iter().map(|phase| phase.steps.len()).sum();
    [
        words::counted(runbook.phases.len() as u64, "phase", "phases"),
        words::counted(steps as u64, "step", "steps"),
        words::counted(runbook.vars.len() as u64, "variable", "variables"),
    ]
    .join(", ")
}
