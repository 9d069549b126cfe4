//! The purge of a pass in which a side is a remote.
//!
//! Exactly the list that was judged goes: what the source has by now is taken off it, in a folder of this machine the native
//! engine takes the rest away, and in a remote rclone does, by a sync of that list with nothing. What rclone says of it is not
//! believed: the target is listed again.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::{RemotePass, list_of, scratch};
use crate::copy::account::{Bucket, Page};
use crate::copy::native::Native;
use crate::copy::{
    CopyPass, Disposal, Engine, EntryKind, ErrorClass, ExtraEntry, FileError, PassError, Progress, Purged,
    Watch, names,
};
use crate::engine::rclone::call::{self, Rclone};
use crate::engine::rclone::local::file_error;
use crate::engine::rclone::place::{self, Traits, Uppermost};
use crate::rclone::compare::Letters;
use crate::rclone::listing::Listing;
use crate::rclone::log::{Errors, Line};
use crate::rclone::remote::Remote;
use crate::rclone::transfer::{self, Purging};
use crate::sys::process::Stream;

use super::meter::Meter;

impl RemotePass {
    pub(super) fn take_away(
        &self,
        pass: &CopyPass,
        extras: &[ExtraEntry],
        disposal: &Disposal,
        watch: &Watch<'_>,
    ) -> Result<Purged, PassError> {
        let rclone = self.ready(watch.cancel)?;
        let traits = Traits::of(&rclone, &self.to)?;
        let source = self.source(&rclone, &mut Meter::silent(watch))?;
        if let Some(unread) = source.unread.first() {
            let said =
                format!("{}: {}", names::shown(Path::new(&unread.path)), call::presentable(&unread.error));
            return Err(call::failed("list the source before the purge", &self.from, 0, &said));
        }
        let held = Held::by(&source, traits.letters);
        let (back, going): (Vec<_>, Vec<_>) = extras.iter().cloned().partition(|extra| held.has(&extra.path));
        let mut purged = match Remote::at(&self.action.to) {
            Some(target) => self.take_away_in(&rclone, &target, traits, &going, disposal, watch)?,
            None => {
                // That the source lacks each was seen a moment ago, and the native engine cannot look there: for it the source
                // is a folder that is empty.
                let nothing = scratch()?;
                let standing_in = CopyPass { from: nothing.path().to_owned(), ..pass.clone() };
                Native.purge(&standing_in, &going, disposal, watch)?
            }
        };
        let mut page = Page::default();
        for extra in &back {
            let why = error_of(extra, ErrorClass::Permanent, "the source has it by now: it stays");
            stays(&mut purged, &mut page, watch, extra, why);
        }
        page.turn(watch.account);
        Ok(purged)
    }

    fn take_away_in(
        &self,
        rclone: &Rclone<'_>,
        target: &Remote,
        traits: Traits,
        going: &[ExtraEntry],
        disposal: &Disposal,
        watch: &Watch<'_>,
    ) -> Result<Purged, PassError> {
        let kept_in = match disposal {
            Disposal::Quarantine(folder) => Some(folder.display().to_string()),
            Disposal::Delete => None,
        };
        if kept_in.is_some() && traits.uppermost == Uppermost::Buckets && target.is_uppermost() {
            return Err(PassError::Fatal {
                what: "a quarantine beside a whole share or bucket would be in another one, where nothing is moved to".to_owned(),
                path: self.to.clone(),
                hint: "copy into a folder of it, or give the purge `keep: none`".to_owned(),
                source: None,
            });
        }
        let files: Vec<String> = going
            .iter()
            .filter(|extra| extra.kind != EntryKind::Directory)
            .map(path_of)
            .filter(|path| transfer::can_be_listed(path))
            .collect();
        let mut errors = Errors::default();
        let mut code = 0;
        if !files.is_empty() {
            let (nothing, list) = (scratch()?, list_of(files.iter().map(String::as_str))?);
            let arguments = transfer::purge_arguments(&Purging {
                nothing: nothing.path(),
                target: &self.to,
                list: list.path(),
                files: files.len(),
                kept_in: kept_in.as_deref(),
                threads: self.action.threads,
            });
            code = rclone.run(&arguments, &mut |stream, line| {
                if stream == Stream::Stderr {
                    errors.hear(&Line::read(line));
                }
            })?;
        }
        for folder in uppermost(going) {
            // What is not empty stays, and is told below.
            match rclone.ask(&["rmdirs", &target.below(&folder).to_string()]) {
                Err(call::Refused::Ended(error)) => return Err(error),
                Ok(_) | Err(call::Refused::Said { .. }) => {}
            }
        }
        self.settle(rclone, going, &errors, code, watch)
    }

