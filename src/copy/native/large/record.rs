//! What is known to be durable of a copy that can be gone on with: a text beside it. Pure but for reading and writing
//! it.
//!
//! The first line says which state of which source the copy is made of; each further one holds the hash of the copy's
//! next unit, and was written only after that unit was on the disk. Each line ends with a check over itself and all before
//! it, so a line that was changed, lost or put in is known. A last line without its end is what a power cut left of one
//! that was being written: it counts for nothing. Anything else that does not fit makes the whole record worth nothing.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::time::{Duration, SystemTime};

use blake3::Hash;
use serde::{Deserialize, Serialize};

use crate::sys::tree::{self, Status, content};

/// The form of the record; another one is not gone on with.
const VERSION: u32 = 1;
/// No first line is longer: a name takes two digits a byte (255 letters, on some systems of three bytes each), and
/// numbers are of 64 bits.
const LONGEST_ORIGIN: u64 = 4096;
/// A unit's line: two hashes in digits, the second one cut, a space and the end.
const UNIT_LINE: u64 = 64 + 1 + CHECK as u64 + 1;
/// Digits of the check at the end of a line.
const CHECK: usize = 32;

/// Which state of which source a copy is made of, and in what units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    version: u32,
    /// The bytes of the final name, in hexadecimal digits.
    name: String,
    pub(super) size: u64,
    modified: (i64, u32),
    /// When the source's content or attributes were last changed, where the system tells: this cannot be set back.
    changed: Option<(i64, u32)>,
    unit: u64,
}

impl Origin {
    pub(super) fn new(name: &OsStr, source: &Status, unit: u64) -> Self {
        Self {
            version: VERSION,
            name: name.as_encoded_bytes().iter().map(|byte| format!("{byte:02x}")).collect(),
            size: source.size,
            modified: stamp(source.modified),
            changed: source.changed.map(stamp),
            unit,
        }
    }

    /// The final name.
    pub(super) fn name(&self) -> Option<OsString> {
        let digits = self.name.as_bytes();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes = digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>()?;
        Some(tree::name_from_bytes(bytes))
    }

    /// Whether a status has this size and modification time, whatever its file is.
    pub(super) fn looks_like(&self, status: &Status) -> bool {
        self.size == status.size && self.modified == stamp(status.modified)
    }
}

/// A record as it was found, or as it grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) origin: Origin,
    /// Of the copy's first units, which are durable.
    pub(super) units: Vec<Hash>,
    /// The check at the end of the last line.
    check: Hash,
    /// The bytes of its lines.
    length: u64,
}

impl Record {
    /// A record of nothing yet, and its text.
    pub(super) fn begin(origin: Origin) -> io::Result<(Self, String)> {
        let mut record = Self { origin, units: Vec::new(), check: blake3::hash(b""), length: 0 };
        let text = record.line(&serde_json::to_string(&record.origin)?);
        Ok((record, text))
    }

    /// Adds units; what is to be written behind the rest.
    pub(super) fn add(&mut self, units: &[Hash]) -> String {
        self.units.extend_from_slice(units);
        units.iter().map(|unit| self.line(&unit.to_hex())).collect()
    }

    /// Reads a record; `None` if it is not to be trusted.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut record: Option<Self> = None;
        let mut rest = text;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = std::str::from_utf8(&rest[..end]).ok()?;
            rest = &rest[end + 1..];
            let (body, _) = line.rsplit_once(' ')?;
            let written = match &mut record {
                None => {
                    let (begun, written) = Self::begin(serde_json::from_str(body).ok()?).ok()?;
                    record = Some(begun);
                    written
                }
                Some(record) => record.add(&[Hash::from_hex(body).ok()?]),
            };
            if written.strip_suffix('\n') != Some(line) {
                return None;
            }
        }
        record.filter(|record| {
            let Origin { version, unit, size, .. } = record.origin;
            version == VERSION && unit > 0 && record.units.len() as u64 <= size.div_ceil(unit)
        })
    }

    /// What a record is of, by its first line alone; `None` where that is not to be trusted.
    pub(super) fn origin_of(file: impl Read) -> io::Result<Option<Origin>> {
        let mut text = Vec::new();
        BufReader::new(file.take(LONGEST_ORIGIN)).read_until(b'\n', &mut text)?;
        Ok(Self::parse(&text).map(|record| record.origin))
    }

    /// Reads the record of an origin from a file; an error where it cannot be read, `None` where it is that of another
    /// one or not to be trusted. No more is read than such a record can hold, whatever is in its place.
    pub(super) fn read(file: impl Read, origin: &Origin) -> io::Result<Option<Self>> {
        let units = origin.size.div_ceil(origin.unit.max(1));
        let longest = units.saturating_mul(UNIT_LINE).saturating_add(LONGEST_ORIGIN);
        let mut text = Vec::new();
        file.take(longest).read_to_end(&mut text)?;
        Ok(Self::parse(&text).filter(|record| record.origin == *origin))
    }

    /// Writes a text that [`Record::begin`] or [`Record::add`] gave, in its place, and brings it to the disk.
    pub(super) fn write(&self, file: &File, text: &str) -> io::Result<()> {
        content::write_at(file, text.as_bytes(), self.length - text.len() as u64)?;
        file.sync_data()
    }

    /// Cuts off what does not belong to it.
    pub(super) fn trim(&self, file: &File) -> io::Result<()> {
        file.set_len(self.length)
    }

    /// The bytes of the copy that are durable.
    pub(super) fn durable(&self) -> u64 {
        (self.units.len() as u64 * self.origin.unit).min(self.origin.size)
    }

    fn line(&mut self, body: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.check.as_bytes()).update(body.as_bytes());
        self.check = hasher.finalize();
        let line = format!("{body} {}\n", &self.check.to_hex()[..CHECK]);
        self.length += line.len() as u64;
        line
    }
}

