//! A pass in which a side is a remote.
//!
//! 1. rclone lists both sides, and movebook compares them by its own filter and rules: the account, the extras and the list of
//!    files to copy are known before anything is touched.
//! 2. rclone copies exactly the files of that list. One with a transient error is tried again, without the others.
//! 3. After a pass that must be clean both sides are listed and compared again, and what is still to be copied has failed,
//!    whatever rclone said.
//!
//! A purge takes away what was judged, after another look at the source: see `purge`.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;

use super::call::{self, Rclone};
use super::local::ended_by;
use super::place::{self, EmptyFolders, Traits};
use super::verify;
use crate::cancel::Cancel;
use crate::copy::native::Ground;
use crate::copy::{
    CopyPass, Disposal, Engine, ErrorClass, ExtraEntry, FileError, OnErrors, PassError, PassOutcome, Purged,
    Survey, Watch, names,
};
use crate::plan::CopyAction;
use crate::rclone::compare::{Apart, Comparison, Deed, Terms, Times, ToCopy, compare};
use crate::rclone::listing::Listing;
use crate::rclone::log::{Errors, Line, is_of_network};
use crate::rclone::remote::Remote;
use crate::rclone::spelling;
use crate::rclone::transfer;
use crate::sys::process::Stream;

mod account;
mod meter;
mod purge;
mod verdict;

use meter::Meter;
use verdict::{Ends, Sent, Try};

pub(super) struct RemotePass {
    action: CopyAction,
    from: String,
    to: String,
}

/// Both sides as they are now, and what is to be done.
struct Looked {
    comparison: Comparison,
    target: Traits,
    warning: Option<String>,
}

impl RemotePass {
    /// So many files without one between them that came over: the remote is gone.
    const FAILED_IN_A_ROW: u32 = 2;

    pub(super) fn new(action: &CopyAction) -> Self {
        let [from, to] = [&action.from, &action.to].map(|path| path.display().to_string());
        Self { action: action.clone(), from, to }
    }

