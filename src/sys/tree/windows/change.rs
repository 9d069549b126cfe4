//! Renaming and removing, in the best form that the volume has.
//!
//! Windows since 2019 has forms of both calls that heed neither the read-only mark nor who has the file open, as on Unix;
//! 2016 has them without the former, and FAT, many servers and Wine have the oldest forms alone. What is found out once
//! holds for all below a root. Where the read-only mark is heeded it is lifted, and put back if nothing came of it.

use std::fs::File;
use std::io;
use std::os::windows::io::AsRawHandle;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_DISPOSITION_DELETE, FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE, FILE_DISPOSITION_POSIX_SEMANTICS,
    FILE_OPEN, FILE_OPEN_REPARSE_POINT, FILE_RENAME_IGNORE_READONLY_ATTRIBUTE, FILE_RENAME_POSIX_SEMANTICS,
    FILE_RENAME_REPLACE_IF_EXISTS, FileBasicInformation, FileDispositionInformation,
    FileDispositionInformationEx, FileRenameInformation, FileRenameInformationEx,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ATTRIBUTE_NORMAL, FILE_ATTRIBUTE_READONLY, FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES,
};

use super::calls::{Name, Opening, Refusal, open, set};
use super::look::{Marks, number_of};
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
    renaming: AtomicU8,
    removing: AtomicU8,
    /// Whether the directory is to be named even where a file stays in it, as to Wine.
    by_directory: AtomicBool,
}

/// Carries something out in the first form that is known, of those that are not known to be missing.
fn in_some_form(
    known: &AtomicU8,
    carry_out: impl Fn(Form) -> Result<(), Refusal>,
) -> (Form, Result<(), Refusal>) {
    let first = usize::from(known.load(Ordering::Relaxed));
    for (index, form) in Form::ALL.into_iter().enumerate().skip(first) {
        match carry_out(form) {
            Err(refusal) if refusal.is_of_the_form() && form != Form::Oldest => {}
            Ok(()) => {
                known.store(index as u8, Ordering::Relaxed);
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
    match result {
        Err(refusal) if refusal.is_denied() && taken == Taken::Replace && form != Form::HeedsNothing => {
            let Some(lifted) = Lifted::of(into, new_name) else { return Err(refusal.into()) };
            rename(form).map_err(|refusal| {
                lifted.put_back(into, new_name);
                refusal.into()
            })
        }
        result => Ok(result?),
    }
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
    const WORD: usize = size_of::<usize>();
    let units = new_name.units();
    let mut bytes = vec![0; 2 * WORD];
    bytes[..4].copy_from_slice(&flags.to_ne_bytes());
    let directory = into.map_or(0, |into| into.as_raw_handle().addr());
    bytes[WORD..].copy_from_slice(&directory.to_ne_bytes());
    bytes.extend((units.len() as u32 * 2).to_ne_bytes());
    bytes.extend(units.iter().flat_map(|unit| unit.to_ne_bytes()));
    // What is shorter than the whole structure, whose name has one letter and is filled up, is refused.
    bytes.resize(bytes.len().max(3 * WORD), 0);
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
    let same = number_of(file).ok()? == number_of(&again).ok()?;
    if !same || marks & FILE_ATTRIBUTE_READONLY == 0 {
        return None;
    }
    set_marks(&again, marks & !FILE_ATTRIBUTE_READONLY).ok()?;
    Some(remove_in(form, &again).map_err(|refusal| {
        // Nothing came of it: what cannot be put back was told of by the refusal.
        let _ = set_marks(&again, marks);
        refusal.into()
    }))
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
    number: u64,
    marks: u32,
}

impl Lifted {
    /// Takes it away; `None` where there is none. Nothing stays open: an open file could not be replaced there.
    fn of(directory: &File, name: &Name) -> Option<Self> {
        let file = open(directory, name, &itself(FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES)).ok()?;
        let marks = Marks::of(&file).ok()?.marks;
        if marks & FILE_ATTRIBUTE_READONLY == 0 || marks & DIRECTORY != 0 && marks & REPARSE_POINT == 0 {
            return None;
        }
        let number = number_of(&file).ok()?;
        set_marks(&file, marks & !FILE_ATTRIBUTE_READONLY).ok()?;
        Some(Self { number, marks })
    }

    /// Gives it back, to the same file alone. Where that fails, the refusal before it is what is told.
    fn put_back(&self, directory: &File, name: &Name) {
        if let Ok(file) = open(directory, name, &itself(FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES))
            && number_of(&file) == Ok(self.number)
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
