//! Looking at open objects. Answers are read as numbers: what a server calls a truth value may be any byte.

use std::fs::File;
use std::io;

use windows_sys::Wdk::Storage::FileSystem::{
    FileAttributeTagInformation, FileBasicInformation, FileFsDeviceInformation, FileFsVolumeInformation,
    FileIdInformation, FileInternalInformation, FileStandardInformation,
};
use windows_sys::Wdk::System::SystemServices::FILE_REMOTE_DEVICE;

use super::calls::{Answer, Refusal, ask, ask_volume};
use super::records::{REPARSE_POINT, i64_at, identity, kind, length_at, moment, u32_at};
use crate::copy::EntryKind;
use crate::sys::tree::{FileIdentity, Listings, Owner, Permissions, Presence, Status};

/// The attributes of an open object, and the tag of its reparse point, if it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) marks: u32,
    pub(super) tag: u32,
}

impl Marks {
    pub(super) fn of(file: &File) -> Result<Self, Refusal> {
        let basic = ask::<40>(file, FileBasicInformation)?.0;
        Self::with_tag(u32_at(&basic, 32), || tag_of(file))
    }

    /// FAT has no reparse points and does not know the question for a tag: it is put of a reparse point alone, whose kind
    /// is not known without.
    fn with_tag(marks: u32, tag: impl FnOnce() -> Result<u32, Refusal>) -> Result<Self, Refusal> {
        let tag = if marks & REPARSE_POINT == 0 { 0 } else { tag()? };
        Ok(Self { marks, tag })
    }

    pub(super) fn kind(self) -> EntryKind {
        kind(self.marks, self.tag)
    }

    pub(super) fn is_reparse_point(self) -> bool {
        self.marks & REPARSE_POINT != 0
    }
}

fn tag_of(file: &File) -> Result<u32, Refusal> {
    ask::<8>(file, FileAttributeTagInformation).map(|answer| u32_at(&answer.0, 4))
}

/// The serial number of the volume; `None` where it is not told.
pub(super) fn volume_of(file: &File) -> Option<u64> {
    // Behind these comes the volume's label.
    let answer = ask_volume::<600>(file, FileFsVolumeInformation).ok()?;
    Some(u64::from(u32_at(&answer.0, 8)))
}

/// Whether this machine may answer listings of the volume from what it has kept. A volume that says nothing of itself is
/// taken for another machine's.
pub(super) fn listings_of(file: &File) -> Listings {
    match ask_volume::<8>(file, FileFsDeviceInformation) {
        Ok(answer) if u32_at(&answer.0, 4) & FILE_REMOTE_DEVICE == 0 => Listings::Fresh,
        Ok(_) | Err(_) => Listings::MayBeOld,
    }
}

/// The file's number on its volume.
fn number_of(file: &File) -> Result<u64, Refusal> {
    ask::<8>(file, FileInternalInformation).map(|answer| i64_at(&answer.0, 0).cast_unsigned())
}

/// A volume, and a file's number on it.
type Exact = (u64, u128);

/// Whether two open objects are one. What the volume does not tell apart by a number is never one.
pub(super) fn are_one(one: &File, other: &File) -> bool {
    same(exact(one), exact(other))
}

pub(super) fn same(one: Option<Exact>, other: Option<Exact>) -> bool {
    one.is_some() && one == other
}

/// Which file it is by the longest number that the volume has: on ReFS not all files have one of 64 bits.
pub(super) fn exact(file: &File) -> Option<Exact> {
    if let Ok(Answer(answer)) = ask::<24>(file, FileIdInformation) {
        let (low, high) = (i64_at(&answer, 8).cast_unsigned(), i64_at(&answer, 16).cast_unsigned());
        let number = u128::from(high) << 64 | u128::from(low);
        if !matches!(number, 0 | u128::MAX) {
            return Some((i64_at(&answer, 0).cast_unsigned(), number));
        }
    }
    identity_of(file).map(|identity| (identity.device, identity.number.into()))
}

/// How many names a file has.
pub(super) fn names_of(file: &File) -> Result<u32, Refusal> {
    ask::<24>(file, FileStandardInformation).map(|answer| u32_at(&answer.0, 16))
}

/// Which file it is; `None` where the volume does not tell.
pub(super) fn identity_of(file: &File) -> Option<FileIdentity> {
    identity(volume_of(file), number_of(file).ok()?)
}

/// What a pass wants to know of an open object on this volume.
pub(super) fn status_of(file: &File, volume: Option<u64>) -> io::Result<Status> {
    counted(file, volume).map(|(status, _)| status)
}

/// The same, and how many names the volume says that it has: there are volumes whose directories have no such count.
pub(super) fn counted(file: &File, volume: Option<u64>) -> io::Result<(Status, u32)> {
    let basic = ask::<40>(file, FileBasicInformation)?.0;
    let standard = ask::<24>(file, FileStandardInformation)?.0;
    let marks = Marks::with_tag(u32_at(&basic, 32), || tag_of(file))?;
    let kind = marks.kind();
    // A volume without such numbers is no reason not to see the file.
    let number = number_of(file).unwrap_or(0);
    let (names, pending) = (u32_at(&standard, 16), standard[20]);
    let changed = i64_at(&basic, 24);
    let gone = pending != 0 || names == 0 && kind != EntryKind::Directory;
    let status = Status {
        kind,
        size: if kind == EntryKind::File { length_at(&standard, 8) } else { 0 },
        modified: moment(i64_at(&basic, 16)),
        changed: (changed > 0).then(|| moment(changed)),
        permissions: Permissions::from_marks(marks.marks),
        presence: if gone { Presence::Removed } else { Presence::Named },
        identity: identity(volume, number),
        names: u64::from(names.max(1)),
        allocated: length_at(&standard, 0),
        owner: Owner::default(),
    };
    Ok((status, names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::tree::windows::records::DIRECTORY;

    #[test]
    fn files_without_a_number_are_not_the_same() {
        assert!(same(Some((1, 2)), Some((1, 2))));
        assert!(!same(Some((1, 2)), Some((2, 2))));
        assert!(!same(None, None));
    }

    #[test]
    fn only_a_reparse_point_is_asked_for_its_tag() {
        let unknown = || Err(Refusal::ABSENT);
        assert_eq!(Marks::with_tag(DIRECTORY, unknown), Ok(Marks { marks: DIRECTORY, tag: 0 }));
        assert_eq!(Marks::with_tag(REPARSE_POINT, unknown), Err(Refusal::ABSENT));
        let link = Marks::with_tag(REPARSE_POINT, || Ok(0xA000_000C)).unwrap();
        assert_eq!(link.kind(), EntryKind::Link);
    }
}
