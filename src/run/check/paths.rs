//! Whether paths are there, hold what they should, have room, can be written to, and are apart.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::{Finding, Measured, Verdict};
use crate::cancel::Cancel;
use crate::plan::FreeSpace;
use crate::rclone::remote::{self, Remote};
use crate::sys::place::{Place, Relation};
use crate::sys::tree;

/// What a path is expected to be. A path of which nothing else is expected must exist.
#[derive(Clone, Debug)]
pub struct Wishes {
    pub path: PathBuf,
    pub exists: Option<bool>,
    pub contains: Vec<String>,
    pub free_space: Option<FreeSpace>,
    pub writable: bool,
}

pub fn look(wishes: &Wishes, cancel: &Cancel) -> Verdict {
    let mut verdict = Verdict::default();
    let nothing_else = wishes.contains.is_empty() && wishes.free_space.is_none() && !wishes.writable;
    let must_exist = wishes.exists.unwrap_or(nothing_else) || !wishes.contains.is_empty();
    let existence = match (must_exist, wishes.exists) {
        (true, _) => must_be_there(&wishes.path),
        (false, Some(_)) => must_be_absent(&wishes.path),
        (false, None) => Ok(()),
    };
    match existence {
        Err(finding) => verdict.findings.push(finding),
        Ok(()) if !wishes.contains.is_empty() => {
            verdict.findings.extend(contains(&wishes.path, &wishes.contains, cancel));
        }
        Ok(()) => {}
    }
    if let Some(wanted) = &wishes.free_space {
        free_space(&wishes.path, wanted, cancel, &mut verdict);
    }
    if wishes.writable {
        verdict.findings.extend(writable(&wishes.path).err());
    }
    verdict
}

pub(super) fn finding(path: &Path, reason: impl Into<String>, next: impl Into<String>) -> Finding {
    Finding { subject: path.display().to_string(), reason: reason.into(), next: next.into() }
}

fn must_be_there(path: &Path) -> Result<(), Finding> {
    // Through a link: one that leads nowhere is as good as nothing.
    match std::fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(error) if tree::is_absence(&error) => {
            Err(finding(path, "does not exist", "correct the path, or connect the drive or share it is on"))
        }
        Err(error) => Err(cannot_look(path, &error)),
    }
}

fn must_be_absent(path: &Path) -> Result<(), Finding> {
    // Not through a link: one that leads nowhere still takes the name.
    match std::fs::symlink_metadata(path) {
        Ok(_) => Err(finding(path, "exists, and must not", "move it out of the way, or choose another path")),
        Err(error) if is_absence(&error) => Ok(()),
        Err(error) => Err(cannot_look(path, &error)),
    }
}

fn is_absence(error: &io::Error) -> bool {
    tree::is_absence(error) || error.kind() == ErrorKind::NotADirectory
}

fn cannot_look(path: &Path, error: &io::Error) -> Finding {
    finding(path, format!("cannot be looked at: {error}"), "run movebook as a user who may read it")
}

/// A pattern without `/` is matched against names, with `/` against paths below the root; case does not count.
pub(super) fn matcher(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    let glob = GlobBuilder::new(pattern)
        .case_insensitive(true)
        .literal_separator(true)
        .backslash_escape(false)
        .build()?;
    Ok(glob.compile_matcher())
}

/// The patterns that no file below a path matches; one that cannot be read as a pattern matches none.
pub fn unmatched(path: &Path, patterns: &[&String], cancel: &Cancel) -> Vec<String> {
    let mut missing: Vec<String> = Vec::new();
    let mut wanted = Vec::new();
    for pattern in patterns {
        match matcher(pattern) {
            Ok(matcher) => wanted.push((*pattern, matcher)),
            Err(_) => missing.push((*pattern).clone()),
        }
    }
    look_for(path, &mut wanted, cancel);
    missing.extend(wanted.into_iter().map(|(pattern, _)| pattern.clone()));
    missing
}

/// What is wrong where a path does not hold a file for each pattern.
fn contains(path: &Path, patterns: &[String], cancel: &Cancel) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut wanted: Vec<(&String, GlobMatcher)> = Vec::new();
    for pattern in patterns {
        match matcher(pattern) {
            Ok(matcher) => wanted.push((pattern, matcher)),
            Err(error) => findings.push(finding(
                path,
                format!("cannot look for `{pattern}`: {}", error.kind()),
                "correct the pattern",
            )),
        }
    }
    let unreadable = look_for(path, &mut wanted, cancel);
    findings.extend(wanted.iter().map(|(pattern, _)| match &unreadable {
        None => finding(
            path,
            format!("holds no file `{pattern}`"),
            "check that this is the right directory, and that what it should hold is there",
        ),
        Some((count, error)) => finding(
            path,
            format!("no file `{pattern}` was found in it, and {count} entries could not be read (the last: {error})"),
            "run movebook as a user who may read all of it",
        ),
    }));
    findings
}

/// Lists once, until every pattern has been seen; those that were not are left in `wanted`. Links are not followed.
/// Gives how many entries could not be read, with the last error.
fn look_for(
    path: &Path,
    wanted: &mut Vec<(&String, GlobMatcher)>,
    cancel: &Cancel,
) -> Option<(u64, walkdir::Error)> {
    let mut unreadable: Option<(u64, walkdir::Error)> = None;
    for entry in WalkDir::new(path) {
        if wanted.is_empty() || cancel.is_requested() {
            break;
        }
        match entry {
            Ok(entry) if entry.file_type().is_file() => {
                let below = entry.path().strip_prefix(path).unwrap_or(entry.path());
                wanted.retain(|(pattern, matcher)| match pattern.contains('/') {
                    true => !matcher.is_match(below),
                    false => !matcher.is_match(entry.file_name()),
                });
            }
            Ok(_) => {}
            Err(error) => unreadable = Some((unreadable.map_or(1, |(count, _)| count + 1), error)),
        }
    }
    unreadable
}