    fn ready<'a>(&self, cancel: &'a Cancel) -> Result<Rclone<'a>, PassError> {
        let remotes = super::remotes([self.action.from.as_path(), &self.action.to]);
        Rclone::ready(&self.action.environment, &remotes, cancel)
    }

    /// The target where it is a folder of this machine.
    fn local_target(&self) -> Option<&Path> {
        Remote::at(&self.action.to).is_none().then_some(self.action.to.as_path())
    }

    fn look(&self, rclone: &Rclone<'_>, pass: &CopyPass, meter: &mut Meter<'_>) -> Result<Looked, PassError> {
        let [from, to] = [&self.from, &self.to].map(|place| Traits::of(rclone, place));
        let (from, to) = (from?, to?);
        let source = self.source(rclone, meter)?;
        let target = place::list(rclone, &self.to, &mut |entries| meter.listing(entries))?;
        let times = to.times(from, pass.mtime_tolerance);
        let terms = Terms {
            filter: &pass.filter,
            started: pass.started,
            directories: pass.directories,
            links: pass.links,
            times,
            letters: to.letters,
        };
        let warning = (times == Times::NotKept).then(|| {
            format!(
                "{} keeps no times of files: a file that changed and kept its size is not seen as changed",
                names::shown(&self.action.to)
            )
        });
        Ok(Looked { comparison: compare(&source, target.as_ref(), terms), target: to, warning })
    }

    fn source(&self, rclone: &Rclone<'_>, meter: &mut Meter<'_>) -> Result<Listing, PassError> {
        place::list(rclone, &self.from, &mut |entries| meter.listing(entries))?
            .ok_or_else(|| call::failed("list the source", &self.from, 3, "there is no such folder"))
    }

    /// Copies the files of a comparison; gives what could not be copied, by path.
    fn bring(
        &self,
        rclone: &Rclone<'_>,
        pass: &CopyPass,
        files: &[ToCopy],
        meter: &mut Meter<'_>,
    ) -> Result<HashMap<String, FileError>, PassError> {
        let (mut left, odd): (Vec<&ToCopy>, Vec<&ToCopy>) =
            files.iter().partition(|file| transfer::can_be_listed(&file.path));
        let why = "a list of rclone's cannot hold a name with a line break: rename it";
        let mut lost: HashMap<String, FileError> = odd
            .iter()
            .map(|file| (file.path.clone(), error_of(file, ErrorClass::Permanent, 1, why.into())))
            .collect();
        let mut tried = Try { number: 0, retries: pass.retries };
        while !left.is_empty() {
            tried.number += 1;
            let sent = self.send(rclone, &left, meter)?;
            let mut verdict = verdict::judge(&left, &sent, tried).map_err(|ends| match ends {
                Ends::With(error) => ended_by(&error),
                Ends::Whole { code, said } => call::failed("copy", &self.from, code, &said),
            })?;
            if !verdict.unsaid.is_empty() {
                verdict.place_unsaid(&self.source(rclone, meter)?, &sent, tried);
            }
            lost.extend(verdict.lost.into_iter().map(|(file, error)| (file.path.clone(), error)));
            left = verdict.again;
            if !left.is_empty() {
                meter.again(left.len());
                pause(pass.wait, rclone.cancel())?;
            }
        }
        Ok(lost)
    }

    /// One call of rclone, for the files of a list.
    fn send(&self, rclone: &Rclone<'_>, files: &[&ToCopy], meter: &mut Meter<'_>) -> Result<Sent, PassError> {
        let list = list_of(files.iter().map(|file| file.path.as_str()))?;
        let arguments = transfer::arguments(&self.action, list.path()).arguments;
        let mut sent = Sent { code: None, errors: Errors::default(), copied: HashSet::new(), transfers: 0 };
        meter.call();
        let stop = rclone.cancel().below();
        // Each that fails by the network is tried for seconds: of a server that is gone the first few tell enough.
        let mut in_a_row = 0;
        let enough = self.action.threads.max(Self::FAILED_IN_A_ROW);
        sent.code = rclone.run_until(&arguments, &stop, &mut |stream, line| {
            if stream == Stream::Stdout {
                return;
            }
            let line = Line::read(line);
            sent.errors.hear(&line);
            match line {
                Line::Progress(stats) => {
                    sent.transfers = sent.transfers.max(stats.transfers);
                    meter.moved(&stats);
                }
                Line::Copied(path) => {
                    in_a_row = 0;
                    sent.copied.insert(path);
                }
                Line::Failed(failed) if is_of_network(&failed.error) => {
                    in_a_row += 1;
                    if in_a_row >= enough {
                        stop.request();
                    }
                }
                _ => {}
            }
        })?;
        sent.transfers = sent.transfers.max(sent.copied.len() as u64);
        Ok(sent)
    }

    /// Makes the folders that no file brings; gives those that could not be made.
    fn make_folders(
        &self,
        rclone: &Rclone<'_>,
        folders: &[String],
        target: Traits,
        warning: &mut Option<String>,
    ) -> Result<Vec<FileError>, PassError> {
        if folders.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(root) = self.local_target() {
            let mut errors = Vec::new();
            for folder in folders {
                let made = spelling::on_disk(folder).and_then(|path| {
                    let made = std::fs::create_dir_all(root.join(path));
                    made.map_err(|error| format!("cannot make the directory: {error}"))
                });
                if let Err(error) = made {
                    let path = format!("{}/", names::shown(Path::new(folder)));
                    errors.push(FileError { path, class: ErrorClass::Permanent, attempts: 1, error });
                }
            }
            return Ok(errors);
        }
        if target.empty_folders == EmptyFolders::Unknown {
            let why = format!("{} keeps no empty directories: {} were not made", self.to, folders.len());
            *warning = joined(warning.take(), why);
            return Ok(Vec::new());
        }
        // rclone makes empty directories only where it sees them: it is shown a tree of them, and is called once.
        let skeleton = scratch()?;
        let mut errors = Vec::new();
        for folder in folders {
            match spelling::on_disk(folder) {
                Ok(path) => std::fs::create_dir_all(skeleton.path().join(path)).map_err(no_scratch)?,
                Err(error) => {
                    let path = format!("{}/", names::shown(Path::new(folder)));
                    errors.push(FileError { path, class: ErrorClass::Permanent, attempts: 1, error });
                }
            }
        }
        let arguments = [
            "copy",
            &skeleton.path().display().to_string(),
            &self.to,
            "--create-empty-src-dirs",
            // A folder's name in one form of Unicode would be taken for the same one in another.
            "--no-unicode-normalization",
            "--use-json-log",
        ];
        let made = rclone.ask(&arguments);
        made.map(|_| errors).map_err(|refused| refused.of("make directories", &self.to))
    }

    /// What is still to be copied after the pass, with rclone's word for it where it had one.
    fn left(
        &self,
        rclone: &Rclone<'_>,
        pass: &CopyPass,
        first: &Comparison,
        mut told: HashMap<String, FileError>,
        meter: &mut Meter<'_>,
    ) -> Result<HashMap<String, FileError>, PassError> {
        let again = self.look(rclone, pass, meter)?.comparison;
        let mut lost = unseen_by_listings(first, &mut told);
        for file in &again.copy {
            if lost.contains_key(&file.path) {
                continue;
            }
            let error = told.remove(&file.path).unwrap_or_else(|| {
                let why = match file.apart {
                    None => "it is still not there, and rclone named no error".to_owned(),
                    Some(Apart::Size { source, target }) => format!(
                        "it still differs: {source} bytes in the source, {target} in the target, and rclone named no error"
                    ),
                    Some(Apart::Time) => "its time still differs, and rclone named no error".to_owned(),
                };
                error_of(file, ErrorClass::Permanent, 1, why)
            });
            lost.insert(file.path.clone(), error);
        }
        // What the second look says nothing of is gone from the source.
        let seen: HashSet<String> = again
            .same
            .iter()
            .map(|(path, _)| path.clone())
            .chain(again.copy.iter().map(|file| file.path.clone()))
            .collect();
        let failed_again: HashSet<&str> = again.failed.iter().map(|(error, _)| error.path.as_str()).collect();
        let is_gone = |file: &&ToCopy| {
            !seen.contains(&file.path) && !failed_again.contains(names::shown(Path::new(&file.path)).as_str())
        };
        for file in first.copy.iter().filter(is_gone) {
            let why = "it was listed, and the source has it no more".to_owned();
            lost.insert(file.path.clone(), error_of(file, ErrorClass::Vanished, 1, why));
        }
        let known: HashSet<&str> = first.failed.iter().map(|(error, _)| error.path.as_str()).collect();
        for (error, _) in again.failed.iter().filter(|(error, _)| !known.contains(error.path.as_str())) {
            lost.insert(error.path.clone(), error.clone());
        }
        Ok(lost)
    }
}

