//! `movebook run RUNBOOK`.

use std::path::PathBuf;

use super::begin::{self, Options, Settings};
use super::inputs::Variables;
use crate::error::{ExitCode, Result};
use crate::report::terminal::Colour;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The runbook
    runbook: PathBuf,
    #[command(flatten)]
    variables: Variables,
    /// Where the run is written down [default: NAME[--VARSFILE].state.jsonl here]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

pub fn run(args: &Args, colour: Colour) -> Result<ExitCode> {
    let settings = Settings {
        runbook: &args.runbook,
        variables: &args.variables,
        state: args.state.as_deref(),
        options: &args.options,
    };
    begin::carry_out(&settings, colour)
}
