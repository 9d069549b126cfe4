//! `movebook quarantine STATE`: what purges took away. And what `restore` and `discard` share: which of it is meant.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

use super::begin::Format;
use crate::cancel::Cancel;
use crate::copy::quarantine::{Changed, Kept, Selection, holds, look};
use crate::copy::{EntryKind, Tally, names};
use crate::error::{Error, ExitCode, Result};
use crate::rclone::{self, remote::Remote};
use crate::report::commands;
use crate::report::quarantine::{amount, heading, json_line, line, shown};
use crate::report::words;
use crate::state::fold::{Quarantine, Quarantined, RunState};
use crate::state::journal::{self, Journal};
use crate::state::lock::{Holder, Lock};
use crate::state::record::{Body, Deed};
use crate::sys::{place, who};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The state file
    state: PathBuf,
    /// For people or for programs: one object an entry
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let path = super::place::find(Some(&args.state))?;
    let state = super::place::state_of(&journal::read(&path)?, &path)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut all = Tally::default();
    for entry in state.quarantine.purges.iter().filter(|entry| remote_of(entry).is_none()) {
        let mut headed = false;
        let each = &mut |kept: Kept| {
            if kept.kind != EntryKind::Directory {
                all.add(kept.bytes);
            }
            match args.format {
                Format::Human => {
                    if !std::mem::replace(&mut headed, true) {
                        writeln!(out, "{}", heading(entry))?;
                    }
                    writeln!(out, "{}", line(&kept))
                }
                Format::Json => writeln!(out, "{}", json_line(entry, &kept)?),
            }
        };
        match look(Path::new(&entry.purge.folder), &Selection::All, each) {
            // A reader that has gone away (`| head`) has what it wanted.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::Done),
            result => result.map_err(|error| cannot_look(entry, error))?,
        }
    }
    match out.flush() {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            return Err(Error::new(ExitCode::StepFailed, "cannot write to stdout").caused_by(error));
        }
        _ => {}
    }
    if args.format == Format::Human {
        let shown = words::shell_argument(&args.state.display().to_string());
        if all.files == 0 {
            anstream::eprintln!("no file is in the quarantine");
        } else {
            anstream::eprintln!("{} in the quarantine", amount(all));
            anstream::eprintln!("bring back with: movebook restore {shown} PATH...   (or --all)");
            anstream::eprintln!("delete for good: movebook discard {shown} PATH...   (or --all)");
        }
        tell_missing(&state.quarantine, None)?;
    }
    Ok(ExitCode::Done)
}

/// Whether all folders that should hold something are to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    All,
    NotAll,
}

/// Says where a quarantine that should hold something is not to be found.
fn tell_missing(quarantine: &Quarantine, purge: Option<u32>) -> Result<Found> {
    let meant = |entry: &&Quarantined| purge.is_none_or(|number| number == entry.purge.number);
    let mut found = Found::All;
    for entry in quarantine.purges.iter().filter(meant).filter(|entry| remote_of(entry).is_some()) {
        found = Found::NotAll;
        tell_remote(entry);
    }
    let missing: Vec<&Quarantined> = quarantine
        .purges
        .iter()
        .filter(meant)
        .filter(|entry| remote_of(entry).is_none() && !Path::new(&entry.purge.folder).exists())
        .collect();
    if missing.is_empty() {
        return Ok(found);
    }
    // A folder from which all was brought back or discarded is gone too, and missed by nobody.
    let mut accounted = quarantine.sum(Deed::Restore).files + quarantine.sum(Deed::Discard).files;
    for entry in &quarantine.purges {
        if remote_of(entry).is_some() {
            accounted += entry.taken.unwrap_or_default().files;
            continue;
        }
        look(Path::new(&entry.purge.folder), &Selection::All, &mut |kept| {
            accounted += u64::from(kept.kind != EntryKind::Directory);
            Ok(())
        })
        .map_err(|error| cannot_look(entry, error))?;
    }
    let some_missing = quarantine.taken().files > accounted;
    for entry in missing {
        // What a purge that was cut off took away was never counted: where its target is gone too, its drive is.
        if some_missing || (entry.taken.is_none() && !target_is_there(entry)) {
            found = Found::NotAll;
            anstream::eprintln!(
                "warning: the folder {} of purge {} is not there: see that its drive or share is",
                words::name(&entry.purge.folder),
                entry.purge.number
            );
        }
    }
    Ok(found)
}

/// The remote that a purge's folder is in. It is reached by rclone with what the run gave it, a password perhaps, which no state
/// file holds: who has that brings the files back, or deletes them, by rclone itself.
fn remote_of(entry: &Quarantined) -> Option<Remote> {
    Remote::of(&entry.purge.folder)
}

