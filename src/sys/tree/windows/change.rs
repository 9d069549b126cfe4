//! Renaming and removing, in the best form that the volume has.
//!
//! Windows since 2019 has forms of both calls that heed neither the read-only mark nor who has the file open, as on Unix;
//! 2016 has them without the former, and FAT, many servers and Wine have the oldest forms alone. What is found out once
//! holds for all below a root. Where the read-only mark is heeded it is lifted, and put back if nothing came of it, or if
//! the file has further names: the mark is the file's, and not the name's.

use std::fs::File;
use std::io;
use std::os::windows::io::AsRawHandle;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_DISPOSITION_DELETE, FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE, FILE_DISPOSITION_POSIX_SEMANTICS,
    FILE_NON_DIRECTORY_FILE, FILE_OPEN, FILE_OPEN_REPARSE_POINT, FILE_RENAME_IGNORE_READONLY_ATTRIBUTE,
    FILE_RENAME_INFORMATION, FILE_RENAME_POSIX_SEMANTICS, FILE_RENAME_REPLACE_IF_EXISTS,
    FileBasicInformation, FileDispositionInformation, FileDispositionInformationEx, FileRenameInformation,
    FileRenameInformationEx,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ATTRIBUTE_NORMAL, FILE_ATTRIBUTE_READONLY, FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES,
};

use super::calls::{Name, Opening, Refusal, open, open_alone, set};
use super::look::{Marks, are_one, exact, names_of, same};
use super::records::{DIRECTORY, REPARSE_POINT};
use crate::sys::tree::Taken;

/// From the best to the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    HeedsNothing,
    HeedsMarks,
    Oldest,
}

impl Form {
    const ALL: [Self; 3] = [Self::HeedsNothing, Self::HeedsMarks, Self::Oldest];
}

/// The forms that the volume is known to have.
#[derive(Debug, Default)]
pub(super) struct Forms {
    renaming: Known,
    removing: Known,
    /// Whether the directory is to be named even where a file stays in it, as to Wine.
    by_directory: AtomicBool,
}

/// The first form that is not known to be missing.
#[derive(Debug, Default)]
struct Known {
    first: AtomicU8,
    /// The form that did what one before it had refused, though perhaps for the entry's sake.
    doubted: AtomicU8,
}

/// Carries something out in the first form that is known, of those that are not known to be missing. A form is missing
/// where it is said so, or where it was refused twice in a row in words that may mean the entry.
fn in_some_form(
    known: &Known,
    carry_out: impl Fn(Form) -> Result<(), Refusal>,
) -> (Form, Result<(), Refusal>) {
    let first = usize::from(known.first.load(Ordering::Relaxed));
    let mut are_missing = true;
    for (index, form) in Form::ALL.into_iter().enumerate().skip(first) {
        match carry_out(form) {
            Err(refusal) if refusal.is_of_the_form() && form != Form::Oldest => {
                are_missing &= refusal.is_of_the_form_alone();
            }
            Ok(()) => {
                let again = known.doubted.swap(index as u8, Ordering::Relaxed) == index as u8;
                if are_missing || again {
                    known.first.store(index as u8, Ordering::Relaxed);
                }
                return (form, Ok(()));
            }
            refused => return (form, refused),
        }
    }
    unreachable!("the oldest form ends it")
}

/// Gives what has a name in one directory a name in another.
pub(super) fn rename(
    forms: &Forms,
    from: &File,
    name: &Name,
    into: &File,
    new_name: &Name,
    taken: Taken,
) -> io::Result<()> {
    let file = open(from, name, &itself(DELETE))?;
    let stays = std::ptr::eq(from, into);
    let rename = |form| {
        if stays && !forms.by_directory.load(Ordering::Relaxed) {
            match rename_in(form, &file, None, new_name, taken) {
                Err(refusal) if refusal.is_of_the_path() => forms.by_directory.store(true, Ordering::Relaxed),
                result => return result,
            }
        }
        rename_in(form, &file, Some(into), new_name, taken)
    };
    let (form, result) = in_some_form(&forms.renaming, rename);
    let result = match result {
        Err(refusal) if refusal.is_denied() && taken == Taken::Replace && form != Form::HeedsNothing => {
            match Lifted::of(form, into, new_name)? {
                Some(lifted) => lifted.around(into, new_name, || rename(form)),
                None => Err(refusal),
            }
        }
        result => result,
    };
    Ok(result.map_err(|refusal| {
        let in_use = refusal.is_denied() && taken == Taken::Replace;
        in_use.then(|| in_use_by_others(into, new_name)).flatten().unwrap_or(refusal)
    })?)
}

