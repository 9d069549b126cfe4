//! `movebook schema`: the JSON Schema of runbooks, or of one runbook's variable files, for editors.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use crate::error::{Error, ExitCode, Result};
use crate::report::diagnostics::{Colour, Format, print};
use crate::runbook::{self, schema};

/// Print the JSON Schema of runbooks, for editors.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Print the schema of this runbook's variable files instead.
    #[arg(long = "vars", value_name = "RUNBOOK")]
    vars: Option<PathBuf>,
}

pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let schema = match &arguments.vars {
        None => schema::of_runbooks(),
        Some(path) => match runbook::load(path) {
            Ok(runbook) => schema::of_variables(&runbook),
            Err(problems) => {
                let colour = if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
                    Colour::Always
                } else {
                    Colour::Never
                };
                eprint!("{}", print(&[problems], Format::Human, colour));
                return Ok(ExitCode::Usage);
            }
        },
    };
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(schema::printed(&schema).as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Error::new(ExitCode::StepFailed, "cannot write the schema").caused_by(error))?;
    Ok(ExitCode::Done)
}
