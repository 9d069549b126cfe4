//! Whether remotes hold what they should, have room, and can be written to, as rclone tells it.

use std::path::Path;

use indexmap::IndexMap;

use super::paths::{self, Wishes, finding};
use super::{Finding, Measured, Verdict};
use crate::cancel::Cancel;
use crate::copy::PassError;
use crate::engine::rclone::place::{Question, sum};
use crate::plan::FreeSpace;
use crate::rclone::listing::{Kind, Listing};
use crate::rclone::remote::Remote;

type Environment = IndexMap<String, String>;

/// Looks at a remote, or at a folder of this machine that must have room for one.
pub fn look(wishes: Wishes, environment: &Environment, cancel: &Cancel) -> Verdict {
    if Remote::at(&wishes.path).is_some() {
        let mut verdict = Verdict::default();
        if let Err(error) = ask(&wishes, environment, cancel, &mut verdict) {
            verdict.findings.push(unanswered(&wishes.path, error));
        }
        return verdict;
    }
    let mut verdict = paths::look(&Wishes { free_space: None, ..wishes.clone() }, cancel);
    if let Some(wanted) = &wishes.free_space {
        match needed(wanted, environment, cancel, &mut verdict) {
            Ok(Some((bytes, what_for))) => paths::room(&wishes.path, bytes, &what_for, &mut verdict),
            Ok(None) => {}
            Err(error) => verdict.findings.push(unanswered(&wishes.path, error)),
        }
    }
    verdict
}

fn ask(
    wishes: &Wishes,
    environment: &Environment,
    cancel: &Cancel,
    verdict: &mut Verdict,
) -> Result<(), PassError> {
    let place = Question::new(&wishes.path, environment, cancel)?;
    let nothing_else = wishes.contains.is_empty() && wishes.free_space.is_none() && !wishes.writable;
    let must_exist = wishes.exists.unwrap_or(nothing_else) || !wishes.contains.is_empty();
    if must_exist || wishes.exists.is_some() {
        match (place.list()?, must_exist) {
            (None, true) => verdict.findings.push(finding(
                &wishes.path,
                "does not exist",
                "correct the path, or see that the remote is the right one",
            )),
            (Some(listing), true) => {
                verdict.findings.extend(contains(&wishes.path, &wishes.contains, &listing))
            }
            (Some(listing), false) if !listing.entries.is_empty() => verdict.findings.push(finding(
                &wishes.path,
                "exists, and must not",
                "move it out of the way, or choose another path",
            )),
            _ => {}
        }
    }
    if let Some(wanted) = &wishes.free_space
        && let Some((bytes, what_for)) = needed(wanted, environment, cancel, verdict)?
    {
        match place.free()? {
            None => verdict.findings.push(finding(
                &wishes.path,
                "does not tell how much space is free",
                "leave `free_space` out here, and see for yourself that there is room",
            )),
            Some(free) => verdict.findings.extend(paths::too_little(&wishes.path, free, bytes, &what_for)),
        }
    }
    if wishes.writable {
        place.try_out()?;
    }
    Ok(())
}

fn contains(path: &Path, patterns: &[String], listing: &Listing) -> Vec<Finding> {
    let unread = listing.unread.len();
    let missing = unmatched(&patterns.iter().collect::<Vec<_>>(), listing);
    missing
        .into_iter()
        .map(|pattern| match unread {
            0 => finding(
                path,
                format!("holds no file `{pattern}`"),
                "check that this is the right directory, and that what it should hold is there",
            ),
            count => finding(
                path,
                format!("no file `{pattern}` was found in it, and {count} folders could not be listed"),
                "give rclone a user who may read all of it",
            ),
        })
        .collect()
}

/// The patterns that no file of a remote matches; all of them where it cannot be listed.
pub fn unmatched_of(
    path: &Path,
    environment: &Environment,
    patterns: &[&String],
    cancel: &Cancel,
) -> Vec<String> {
    if patterns.is_empty() {
        return Vec::new();
    }
    let listing = Question::new(path, environment, cancel).and_then(|place| place.list());
    match listing {
        Ok(Some(listing)) => unmatched(patterns, &listing),
        Ok(None) | Err(_) => patterns.iter().map(|pattern| (*pattern).clone()).collect(),
    }
}

fn unmatched(patterns: &[&String], listing: &Listing) -> Vec<String> {
    let files: Vec<&Path> = listing
        .entries
        .iter()
        .filter(|entry| entry.kind == Kind::File)
        .map(|entry| Path::new(&entry.path))
        .collect();
    patterns
        .iter()
        .filter(|pattern| {
            paths::matcher(pattern).map_or(true, |matcher| {
                !files.iter().any(|file| match pattern.contains('/') {
                    true => matcher.is_match(file),
                    false => file.file_name().is_some_and(|name| matcher.is_match(name)),
                })
            })
        })
        .map(|pattern| (*pattern).clone())
        .collect()
}

/// How much room is wanted, and what for; `None` where the source of which it is is not there, which is a finding then.
fn needed(
    wanted: &FreeSpace,
    environment: &Environment,
    cancel: &Cancel,
    verdict: &mut Verdict,
) -> Result<Option<(u64, String)>, PassError> {
    match wanted {
        FreeSpace::Bytes(bytes) => Ok(Some((*bytes, "are wanted".to_owned()))),
        FreeSpace::Source(source) => {
            let Some(listing) = Question::new(source, environment, cancel)?.list()? else {
                verdict.findings.push(finding(
                    source,
                    "does not exist, so how much space its files need is unknown",
                    "correct the path, or see that the remote is the right one",
                ));
                return Ok(None);
            };
            let size = sum(&listing);
            verdict.unread += listing.unread.len() as u64;
            verdict.measured =
                Some(Measured { path: source.display().to_string(), files: size.files, bytes: size.bytes });
            let at_least = if listing.unread.is_empty() { "" } else { "at least " };
            Ok(Some((size.bytes, format!("{at_least}are taken by the files below {}", source.display()))))
        }
    }
}

fn unanswered(path: &Path, error: PassError) -> Finding {
    match error {
        PassError::Interrupted => finding(path, "was not looked at to its end", "go on with the run"),
        PassError::Fatal { what, hint, source, .. } => {
            let cause = source.map_or(String::new(), |source| format!(": {source}"));
            finding(path, format!("cannot be looked at: {what}{cause}"), hint)
        }
    }
}