/// That somebody has a file open is told as a denial where that file is to be replaced, and passes by itself.
fn in_use_by_others(directory: &File, name: &Name) -> Option<Refusal> {
    let mut alone = itself(DELETE);
    alone.options |= FILE_NON_DIRECTORY_FILE;
    open_alone(directory, name, &alone).err().filter(|refusal| refusal.is_in_use())
}

/// Without a directory it stays in the one that it is in, and no server is asked for that.
fn rename_in(
    form: Form,
    file: &File,
    into: Option<&File>,
    new_name: &Name,
    taken: Taken,
) -> Result<(), Refusal> {
    let replace = if taken == Taken::Replace { FILE_RENAME_REPLACE_IF_EXISTS } else { 0 };
    let (class, flags) = match form {
        Form::HeedsNothing => (
            FileRenameInformationEx,
            replace | FILE_RENAME_POSIX_SEMANTICS | FILE_RENAME_IGNORE_READONLY_ATTRIBUTE,
        ),
        Form::HeedsMarks => (FileRenameInformationEx, replace | FILE_RENAME_POSIX_SEMANTICS),
        // There the flag is a truth value of one byte.
        Form::Oldest => (FileRenameInformation, replace),
    };
    set(file, class, &renaming(flags, into, new_name))
}

/// `FILE_RENAME_INFORMATION`: flags, the directory, how many bytes the name has, the name.
fn renaming(flags: u32, into: Option<&File>, new_name: &Name) -> Vec<u8> {
    // Flags and length have four bytes, and the directory, which lies between them, begins at a multiple of its own.
    const WORD: usize = size_of::<usize>();
    let units = new_name.units();
    let mut bytes = vec![0; 2 * WORD];
    bytes[..4].copy_from_slice(&flags.to_ne_bytes());
    let directory = into.map_or(0, |into| into.as_raw_handle().addr());
    bytes[WORD..].copy_from_slice(&directory.to_ne_bytes());
    bytes.extend((units.len() as u32 * 2).to_ne_bytes());
    bytes.extend(units.iter().flat_map(|unit| unit.to_ne_bytes()));
    // What is shorter than the whole structure, whose name has one letter and is filled up, is refused.
    bytes.resize(bytes.len().max(size_of::<FILE_RENAME_INFORMATION>()), 0);
    bytes
}

/// Removes what an open object is the name of, once all who have it open are done with it. The object was opened with
/// `DELETE`; `directory` and `name` are those that it was opened by.
pub(super) fn remove(forms: &Forms, file: &File, directory: &File, name: &Name) -> io::Result<()> {
    let (form, result) = in_some_form(&forms.removing, |form| remove_in(form, file));
    match result {
        Err(refusal) if refusal.is_denied() && form != Form::HeedsNothing => {
            remove_marked(form, file, directory, name).unwrap_or(Err(refusal.into()))
        }
        result => Ok(result?),
    }
}

/// The same of what has the read-only mark; `None` where it has none, or that cannot be lifted.
fn remove_marked(form: Form, file: &File, directory: &File, name: &Name) -> Option<io::Result<()>> {
    let again = open(directory, name, &itself(DELETE | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES)).ok()?;
    let marks = Marks::of(&again).ok()?.marks;
    if !are_one(file, &again) || marks & FILE_ATTRIBUTE_READONLY == 0 {
        return None;
    }
    let stays = names_of(&again).ok()? > 1;
    set_marks(&again, marks & !FILE_ATTRIBUTE_READONLY).ok()?;
    let removed = remove_in(form, &again);
    if stays || removed.is_err() {
        // What cannot be put back was told of by the refusal; of a name that is removed there is nobody to tell.
        let _ = set_marks(&again, marks);
    }
    Some(removed.map_err(io::Error::from))
}

fn remove_in(form: Form, file: &File) -> Result<(), Refusal> {
    let posix = FILE_DISPOSITION_DELETE | FILE_DISPOSITION_POSIX_SEMANTICS;
    match form {
        Form::HeedsNothing => {
            let flags = posix | FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE;
            set(file, FileDispositionInformationEx, &flags.to_ne_bytes())
        }
        Form::HeedsMarks => set(file, FileDispositionInformationEx, &posix.to_ne_bytes()),
        Form::Oldest => set(file, FileDispositionInformation, &[1]),
    }
}