/// Says where the files of a purge in a remote are, and by which commands they come back or go.
fn tell_remote(entry: &Quarantined) {
    let (folder, target) = (words::name(&entry.purge.folder), words::name(&entry.purge.target));
    let (folder, target) = (rclone::quoted(&folder), rclone::quoted(&target));
    anstream::eprintln!(
        "note: what purge {} took away lies in a remote, and is there for rclone:\n  list it:         rclone lsf -R {folder}\n  \
         bring it back:   rclone move {folder} {target} --ignore-existing\n  delete for good: rclone purge {folder}",
        entry.purge.number
    );
}

/// Whether the target of a purge is the folder that it was.
pub(super) fn target_is_there(entry: &Quarantined) -> bool {
    let now = place::lasting_identity(Path::new(&entry.purge.target)).ok();
    now.as_deref() == Some(&entry.purge.identity)
}

fn cannot_look(entry: &Quarantined, error: io::Error) -> Error {
    Error::new(ExitCode::StepFailed, format!("cannot list the quarantine folder {}", entry.purge.folder))
        .caused_by(error)
        .hint("see that its drive or share is there, that it may be read, and that no link is in its place")
}

/// Which of the quarantine is meant.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").args(["paths", "all"]).required(true))]
pub struct Which {
    /// Paths as `movebook quarantine` lists them; a folder means all that is in it
    paths: Vec<String>,
    /// All that is there
    #[arg(long)]
    all: bool,
    /// Only what this purge took away; needed where a path was taken away twice
    #[arg(long, value_name = "NUMBER")]
    purge: Option<u32>,
}

/// What is meant of one purge.
pub(super) struct Meant<'s> {
    pub(super) entry: &'s Quarantined,
    pub(super) selection: Selection,
    pub(super) amount: Tally,
}

impl Which {
    /// The newest purge first: of a path that was taken away twice the latest state comes back.
    pub(super) fn meant<'s>(&self, quarantine: &'s Quarantine, state_file: &Path) -> Result<Vec<Meant<'s>>> {
        let listing = commands::quarantine(&state_file.display().to_string());
        let purges: Vec<&Quarantined> = quarantine
            .purges
            .iter()
            .rev()
            .filter(|entry| remote_of(entry).is_none())
            .filter(|entry| self.purge.is_none_or(|number| number == entry.purge.number))
            .collect();
        if let (Some(number), true) = (self.purge, purges.is_empty()) {
            return Err(Error::new(
                ExitCode::Usage,
                format!("this run has no purge {number} with a quarantine"),
            )
            .hint(format!("`{listing}` lists the purges with their numbers")));
        }
        let mut selections = vec![Vec::new(); purges.len()];
        for text in &self.paths {
            let found = find(text, &purges, &listing)?;
            for (at, path) in found {
                selections[at].push(path);
            }
        }
        let mut meant = Vec::new();
        for (entry, paths) in purges.into_iter().zip(selections) {
            let selection = match self.all {
                true => Selection::All,
                false if paths.is_empty() => continue,
                false => Selection::Paths(paths),
            };
            let mut amount = Tally::default();
            let mut found = false;
            look(Path::new(&entry.purge.folder), &selection, &mut |kept| {
                found = true;
                if kept.kind != EntryKind::Directory {
                    amount.add(kept.bytes);
                }
                Ok(())
            })
            .map_err(|error| cannot_look(entry, error))?;
            // An empty folder of a purge that was cut off is cleared away with all.
            if found || (self.all && Path::new(&entry.purge.folder).exists()) {
                meant.push(Meant { entry, selection, amount });
            }
        }
        Ok(meant)
    }

    /// Whether the folders of all that is meant are there; says which are not.
    pub(super) fn found(&self, quarantine: &Quarantine) -> Result<Found> {
        match self.all {
            true => tell_missing(quarantine, self.purge),
            // Each path was found.
            false => Ok(Found::All),
        }
    }

    /// The paths for the journal, bounded.
    fn names(&self) -> Vec<String> {
        const LISTED: usize = 1000;
        self.paths.iter().take(LISTED).cloned().collect()
    }
}

/// Which purges hold a path. A file that several hold is refused: they are different states of it.
fn find(text: &str, purges: &[&Quarantined], listing: &str) -> Result<Vec<(usize, PathBuf)>> {
    let mut found = Vec::new();
    let mut files = Vec::new();
    for (at, entry) in purges.iter().enumerate() {
        let Some(path) = below(text, &entry.purge.target) else { continue };
        match holds(Path::new(&entry.purge.folder), &path).map_err(|error| cannot_look(entry, error))? {
            None => continue,
            Some(EntryKind::Directory) => {}
            Some(EntryKind::File | EntryKind::Link | EntryKind::Special) => files.push(*entry),
        }
        found.push((at, path));
    }
    if found.is_empty() {
        return Err(Error::new(
            ExitCode::Usage,
            format!("the quarantine has nothing under {}", words::name(text)),
        )
        .hint(format!("`{listing}` lists what is there; nothing was changed")));
    }
    if files.len() > 1 {
        let mut error = Error::new(
            ExitCode::Usage,
            format!("{} was taken away more than once; nothing was changed", words::name(text)),
        );
        for entry in files {
            let number = entry.purge.number;
            error = error.hint(format!("--purge {number} means that of {}", heading(entry)));
        }
        return Err(error);
    }
    Ok(found)
}

