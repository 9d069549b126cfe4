//! Bringing back what purges took away, and deleting it for good.
//!
//! Nothing in the target is ever replaced: where something has the name by now, what is in the quarantine stays there.
//! Nothing outside of the purge's own folder is ever deleted. Both can be broken off anywhere and done again. What was done
//! is on the disk before it is told as done; where it cannot be brought there, both is told: what, and why not.

#[cfg(test)]
mod unflushable;

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Kept, Missing, Selection, open};
use crate::cancel::Cancel;
use crate::copy::chain::{Chain, Origin};
use crate::copy::{EntryKind, Tally, names};
use crate::sys::hold;
use crate::sys::tree::{self, Directory, Here, Names, Status, Taken};

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Files, links and what else is no directory.
    pub files: Tally,
    /// Directories that were made in the target, or deleted in the quarantine.
    pub directories: u64,
    pub left: Vec<Left>,
    /// Why what was done may not be on the disk, if it could not be brought there.
    pub unflushed: Option<String>,
}

/// What was meant and stays in the quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// As [`names::shown`] writes it.
    pub path: String,
    pub reason: String,
    pub help: &'static str,
}

/// Moves what is meant back to where it was below the target. Stops between two files where `cancel` says so.
///
/// # Errors
/// The folder or the target cannot be opened.
pub fn restore(
    folder: &Path,
    target: &Path,
    selection: &Selection,
    cancel: &Cancel,
    told: &mut dyn FnMut(&Kept),
) -> io::Result<Changed> {
    restore_with::<Here>(folder, target, selection, cancel, told)
}

fn restore_with<D: Directory>(
    folder: &Path,
    target: &Path,
    selection: &Selection,
    cancel: &Cancel,
    told: &mut dyn FnMut(&Kept),
) -> io::Result<Changed> {
    tree::allow_many_handles();
    let opened = open::<D>(folder, Missing::Refuse)?;
    // A pass at work in the target could take away again what comes back.
    let _held = hold::take(target).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => {
            io::Error::new(ErrorKind::WouldBlock, "another pass is at work in the target")
        }
        _ => error,
    })?;
    let mut work = Work {
        deed: Restoring { target: Chain::new(D::open(target)?) },
        selection,
        cancel,
        told,
        changed: Changed::default(),
    };
    work.all(&opened.folder);
    work.deed.target.give_back_times();
    let mut changed = work.changed;
    changed.unflushed = unflushed(work.deed.target.root());
    opened.close();
    Ok(changed)
}

/// Deletes what is meant. Stops between two files where `cancel` says so.
///
/// # Errors
/// The folder cannot be opened.
pub fn discard(
    folder: &Path,
    selection: &Selection,
    cancel: &Cancel,
    told: &mut dyn FnMut(&Kept),
) -> io::Result<Changed> {
    discard_with::<Here>(folder, selection, cancel, told)
}

fn discard_with<D: Directory>(
    folder: &Path,
    selection: &Selection,
    cancel: &Cancel,
    told: &mut dyn FnMut(&Kept),
) -> io::Result<Changed> {
    tree::allow_many_handles();
    let opened = open::<D>(folder, Missing::Refuse)?;
    let mut work = Work { deed: Discarding, selection, cancel, told, changed: Changed::default() };
    work.all(&opened.folder);
    let mut changed = work.changed;
    changed.unflushed = unflushed(&opened.folder);
    opened.close();
    Ok(changed)
}

/// Waits for the disk. A failure takes nothing back of what was done, so that the tally outlives it.
fn unflushed<D: Directory>(changed: &D) -> Option<String> {
    changed.flush().err().map(|error| error.to_string())
}

/// What is done with each entry.
trait Doing<D> {
    fn file(&mut self, from: &D, above: &Path, name: &OsStr) -> Result<(), Left>;
    /// A directory that is meant as a whole, or in which something was done. Tells how many were made or deleted for it.
    fn left(&mut self, path: &Path, before: &Status) -> Result<u64, Left>;
    /// What a directory counts for that was removed from the quarantine.
    const REMOVED: u64;
}

