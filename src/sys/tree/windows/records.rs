//! What Windows and its servers answer, read byte by byte: listings, times, kinds. Pure; no answer is trusted.
//!
//! A record that lies about its lengths, and a name that is no single component, is an error: a server could else lead a
//! pass to other records or to other folders than the listed one.

use std::io;
use std::time::{Duration, SystemTime};

use crate::copy::EntryKind;
use crate::sys::tree::{FileIdentity, Owner, Permissions, Presence, Status};

pub(super) const DIRECTORY: u32 = 0x10;
const DEVICE: u32 = 0x40;
pub(super) const REPARSE_POINT: u32 = 0x400;

/// The bit of a tag whose reparse point stands for another name: symbolic links, junctions and their like.
const NAME_SURROGATE: u32 = 0x2000_0000;
/// What stands for a folder of another share.
const DISTRIBUTED: u32 = 0x8000_000A;
/// Sockets, pipes and devices of the Linux subsystem, and names of programs from the store: there is nothing to read.
const SPECIAL_TAGS: [u32; 5] = [0x8000_0023, 0x8000_0024, 0x8000_0025, 0x8000_0026, 0x8000_001B];

/// How far the clock of Windows, which begins with 1601, is ahead of the Unix one; in 100 ns.
const EPOCH: i64 = 116_444_736_000_000_000;
const TICKS: u64 = 10_000_000;

/// Which record a listing is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `FILE_ID_BOTH_DIR_INFORMATION`.
    WithNumber,
    /// `FILE_BOTH_DIR_INFORMATION`.
    WithoutNumber,
}

impl Form {
    fn name_at(self) -> usize {
        match self {
            Self::WithNumber => 104,
            Self::WithoutNumber => 94,
        }
    }
}

/// One record of a listing, without its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) modified: i64,
    pub(super) changed: i64,
    pub(super) size: u64,
    pub(super) allocated: u64,
    pub(super) marks: u32,
    pub(super) tag: u32,
    /// 0 where it is not told.
    pub(super) number: u64,
}

/// Tells of each record in what one call filled of its buffer, without `.` and `..`.
pub(super) fn each_record(
    filled: &[u8],
    form: Form,
    each: &mut dyn FnMut(&[u16], Record) -> io::Result<()>,
) -> io::Result<()> {
    let mut rest = filled;
    let mut name = Vec::new();
    loop {
        let head = rest.get(..form.name_at()).ok_or_else(torn)?;
        let length = u32_at(head, 60) as usize;
        let letters = rest.get(head.len()..).and_then(|letters| letters.get(..length)).ok_or_else(torn)?;
        if !length.is_multiple_of(2) {
            return Err(torn());
        }
        name.clear();
        name.extend(letters.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])));
        if !is_dots(&name) {
            if !is_component(&name) {
                return Err(refused(&name));
            }
            each(&name, record(head, form))?;
        }
        match u32_at(head, 0) as usize {
            0 => return Ok(()),
            // A record cannot begin within the one before.
            next if next < head.len() + length => return Err(torn()),
            next => rest = rest.get(next..).ok_or_else(torn)?,
        }
    }
}

fn record(head: &[u8], form: Form) -> Record {
    let marks = u32_at(head, 56);
    Record {
        modified: i64_at(head, 24),
        changed: i64_at(head, 32),
        size: length_at(head, 40),
        allocated: length_at(head, 48),
        marks,
        // Of anything else it is the size of the extended attributes.
        tag: if marks & REPARSE_POINT != 0 { u32_at(head, 64) } else { 0 },
        number: match form {
            Form::WithNumber => i64_at(head, 96).cast_unsigned(),
            Form::WithoutNumber => 0,
        },
    }
}

impl Record {
    /// Of what nothing is known but its attributes.
    pub(super) fn of_marks(marks: u32) -> Self {
        Self { modified: 0, changed: 0, size: 0, allocated: 0, marks, tag: 0, number: 0 }
    }

    /// What a pass would see of the entry on this volume.
    pub(super) fn status(&self, volume: Option<u64>) -> Status {
        let kind = kind(self.marks, self.tag);
        Status {
            kind,
            size: if kind == EntryKind::File { self.size } else { 0 },
            modified: moment(self.modified),
            changed: (self.changed > 0).then(|| moment(self.changed)),
            permissions: Permissions::from_marks(self.marks),
            presence: Presence::Named,
            identity: identity(volume, self.number),
            names: 1,
            allocated: self.allocated,
            owner: Owner::default(),
        }
    }
}

/// The identity of a number on a volume; there is none where a file system has no numbers: it says 0, or all ones.
pub(super) fn identity(volume: Option<u64>, number: u64) -> Option<FileIdentity> {
    let device = volume.filter(|_| !matches!(number, 0 | u64::MAX))?;
    Some(FileIdentity { device, number })
}