impl Engine for RemotePass {
    fn survey(&self, pass: &CopyPass, watch: &Watch<'_>) -> Result<Survey, PassError> {
        let rclone = self.ready(watch.cancel)?;
        let looked = self.look(&rclone, pass, &mut Meter::new(watch))?;
        let largest = account::largest(&looked.comparison);
        let mut outcome = account::settle(looked.comparison, HashMap::new(), pass.extras, watch.account);
        outcome.warning = looked.warning;
        Ok(Survey { outcome, largest })
    }

    fn copy(&self, pass: &CopyPass, watch: &Watch<'_>) -> Result<PassOutcome, PassError> {
        let rclone = self.ready(watch.cancel)?;
        let ground = self.local_target().map(<Ground>::take).transpose()?;
        let mut meter = Meter::new(watch);
        let Looked { mut comparison, target, mut warning } = self.look(&rclone, pass, &mut meter)?;
        if pass.distrust.is_some() {
            self.read_what_looks_the_same(&rclone, &mut comparison)?;
            let why = "the machine or the volume went away behind an earlier pass, so files that looked the same were compared \
                       by content";
            warning = joined(warning, why.to_owned());
        }
        meter.listed(&comparison);
        let mut lost = self.bring(&rclone, pass, &comparison.copy, &mut meter)?;
        let unmade = self.make_folders(&rclone, &comparison.missing_folders, target, &mut warning)?;
        if let Some(ground) = &ground {
            ground.flush()?;
        }
        if pass.errors == OnErrors::Fail && !comparison.copy.is_empty() {
            lost = self.left(&rclone, pass, &comparison, lost, &mut Meter::silent(watch))?;
        }
        let is_unmade = |folder: &String| {
            let path = format!("{}/", names::shown(Path::new(folder)));
            unmade.iter().any(|error| error.path == path)
        };
        comparison.missing_folders.retain(|folder| !is_unmade(folder));
        comparison.failed.extend(unmade.into_iter().map(|error| (error, 0)));
        let mut outcome = account::settle(comparison, lost, pass.extras, watch.account);
        outcome.warning = warning;
        Ok(outcome)
    }