/// A file whose read-only mark was taken away.
struct Lifted {
    exact: Option<(u64, u128)>,
    marks: u32,
    /// Where it has further names, for which the mark is put back.
    held: Option<File>,
}

impl Lifted {
    /// Takes it away; `None` where there is none. Nothing stays open where an open file could not be replaced: there one
    /// with further names, which would lose the mark, is refused.
    fn of(form: Form, directory: &File, name: &Name) -> io::Result<Option<Self>> {
        let opening = itself(FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES);
        let Ok(file) = open(directory, name, &opening) else { return Ok(None) };
        let (Ok(Marks { marks, .. }), Ok(names)) = (Marks::of(&file), names_of(&file)) else {
            return Ok(None);
        };
        if marks & FILE_ATTRIBUTE_READONLY == 0 || marks & DIRECTORY != 0 && marks & REPARSE_POINT == 0 {
            return Ok(None);
        }
        let stays = names > 1;
        if stays && form == Form::Oldest {
            let why = "the old file is read-only and has further names, which would lose that: take its mark away first";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        let exact = exact(&file);
        if exact.is_none() || set_marks(&file, marks & !FILE_ATTRIBUTE_READONLY).is_err() {
            return Ok(None);
        }
        Ok(Some(Self { exact, marks, held: stays.then_some(file) }))
    }

    /// Does what it was taken away for, and gives it back to what is left of the file.
    fn around(
        self,
        directory: &File,
        name: &Name,
        deed: impl Fn() -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let done = deed();
        if let Some(file) = &self.held {
            // The refusal before it is what is told; of a name that was replaced there is nobody to tell.
            let _ = set_marks(file, self.marks);
        } else if done.is_err() {
            self.put_back(directory, name);
        }
        done
    }

    /// Gives it back, to the same file alone. Where that fails, the refusal before it is what is told.
    fn put_back(&self, directory: &File, name: &Name) {
        if let Ok(file) = open(directory, name, &itself(FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES))
            && same(exact(&file), self.exact)
        {
            let _ = set_marks(&file, self.marks);
        }
    }
}

/// Opens whatever has the name, a link itself.
fn itself(rights: u32) -> Opening {
    Opening { rights, disposition: FILE_OPEN, options: FILE_OPEN_REPARSE_POINT, marks: 0 }
}

pub(super) fn set_marks(file: &File, marks: u32) -> Result<(), Refusal> {
    // None at all would mean "as they are".
    let marks = if marks == 0 { FILE_ATTRIBUTE_NORMAL } else { marks };
    set_basic(file, 0, marks)
}

/// Sets the time of the last change, the attributes, or both; 0 leaves as it is.
pub(super) fn set_basic(file: &File, modified: i64, marks: u32) -> Result<(), Refusal> {
    let mut bytes = [0; 40];
    bytes[16..24].copy_from_slice(&modified.to_ne_bytes());
    bytes[32..36].copy_from_slice(&marks.to_ne_bytes());
    set(file, FileBasicInformation, &bytes)
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Foundation::{STATUS_INVALID_INFO_CLASS, STATUS_INVALID_PARAMETER};

    use super::*;

    /// What is known after a call that only the oldest form carries out.
    fn after(known: &Known, status: i32) -> u8 {
        let (form, result) = in_some_form(known, |form| match form {
            Form::Oldest => Ok(()),
            _ => Err(Refusal::of(status)),
        });
        assert_eq!((form, result), (Form::Oldest, Ok(())));
        known.first.load(Ordering::Relaxed)
    }

    #[test]
    fn a_form_is_missing_where_that_is_said_and_not_for_one_odd_entry() {
        assert_eq!(after(&Known::default(), STATUS_INVALID_INFO_CLASS), 2);
        let known = Known::default();
        assert_eq!(after(&known, STATUS_INVALID_PARAMETER), 0);
        // The next one is carried out in the best form.
        assert_eq!(in_some_form(&known, |_| Ok(())), (Form::HeedsNothing, Ok(())));
        assert_eq!(after(&known, STATUS_INVALID_PARAMETER), 0);
        assert_eq!(after(&known, STATUS_INVALID_PARAMETER), 2);
    }
}
