//! Takes away what a purge was told to, and nothing else.
//!
//! Each entry is looked at again right before: it must be of the kind that was judged, and the source must still lack
//! it. Both are asked through open directories, so no link can lead out of the target. That the source lacks an entry is
//! believed only of the source that the purge began with: one that is out of reach, gone, or another by now ends the purge.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::failure::{Failure, Side};
use super::root::{self, Root};
use crate::copy::account::{Bucket, Page};
use crate::copy::chain::Chain;
use crate::copy::quarantine::{self, Missing, Opened};
use crate::copy::{
    CopyPass, Disposal, EntryKind, ErrorClass, ExtraEntry, FileError, PassError, Progress, Purged, Watch,
    names,
};
use crate::sys::tree::{self, Directory, FileIdentity, Taken};

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
    let mut source = Source::open(&pass.from)?;
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
    let mut page = Page::default();
    for entry in extras {
        if watch.cancel.is_requested() {
            page.turn(watch.account);
            return Err(PassError::Interrupted);
        }
        match take_away(entry, &mut source, &mut target, quarantine.as_mut()) {
            Ok(()) => {
                page.extra(watch.account, Bucket::Purged, entry, None);
                match entry.kind {
                    EntryKind::Directory => purged.directories += 1,
                    _ => purged.files.add(entry.bytes),
                }
            }
            Err(failure) => {
                let error = match failure {
                    Failure::Entry { class, text } => {
                        FileError { path: names::shown(&entry.path), class, attempts: 1, error: text }
                    }
                    Failure::Ends(why) => {
                        page.turn(watch.account);
                        return Err(why);
                    }
                    Failure::Interrupted => {
                        page.turn(watch.account);
                        return Err(PassError::Interrupted);
                    }
                };
                progress.failed += 1;
                if entry.kind != EntryKind::Directory && error.class != ErrorClass::Vanished {
                    purged.kept.add(entry.bytes);
                    page.stays(watch.account, entry, &error);
                }
                purged.errors.push(error);
            }
        }
        progress.files_done += 1;
        progress.bytes_done += entry.bytes;
        if told.elapsed() >= super::walk::PROGRESS {
            told = std::time::Instant::now();
            (watch.progress)(progress.clone());
        }
    }
    page.turn(watch.account);
    target.give_back_times();
    if let Some(quarantine) = &mut quarantine {
        quarantine.give_back_times();
    }
    super::flush(target.root(), &pass.to)?;
    (watch.progress)(progress);
    Ok(purged)
}

/// The source, which must still lack what is taken away.
struct Source<D> {
    chain: Chain<D>,
    /// Which directory its root is; `None` where the system does not tell.
    identity: Option<FileIdentity>,
}

impl<D: Directory> Source<D> {
    fn open(path: &Path) -> Result<Self, PassError> {
        let root = super::open::<D>(path, "source")?;
        let status =
            root.own_status().map_err(|error| super::fatal("cannot look at the source", path, error))?;
        Ok(Self { chain: Chain::new(root), identity: status.identity })
    }

    /// Fails where the source has the entry, or where that it has not cannot be believed.
    fn lacks(&mut self, above: &Path, name: &OsStr, path: &Path) -> Result<(), Failure> {
        let error = match self.chain.enter(above).and_then(|directory| directory.status(name)) {
            Ok(_) => return Err(Failure::permanent("the source has it by now: it stays")),
            Err(error) => error,
        };
        match root::look(self.chain.root(), self.identity) {
            Root::Here => {}
            Root::Removed => return Err(Failure::Ends(root::removed("source"))),
            Root::Another => return Err(Failure::Ends(root::another("source"))),
            Root::OutOfReach(error) | Root::Unknown(error) => {
                return Err(Failure::Ends(root::out_of_reach("source", error)));
            }
        }
        match self.identity {
            // Whether it is the same that comes back could not be seen.
            None if tree::is_out_of_reach(&error) => Err(Failure::Ends(root::out_of_reach("source", error))),
            // A folder that is missing holds no counterpart.
            _ if tree::is_absence(&error) => Ok(()),
            _ => Err(Failure::of(Side::Source, "look whether the source has it", path, error)),
        }
    }
}

fn take_away<D: Directory>(
    entry: &ExtraEntry,
    source: &mut Source<D>,
    target: &mut Chain<D>,
    quarantine: Option<&mut Chain<D>>,
) -> Result<(), Failure> {
    let failed = |side, what, error| Failure::of(side, what, &entry.path, error);
    let (above, name) = split(&entry.path)?;
    source.lacks(&above, name, &entry.path)?;
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
                // Both are courtesies; the owner must be able to take the files out again.
                let permissions = tree::writable(&status.permissions).unwrap_or(status.permissions);
                let _ = place.set_own_permissions(&permissions);
                quarantine.set_modified(&entry.path, status.modified);
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
    quarantine::open::<D>(folder, Missing::Make).map(Opened::into_folder).map_err(|error| PassError::Fatal {
        what: "cannot make the quarantine".into(),
        path: names::shown(folder),
        hint: "make the folder above it writable and see that no link is in its place, or purge with `keep: none`"
            .into(),
        source: Some(error),
    })
}

/// That the path holds plain names alone is seen to where it is entered.
fn split(path: &Path) -> Result<(PathBuf, &OsStr), Failure> {
    match (path.parent(), path.file_name()) {
        (Some(above), Some(name)) => Ok((above.to_owned(), name)),
        _ => Err(Failure::permanent("is no path below the target")),
    }
}