    fn purge(
        &self,
        pass: &CopyPass,
        extras: &[ExtraEntry],
        disposal: &Disposal,
        watch: &Watch<'_>,
    ) -> Result<Purged, PassError> {
        self.take_away(pass, extras, disposal, watch)
    }
}

impl RemotePass {
    /// Brings again what was never flushed: of files that look the same those that are not.
    fn read_what_looks_the_same(
        &self,
        rclone: &Rclone<'_>,
        comparison: &mut Comparison,
    ) -> Result<(), PassError> {
        let paths = comparison.same.iter().map(|(path, _)| path.as_str());
        let differing: HashSet<String> =
            verify::contents(rclone, &self.from, &self.to, self.action.threads, paths, &mut |_| {})?
                .into_iter()
                .map(|difference| difference.path)
                .collect();
        let (changed, same): (Vec<_>, Vec<_>) =
            std::mem::take(&mut comparison.same).into_iter().partition(|(path, _)| differing.contains(path));
        comparison.same = same;
        comparison.copy.extend(changed.into_iter().map(|(path, bytes)| ToCopy {
            path,
            bytes,
            deed: Deed::Changed,
            apart: None,
        }));
        Ok(())
    }
}

/// What failed of the files that differ in their content alone: by size and time they look the same before and after.
fn unseen_by_listings(
    first: &Comparison,
    told: &mut HashMap<String, FileError>,
) -> HashMap<String, FileError> {
    let of_content = first.copy.iter().filter(|file| (file.deed, file.apart) == (Deed::Changed, None));
    of_content.filter_map(|file| told.remove_entry(&file.path)).collect()
}

fn error_of(file: &ToCopy, class: ErrorClass, attempts: u32, error: String) -> FileError {
    FileError { path: names::shown(Path::new(&file.path)), class, attempts, error }
}

fn joined(one: Option<String>, other: String) -> Option<String> {
    Some(one.map_or(other.clone(), |one| format!("{one}; {other}")))
}

/// Waits before another attempt.
fn pause(wait: std::time::Duration, cancel: &Cancel) -> Result<(), PassError> {
    let begun = std::time::Instant::now();
    while begun.elapsed() < wait {
        if cancel.is_requested() {
            return Err(PassError::Interrupted);
        }
        std::thread::sleep(std::time::Duration::from_millis(20).min(wait));
    }
    Ok(())
}

/// A list of rclone's, one path a line, that goes when it is dropped.
pub(super) fn list_of<'p>(
    paths: impl Iterator<Item = &'p str>,
) -> Result<tempfile::NamedTempFile, PassError> {
    let mut file = tempfile::Builder::new().prefix("movebook-").tempfile().map_err(no_scratch)?;
    let mut out = std::io::BufWriter::new(file.as_file_mut());
    for path in paths {
        writeln!(out, "{path}").map_err(no_scratch)?;
    }
    out.flush().map_err(no_scratch)?;
    drop(out);
    Ok(file)
}

fn scratch() -> Result<tempfile::TempDir, PassError> {
    tempfile::Builder::new().prefix("movebook-").tempdir().map_err(no_scratch)
}

fn no_scratch(error: std::io::Error) -> PassError {
    PassError::Fatal {
        what: "cannot write to the folder for temporary files".to_owned(),
        path: names::shown(&std::env::temp_dir()),
        hint: "make room there, or set TMPDIR (TEMP on Windows) to another folder, and go on".to_owned(),
        source: Some(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_differs_in_its_content_alone_and_failed_stays_failed() {
        let file = |path: &str, deed, apart| ToCopy { path: path.into(), bytes: 1, deed, apart };
        let copy = vec![
            file("content", Deed::Changed, None),
            file("came", Deed::Changed, None),
            file("time", Deed::Changed, Some(Apart::Time)),
        ];
        let told = |path: &str| {
            let error = error_of(&file(path, Deed::New, None), ErrorClass::Denied, 1, "no".into());
            (path.to_owned(), error)
        };
        let mut told = HashMap::from(["content", "time"].map(told));
        let lost = unseen_by_listings(&Comparison { copy, ..Comparison::default() }, &mut told);
        assert_eq!(lost.into_keys().collect::<Vec<_>>(), ["content"]);
        assert!(told.contains_key("time"), "the second look judges it");
    }
}
