//! Two trees compared of which one is a remote at least: sizes and times by their listings, content by reading both.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::{Duration, Instant};

use indexmap::IndexMap;

use super::call::{self, Rclone};
use super::pass::list_of;
use super::place::{self, EmptyFolders, Traits};
use crate::copy::verify::{Difference, DifferenceKind, Verification, VerifyPass};
use crate::copy::{Directories, EntryKind, Extra, Links, Method, PassError, Progress, Watch, names};
use crate::rclone::compare::{Apart, Deed, Terms, Times, compare};
use crate::rclone::log::{self, Errors, Line};
use crate::rclone::transfer;
use crate::sys::process::Stream;

/// The shortest time between two states of progress.
const EVERY: Duration = Duration::from_millis(100);

/// Compares both sides. Differences are in the result; only what ends the whole is an `Err`. Content is compared byte by byte:
/// rclone reads both sides.
pub fn verify(
    pass: &VerifyPass,
    environment: &IndexMap<String, String>,
    watch: &Watch<'_>,
) -> Result<Verification, PassError> {
    let rclone = Rclone::ready(environment, &super::remotes([pass.from.as_path(), &pass.to]), watch.cancel)?;
    let [from, to] = [&pass.from, &pass.to].map(|path| path.display().to_string());
    let (source_traits, target_traits) = (Traits::of(&rclone, &from)?, Traits::of(&rclone, &to)?);
    let times = match pass.method {
        Method::Size => Times::NotKept,
        Method::Mtime | Method::Blake3 => target_traits.times(source_traits, pass.mtime_tolerance),
    };
    if (pass.method, times) == (Method::Mtime, Times::NotKept) {
        return Err(PassError::Fatal {
            what: "the target keeps no times of files, so that they cannot be compared".to_owned(),
            path: to,
            hint: "use `method: blake3`, which reads both sides, or `method: size`".to_owned(),
            source: None,
        });
    }
    let there = |place: &str, what: &str| {
        place::list(&rclone, place, &mut |_| {})?
            .ok_or_else(|| call::failed(what, place, 3, "there is no such folder"))
    };
    let (source, target) = (there(&from, "list the source")?, there(&to, "list the target")?);
    let terms = Terms {
        filter: &pass.filter,
        started: pass.started,
        directories: Directories::All,
        links: Links::Skip,
        times,
        letters: target_traits.letters,
    };
    let comparison = compare(&source, Some(&target), terms);
    let mut found = Found::default();
    for file in &comparison.copy {
        let (kind, detail) = match (file.deed, file.apart) {
            (Deed::New, _) => (DifferenceKind::Missing, "only the source has it".to_owned()),
            (Deed::Changed, Some(Apart::Size { source, target })) => {
                (DifferenceKind::Size, format!("{source} bytes in the source, {target} in the target"))
            }
            (Deed::Changed, _) => (DifferenceKind::Mtime, "the times differ".to_owned()),
        };
        found.add(names::shown(Path::new(&file.path)), kind, detail);
    }
    if target_traits.empty_folders == EmptyFolders::Kept {
        for folder in &comparison.missing_folders {
            let path = format!("{}/", names::shown(Path::new(folder)));
            found.add(path, DifferenceKind::Missing, "only the source has it".to_owned());
        }
    }
    for (error, _) in &comparison.failed {
        let kind = if error.path.ends_with('/') { DifferenceKind::Unreadable } else { DifferenceKind::Kind };
        found.add(error.path.clone(), kind, error.error.clone());
    }
    for error in &comparison.extra_unread {
        found.add(error.path.clone(), DifferenceKind::Unreadable, error.error.clone());
    }
    let mut ignored = comparison.extra_filtered.len() as u64;
    for extra in &comparison.extras {
        let ending = if extra.kind == EntryKind::Directory { "/" } else { "" };
        match pass.extra {
            Extra::Fail => {
                let path = format!("{}{ending}", names::shown(&extra.path));
                found.add(path, DifferenceKind::Extra, "only the target has it".to_owned());
            }
            Extra::Ignore => ignored += u64::from(extra.kind != EntryKind::Directory),
        }
    }
    let mut equal: HashMap<&str, u64> =
        comparison.same.iter().map(|(path, bytes)| (path.as_str(), *bytes)).collect();
    if pass.method == Method::Blake3 {
        let mut progress = Progress {
            files_known: comparison.same.len() as u64,
            bytes_known: comparison.same.iter().map(|(_, bytes)| bytes).sum(),
            listed: true,
            ..Progress::default()
        };
        let paths = comparison.same.iter().map(|(path, _)| path.as_str());
        let mut shown = None::<Instant>;
        let differing = contents(&rclone, &from, &to, pass.threads, paths, &mut |path| {
            progress.files_done += 1;
            progress.bytes_done += equal.get(path).copied().unwrap_or(0);
            if shown.is_none_or(|shown| shown.elapsed() >= EVERY) {
                shown = Some(Instant::now());
                (watch.progress)(progress.clone());
            }
        })?;
        for difference in differing {
            equal.remove(difference.path.as_str());
            found.add(names::shown(Path::new(&difference.path)), difference.kind, difference.detail);
        }
    }
    found.differences.sort();
    found.differences.truncate(Verification::LISTED);
    Ok(Verification {
        files: comparison.source_files,
        bytes: equal.values().sum(),
        equal: equal.len() as u64,
        directories: comparison.directories,
        skipped: (comparison.links.len() + comparison.special.len()) as u64,
        filtered: comparison.kept_out.len() as u64,
        extra_ignored: ignored,
        counts: found.counts,
        differences: found.differences,
        manifest_files: 0,
    })
}

