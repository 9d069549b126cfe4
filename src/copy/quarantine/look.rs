//! Looking at what purges took away, directory by directory: memory is bounded by the depth of the tree and by the names
//! of the directories on one way down.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Kept, Missing, Selection, open};
use crate::copy::EntryKind;
use crate::copy::chain::Chain;
use crate::sys::tree::{self, Directory, Here, Names};

/// Tells of each entry of a purge's folder that is meant, in the order of names. A folder that is gone holds nothing.
pub fn look(
    folder: &Path,
    selection: &Selection,
    each: &mut dyn FnMut(Kept) -> io::Result<()>,
) -> io::Result<()> {
    tree::allow_many_handles();
    match open::<Here>(folder, Missing::Refuse) {
        Ok(opened) => below(opened.into_folder(), selection, each),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// What a purge's folder holds under a path; `None` if nothing.
pub fn holds(folder: &Path, path: &Path) -> io::Result<Option<EntryKind>> {
    let found = open::<Here>(folder, Missing::Refuse).and_then(|opened| {
        let mut chain = Chain::new(opened.into_folder());
        match (path.parent(), path.file_name()) {
            (Some(above), Some(name)) => Ok(chain.enter(above)?.status(name)?.kind),
            _ => Err(ErrorKind::NotFound.into()),
        }
    });
    match found {
        Ok(kind) => Ok(Some(kind)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A directory with the names in it that were not looked at yet.
struct Rest<D> {
    directory: D,
    names: Names,
    next: usize,
}

/// Goes down without a frame of the stack for a level. A directory in which nothing is left is closed.
fn below<D: Directory>(
    folder: D,
    selection: &Selection,
    each: &mut dyn FnMut(Kept) -> io::Result<()>,
) -> io::Result<()> {
    let mut path = PathBuf::new();
    let names = folder.names()?;
    let mut levels = vec![Some(Rest { directory: folder, names, next: 0 })];
    while let Some(level) = levels.last_mut() {
        let Some(rest) = level.take_if(|rest| rest.next < rest.names.len()) else {
            levels.pop();
            path.pop();
            continue;
        };
        let Rest { directory, names, next } = rest;
        let (name, kind) = (names.name(next), names.kind(next));
        path.push(name);
        let mut inner = None;
        if kind == EntryKind::Directory {
            if selection.reaches(&path) {
                let directory = directory.enter(name)?;
                let names = directory.names()?;
                if selection.covers(&path) && names.is_empty() {
                    each(Kept { path: path.clone(), kind, bytes: 0 })?;
                } else {
                    inner = Some(Rest { directory, names, next: 0 });
                }
            }
        } else if selection.covers(&path) {
            let bytes = directory.status(name)?.size;
            each(Kept { path: path.clone(), kind, bytes })?;
        }
        if next + 1 < names.len() {
            *level = Some(Rest { directory, names, next: next + 1 });
        }
        match inner {
            Some(inner) => levels.push(Some(inner)),
            None => _ = path.pop(),
        }
    }
    Ok(())
}
