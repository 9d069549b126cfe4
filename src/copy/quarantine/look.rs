//! Looking at what purges took away, directory by directory: memory is bounded by the depth of the tree and by the names
//! of one directory.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::{Kept, Missing, Selection, open};
use crate::copy::EntryKind;
use crate::copy::chain::Chain;
use crate::sys::tree::{Directory, Here};

/// Tells of each entry of a purge's folder that is meant, in the order of names. A folder that is gone holds nothing.
pub fn look(
    folder: &Path,
    selection: &Selection,
    each: &mut dyn FnMut(Kept) -> io::Result<()>,
) -> io::Result<()> {
    match open::<Here>(folder, Missing::Refuse) {
        Ok(opened) => below(&opened.folder, Path::new(""), selection, each),
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

fn below<D: Directory>(
    directory: &D,
    path: &Path,
    selection: &Selection,
    each: &mut dyn FnMut(Kept) -> io::Result<()>,
) -> io::Result<()> {
    let names = directory.names()?;
    for index in 0..names.len() {
        let (name, kind) = (names.name(index), names.kind(index));
        let path = path.join(name);
        if kind == EntryKind::Directory {
            if selection.reaches(&path) {
                let inner = directory.enter(name)?;
                if selection.covers(&path) && inner.names()?.is_empty() {
                    each(Kept { path, kind, bytes: 0 })?;
                } else {
                    below(&inner, &path, selection, each)?;
                }
            }
        } else if selection.covers(&path) {
            let bytes = directory.status(name)?.size;
            each(Kept { path, kind, bytes })?;
        }
    }
    Ok(())
}