/// Seconds and nanoseconds since 1970; what lies before counts backwards.
fn stamp(time: SystemTime) -> (i64, u32) {
    let parts = |duration: Duration| (duration.as_secs() as i64, duration.subsec_nanos());
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => parts(after),
        Err(before) => {
            let (seconds, nanoseconds) = parts(before.duration());
            (-seconds - 1, nanoseconds)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin {
            version: VERSION,
            name: "61".into(),
            size: 35,
            modified: (7, 8),
            changed: Some((9, 10)),
            unit: 10,
        }
    }

    fn written() -> (Record, String) {
        let (mut record, mut text) = Record::begin(origin()).unwrap();
        text += &record.add(&[blake3::hash(b"one"), blake3::hash(b"two")]);
        text += &record.add(&[blake3::hash(b"three")]);
        (record, text)
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let (record, text) = written();
        assert_eq!(Record::parse(text.as_bytes()), Some(record.clone()));
        assert_eq!((record.durable(), record.length), (30, text.len() as u64));
    }

    #[test]
    fn no_more_is_read_than_a_record_of_the_source_can_hold() {
        let (mut record, mut text) = written();
        text += &record.add(&[blake3::hash(b"four")]);
        assert_eq!(Record::read(text.as_bytes(), &origin()).unwrap(), Some(record));
        assert_eq!(Record::origin_of(text.as_bytes()).unwrap(), Some(origin()));
        let mut endless = io::repeat(b'x').take(1 << 40);
        assert_eq!(Record::read(&mut endless, &origin()).unwrap(), None);
        assert_eq!(Record::origin_of(&mut endless).unwrap(), None);
        assert!((1 << 40) - endless.limit() <= 64 * 1024, "{} are left", endless.limit());
    }

    #[test]
    fn the_first_line_of_a_record_says_nothing_of_a_source_of_another_size() {
        let (_, text) = written();
        let other = Origin { size: 36, ..origin() };
        assert_eq!(Record::read(text.as_bytes(), &other).unwrap(), None);
    }

    #[test]
    fn the_longest_name_of_a_file_fits_into_the_first_line() {
        let origin = Origin {
            name: "ff".repeat(3 * 255),
            size: u64::MAX,
            modified: (i64::MIN, u32::MAX),
            changed: Some((i64::MIN, u32::MAX)),
            unit: u64::MAX,
            ..origin()
        };
        let (_, text) = Record::begin(origin.clone()).unwrap();
        assert_eq!(Record::origin_of(text.as_bytes()).unwrap(), Some(origin));
    }

    #[test]
    fn a_record_cut_anywhere_promises_only_what_its_whole_lines_say() {
        let (record, text) = written();
        for length in 0..text.len() {
            let lines = text[..length].matches('\n').count();
            let found = Record::parse(&text.as_bytes()[..length]);
            assert_eq!(found.as_ref().map(|found| found.units.len() + 1).unwrap_or(0), lines, "{length}");
            if let Some(found) = found {
                assert_eq!(found.units, record.units[..found.units.len()]);
            }
        }
    }

    #[test]
    fn a_changed_byte_in_a_whole_line_makes_the_record_worth_nothing() {
        let (_, text) = written();
        for place in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[place] ^= 1;
            let found = Record::parse(&bytes);
            // A last line without its end counts for nothing, and no more than that.
            let torn = place + 1 == text.len();
            assert_eq!(found.map(|found| found.units.len()), torn.then_some(2), "{place}");
        }
    }

    #[test]
    fn lines_that_were_left_out_or_changed_places_are_known() {
        let (_, text) = written();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for order in [vec![0, 2], vec![0, 2, 1, 3], vec![0, 1, 1], vec![1, 2], vec![0, 0]] {
            let text: String = order.iter().map(|line| lines[*line]).collect();
            assert_eq!(Record::parse(text.as_bytes()), None, "{order:?}");
        }
    }

    #[test]
    fn more_units_than_the_source_has_are_not_believed() {
        let (mut record, mut text) = written();
        text += &record.add(&[blake3::hash(b"four")]);
        assert!(Record::parse(text.as_bytes()).is_some());
        text += &record.add(&[blake3::hash(b"five")]);
        assert_eq!(Record::parse(text.as_bytes()), None);
    }
}
