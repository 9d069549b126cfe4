//! The programs that movebook is compared with, and how each is told to do the same work.
//!
//! Each is run as its manual says one copies a tree with it, with nothing tuned against it. What they do not do is in [`Peer::remark`].

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;

use crate::limit::{self, Work};

/// The limit program's threads where nothing is cached.
const COLD_THREADS: usize = 16;

/// The work of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// A copy into nothing.
    First,
    /// A pass over trees that are the same.
    Nothing,
    /// A pass with 1 % changed and 1 % to take away.
    Purge,
    /// A pass in which every file has changed.
    Changed,
    /// Both trees are read.
    Verify,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Peer {
    Rsync,
    Cp,
    Rclone,
    Xcp,
    Cpz,
    Fcp,
    B3sum,
    Limit,
}

/// What a peer is told.
pub struct Job<'a> {
    pub deed: Deed,
    pub from: &'a Path,
    pub to: &'a Path,
    /// For what it writes beside the trees.
    pub work: &'a Path,
    pub cold: bool,
}

impl Peer {
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsync => "`rsync -a`",
            Self::Cp => "`cp -a`",
            Self::Rclone => "`rclone sync`",
            Self::Xcp => "xcp",
            Self::Cpz => "cpz",
            Self::Fcp => "fcp",
            Self::B3sum => "`b3sum`",
            Self::Limit => "the limit program",
        }
    }

    /// What its figure does not include, or does besides.
    pub fn remark(self) -> Option<&'static str> {
        match self {
            Self::Cpz | Self::Fcp => Some("does not keep times of modification"),
            Self::Rclone => Some("also hashes each file that it copies"),
            Self::B3sum => Some("hashes only, compares nothing"),
            Self::Limit => Some("bare system calls, not a product"),
            Self::Rsync | Self::Cp | Self::Xcp => None,
        }
    }

    /// Whether a target that it made is the same as the source by size and time.
    pub fn keeps_times(self) -> bool {
        !matches!(self, Self::Cpz | Self::Fcp)
    }

    /// The command for a job; why it cannot be had, otherwise.
    pub fn command(self, job: &Job<'_>) -> Result<Command, String> {
        let mut command = Command::new(self.program()?);
        match (self, job.deed) {
            (Self::Rsync, deed) => {
                command.arg("-a");
                match deed {
                    Deed::Purge => drop(command.arg("--delete")),
                    Deed::Verify => drop(command.args(["--checksum", "--dry-run"])),
                    Deed::First | Deed::Nothing | Deed::Changed => {}
                }
                command.args([with_slash(job.from), with_slash(job.to)]);
            }
            (Self::Cp, Deed::First) => drop(command.arg("-a").args([job.from, job.to])),
            // `-u` leaves alone what is not older, `-T` takes the target for the tree itself.
            (Self::Cp, Deed::Nothing) => drop(command.arg("-auT").args([job.from, job.to])),
            (Self::Rclone, Deed::First | Deed::Nothing | Deed::Purge | Deed::Changed) => {
                // No configuration of whoever measures takes part.
                command.env("RCLONE_CONFIG", "/dev/null").arg("sync").args([job.from, job.to]);
            }
            (Self::Xcp, Deed::First) => {
                command.args(["--recursive", "--no-progress"]);
                if job.cold {
                    command.args(["--workers", "8"]);
                }
                command.args([job.from, job.to]);
            }
            (Self::Cpz | Self::Fcp, Deed::First) => drop(command.args([job.from, job.to])),
            (Self::B3sum, Deed::Verify) => {
                // One process a tree, side by side; names are handed over as a person would do it.
                let one = "(cd \"$1\" && find . -type f -print0 | xargs -0 -s 1500000 \"$0\" --num-threads 1 >\"$3/one\")";
                let two = "(cd \"$2\" && find . -type f -print0 | xargs -0 -s 1500000 \"$0\" --num-threads 1 >\"$3/two\")";
                let program = self.program()?;
                command = Command::new("sh");
                command.arg("-c").arg(format!("{one} & {two} && wait $!")).arg(program);
                command.args([job.from, job.to, job.work]);
            }
            (Self::Limit, deed @ (Deed::Nothing | Deed::First | Deed::Verify)) => {
                let work = match deed {
                    Deed::First => Work::Copy,
                    Deed::Verify => Work::Read,
                    _ => Work::Look,
                };
                // What waits for a disk gains by more threads, and the figures are to show the best.
                let threads = if job.cold { COLD_THREADS } else { limit::THREADS };
                command.args([limit::MODE, work.name(), &threads.to_string()]).args([job.from, job.to]);
            }
            (_, deed) => return Err(format!("{} does no such work as {deed:?}", self.name())),
        }
        Ok(command)
    }

    fn program(self) -> Result<PathBuf, String> {
        let name = match self {
            Self::Limit => return std::env::current_exe().map_err(|error| error.to_string()),
            Self::Rsync => "rsync",
            Self::Cp => "cp",
            Self::Rclone => "rclone",
            Self::Xcp => "xcp",
            Self::Cpz => "cpz",
            Self::Fcp => "fcp",
            Self::B3sum => "b3sum",
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::iter::once(installed())
            .chain(std::env::split_paths(&path))
            .map(|folder| folder.join(name))
            .find(|program| program.is_file())
            .ok_or_else(|| format!("{name} is not installed; benches/install-peers fetches it"))
    }
}

/// Where `benches/install-peers` puts what it builds.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers").join("bin")
}

/// The content of a directory, for rsync.
fn with_slash(path: &Path) -> std::ffi::OsString {
    let mut text = path.as_os_str().to_owned();
    text.push(OsStr::new("/"));
    text
}