/// The path below the target; `None` for one that leads out of it.
fn below(text: &str, target: &str) -> Option<PathBuf> {
    let path = names::path_of(text);
    let path = match path.strip_prefix(target) {
        Ok(path) => path.to_owned(),
        Err(_) if Path::new(text).is_absolute() => Path::new(text).strip_prefix(target).ok()?.to_owned(),
        Err(_) => path,
    };
    // `a/` and `./a` are `a`.
    let path: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    (plain && !path.as_os_str().is_empty()).then_some(path)
}

/// Takes a run up to change its quarantine. The journal holds the run's lock.
pub(super) fn take_up(
    state_file: &Path,
    colour: crate::report::terminal::Colour,
) -> Result<(Journal, RunState)> {
    let path = super::place::find(Some(state_file))?;
    // Before the lock: what is refused gets no lock file beside it.
    super::place::state_of(&journal::read(&path)?, &path)?;
    let lock = Lock::acquire(&path, &Holder::this_process(who::host(), who::user()))?;
    let opened = Journal::open(lock)?;
    if let Some(copy) = &opened.torn {
        super::begin::tell_torn(copy, colour);
    }
    let state = super::place::state_of(&opened.records, &path)?;
    Ok((opened.journal, state))
}

/// Prints the name of a file that something was done with.
pub(super) fn tell(kept: &Kept) {
    // A reader that has gone away does not end what was begun.
    let _ = super::print_data(&format!("{}\n", words::name(&shown(kept))));
}

/// Does it, with intent and end in the journal, and says what stays and why.
pub(super) fn carry_out(
    journal: &mut Journal,
    deed: Deed,
    which: &Which,
    meant: &[Meant<'_>],
    work: &mut dyn FnMut(&Meant<'_>) -> io::Result<Changed>,
) -> Result<Changed> {
    let mut amount = Tally::default();
    meant.iter().for_each(|meant| amount.merge(meant.amount));
    journal.append(Body::QuarantineChanging {
        deed,
        by: who::user(),
        host: who::host(),
        purges: meant.iter().map(|meant| meant.entry.purge.number).collect(),
        files: amount.files,
        bytes: amount.bytes,
        names: which.names(),
    })?;
    let mut all = Changed::default();
    for meant in meant {
        match work(meant) {
            Ok(changed) => {
                all.files.merge(changed.files);
                all.directories += changed.directories;
                all.left.extend(changed.left);
                all.unflushed = all.unflushed.or(changed.unflushed);
            }
            Err(error) => all.left.push(crate::copy::quarantine::Left {
                path: meant.entry.purge.folder.clone(),
                reason: error.to_string(),
                help: "see that its drive or share is there and can be written to, and give the same command again",
            }),
        }
    }
    journal.append(Body::QuarantineChanged {
        deed,
        files: all.files.files,
        bytes: all.files.bytes,
        left: all.left.len() as u64,
    })?;
    for left in &all.left {
        anstream::eprintln!(
            "error: {} stays in the quarantine: {}\n  help: {}",
            words::name(&left.path),
            words::name(&left.reason),
            left.help
        );
    }
    if let Some(why) = &all.unflushed {
        anstream::eprintln!(
            "error: what was done may not outlive a power cut: cannot bring it to the disk: {}\n  help: see to the drive, \
             and look at what the quarantine and the target hold",
            words::name(why)
        );
    }
    Ok(all)
}

/// How the process ends where nothing is there to be changed.
pub(super) fn nothing(found: Found) -> ExitCode {
    match found {
        Found::All => {
            anstream::eprintln!("nothing is in the quarantine: nothing was changed");
            ExitCode::Done
        }
        Found::NotAll => {
            anstream::eprintln!("nothing was changed");
            ExitCode::StepFailed
        }
    }
}

/// How the process ends.
pub(super) fn code(changed: &Changed, found: Found, cancel: &Cancel) -> ExitCode {
    if cancel.is_requested() {
        anstream::eprintln!("interrupted: the same command goes on");
        ExitCode::Interrupted
    } else if changed.left.is_empty() && changed.unflushed.is_none() && found == Found::All {
        ExitCode::Done
    } else {
        ExitCode::StepFailed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_meant_below_the_target_however_it_is_written() {
        for text in ["a/b", "a/b/", "./a/b", "/new/a/b"] {
            assert_eq!(below(text, "/new"), Some(PathBuf::from("a/b")), "{text}");
        }
    }

    #[test]
    fn a_path_that_leads_out_of_the_target_means_nothing() {
        for text in ["../x", "a/../../x", "/other/a", "/new", ".", ""] {
            assert_eq!(below(text, "/new"), None, "{text}");
        }
    }
}
