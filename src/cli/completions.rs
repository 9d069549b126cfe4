//! `movebook completions SHELL`.

use clap::CommandFactory;

use crate::error::{ExitCode, Result};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "movebook", &mut script);
    super::print_data(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Done)
}