struct Work<'a, W> {
    deed: W,
    selection: &'a Selection,
    cancel: &'a Cancel,
    told: &'a mut dyn FnMut(&Kept),
    changed: Changed,
}

/// A directory of the quarantine that is gone through.
struct Inner<D> {
    directory: D,
    name: OsString,
    before: Status,
    /// How many files were done when it was entered.
    files: u64,
}

/// The names of a directory, with the next one to be looked at.
struct Listing {
    names: Names,
    next: usize,
}

impl<W> Work<'_, W> {
    /// Goes through all that is meant below the purge's folder. No frame of the stack is taken for a level: what bounds
    /// the depth is the limit of open files.
    fn all<D: Directory>(&mut self, top: &D)
    where
        W: Doing<D>,
    {
        let mut path = PathBuf::new();
        let mut listings = vec![self.listing(top, &path)];
        // The directories of all listings but the first.
        let mut entered: Vec<Inner<D>> = Vec::new();
        while let Some(listing) = listings.last_mut() {
            let directory = entered.last().map_or(top, |inner| &inner.directory);
            if listing.next == listing.names.len() || self.cancel.is_requested() {
                listings.pop();
                if let Some(inner) = entered.pop() {
                    let above = entered.last().map_or(top, |inner| &inner.directory);
                    self.leave(above, &inner, &path);
                    path.pop();
                }
                continue;
            }
            let (name, kind) = (listing.names.name(listing.next), listing.names.kind(listing.next));
            listing.next += 1;
            if kind != EntryKind::Directory {
                self.entry(directory, &path, name, kind);
                continue;
            }
            path.push(name);
            match self.selection.reaches(&path).then(|| self.enter(directory, name, &path)).flatten() {
                Some(inner) => {
                    listings.push(self.listing(&inner.directory, &path));
                    entered.push(inner);
                }
                None => _ = path.pop(),
            }
        }
    }

    /// What cannot be listed is told of, and taken for empty.
    fn listing<D: Directory>(&mut self, directory: &D, path: &Path) -> Listing {
        let names = directory.names().unwrap_or_else(|error| {
            self.stays(path, "cannot list the folder in the quarantine", &error, SEE);
            Names::default()
        });
        Listing { names, next: 0 }
    }

    fn entry<D: Directory>(&mut self, directory: &D, above: &Path, name: &OsStr, kind: EntryKind)
    where
        W: Doing<D>,
    {
        let path = names::joined(above, name);
        if !self.selection.covers(&path) {
            return;
        }
        let bytes = directory.status(name).map_or(0, |status| status.size);
        match self.deed.file(directory, above, name) {
            Ok(()) => {
                self.changed.files.add(bytes);
                (self.told)(&Kept { path, kind, bytes });
            }
            Err(left) => self.changed.left.push(left),
        }
    }

    fn enter<D: Directory>(&mut self, above: &D, name: &OsStr, path: &Path) -> Option<Inner<D>> {
        match above.enter(name).and_then(|inner| Ok((inner.own_status()?, inner))) {
            Ok((before, directory)) => {
                Some(Inner { directory, name: name.to_owned(), before, files: self.changed.files.files })
            }
            Err(error) => {
                self.stays(path, "cannot enter the folder in the quarantine", &error, SEE);
                None
            }
        }
    }

    /// All in a directory that is meant was gone through.
    fn leave<D: Directory>(&mut self, above: &D, inner: &Inner<D>, path: &Path)
    where
        W: Doing<D>,
    {
        let Inner { directory, name, before, files } = inner;
        let whole = self.selection.covers(path) && !self.cancel.is_requested();
        let concerned = whole || self.changed.files.files > *files;
        if concerned {
            match self.deed.left(path, before) {
                Ok(made) => self.changed.directories += made,
                Err(left) => return self.changed.left.push(left),
            }
        }
        let emptied = directory.names().is_ok_and(|names| names.is_empty());
        if emptied && concerned {
            match above.remove_directory(name) {
                Ok(()) => self.changed.directories += W::REMOVED,
                Err(error) => {
                    self.stays(path, "cannot remove the empty folder in the quarantine", &error, SEE)
                }
            }
        } else {
            // What is brought back later shall find the folder's time as it was; a courtesy.
            let _ = directory.set_own_modified(before.modified);
        }
    }

    fn stays(&mut self, path: &Path, what: &str, error: &io::Error, help: &'static str) {
        self.changed.left.push(Left::of(path, what, error, help));
    }
}