pub(super) fn kind(marks: u32, tag: u32) -> EntryKind {
    let reparse_point = marks & REPARSE_POINT != 0;
    if reparse_point && is_link(tag) {
        EntryKind::Link
    } else if marks & DEVICE != 0 || reparse_point && SPECIAL_TAGS.contains(&tag) {
        EntryKind::Special
    } else if marks & DIRECTORY != 0 {
        EntryKind::Directory
    } else {
        EntryKind::File
    }
}

pub(super) fn is_link(tag: u32) -> bool {
    tag & NAME_SURROGATE != 0 || tag == DISTRIBUTED
}

/// A time as Windows counts it. Zero and what is negative is "not known" and cannot be set either: the first time that
/// can be set stands for it, so that a copy can have the time of such a file.
pub(super) fn moment(ticks: i64) -> SystemTime {
    let apart = ticks.max(1) - EPOCH;
    let (whole, part) = (apart.unsigned_abs() / TICKS, apart.unsigned_abs() % TICKS);
    let apart_for = Duration::new(whole, part as u32 * 100);
    let moment = match apart {
        0.. => SystemTime::UNIX_EPOCH.checked_add(apart_for),
        _ => SystemTime::UNIX_EPOCH.checked_sub(apart_for),
    };
    // The system's own type holds all of them.
    moment.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The same the other way; an error where Windows has no such time.
pub(super) fn ticks(moment: SystemTime) -> io::Result<i64> {
    let count = |apart: Duration| {
        let whole = i64::try_from(apart.as_secs().checked_mul(TICKS)?).ok()?;
        whole.checked_add(i64::from(apart.subsec_nanos() / 100))
    };
    let ticks = match moment.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => count(after).and_then(|apart| EPOCH.checked_add(apart)),
        Err(before) => count(before.duration()).and_then(|apart| EPOCH.checked_sub(apart)),
    };
    ticks
        .filter(|ticks| *ticks > 0)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "Windows has no such time"))
}

/// Whether a name is a single one that can be asked for relative to a directory: `a:b` would be a stream of `a`, and
/// `..` of some file systems the folder above.
pub(super) fn is_plain(name: &[u16]) -> bool {
    is_component(name) && !is_dots(name) && !name.contains(&u16::from(b':'))
}

fn is_component(name: &[u16]) -> bool {
    !name.is_empty() && !name.iter().any(|unit| matches!(*unit, 0 | 0x2f | 0x5c))
}

fn is_dots(name: &[u16]) -> bool {
    matches!(name, [0x2e] | [0x2e, 0x2e])
}

fn torn() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the listing is broken: a record in it is longer than it")
}

fn refused(name: &[u16]) -> io::Error {
    let name = String::from_utf16_lossy(name);
    io::Error::new(io::ErrorKind::InvalidData, format!("the listing holds {name:?}, which is no name"))
}

pub(super) fn u32_at(bytes: &[u8], place: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[place..place + 4]);
    u32::from_le_bytes(word)
}

pub(super) fn i64_at(bytes: &[u8], place: usize) -> i64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[place..place + 8]);
    i64::from_le_bytes(word)
}

