//! Takes away what a purge was told to, and nothing else.
//!
//! Each entry is looked at again right before: it must be of the kind that was judged, and the source must still lack
//! it. Both are asked through open directories, so no link can lead out of the target.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use super::failure::{Failure, Side};
use crate::copy::{
    CopyPass, Disposal, EntryKind, ErrorClass, ExtraEntry, FileError, PassError, Progress, Purged, Watch,
    names,
};
use crate::sys::tree::{Directory, Taken};

/// How many other names are tried where the quarantine has one already.
const OTHER_NAMES: u32 = 1000;

pub(super) fn purge<D: Directory>(
    pass: &CopyPass,
    extras: &[ExtraEntry],
    disposal: &Disposal,
    watch: &Watch<'_>,
) -> Result<Purged, PassError> {
    let mut purged = Purged::default();
    if extras.is_empty() {
        return Ok(purged);
    }
    let mut source = Chain::new(super::open::<D>(&pass.from, "source")?);
    let mut target = Chain::new(super::open::<D>(&pass.to, "target")?);
    let mut quarantine = match disposal {
        Disposal::Quarantine(folder) => Some(Chain::new(open_quarantine::<D>(folder)?)),
        Disposal::Delete => None,
    };
    let mut progress = Progress {
        files_known: extras.len() as u64,
        bytes_known: extras.iter().map(|entry| entry.bytes).sum(),
        listed: true,
        ..Progress::default()
    };
    let mut told = std::time::Instant::now();
    for entry in extras {
        if watch.cancel.is_requested() {
            return Err(PassError::Interrupted);
        }
        match take_away(entry, &mut source, &mut target, quarantine.as_mut()) {
            Ok(()) if entry.kind == EntryKind::Directory => purged.directories += 1,
            Ok(()) => purged.files.add(entry.bytes),
            Err(Failure::Ends(why)) => return Err(why),
            Err(Failure::Interrupted) => return Err(PassError::Interrupted),
            Err(Failure::Entry { class, text }) => {
                progress.failed += 1;
                let path = names::shown(&entry.path);
                purged.errors.push(FileError { path, class, attempts: 1, error: text });
            }
        }
        progress.files_done += 1;
        progress.bytes_done += entry.bytes;
        if told.elapsed() >= super::walk::PROGRESS {
            told = std::time::Instant::now();
            (watch.progress)(progress);
        }
    }
    target.give_back_times();
    super::flush(target.root(), &pass.to)?;
    (watch.progress)(progress);
    Ok(purged)
}

fn take_away<D: Directory>(
    entry: &ExtraEntry,
    source: &mut Chain<D>,
    target: &mut Chain<D>,
    quarantine: Option<&mut Chain<D>>,
) -> Result<(), Failure> {
    let failed = |side, what, error| Failure::of(side, what, &entry.path, error);
    let (above, name) = split(&entry.path)?;
    match source.enter(&above) {
        Ok(directory) => match directory.status(name) {
            Ok(_) => return Err(Failure::permanent("the source has it by now: it stays")),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(Side::Source, "look whether the source has it", error)),
        },
        // A folder that is missing, or is something else in the source, holds no counterpart.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(Side::Source, "look whether the source has it", error)),
    }
    let directory = target.enter(&above).map_err(|error| failed(Side::Target, "enter its folder", error))?;
    let status = directory.status(name).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            Failure::Entry { class: ErrorClass::Vanished, text: "is gone from the target already".into() }
        }
        _ => failed(Side::Target, "look at it", error),
    })?;
    if status.kind != entry.kind {
        return Err(Failure::permanent(format!(
            "was {} when the purge was judged and is {} now: it stays",
            super::decide::called(entry.kind),
            super::decide::called(status.kind)
        )));
    }
    if entry.kind == EntryKind::File && status.size != entry.bytes {
        return Err(Failure::permanent("was of another size when the purge was judged: it stays"));
    }
    match (entry.kind, quarantine) {
        (EntryKind::Directory, quarantine) => {
            if let Some(quarantine) = quarantine {
                // An empty folder is made there too, so that all can be brought back.
                let place = quarantine
                    .make(&entry.path)
                    .map_err(|error| failed(Side::Target, "make its folder in the quarantine", error))?;
                // Its time is a courtesy.
                let _ = place.set_own_modified(status.modified);
            }
            target.forget(&entry.path);
            let directory =
                target.enter(&above).map_err(|error| failed(Side::Target, "enter its folder", error))?;
            directory.remove_directory(name).map_err(|error| match error.kind() {
                ErrorKind::DirectoryNotEmpty => {
                    Failure::permanent("holds something that the purge was not told of: it stays")
                }
                _ => failed(Side::Target, "remove the emptied directory", error),
            })
        }
        (_, Some(quarantine)) => {
            let place = quarantine
                .make(&above)
                .map_err(|error| failed(Side::Target, "make its folder in the quarantine", error))?;
            move_into(directory, name, place).map_err(|error| match error.kind() {
                ErrorKind::CrossesDevices => {
                    Failure::permanent("is on another volume than the quarantine: move it away by hand")
                }
                _ => failed(Side::Target, "move it into the quarantine", error),
            })
        }
        (_, None) => directory.remove_file(name).map_err(|error| failed(Side::Target, "delete it", error)),
    }
}