const SEE: &str = "see to the permissions of the quarantine, and give the same command again";

const RAISE: &str = "raise the limit of open files (`ulimit -n`), and give the same command again";

impl Left {
    fn of(path: &Path, what: &str, error: &io::Error, help: &'static str) -> Self {
        let help = if tree::is_out_of_handles(error) { RAISE } else { help };
        Self { path: names::shown(path), reason: format!("{what}: {error}"), help }
    }
}

struct Restoring<D> {
    target: Chain<D>,
}

impl<D: Directory> Doing<D> for Restoring<D> {
    const REMOVED: u64 = 0;

    fn file(&mut self, from: &D, above: &Path, name: &OsStr) -> Result<(), Left> {
        let path = above.join(name);
        let into = self.target.make(above).map_err(|error| no_folder(&path, &error))?;
        from.rename(name, into, name, Taken::Refuse).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Left {
                path: names::shown(&path),
                reason: "the target has something of this name by now, which is not replaced".into(),
                help: "move that out of the way and restore again, or discard this one",
            },
            ErrorKind::CrossesDevices => Left {
                path: names::shown(&path),
                reason: "its place in the target is on another volume than the quarantine".into(),
                help: "copy it back by hand, then discard it",
            },
            _ => Left::of(
                &path,
                "cannot move it back into the target",
                &error,
                "see to the permissions of its folder in the target, and restore again",
            ),
        })
    }

    /// Makes the directory where it is missing, and gives one that was made here its time and its permissions.
    fn left(&mut self, path: &Path, before: &Status) -> Result<u64, Left> {
        self.target.make(path).map_err(|error| no_folder(path, &error))?;
        let Some((directory, Origin::Made)) = self.target.kept(path) else { return Ok(0) };
        // Both are courtesies: the files are back.
        let _ = directory.set_own_permissions(&before.permissions);
        let _ = directory.set_own_modified(before.modified);
        self.target.set_modified(path, before.modified);
        Ok(1)
    }
}

fn no_folder(path: &Path, error: &io::Error) -> Left {
    match error.kind() {
        ErrorKind::NotADirectory => Left {
            path: names::shown(path),
            reason: "something that is no folder is in the place of its folder in the target".into(),
            help: "move that out of the way, and restore again",
        },
        _ => Left::of(
            path,
            "cannot make its folder in the target",
            error,
            "see to the permissions of the target, and restore again",
        ),
    }
}

struct Discarding;

impl<D: Directory> Doing<D> for Discarding {
    const REMOVED: u64 = 1;

    fn file(&mut self, from: &D, above: &Path, name: &OsStr) -> Result<(), Left> {
        from.remove_file(name).map_err(|error| Left::of(&above.join(name), "cannot delete it", &error, SEE))
    }

    fn left(&mut self, _: &Path, _: &Status) -> Result<u64, Left> {
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use filetime::FileTime;

    use super::*;
    use crate::sys::tree::portable;

    type Restore = fn(&Path, &Path, &Selection, &Cancel, &mut dyn FnMut(&Kept)) -> io::Result<Changed>;
    type Discard = fn(&Path, &Selection, &Cancel, &mut dyn FnMut(&Kept)) -> io::Result<Changed>;

    /// Every form of directory handle must do the same.
    const FORMS: [(Restore, Discard); 2] = [
        (restore_with::<Here>, discard_with::<Here>),
        (restore_with::<portable::Handle>, discard_with::<portable::Handle>),
    ];

    /// A quarantine with `a/one`, `a/b/two`, `three` and the empty folder `c/d`.
    struct Scene {
        root: tempfile::TempDir,
        folder: PathBuf,
        target: PathBuf,
    }

    impl Scene {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join("new.movebook-quarantine/run/1");
            let target = root.path().join("new");
            fs::create_dir_all(folder.join("a/b")).unwrap();
            fs::create_dir_all(folder.join("c/d")).unwrap();
            fs::create_dir(&target).unwrap();
            for name in ["a/one", "a/b/two", "three"] {
                fs::write(folder.join(name), name).unwrap();
            }
            for (number, name) in ["a/b", "a", "c/d", "c"].into_iter().enumerate() {
                filetime::set_file_mtime(folder.join(name), stamp(number)).unwrap();
            }
            Self { root, folder, target }
        }

        fn restore(&self, restore: Restore, selection: &Selection) -> Changed {
            restore(&self.folder, &self.target, selection, &Cancel::new(), &mut |_| {}).unwrap()
        }

        fn discard(&self, discard: Discard, selection: &Selection) -> Changed {
            discard(&self.folder, selection, &Cancel::new(), &mut |_| {}).unwrap()
        }

        fn holds(&self, name: &str) -> bool {
            self.target.join(name).symlink_metadata().is_ok()
        }
    }

