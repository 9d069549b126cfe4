//! Who does a pass: each for itself, by one action.
//!
//! A *step* is done as a run does one with this `engine:`. A *line* is what `plan --format commands` prints, given to the program
//! itself.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use movebook::cancel::Cancel;
use movebook::copy::spelled::{Otherwise, Spelled};
use movebook::copy::{Disposal, EngineName, Watch};
use movebook::plan::CopyAction;
use movebook::{engine, rclone, robocopy, run};

use crate::case::Case;
use crate::tree::{DirectoryTimes, Tree};

/// Fields that a program has no argument for, and that are nothing to the tree: limits above which a person is asked, and
/// what becomes of what is gone.
const NO_MATTER: [&str; 3] = ["purge.max_files", "purge.max_percent", "purge.keep"];
/// Under this name a purge is counted that movebook's guard refuses, and another program would do.
const GUARD: &str = "purge, of a source without a file";

/// Under this one a target that rclone itself writes through.
const LINKS: &str = "links of the target";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    Step(EngineName),
    /// The line for robocopy, to `movebook robocopy`, which stands in for the real one.
    StandIn,
    /// The same line, to Microsoft's.
    Robocopy(PathBuf),
    /// The line for rclone, which purges by itself.
    Rclone,
}

/// How a pass ended that came to an end of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Done,
    /// By the guard, before anything was touched.
    Refused,
}

/// What the native engine sees of a pair before a pass.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    pub is_refused: bool,
    pub copies: u64,
    pub extras: usize,
}

impl Engine {
    /// Whose tree the others have to leave.
    pub const NATIVE: Self = Self::Step(EngineName::Native);

    /// Those that are here; what is not is said.
    pub fn here() -> Vec<Self> {
        let mut engines = vec![Self::NATIVE, Self::StandIn];
        match robocopy() {
            Ok(program) => engines.push(Self::Robocopy(program)),
            Err(why) => println!("not proven here: the real robocopy: {why}"),
        }
        match Command::new("rclone").arg("version").env("RCLONE_CONFIG", NO_FILE).output() {
            Ok(output) => {
                println!(
                    "rclone is {}",
                    String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or("?")
                );
                engines.push(Self::Rclone);
            }
            Err(error) => println!("not proven here: rclone, which cannot be started: {error}"),
        }
        engines
    }

    /// The line that says the pass; the native engine needs none.
    fn spelled(&self, action: &CopyAction) -> Spelled {
        match self {
            Self::Step(EngineName::Native) => Spelled::default(),
            Self::StandIn | Self::Robocopy(_) | Self::Step(EngineName::Robocopy) => {
                robocopy::arguments::arguments(action)
            }
            Self::Rclone | Self::Step(EngineName::Rclone) => rclone::arguments(action),
        }
    }

    /// Why this engine takes no part in a case, by the fields that it cannot be told.
    pub fn left_out(&self, action: &CopyAction, case: &Case, sight: &Sight) -> Vec<&'static str> {
        let mut lacking = self.spelled(action).lacking;
        if matches!(self, Self::Step(_)) {
            lacking.retain(|lack| lack.otherwise == Otherwise::Refused);
        }
        let mut fields: Vec<&str> = lacking.iter().map(|lack| lack.field).collect();
        fields.retain(|field| !NO_MATTER.contains(field));
        let has_links = |tree: &Tree| tree.links().next().is_some();
        if !has_links(&case.source) {
            fields.retain(|field| *field != "links");
        }
        if *self == Self::Rclone && has_links(&case.target) {
            fields.push(LINKS);
        }
        if sight.is_refused && matches!(self, Self::Robocopy(_) | Self::Rclone) {
            fields.push(GUARD);
        }
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// Whether directories get the times of their source.
    pub fn directory_times(&self) -> DirectoryTimes {
        match self {
            Self::Rclone | Self::Step(EngineName::Rclone) => DirectoryTimes::LeftOut,
            _ => DirectoryTimes::Compared,
        }
    }

    /// The line as a person would type it.
    pub fn line(&self, action: &CopyAction) -> String {
        let arguments = self.spelled(action).arguments;
        arguments.iter().map(|argument| rclone::quoted(argument)).collect::<Vec<_>>().join(" ")
    }

