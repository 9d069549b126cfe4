//! `movebook demo-server` (hidden): the demo's live server as a service with `run`, `start`, `stop` and `status`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::demo::server::{self, ServerStatus, Started, Stopped};
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: DemoServerCommand,
}

#[derive(Debug, Subcommand)]
enum DemoServerCommand {
    /// Work on the archive until asked to stop
    Run {
        /// An archive that the demo made
        #[arg(long, value_name = "FOLDER")]
        archive: PathBuf,
        /// Where the server is found and asked to stop
        #[arg(long, value_name = "FOLDER")]
        control: PathBuf,
    },
    /// Start a server as a process of its own
    Start {
        /// An archive that the demo made
        #[arg(long, value_name = "FOLDER")]
        archive: PathBuf,
        /// Where the server is found and asked to stop
        #[arg(long, value_name = "FOLDER")]
        control: PathBuf,
    },
    /// Ask a server to stop, and wait until it has
    Stop {
        /// Where the server is found and asked to stop
        #[arg(long, value_name = "FOLDER")]
        control: PathBuf,
    },
    /// Tell whether a server runs: 0 running, 3 stopped, 4 no such server
    Status {
        /// Where the server is found and asked to stop
        #[arg(long, value_name = "FOLDER")]
        control: PathBuf,
    },
}

/// Does it; a line on the standard error stream says what was found or done.
pub fn run(args: &Args) -> Result<u8> {
    match &args.command {
        DemoServerCommand::Run { archive, control } => {
            server::outlive_the_terminal()?;
            server::serve(archive, control)?;
        }
        DemoServerCommand::Start { archive, control } => {
            let exe = std::env::current_exe().map_err(|error| {
                Error::new(crate::error::ExitCode::StepFailed, "cannot tell where movebook itself is")
                    .caused_by(error)
            })?;
            match server::start(&exe, archive, control)? {
                Started::Now { pid } => eprintln!("started (process {pid})"),
                Started::Already => eprintln!("runs already"),
            }
        }
        DemoServerCommand::Stop { control } => match server::stop(control)? {
            Stopped::Now => eprintln!("stopped"),
            Stopped::Already => eprintln!("was not running"),
        },
        DemoServerCommand::Status { control } => {
            let status = server::status(control)?;
            match status {
                ServerStatus::Running { pid: Some(pid) } => eprintln!("running (process {pid})"),
                ServerStatus::Running { pid: None } => eprintln!("running"),
                ServerStatus::Stopped => eprintln!("stopped"),
                ServerStatus::Missing => eprintln!("no server here"),
            }
            return Ok(status.exit_code());
        }
    }
    Ok(0)
}
