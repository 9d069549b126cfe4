//! The purge of a pass in which a side is a remote.
//!
//! Exactly the list that was judged goes: what the source has by now is taken off it, in a folder of this machine the native
//! engine takes the rest away, and in a remote rclone does, by a sync of that list with nothing. What rclone says of it is not
//! believed: the target is listed again.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

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
use crate::rclone::spelling;
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
                let (unsure, going) = unsure(going);
                let mut purged = Native.purge(&standing_in, &going, disposal, watch)?;
                let mut page = Page::default();
                for (extra, why) in &unsure {
                    stays(&mut purged, &mut page, watch, extra, error_of(extra, ErrorClass::Permanent, why));
                }
                page.turn(watch.account);
                purged
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
        let now = place::list(rclone, &self.to, &mut |_| {})?;
        let said: HashMap<String, FileError> = errors
            .of_last_attempt()
            .into_iter()
            .map(|failed| (failed.path.clone(), file_error(failed, 0)))
            .collect();
        let (mut purged, mut page) = (Purged::default(), Page::default());
        for extra in going {
            let path = path_of(extra);
            let found = found(&path, now.as_ref());
            let own = said.get(&path).cloned();
            let why = match (found, own) {
                (Found::Gone, None) => None,
                (_, Some(own)) => Some(own),
                (found, None) => {
                    let words =
                        if code == 0 { String::new() } else { format!(": {}", call::words(errors, code)) };
                    let what = if found == Found::There {
                        "rclone left it where it is"
                    } else {
                        "it cannot be seen whether it is gone"
                    };
                    Some(error_of(extra, ErrorClass::Permanent, &format!("{what}{words}")))
                }
            };
            if let Some(why) = why {
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
        // An error that no file of the list has is one all the same.
        if code != 0 && purged.errors.is_empty() {
            let error = format!("all that was to go is gone, but: {}", call::words(errors, code));
            let path = names::shown(&self.action.to);
            purged.errors.push(FileError { path, class: ErrorClass::Permanent, attempts: 1, error });
        }
        let all = going.len() as u64;
        (watch.progress)(Progress { files_done: all, files_known: all, listed: true, ..Progress::default() });
        Ok(purged)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    There,
    Gone,
    /// The target, or a folder above it, cannot be listed.
    Unseen,
}

/// What a listing of the target tells of a path. One of a target that is not there at all tells nothing: of what keeps its
/// files, and is gone by itself, nobody took away a file.
fn found(path: &str, now: Option<&Listing>) -> Found {
    let Some(now) = now else { return Found::Unseen };
    if now.entries.iter().any(|entry| entry.path == path)
        || now.skipped.iter().any(|(there, _)| there == path)
    {
        return Found::There;
    }
    let above =
        |unread: &str| path.strip_prefix(unread).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match now.unread.iter().any(|failed| above(&failed.path)) {
        true => Found::Unseen,
        false => Found::Gone,
    }
}

/// Takes off what rclone's spelling does not surely name on a disk, with the folders above it, and gives the rest.
fn unsure(going: Vec<ExtraEntry>) -> (Vec<(ExtraEntry, String)>, Vec<ExtraEntry>) {
    let mut staying: HashSet<PathBuf> = HashSet::new();
    let mut unsure = Vec::new();
    let mut sure = Vec::new();
    for extra in going {
        match spelling::on_disk(&path_of(&extra)) {
            Ok(_) => sure.push(extra),
            Err(why) => {
                staying.extend(extra.path.ancestors().skip(1).map(Path::to_owned));
                unsure.push((extra, why));
            }
        }
    }
    let (above, sure): (Vec<_>, Vec<_>) = sure.into_iter().partition(|extra| staying.contains(&extra.path));
    unsure.extend(above.into_iter().map(|extra| (extra, "it holds what is left alone".to_owned())));
    (unsure, sure)
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
        Self { names: paths.map(|path| letters.loose_key(path)).collect(), letters }
    }

    fn has(&self, path: &Path) -> bool {
        self.names.contains(&self.letters.loose_key(&written(path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rclone::listing::{Entry, Kind};
    use crate::rclone::log::Failed;

    fn of(paths: &[&str]) -> Listing {
        let entry =
            |path: &&str| Entry { path: (*path).into(), kind: Kind::File, size: None, modified: None };
        Listing { entries: paths.iter().map(entry).collect(), ..Listing::default() }
    }

    #[test]
    fn only_what_a_listing_of_its_folder_lacks_is_gone() {
        let mut now = of(&["a"]);
        let failed = |path: &str| Failed { path: path.into(), class: ErrorClass::Denied, error: "no".into() };
        now.unread.push(failed("shut"));
        assert_eq!(found("a", Some(&now)), Found::There);
        assert_eq!(found("b", Some(&now)), Found::Gone);
        assert_eq!(found("shutter", Some(&now)), Found::Gone);
        for path in ["shut", "shut/x", "shut/sub/x"] {
            assert_eq!(found(path, Some(&now)), Found::Unseen, "{path}");
        }
        assert_eq!(found("b", None), Found::Unseen);
    }

    #[test]
    fn what_is_not_surely_meant_stays_with_the_folders_above_it() {
        let extra = |path: &str, kind| ExtraEntry { path: path.into(), kind, bytes: 0 };
        let going = ["d/a␊b", "d/x"].map(|path| extra(path, EntryKind::File)).to_vec();
        let folders = ["d", "e"].map(|path| extra(path, EntryKind::Directory));
        let (unsure, sure) = unsure(going.into_iter().chain(folders).collect());
        let paths = |extra: &ExtraEntry| written(&extra.path);
        assert_eq!(unsure.iter().map(|(extra, _)| paths(extra)).collect::<Vec<_>>(), ["d/a␊b", "d"]);
        assert_eq!(sure.iter().map(paths).collect::<Vec<_>>(), ["d/x", "e"]);
    }

    #[test]
    fn what_the_source_has_under_a_name_that_may_be_the_same_is_held() {
        let held = Held::by(&of(&["ΑΣ", "straße"]), Letters::Folded);
        assert!(held.has(Path::new("ασ")) && held.has(Path::new("ας")) && held.has(Path::new("STRASSE")));
        assert!(!held.has(Path::new("other")));
    }

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
