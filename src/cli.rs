//! The command line: one file a subcommand, which turns arguments into settings and makes one call.
//!
//! Data goes to stdout, everything else to stderr.

mod account;
mod answers;
mod approve;
mod ask;
mod begin;
mod completions;
mod demo;
mod demo_server;
mod discard;
mod import;
mod inputs;
mod man;
mod place;
mod plan;
mod quarantine;
mod restore;
mod resume;
mod robocopy;
mod run;
mod schema;
mod status;
mod validate;

use std::io::IsTerminal;

use clap::{Parser, Subcommand, ValueEnum};

use crate::error::{Error, ExitCode, Result};
use crate::report::marks::{self, Marks};
use crate::report::terminal::Colour;
use crate::sys::console::{Font, Sequences, Stream, font, obey_sequences};

/// Carries out migration runbooks: validated, planned, resumable, proven.
#[derive(Debug, Parser)]
#[command(name = "movebook", version, propagate_version = true, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 done · 1 a step failed · 2 wrong command line, runbook or variables · 3 waiting at a \
    checkpoint · 4 the state file is held · 5 the runbook changed · 6 the state file is damaged · 7 a guard refused · \
    130 interrupted"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = ColourChoice::Auto, value_name = "WHEN")]
    color: ColourChoice,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ColourChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check runbooks and variable files; reports every error of every file
    Validate(validate::Args),
    /// Show what a run would do, step by step and file by file; changes nothing
    Plan(plan::Args),
    /// Carry out a runbook, or go on with it
    Run(run::Args),
    /// Go on with the run of a state file
    Resume(resume::Args),
    /// Show how far a run is, what it owes, and what goes on
    Status(status::Args),
    /// Answer a checkpoint of a waiting run
    Approve(approve::Args),
    /// Show what each pass saw and did: sums, and the names behind them
    Account(account::Args),
    /// List what purges took away and kept
    Quarantine(quarantine::Args),
    /// Bring back what a purge took away; replaces nothing
    Restore(restore::Args),
    /// Delete for good what purges took away
    Discard(discard::Args),
    /// Carry out a robocopy command line as it stands, with this program's engine and guards (`robocopy /?`)
    Robocopy(robocopy::Args),
    /// Make a runbook of the scripts that a move was done with until now: batch, PowerShell, shell, robocopy job files
    Import(import::Args),
    /// Move a small live archive, made for the purpose
    Demo(demo::Args),
    /// Print the JSON schema of runbooks or of one runbook's variable files
    Schema(schema::Args),
    /// Print the completions for a shell
    Completions(completions::Args),
    /// Print the manual page
    Man,
    /// The demo's little live server
    #[command(hide = true)]
    DemoServer(demo_server::Args),
}

/// Runs the program; what it returns is the process's exit code.
pub fn main() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout with code 0, usage errors to stderr with code 2; nobody can be told if that fails.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::Usage } else { ExitCode::Done }.number();
        }
    };
    let colour = colour(cli.color, &std::io::stderr(), Stream::Stderr);
    let ended = match cli.command {
        // Its exit codes are robocopy's.
        Command::Robocopy(args) => return robocopy::run(&args, colour),
        Command::Validate(args) => validate::run(&args, colour),
        Command::Plan(args) => plan::run(&args, colour),
        Command::Run(args) => run::run(&args, colour),
        Command::Resume(args) => resume::run(&args, colour),
        Command::Status(args) => {
            status::run(&args, self::colour(cli.color, &std::io::stdout(), Stream::Stdout))
        }
        Command::Approve(args) => approve::run(&args, colour),
        Command::Account(args) => {
            account::run(&args, self::colour(cli.color, &std::io::stdout(), Stream::Stdout))
        }
        Command::Quarantine(args) => quarantine::run(&args),
        Command::Restore(args) => restore::run(&args, colour),
        Command::Discard(args) => discard::run(&args, colour),
        Command::Import(args) => import::run(&args, colour),
        Command::Demo(args) => demo::run(&args, colour),
        Command::Schema(args) => schema::run(&args, colour),
        Command::Completions(args) => completions::run(&args),
        Command::Man => man::run(),
        Command::DemoServer(args) => return report(demo_server::run(&args), colour),
    };
    report(ended.map(ExitCode::number), colour)
}

fn report(ended: Result<u8>, colour: Colour) -> u8 {
    ended.unwrap_or_else(|error| {
        show_error(&error, colour);
        error.code().number()
    })
}

/// A file or a pipe has no font, and may be read anywhere.
fn marks(stream: &impl IsTerminal) -> &'static Marks {
    match font() {
        Font::Old if stream.is_terminal() => &marks::OLD,
        Font::Old | Font::Any => &marks::ANY,
    }
}

fn colour(choice: ColourChoice, stream: &impl IsTerminal, which: Stream) -> Colour {
    let wanted = match choice {
        // A console that is not told to obey would show them as they are.
        ColourChoice::Always => {
            if stream.is_terminal() {
                obey_sequences(which);
            }
            true
        }
        ColourChoice::Never => false,
        // https://no-color.org: set and not empty, whatever its value.
        ColourChoice::Auto => {
            stream.is_terminal()
                && obey_sequences(which) == Sequences::Obeyed
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    };
    if wanted { Colour::Always } else { Colour::Never }
}

/// An error, its causes and its hints, each on a line of its own.
fn show_error(error: &Error, colour: Colour) {
    use owo_colors::OwoColorize;

    let (label, help) = match colour {
        Colour::Always => ("error".red().bold().to_string(), "help".cyan().to_string()),
        Colour::Never => ("error".to_owned(), "help".to_owned()),
    };
    let mut text = format!("{label}: {error}\n");
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(&format!("  cause: {inner}\n"));
        cause = inner.source();
    }
    for hint in error.hints() {
        text.push_str(&format!("  {help}: {hint}\n"));
    }
    anstream::eprint!("{text}");
}

/// Writes data to stdout. A reader that has gone away (`| head`) has what it wanted.
fn print_data(text: &str) -> Result<()> {
    use std::io::Write;

    match std::io::stdout().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Error::new(ExitCode::StepFailed, "cannot write to stdout").caused_by(error)),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn every_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