#[derive(Default)]
struct Found {
    counts: BTreeMap<DifferenceKind, u64>,
    differences: Vec<Difference>,
}

impl Found {
    fn add(&mut self, path: String, kind: DifferenceKind, detail: String) {
        *self.counts.entry(kind).or_default() += 1;
        self.differences.push(Difference { path, kind, detail });
    }
}

/// Reads both sides of some files; gives those that differ, with paths as rclone writes them. `read` hears of each file.
pub(super) fn contents<'p>(
    rclone: &Rclone<'_>,
    from: &str,
    to: &str,
    threads: u32,
    paths: impl Iterator<Item = &'p str>,
    read: &mut dyn FnMut(&str),
) -> Result<Vec<Difference>, PassError> {
    let (listed, odd): (Vec<&str>, Vec<&str>) = paths.partition(|path| transfer::can_be_listed(path));
    let mut differences: Vec<Difference> = odd
        .into_iter()
        .map(|path| Difference {
            path: path.to_owned(),
            kind: DifferenceKind::Unreadable,
            detail: "a list of rclone's cannot hold a name with a line break".to_owned(),
        })
        .collect();
    if listed.is_empty() {
        return Ok(differences);
    }
    let list = list_of(listed.iter().copied())?;
    let list_path = list.path().display().to_string();
    let threads = threads.max(1).to_string();
    let mut arguments: Vec<String> = [
        "check",
        from,
        to,
        "--download",
        "--combined",
        "-",
        "--files-from-raw",
        &list_path,
        "--checkers",
        &threads,
        "--retries",
        "1",
        // Of two names that differ in their form of Unicode alone each is itself.
        "--no-unicode-normalization",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.extend(log::FLAGS.map(str::to_owned));
    let mut errors = Errors::default();
    let mut equal = 0;
    let code = rclone.run(&arguments, &mut |stream, line| {
        if stream == Stream::Stderr {
            return errors.hear(&Line::read(line));
        }
        let Some((sign, path)) = line.trim_end_matches('\r').split_once(' ') else { return };
        read(path);
        let (kind, detail) = match sign {
            "=" => {
                equal += 1;
                return;
            }
            "+" => (DifferenceKind::Missing, "it is gone from the target by now"),
            "-" => (DifferenceKind::Missing, "it is gone from the source by now"),
            "*" => (DifferenceKind::Content, "the contents differ"),
            _ => (DifferenceKind::Unreadable, "it could not be read"),
        };
        differences.push(Difference { path: path.to_owned(), kind, detail: detail.to_owned() });
    })?;
    let said: HashMap<&str, &str> = errors
        .of_last_attempt()
        .into_iter()
        .map(|failed| (failed.path.as_str(), failed.error.as_str()))
        .collect();
    for difference in
        differences.iter_mut().filter(|difference| difference.kind == DifferenceKind::Unreadable)
    {
        if let Some(said) = said.get(difference.path.as_str()) {
            difference.detail = call::presentable(said);
        }
    }
    // A file of which nothing was said was not compared.
    if equal + differences.len() < listed.len() {
        return Err(call::failed("compare all files", from, code, &call::words(&errors, code)));
    }
    Ok(differences)
}
