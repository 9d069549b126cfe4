//! `movebook resume [STATE]`: goes on with the runbook and the variable files that the state file names.

use std::path::PathBuf;

use super::begin::{self, Options, Settings};
use super::inputs::Variables;
use crate::error::{ExitCode, Result};
use crate::report::terminal::Colour;
use crate::state::{fold, journal};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The state file [default: the only one in this directory]
    state: Option<PathBuf>,
    /// The variable files, if they are no longer where they were
    #[arg(long = "vars", value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    options: Options,
}

pub fn run(args: &Args, colour: Colour) -> Result<ExitCode> {
    let state_file = super::place::find(args.state.as_deref())?;
    let records = journal::read(&state_file)?;
    let state = fold::fold(&records).map_err(|damage| journal::damaged(&state_file, &damage))?;
    let files = match args.files.is_empty() {
        true => state.basis.vars_files.iter().map(PathBuf::from).collect(),
        false => args.files.clone(),
    };
    let runbook = state.basis.files.first().map(|file| PathBuf::from(&file.path)).unwrap_or_default();
    let variables = Variables { files, arguments: state.basis.given.clone().into_iter().collect() };
    let settings = Settings {
        runbook: &runbook,
        variables: &variables,
        state: Some(&state_file),
        options: &args.options,
    };
    begin::carry_out(&settings, colour)
}
