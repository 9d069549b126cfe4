//! `movebook validate`: every problem of every runbook, in one go.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use crate::error::{Error, ExitCode, Result};
use crate::report::diagnostics::{Colour, Format, print};
use crate::runbook::{self, Problems, Runbook};
use crate::vars;

/// Check runbooks, and a customer's variables against them.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The runbooks.
    #[arg(required = true, value_name = "RUNBOOK")]
    runbooks: Vec<PathBuf>,
    /// A file of variables to check against each runbook; a later one wins.
    #[arg(long = "vars", value_name = "FILE")]
    vars: Vec<PathBuf>,
    /// How problems are shown.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut given = vars::Given::default();
    for path in &arguments.vars {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::new(ExitCode::Usage, format!("cannot read the variables in {}", path.display()))
                .caused_by(error)
        })?;
        given.files.push((path.display().to_string(), text));
    }
    let mut problems = Vec::new();
    let mut good = String::new();
    for path in &arguments.runbooks {
        let checked = runbook::load(path).and_then(|runbook| {
            if !given.files.is_empty() {
                vars::resolve(&runbook, &given)?;
            }
            Ok(runbook)
        });
        match checked {
            Ok(runbook) => good.push_str(&format!("{}: {}\n", path.display(), figures(&runbook))),
            Err(wrong) => problems.push(wrong),
        }
    }
    show(&problems, &good, arguments.format)
        .map_err(|error| Error::new(ExitCode::StepFailed, "cannot write to the terminal").caused_by(error))?;
    Ok(if problems.is_empty() { ExitCode::Done } else { ExitCode::Usage })
}

/// `5 phases, 14 steps, 8 variables`.
fn figures(runbook: &Runbook) -> String {
    let steps: usize = runbook.phases.iter().map(|phase| phase.steps.len()).sum();
    let counted = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    [
        counted(runbook.phases.len(), "phase"),
        counted(steps, "step"),
        counted(runbook.vars.len(), "variable"),
    ]
    .join(", ")
}

/// For people problems go to stderr; for scripts they are the data.
fn show(problems: &[Problems], good: &str, format: Format) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match format {
        Format::Human => {
            let colour = if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
                Colour::Always
            } else {
                Colour::Never
            };
            stdout.write_all(good.as_bytes())?;
            stdout.flush()?;
            std::io::stderr().lock().write_all(print(problems, format, colour).as_bytes())
        }
        Format::Json | Format::Github => {
            stdout.write_all(print(problems, format, Colour::Never).as_bytes())?;
            stdout.flush()
        }
    }
}