    fn stamp(number: usize) -> FileTime {
        FileTime::from_unix_time(1_000_000 + number as i64, 0)
    }

    fn paths(paths: &[&str]) -> Selection {
        Selection::Paths(paths.iter().map(PathBuf::from).collect())
    }

    fn modified(path: &Path) -> SystemTime {
        fs::metadata(path).unwrap().modified().unwrap()
    }

    #[test]
    fn all_comes_back_with_the_times_of_its_folders_and_the_quarantine_is_gone() {
        for (restore, _) in FORMS {
            let scene = Scene::new();
            let before = SystemTime::UNIX_EPOCH + Duration::from_secs(500);
            filetime::set_file_mtime(&scene.target, before.into()).unwrap();
            let changed = scene.restore(restore, &Selection::All);
            assert_eq!((changed.files.files, changed.directories, changed.left), (3, 4, vec![]));
            for name in ["a/one", "a/b/two", "three"] {
                assert_eq!(fs::read_to_string(scene.target.join(name)).unwrap(), name);
            }
            for (number, name) in ["a/b", "a", "c/d", "c"].into_iter().enumerate() {
                assert_eq!(FileTime::from(modified(&scene.target.join(name))), stamp(number), "{name}");
            }
            assert!(!scene.root.path().join("new.movebook-quarantine").exists());
        }
    }

    #[test]
    fn a_folder_that_was_there_keeps_its_time() {
        for (restore, _) in FORMS {
            let scene = Scene::new();
            fs::create_dir(scene.target.join("a")).unwrap();
            filetime::set_file_mtime(scene.target.join("a"), stamp(77)).unwrap();
            scene.restore(restore, &paths(&["a/one"]));
            assert_eq!(FileTime::from(modified(&scene.target.join("a"))), stamp(77));
        }
    }

    #[test]
    fn only_what_is_meant_comes_back_and_the_rest_can_come_later() {
        for (restore, _) in FORMS {
            let scene = Scene::new();
            let changed = scene.restore(restore, &paths(&["a/b"]));
            assert_eq!((changed.files.files, changed.left.len()), (1, 0));
            assert!(
                scene.holds("a/b/two") && !scene.holds("a/one") && !scene.holds("three") && !scene.holds("c")
            );
            let changed = scene.restore(restore, &Selection::All);
            assert_eq!((changed.files.files, changed.left.len()), (2, 0));
            assert!(scene.holds("a/one") && scene.holds("three") && scene.holds("c/d"));
            assert_eq!(FileTime::from(modified(&scene.target.join("a"))), stamp(1));
        }
    }

