//! `movebook schema`: the JSON Schema of runbooks, or of one runbook's variable files, for editors.

use std::path::PathBuf;

use super::inputs;
use crate::error::{ExitCode, Result};
use crate::report::diagnostics::Colour;
use crate::runbook::schema;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print the schema of this runbook's variable files instead
    #[arg(long = "vars", value_name = "RUNBOOK")]
    vars: Option<PathBuf>,
}

pub fn run(args: &Args, colour: Colour) -> Result<ExitCode> {
    let schema = match &args.vars {
        None => schema::of_runbooks(),
        Some(path) => schema::of_variables(&inputs::load(path, colour)?),
    };
    super::print_data(&schema::printed(&schema))?;
    Ok(ExitCode::Done)
}