/// Compares with the space that this user may still take on the target's volume. What already lies in the target is not
/// taken off what is needed: a file that is replaced is written whole before the old one goes.
fn free_space(path: &Path, wanted: &FreeSpace, cancel: &Cancel, verdict: &mut Verdict) {
    let (needed, what_for) = match wanted {
        FreeSpace::Bytes(bytes) => (*bytes, "are wanted".to_owned()),
        FreeSpace::Source(source) => match size_below(source, cancel) {
            Ok(size) => {
                verdict.unread += size.unread;
                verdict.measured = Some(Measured {
                    path: source.display().to_string(),
                    files: size.files,
                    bytes: size.bytes,
                });
                let at_least = if size.unread > 0 { "at least " } else { "" };
                (size.bytes, format!("{at_least}are taken by the files below {}", source.display()))
            }
            Err(error) => {
                verdict.findings.push(finding(
                    source,
                    format!("cannot be listed, so how much space its files need is unknown: {error}"),
                    "correct the path, or run movebook as a user who may read it",
                ));
                return;
            }
        },
    };
    room(path, needed, &what_for, verdict);
}

/// Whether so much is free where a path is, or will be.
pub(super) fn room(path: &Path, needed: u64, what_for: &str, verdict: &mut Verdict) {
    match Place::of(path).and_then(|place| fs4::available_space(place.nearest())) {
        Ok(free) => verdict.findings.extend(too_little(path, free, needed, what_for)),
        Err(error) => verdict.findings.push(finding(
            path,
            format!("the free space of its volume cannot be read: {error}"),
            "correct the path, or connect the drive or share it is on",
        )),
    }
}

/// What is wrong where less is free than is needed.
pub(super) fn too_little(path: &Path, free: u64, needed: u64, what_for: &str) -> Option<Finding> {
    (free < needed).then(|| {
        finding(
            path,
            format!("{} are free on its volume, and {} {what_for}", readable(free), readable(needed)),
            format!("free {} more, or choose another volume", readable(needed - free)),
        )
    })
}

fn readable(bytes: u64) -> String {
    ByteSize::b(bytes).display().iec().to_string()
}

struct SizeBelow {
    files: u64,
    bytes: u64,
    unread: u64,
}

/// The sum of all regular files. Files that vanish meanwhile do not count; directories that cannot be read are counted.
fn size_below(source: &Path, cancel: &Cancel) -> io::Result<SizeBelow> {
    let mut size = SizeBelow { files: 0, bytes: 0, unread: 0 };
    for entry in WalkDir::new(source) {
        if cancel.is_requested() {
            break;
        }
        match entry.and_then(|entry| Ok((entry.file_type().is_file(), entry.metadata()?))) {
            Ok((true, metadata)) => {
                size.files += 1;
                size.bytes = size.bytes.saturating_add(metadata.len());
            }
            Ok((false, _)) => {}
            Err(error) if error.depth() == 0 => return Err(error.into()),
            Err(error) if error.io_error().is_some_and(is_absence) => {}
            Err(_) => size.unread += 1,
        }
    }
    Ok(size)
}

/// Makes a file of its own in the path, or in what exists of it, and takes it away again.
fn writable(path: &Path) -> Result<(), Finding> {
    let place = Place::of(path).map_err(|error| cannot_look(path, &error))?;
    let directory = place.nearest();
    if !directory.is_dir() {
        return Err(finding(
            path,
            format!("cannot be written to: {} is no directory", directory.display()),
            "correct the path",
        ));
    }
    try_out(directory).map_err(|error| {
        finding(
            path,
            format!("cannot be written to: no file can be made in {}: {error}", directory.display()),
            "run movebook as a user who may write there",
        )
    })
}

fn try_out(directory: &Path) -> io::Result<()> {
    let mark = getrandom::u64().map_err(io::Error::other)?;
    let file = directory.join(format!(".movebook-writable-{mark:016x}"));
    let written = File::create_new(&file)?.write_all(b"movebook looks whether it can write here\n");
    // Also after a failed write: nothing is to be left behind.
    let removed = std::fs::remove_file(&file);
    written.and(removed)
}

/// Judged by what the paths are and not by how they are spelled; a path need not exist yet.
pub fn apart(paths: &[PathBuf]) -> Verdict {
    let mut verdict = Verdict::default();
    let mut places: Vec<(&Path, Place)> = Vec::new();
    let mut remotes: Vec<(&Path, Remote)> = Vec::new();
    for path in paths {
        if let Some(remote) = Remote::at(path) {
            // Whether a remote is a folder of this machine by another way cannot be told.
            for (other_path, other) in &remotes {
                if let Err(refusal) = remote::judge_pair(other, &remote) {
                    let next = "choose paths of which none is, or holds, another";
                    verdict.findings.push(finding(other_path, refusal.reason, next));
                }
            }
            remotes.push((path, remote));
            continue;
        }
        match Place::of(path) {
            Ok(place) => places.push((path, place)),
            Err(error) => verdict.findings.push(cannot_look(path, &error)),
        }
    }
    for (number, (path, place)) in places.iter().enumerate() {
        for (other_path, other) in &places[number + 1..] {
            let reason = match place.relation_to(other) {
                Relation::Apart => continue,
                Relation::Same => format!("is the same as {}", other_path.display()),
                Relation::Inside => format!("is inside {}", other_path.display()),
                Relation::Around => format!("holds {}", other_path.display()),
            };
            verdict.findings.push(finding(path, reason, "choose paths of which none is, or holds, another"));
        }
    }
    verdict
}