    /// Looks which of what was to go is gone.
    fn settle(
        &self,
        rclone: &Rclone<'_>,
        going: &[ExtraEntry],
        errors: &Errors,
        code: i32,
        watch: &Watch<'_>,
    ) -> Result<Purged, PassError> {
        let now = place::list(rclone, &self.to, &mut |_| {})?.unwrap_or_default();
        let there: HashSet<&str> = now.entries.iter().map(|entry| entry.path.as_str()).collect();
        let said: HashMap<String, FileError> = errors
            .of_last_attempt()
            .into_iter()
            .map(|failed| (failed.path.clone(), file_error(failed, 0)))
            .collect();
        let (mut purged, mut page) = (Purged::default(), Page::default());
        for extra in going {
            let path = path_of(extra);
            if there.contains(path.as_str()) {
                let left = || {
                    let words =
                        if code == 0 { String::new() } else { format!(": {}", call::words(errors, code)) };
                    error_of(extra, ErrorClass::Permanent, &format!("rclone left it where it is{words}"))
                };
                let why = said.get(&path).cloned().unwrap_or_else(left);
                stays(&mut purged, &mut page, watch, extra, why);
                continue;
            }
            page.extra(watch.account, Bucket::Purged, extra, None);
            match extra.kind {
                EntryKind::Directory => purged.directories += 1,
                _ => purged.files.add(extra.bytes),
            }
        }
        page.turn(watch.account);
        let all = going.len() as u64;
        (watch.progress)(Progress { files_done: all, files_known: all, listed: true, ..Progress::default() });
        Ok(purged)
    }
}

/// Notes what stays, and why.
fn stays(purged: &mut Purged, page: &mut Page, watch: &Watch<'_>, extra: &ExtraEntry, why: FileError) {
    if extra.kind != EntryKind::Directory {
        purged.kept.add(extra.bytes);
        page.stays(watch.account, extra, &why);
    }
    purged.errors.push(why);
}

fn error_of(extra: &ExtraEntry, class: ErrorClass, why: &str) -> FileError {
    FileError { path: names::shown(&extra.path), class, attempts: 1, error: why.to_owned() }
}

/// As rclone writes it.
fn path_of(extra: &ExtraEntry) -> String {
    written(&extra.path)
}

fn written(path: &Path) -> String {
    let names: Vec<_> = path.components().map(|name| name.as_os_str().to_string_lossy()).collect();
    names.join("/")
}

/// The folders that are to go and lie in none that goes, too.
fn uppermost(going: &[ExtraEntry]) -> Vec<String> {
    let folders: HashSet<String> =
        going.iter().filter(|extra| extra.kind == EntryKind::Directory).map(path_of).collect();
    let is_below = |path: &str| path.match_indices('/').any(|(at, _)| folders.contains(&path[..at]));
    let mut uppermost: Vec<String> = folders.iter().filter(|path| !is_below(path)).cloned().collect();
    uppermost.sort();
    uppermost
}

/// What the source has, as the target knows names.
struct Held {
    names: HashSet<String>,
    letters: Letters,
}

impl Held {
    fn by(source: &Listing, letters: Letters) -> Self {
        let paths = source.entries.iter().map(|entry| &entry.path);
        let paths = paths.chain(source.skipped.iter().map(|(path, _)| path));
        Self { names: paths.map(|path| folded(path, letters)).collect(), letters }
    }

    fn has(&self, path: &Path) -> bool {
        self.names.contains(&folded(&written(path), self.letters))
    }
}

fn folded(path: &str, letters: Letters) -> String {
    match letters {
        Letters::Apart => path.to_owned(),
        Letters::Folded => path.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_uppermost_of_the_folders_that_go_are_cleared() {
        let extra = |path: &str, kind| ExtraEntry { path: path.into(), kind, bytes: 0 };
        let going = [
            extra("a/b/c", EntryKind::Directory),
            extra("a/b", EntryKind::Directory),
            extra("a/x", EntryKind::File),
            extra("d", EntryKind::Directory),
        ];
        assert_eq!(uppermost(&going), ["a/b", "d"]);
    }
}