/// A length, which is never negative.
pub(super) fn length_at(bytes: &[u8], place: usize) -> u64 {
    u64::try_from(i64_at(bytes, place)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [Form; 2] = [Form::WithNumber, Form::WithoutNumber];

    /// A record as a server makes it, without what leads to the next one.
    fn made(form: Form, name: &[u16]) -> Vec<u8> {
        let mut bytes = vec![0xaa; form.name_at()];
        bytes[0..4].fill(0);
        bytes[24..32].copy_from_slice(&(EPOCH + 15).to_le_bytes());
        bytes[32..40].copy_from_slice(&(EPOCH - 15).to_le_bytes());
        bytes[40..48].copy_from_slice(&5_i64.to_le_bytes());
        bytes[48..56].copy_from_slice(&4096_i64.to_le_bytes());
        bytes[56..60].copy_from_slice(&0x21_u32.to_le_bytes());
        bytes[60..64].copy_from_slice(&(name.len() as u32 * 2).to_le_bytes());
        bytes[64..68].copy_from_slice(&77_u32.to_le_bytes());
        if form == Form::WithNumber {
            bytes[96..104].copy_from_slice(&42_u64.to_le_bytes());
        }
        bytes.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
        bytes
    }

    /// Records behind one another, each at a multiple of this many bytes.
    fn joined(records: &[Vec<u8>], grain: usize) -> Vec<u8> {
        let mut all = Vec::new();
        for (index, record) in records.iter().enumerate() {
            let start = all.len();
            all.extend(record);
            if index + 1 < records.len() {
                all.resize(start + record.len().next_multiple_of(grain), 0xee);
                let next = (all.len() - start) as u32;
                all[start..start + 4].copy_from_slice(&next.to_le_bytes());
            }
        }
        all
    }

    fn wide(name: &str) -> Vec<u16> {
        name.encode_utf16().collect()
    }

    fn names(bytes: &[u8], form: Form) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        each_record(bytes, form, &mut |name, _| {
            names.push(String::from_utf16_lossy(name));
            Ok(())
        })?;
        Ok(names)
    }

    #[test]
    fn all_records_are_told_of_wherever_they_lie_but_for_the_dots() {
        for form in FORMS {
            for grain in [1, 4, 8] {
                let records = [".", "..", "ä", "a name. ", "c:d", "..."].map(|name| made(form, &wide(name)));
                let found = names(&joined(&records, grain), form).unwrap();
                assert_eq!(found, ["ä", "a name. ", "c:d", "..."], "{form:?}, {grain}");
            }
        }
    }

    #[test]
    fn a_record_tells_of_all_that_a_pass_wants_to_know() {
        for form in FORMS {
            each_record(&made(form, &wide("a")), form, &mut |_, record| {
                let status = record.status(Some(9));
                assert_eq!((status.kind, status.size, status.allocated), (EntryKind::File, 5, 4096));
                assert_eq!(status.modified, SystemTime::UNIX_EPOCH + Duration::from_nanos(1500));
                assert_eq!(status.changed, Some(SystemTime::UNIX_EPOCH - Duration::from_nanos(1500)));
                let number = (form == Form::WithNumber).then_some(FileIdentity { device: 9, number: 42 });
                assert_eq!((status.identity, record.tag), (number, 0));
                assert_eq!(record.status(None).identity, None);
                Ok(())
            })
            .unwrap();
        }
    }

    #[test]
    fn a_name_that_is_no_single_one_is_an_error() {
        for form in FORMS {
            for name in ["", "a\\b", "..\\a", "a/b", "/", "a\0"] {
                let records = [wide("before"), wide(name)].map(|name| made(form, &name));
                assert!(names(&joined(&records, 8), form).is_err(), "{name:?}");
            }
            // Half of a pair of surrogates is a name that Windows has.
            assert!(names(&made(form, &[0xd800]), form).is_ok());
        }
    }

    #[test]
    fn a_record_that_lies_about_its_lengths_is_an_error() {
        for form in FORMS {
            let whole = joined(&[made(form, &wide("ab")), made(form, &wide("cd"))], 8);
            assert_eq!(names(&whole, form).unwrap(), ["ab", "cd"]);
            for length in 0..whole.len() {
                assert!(names(&whole[..length], form).is_err(), "cut off after {length}");
            }
            let lying = |place: usize, word: u32| {
                let mut lying = whole.clone();
                lying[place..place + 4].copy_from_slice(&word.to_le_bytes());
                names(&lying, form)
            };
            for next in [1, 8, form.name_at() as u32, form.name_at() as u32 + 3, 1 << 20, u32::MAX] {
                assert!(lying(0, next).is_err(), "the next one at {next}");
            }
            for length in [1, 3, 1 << 16, u32::MAX - 1, u32::MAX] {
                assert!(lying(60, length).is_err(), "a name of {length} bytes");
            }
        }
    }

    #[test]
    fn what_stands_for_another_name_is_a_link_and_what_a_filter_fills_in_is_not() {
        // Symbolic links, junctions, links of the Linux subsystem, of global and of distributed name spaces.
        for tag in [0xA000_000C, 0xA000_0003, 0xA000_001D, 0xA000_0019, 0x8000_000A] {
            assert_eq!(kind(REPARSE_POINT, tag), EntryKind::Link);
            assert_eq!(kind(REPARSE_POINT | DIRECTORY, tag), EntryKind::Link);
            assert_eq!(kind(0, tag), EntryKind::File, "without the mark the tag is none");
        }
        // Deduplicated, compressed by WOF, in a cloud, moved to tape.
        for tag in [0x8000_0013, 0x8000_0017, 0x9000_701A, 0xC000_0004] {
            assert_eq!(kind(REPARSE_POINT, tag), EntryKind::File);
            assert_eq!(kind(REPARSE_POINT | DIRECTORY, tag), EntryKind::Directory);
        }
        assert_eq!(kind(REPARSE_POINT, 0x8000_0023), EntryKind::Special);
        assert_eq!(kind(DEVICE, 0), EntryKind::Special);
    }

    #[test]
    fn times_go_both_ways_from_the_first_to_the_last_that_can_be_set() {
        for count in [1, 2, EPOCH - 1, EPOCH, EPOCH + 1, EPOCH - 123_456_789_012_345, i64::MAX] {
            assert_eq!(ticks(moment(count)).unwrap(), count);
        }
        assert_eq!(moment(EPOCH), SystemTime::UNIX_EPOCH);
        for unknown in [0, -1, i64::MIN] {
            assert_eq!(moment(unknown), moment(1));
        }
        let before = moment(1) - Duration::from_nanos(100);
        assert!(ticks(before).is_err());
    }

    #[test]
    fn only_a_plain_name_is_asked_for() {
        for name in ["a", "a.b ", "...", "ä", "a~1"] {
            assert!(is_plain(&wide(name)), "{name}");
        }
        for name in ["", ".", "..", "a:b", ":", "a\\b", "a/b", "\0"] {
            assert!(!is_plain(&wide(name)), "{name}");
        }
    }
}