    #[test]
    fn nothing_in_the_target_is_replaced_whatever_it_is() {
        for (restore, _) in FORMS {
            let scene = Scene::new();
            fs::write(scene.target.join("three"), "newer").unwrap();
            fs::write(scene.target.join("a"), "a file in the place of a folder").unwrap();
            fs::create_dir(scene.target.join("c")).unwrap();
            let changed = scene.restore(restore, &Selection::All);
            assert_eq!(changed.files.files, 0);
            let left: Vec<&str> = changed.left.iter().map(|left| left.path.as_str()).collect();
            assert!(
                left.contains(&"three") && left.contains(&"a/one") && left.contains(&"a/b/two"),
                "{left:?}"
            );
            assert_eq!(fs::read_to_string(scene.target.join("three")).unwrap(), "newer");
            for name in ["a/one", "a/b/two", "three"] {
                assert_eq!(fs::read_to_string(scene.folder.join(name)).unwrap(), name, "it is still there");
            }
            // Once that is out of the way it comes.
            fs::rename(scene.target.join("a"), scene.target.join("moved")).unwrap();
            assert_eq!(scene.restore(restore, &paths(&["a"])).files.files, 2);
        }
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_brought_back_into_a_target_that_a_pass_is_at_work_in() {
        let scene = Scene::new();
        let held = hold::take(&scene.target).unwrap();
        let result = restore(&scene.folder, &scene.target, &Selection::All, &Cancel::new(), &mut |_| {});
        assert_eq!(result.unwrap_err().to_string(), "another pass is at work in the target");
        drop(held);
        assert_eq!(scene.restore(restore_with::<Here>, &Selection::All).files.files, 3);
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed_on_either_side() {
        use std::os::unix::fs::symlink;

        for (restore, discard) in FORMS {
            let scene = Scene::new();
            let canary = scene.root.path().join("canary");
            fs::create_dir(&canary).unwrap();
            fs::write(canary.join("bird"), "alive").unwrap();
            symlink(&canary, scene.target.join("a")).unwrap();
            symlink(&canary, scene.folder.join("link")).unwrap();
            let changed = scene.restore(restore, &paths(&["a", "link"]));
            assert_eq!((changed.files.files, changed.left.is_empty()), (1, false));
            assert!(scene.target.join("link").is_symlink());
            assert_eq!(fs::read_dir(&canary).unwrap().count(), 1);
            symlink(&canary, scene.folder.join("c/link")).unwrap();
            assert_eq!(scene.discard(discard, &Selection::All).files.files, 4);
            assert_eq!(fs::read_to_string(canary.join("bird")).unwrap(), "alive");
            // Nor is one in the place of the quarantine's own folders.
            let run = scene.folder.parent().unwrap();
            fs::create_dir_all(run.parent().unwrap()).unwrap();
            fs::create_dir(canary.join("1")).unwrap();
            symlink(&canary, run).unwrap();
            assert!(discard(&scene.folder, &Selection::All, &Cancel::new(), &mut |_| {}).is_err());
            assert!(
                restore(&scene.folder, &scene.target, &Selection::All, &Cancel::new(), &mut |_| {}).is_err()
            );
            assert!(canary.join("1").exists() && canary.join("bird").exists());
        }
    }

    #[test]
    fn what_is_discarded_is_gone_and_what_is_not_meant_stays() {
        for (_, discard) in FORMS {
            let scene = Scene::new();
            let changed = scene.discard(discard, &paths(&["a/b", "three"]));
            assert_eq!((changed.files.files, changed.directories, changed.left.len()), (2, 1, 0));
            assert!(scene.folder.join("a/one").exists() && scene.folder.join("c/d").exists());
            let changed = scene.discard(discard, &Selection::All);
            assert_eq!((changed.files.files, changed.directories), (1, 3));
            assert!(!scene.root.path().join("new.movebook-quarantine").exists());
        }
    }

    #[test]
    fn another_run_or_another_purge_keeps_its_folder() {
        for (restore, discard) in FORMS {
            let scene = Scene::new();
            let other = scene.folder.parent().unwrap().join("2/file");
            fs::create_dir_all(other.parent().unwrap()).unwrap();
            fs::write(&other, "of purge 2").unwrap();
            scene.restore(restore, &paths(&["a"]));
            scene.discard(discard, &Selection::All);
            assert!(!scene.folder.exists() && other.exists());
        }
    }

    #[test]
    fn a_wish_to_stop_leaves_the_rest_for_the_next_time() {
        for (restore, _) in FORMS {
            let scene = Scene::new();
            let cancel = Cancel::new();
            let mut told = |_: &Kept| cancel.request();
            let changed = restore(&scene.folder, &scene.target, &Selection::All, &cancel, &mut told).unwrap();
            assert_eq!(changed.files.files, 1);
            assert_eq!(scene.restore(restore, &Selection::All).files.files, 2);
        }
    }
}