/// Moves an entry under its own name, or under a numbered one where that is taken: nothing there is ever replaced.
fn move_into<D: Directory>(from: &D, name: &OsStr, into: &D) -> io::Result<()> {
    let mut free = name.to_owned();
    for number in 1..=OTHER_NAMES {
        match from.rename(name, into, &free, Taken::Refuse) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                free = name.to_owned();
                free.push(format!("~{number}"));
            }
            result => return result,
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "the quarantine holds too many files of this name"))
}

fn open_quarantine<D: Directory>(folder: &Path) -> Result<D, PassError> {
    std::fs::create_dir_all(folder).and_then(|()| D::open(folder)).map_err(|error| PassError::Fatal {
        what: "cannot make the quarantine".into(),
        path: names::shown(folder),
        hint: "make the folder above it writable, or purge with `keep: none`".into(),
        source: Some(error),
    })
}

fn split(path: &Path) -> Result<(PathBuf, &OsStr), Failure> {
    let plain = path.components().all(|component| matches!(component, Component::Normal(_)));
    match (path.parent(), path.file_name()) {
        (Some(above), Some(name)) if plain => Ok((above.to_owned(), name)),
        _ => Err(Failure::permanent("is no path below the target")),
    }
}

/// The directories from a root down to the one last asked for, kept open: neighbours in a list share most of them.
struct Chain<D> {
    root: D,
    links: Vec<Link<D>>,
}

struct Link<D> {
    name: OsString,
    directory: D,
    /// Of the directory before anything was taken out of it.
    modified: Option<SystemTime>,
}

impl<D: Directory> Chain<D> {
    fn new(root: D) -> Self {
        Self { root, links: Vec::new() }
    }

    fn root(&self) -> &D {
        &self.root
    }

    fn enter(&mut self, path: &Path) -> io::Result<&D> {
        self.go(path, |directory, name| directory.enter(name))
    }

    /// As [`Chain::enter`]; what is missing is made.
    fn make(&mut self, path: &Path) -> io::Result<&D> {
        self.go(path, |directory, name| match directory.make_directory(name) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => directory.enter(name),
        })
    }

    fn go(&mut self, path: &Path, step: impl Fn(&D, &OsStr) -> io::Result<D>) -> io::Result<&D> {
        let names: Vec<&OsStr> = path.components().map(|component| component.as_os_str()).collect();
        let shared = self.links.iter().zip(&names).take_while(|(link, name)| link.name == **name).count();
        self.shorten(shared);
        for name in &names[shared..] {
            let above = self.links.last().map_or(&self.root, |link| &link.directory);
            let directory = step(above, name)?;
            let modified = directory.own_status().ok().map(|status| status.modified);
            self.links.push(Link { name: name.to_os_string(), directory, modified });
        }
        Ok(self.links.last().map_or(&self.root, |link| &link.directory))
    }

    /// Closes a directory that is about to go, and those below it.
    fn forget(&mut self, path: &Path) {
        let names: Vec<&OsStr> = path.components().map(|component| component.as_os_str()).collect();
        let shared = self.links.iter().zip(&names).take_while(|(link, name)| link.name == **name).count();
        if shared == names.len() {
            self.links.truncate(shared - 1);
        }
    }

    /// Closes all but the first directories, each with the time that it had before.
    fn shorten(&mut self, length: usize) {
        while self.links.len() > length {
            if let Some(Link { directory, modified: Some(modified), .. }) = self.links.pop()
                && directory.own_status().is_ok_and(|status| status.modified != modified)
            {
                // The directory's time is a courtesy; the purge is done without it.
                let _ = directory.set_own_modified(modified);
            }
        }
    }

    fn give_back_times(&mut self) {
        self.shorten(0);
    }
}
