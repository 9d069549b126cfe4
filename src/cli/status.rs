//! `movebook status [STATE]`.

use std::path::PathBuf;

use super::begin::Format;
use crate::error::{Error, ExitCode, Result};
use crate::report::status::Report;
use crate::report::terminal::Colour;
use crate::state::{journal, lock};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The state file [default: the only one in this directory]
    state: Option<PathBuf>,
    /// The same under the name that other commands use
    #[arg(long = "state", value_name = "FILE", conflicts_with = "state")]
    state_file: Option<PathBuf>,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub fn run(args: &Args, colour: Colour) -> Result<ExitCode> {
    let path = super::place::find(args.state.as_deref().or(args.state_file.as_deref()))?;
    let records = journal::read(&path)?;
    let state = super::place::state_of(&records, &path)?;
    let runner = lock::current_runner(&path)?;
    let report = Report::new(&state, &path.display().to_string(), &runner, jiff::Timestamp::now());
    let text = match args.format {
        Format::Human => report.human(colour, super::marks(&std::io::stdout())),
        Format::Json => {
            serde_json::to_string_pretty(&report).map_err(|error| {
                Error::new(ExitCode::StepFailed, "cannot write the status as JSON").caused_by(error)
            })? + "\n"
        }
    };
    super::print_data(&text)?;
    Ok(ExitCode::Done)
}
