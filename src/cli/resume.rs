//! `movebook resume [STATE]`: goes on with the runbook and the variable files that the state file names.

use std::path::PathBuf;

use super::begin::{self, Options, Settings};
use super::inputs::Variables;
use crate::error::{ExitCode, Result};
use crate::report::terminal::Colour;
use crate::state::journal;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The state file [default: the only one in this directory]
    state: Option<PathBuf>,
    /// The same under the name that other commands use
    #[arg(long = "state", value_name = "FILE", conflicts_with = "state")]
    state_file: Option<PathBuf>,
    /// The variable files, if they are no longer where they were
    #[arg(long = "vars", value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    options: Options,
}

pub fn run(args: &Args, colour: Colour) -> Result<ExitCode> {
    let state_file = super::place::find(args.state.as_deref().or(args.state_file.as_deref()))?;
    let records = journal::read(&state_file)?;
    let state = super::place::state_of(&records, &state_file)?;
    let files = match args.files.is_empty() {
        true => state.basis.vars_files.iter().map(PathBuf::from).collect(),
        false => args.files.clone(),
    };
    let runbook = state.basis.files.first().map(|file| PathBuf::from(&file.path)).unwrap_or_default();
    // A variable that the runbook no longer declares is told as a change, not as a wrong argument that nobody gave.
    let declared = crate::runbook::load(&runbook).ok();
    let is_declared =
        |name: &String| declared.as_ref().is_none_or(|runbook| runbook.vars.contains_key(name.as_str()));
    let arguments = state.basis.given.clone().into_iter().filter(|(name, _)| is_declared(name)).collect();
    let variables = Variables { files, arguments };
    let settings = Settings {
        runbook: &runbook,
        variables: &variables,
        state: Some(&state_file),
        options: &args.options,
    };
    begin::carry_out(&settings, colour)
}
