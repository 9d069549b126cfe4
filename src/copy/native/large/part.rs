//! A copy that outlives the pass that made it: the part, and the record beside it.
//!
//! Neither is believed. A part is gone on with only where all of this holds, and is thrown away with its record otherwise:
//! - the source has the name, the size, the modification time and (where the system tells) the time of last change that
//!   the record was begun with;
//! - the record is whole, line by line, and the part is a regular file of one name that is long enough for it;
//! - every durable unit of the part has the hash that was taken while it was copied;
//! - the last of them has that hash in the source too, read again.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Seek};
use std::path::{Component, Path};

use super::UNIT;
use super::record::{Origin, Record};
use super::share::{self, Tools};
use crate::copy::EntryKind;
use crate::copy::native::failure::{Failure, Side};
use crate::copy::native::node::TargetSide;
use crate::copy::native::temporary::ResumableNames;
use crate::copy::native::walk::Found;
use crate::sys::tree::{Directory, Permissions, Status, Taken, content};

pub(super) struct Part<'a, D> {
    pub(super) side: &'a TargetSide<D>,
    names: ResumableNames,
}

/// A part and its record, open.
pub(super) struct Open {
    pub(super) copy: File,
    pub(super) record: Record,
    pub(super) record_file: File,
}

impl<'a, D: Directory> Part<'a, D> {
    pub(super) fn of(side: &'a TargetSide<D>, name: &OsStr) -> Self {
        Self { side, names: ResumableNames::of(name) }
    }

    /// What an earlier attempt left, if it can be that of this state of the source. The units are still to be checked.
    pub(super) fn find(
        &self,
        found: &Found<'_, D>,
        source: &File,
        expected: &Status,
        tools: &mut Tools<'_>,
    ) -> Result<Option<Open>, Failure> {
        let open = match self.open(&Origin::new(found.name, expected, UNIT)) {
            Ok(Some(open)) => open,
            Ok(None) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let what = "open what is there of its copy";
                return Err(Failure::of(Side::Target, what, &found.path(), error));
            }
        };
        let Some(last) = open.record.units.len().checked_sub(1) else { return Ok(None) };
        let start = last as u64 * UNIT;
        let hash = share::hash(Side::Source, source, start..expected.size.min(start + UNIT), tools)
            .map_err(|unread| unread.of_file(Side::Source, &found.path()))?;
        Ok(Some(open).filter(|open| hash.as_ref() == open.record.units.last()))
    }

    fn open(&self, origin: &Origin) -> io::Result<Option<Open>> {
        let directory = &self.side.directory;
        let record_file = directory.reopen(&self.names.record)?;
        let Some(record) = Record::read(&record_file, origin)? else { return Ok(None) };
        let copy = directory.reopen(&self.names.part)?;
        let is_own = |file: &File| Ok::<_, io::Error>(D::file_status(file)?.names == 1);
        // A second name of either would be another file that is written to.
        if !is_own(&copy)? || !is_own(&record_file)? {
            return Ok(None);
        }
        let status = D::file_status(&copy)?;
        let fits = status.kind == EntryKind::File && status.size >= record.durable();
        Ok(fits.then_some(Open { copy, record, record_file }))
    }

    /// Begins anew; what was there goes.
    pub(super) fn begin(
        &self,
        found: &Found<'_, D>,
        expected: &Status,
        permissions: &Permissions,
    ) -> Result<Open, Failure> {
        let failed = |what, error| Failure::of(Side::Target, what, &found.path(), error);
        self.discard().map_err(|error| failed("remove an earlier part of its copy", error))?;
        let permissions = content::reopenable(permissions);
        let make = |name: &OsString| match self.side.directory.create(name, &permissions) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                self.side.open_up(error).and_then(|()| self.side.directory.create(name, &permissions))
            }
            result => result,
        };
        let copy = make(&self.names.part).map_err(|error| failed("make a file in the target", error))?;
        content::take_shape(&copy, &expected.permissions);
        let begun = make(&self.names.record).and_then(|record_file| {
            let (record, text) = Record::begin(Origin::new(found.name, expected, UNIT))?;
            record.write(&record_file, &text)?;
            Ok(Open { copy, record, record_file })
        });
        begun.map_err(|error| failed("write down beside it how far it is", error))
    }

    /// The name that the copy has until it is whole.
    pub(super) fn name(&self) -> &OsStr {
        &self.names.part
    }

    /// Gives the whole copy its name.
    pub(super) fn finish(&self, name: &OsStr, taken: Taken) -> io::Result<()> {
        let directory = &self.side.directory;
        directory.rename(&self.names.part, directory, name, taken)?;
        // What cannot be removed now is worth nothing without its part, and removed by the next pass.
        let _ = directory.remove_file(&self.names.record);
        Ok(())
    }

    pub(super) fn discard(&self) -> io::Result<()> {
        // The record goes first: a part without one is never gone on with.
        for name in [&self.names.record, &self.names.part] {
            match self.side.directory.remove_file(name) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    self.side.open_up(error).and_then(|()| self.side.directory.remove_file(name))?;
                }
                result => result?,
            }
        }
        Ok(())
    }
}

/// What the part or record of this name is made of, if its source is still so and it can be gone on with.
pub(super) fn still_wanted<D: Directory>(source: &D, target: &D, name: &OsStr) -> Option<Origin> {
    let names = ResumableNames::containing(name)?;
    let mut file = target.read(&names.record).ok()?;
    let origin = Record::origin_of(&file).ok()??;
    let name = origin.name().filter(|name| ResumableNames::of(name) == names && is_plain(name))?;
    if target.status(&name).is_ok_and(|status| origin.looks_like(&status)) {
        return None;
    }
    let part = target.status(&names.part).ok().filter(|part| part.kind == EntryKind::File)?;
    match source.status(&name) {
        Ok(status) => {
            let now = (status.kind == EntryKind::File).then(|| Origin::new(&name, &status, UNIT));
            now.filter(|now| *now == origin)?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        // It may be there, and only not be seen now: how long its record may be is not known either.
        Err(_) => return Some(origin),
    }
    file.rewind().ok()?;
    let record = Record::read(&file, &origin).ok()??;
    (part.size >= record.durable() && !record.units.is_empty()).then_some(origin)
}

/// Whether a name is a single component.
fn is_plain(name: &OsStr) -> bool {
    let mut components = Path::new(name).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(only)), None) if only == name)
}