    pub fn run(&self, action: &CopyAction) -> Result<Ended, String> {
        let arguments = self.spelled(action).arguments;
        match self {
            Self::Step(engine) => step(&CopyAction { engine: *engine, ..action.clone() }),
            Self::StandIn => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_movebook"));
                command.arg("robocopy").args(arguments).args([
                    "/njh",
                    "/nfl",
                    "/ndl",
                    "--purge-limit",
                    "100000",
                ]);
                let (code, said) = ended(command)?;
                match code {
                    0..8 => Ok(Ended::Done),
                    16 if said.contains("holds no file, so a purge would") => Ok(Ended::Refused),
                    code => Err(format!("exit code {code}: {said}")),
                }
            }
            Self::Robocopy(program) => {
                let mut command = Command::new(program);
                command.args(arguments).args(["/njh", "/np"]);
                match ended(command)? {
                    (0..8, _) => Ok(Ended::Done),
                    (code, said) => Err(format!("exit code {code}: {said}")),
                }
            }
            Self::Rclone => {
                let mut command = Command::new("rclone");
                command.args(arguments).env("RCLONE_CONFIG", NO_FILE);
                match ended(command)? {
                    (0, _) => Ok(Ended::Done),
                    (code, said) => Err(format!("exit code {code}: {said}")),
                }
            }
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(engine) => write!(formatter, "engine: {}", engine.word()),
            Self::StandIn => formatter.write_str("the line for robocopy, to movebook robocopy"),
            Self::Robocopy(_) => formatter.write_str("the line for robocopy"),
            Self::Rclone => formatter.write_str("the line for rclone"),
        }
    }
}

/// No user's settings take part.
const NO_FILE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// Microsoft's robocopy, or why there is none.
fn robocopy() -> Result<PathBuf, String> {
    if !cfg!(windows) {
        return Err("it needs Windows; `movebook robocopy` stands in for it".to_owned());
    }
    let system = std::env::var_os("SystemRoot").ok_or("there is no SystemRoot in the environment")?;
    let system = Path::new(&system).join("System32");
    // Wine has a robocopy of its own, and this library, which no Windows has.
    if system.join("winecfg.exe").exists() {
        return Err("this is Wine, whose robocopy is another program".to_owned());
    }
    let program = system.join("robocopy.exe");
    if program.is_file() { Ok(program) } else { Err(format!("{} is not there", program.display())) }
}

fn ended(mut command: Command) -> Result<(i32, String), String> {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("RCLONE_") && name != "RCLONE_CONFIG" {
            command.env_remove(name);
        }
    }
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("cannot be started: {error}"))?;
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(code) => Ok((code, said)),
        None => Err(format!("was killed: {said}")),
    }
}

/// Looks at the pair as a guard does.
pub fn look(action: &CopyAction) -> Sight {
    let pass = run::pass_of(action);
    let watch = Watch { progress: &|_| {}, cancel: &Cancel::new(), account: None };
    let outcome = engine::of(action).survey(&pass, &watch).unwrap().outcome;
    let summary = &outcome.summary;
    Sight {
        is_refused: action.purge.is_some() && outcome.source_files == 0 && !outcome.extras.is_empty(),
        copies: summary.new.files + summary.changed.files,
        extras: outcome.extras.len(),
    }
}

/// By the library, as a run does it.
fn step(action: &CopyAction) -> Result<Ended, String> {
    if look(action).is_refused {
        return Ok(Ended::Refused);
    }
    let (engine, pass) = (engine::of(action), run::pass_of(action));
    let watch = Watch { progress: &|_| {}, cancel: &Cancel::new(), account: None };
    let outcome = engine.copy(&pass, &watch).map_err(|error| error.to_string())?;
    let summary = &outcome.summary;
    if !summary.errors.is_empty() || summary.failed.files > 0 {
        return Err(format!("{} files failed: {:?}", summary.failed.files, summary.errors));
    }
    if action.purge.is_none() || outcome.extras.is_empty() {
        return Ok(Ended::Done);
    }
    let beside = Disposal::Quarantine(action.to.with_extension("quarantine"));
    let purged = engine.purge(&pass, &outcome.extras, &beside, &watch).map_err(|error| error.to_string())?;
    if purged.errors.is_empty() { Ok(Ended::Done) } else { Err(format!("{:?}", purged.errors)) }
}
