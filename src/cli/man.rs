//! `movebook man`: the manual page, in roff.

use clap::CommandFactory;

use crate::error::{Error, ExitCode, Result};

pub fn run() -> Result<ExitCode> {
    let mut page = Vec::new();
    clap_mangen::Man::new(super::Cli::command())
        .render(&mut page)
        .map_err(|error| Error::new(ExitCode::StepFailed, "cannot write the manual page").caused_by(error))?;
    super::print_data(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::Done)
}
