//! Lines of a state file: how a record becomes one, and how the bytes of a file become records or a [`Damage`].
//!
//! Pure. The bytes of an undamaged file give all its records; a file cut at any byte gives the records before the
//! cut; any other change of a byte is a [`Damage`] and never other records. What cannot be told is that whole lines
//! are missing at the end: such a file is the file of an earlier moment.
//!
//! A line is a record's JSON object with `"chain":"<64 hexadecimal digits>"` as its last member. The chain is the
//! BLAKE3 hash of the chain of the line before and of the line's bytes up to the comma before `"chain"`. This rule is
//! the same in every version of the format: `format` in the first record is believed only when its chain is right.

use serde::Deserialize;

use super::record::{Body, FORMAT, Record};

/// The chain after a line; of the line before the first one it is [`Chain::start`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain([u8; 32]);

impl Chain {
    /// What the first line is chained to.
    pub fn start() -> Self {
        Self(*blake3::hash(b"movebook state file").as_bytes())
    }

    fn next(self, text: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0).update(text);
        Self(*hasher.finalize().as_bytes())
    }

    fn hex(self) -> blake3::Hash {
        blake3::Hash::from_bytes(self.0)
    }
}

const MEMBER: &[u8] = br#","chain":""#;
const DIGITS: usize = 64;
const END: &[u8] = br#""}"#;

/// The bytes of a record's line, with its newline, and the chain after it.
///
/// The record is returned as reading the line gives it. A record that could not be read back (a number that is no
/// number, values nested too deep) is an error, so that it is never written.
pub fn encode(record: &Record, before: Chain) -> Result<(Vec<u8>, Record, Chain), serde_json::Error> {
    let mut line = serde_json::to_vec(record)?;
    let read_back = serde_json::from_slice(&line)?;
    line.pop();
    let chain = before.next(&line);
    line.extend_from_slice(MEMBER);
    line.extend_from_slice(chain.hex().to_hex().as_bytes());
    line.extend_from_slice(END);
    line.push(b'\n');
    Ok((line, read_back, chain))
}

/// What a file's bytes hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    pub records: Vec<Record>,
    /// The chain after the last record.
    pub chain: Chain,
    pub tail: Tail,
}

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// With the last record's newline.
    Clean,
    /// With a whole record whose newline is missing; it ends before the given byte, and only zeros follow.
    Unterminated(usize),
    /// With a piece of a record that was being written, from the given byte on.
    Torn(usize),
}

/// Something in a file that no interrupted write can explain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct Damage {
    /// From 1.
    pub line: usize,
    pub fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("this is not a movebook state file")]
    NotAStateFile,
    #[error("the line does not end with its chain")]
    NoChain,
    #[error("the line was changed after it was written, or a line before it is missing")]
    ChainBroken,
    #[error("something follows the last record on its line")]
    Trailing,
    #[error("record {found} stands where record {expected} should")]
    Sequence { found: u64, expected: u64 },
    #[error("the file does not begin with the start of a run")]
    NoStart,
    #[error("a second run begins in the same file")]
    SecondStart,
    /// Not damage: the file is whole, and this program is too old for it.
    #[error("the state file has format {found}, and this movebook knows formats up to {FORMAT}")]
    NewerFormat { found: u32 },
    /// Not damage either: the line is as it was written.
    #[error("the record is of a kind that this movebook does not know ({0})")]
    UnknownRecord(String),
    #[error("the records contradict each other: {0}")]
    Contradiction(String),
}

impl Fault {
    /// Whether another version of the program would read the file.
    pub fn is_newer(&self) -> bool {
        matches!(self, Self::NewerFormat { .. } | Self::UnknownRecord(_))
    }
}

/// Reads all records. The chains of all lines are proven before the first record is looked at.
pub fn parse(bytes: &[u8]) -> Result<Parsed, Damage> {
    let Proven { lines, chain, tail } = prove(bytes)?;
    let records = lines
        .iter()
        .enumerate()
        .map(|(index, line)| decode(line, index).map_err(|fault| Damage { line: index + 1, fault }));
    Ok(Parsed { records: records.collect::<Result<_, _>>()?, chain, tail })
}

/// Lines whose chains are right, without their newlines.
struct Proven<'a> {
    lines: Vec<&'a [u8]>,
    chain: Chain,
    tail: Tail,
}

fn prove(bytes: &[u8]) -> Result<Proven<'_>, Damage> {
    let mut proven = Proven { lines: Vec::new(), chain: Chain::start(), tail: Tail::Clean };
    let mut at = 0;
    while let Some(length) = bytes[at..].iter().position(|&byte| byte == b'\n') {
        let line = &bytes[at..at + length];
        proven.chain = prove_line(line, proven.chain, proven.lines.len())
            .map_err(|fault| Damage { line: proven.lines.len() + 1, fault })?;
        proven.lines.push(line);
        at += length + 1;
    }
    if at < bytes.len() {
        prove_tail(bytes, at, &mut proven).map_err(|fault| Damage { line: proven.lines.len() + 1, fault })?;
    }
    Ok(proven)
}

fn prove_line(line: &[u8], before: Chain, index: usize) -> Result<Chain, Fault> {
    let Some((text, digits)) = split_chain(line) else {
        let ours = index > 0 || line.starts_with(br#"{"seq":"#);
        return Err(if ours { Fault::NoChain } else { Fault::NotAStateFile });
    };
    let chain = before.next(text);
    if chain.hex().to_hex().as_bytes() == digits { Ok(chain) } else { Err(Fault::ChainBroken) }
}

/// Judges what follows the last newline: a whole record, a piece of one, or damage.
fn prove_tail<'a>(bytes: &'a [u8], at: usize, proven: &mut Proven<'a>) -> Result<(), Fault> {
    let tail = &bytes[at..];
    if let Some((end, chain)) = whole_record(tail, proven.chain) {
        // After a power cut a file can have its new length without its new bytes: those are zeros.
        if tail[end..].iter().any(|&byte| byte != 0) {
            return Err(Fault::Trailing);
        }
        proven.lines.push(&tail[..end]);
        proven.chain = chain;
        proven.tail = Tail::Unterminated(at + end);
        return Ok(());
    }
    // With nothing before it the piece must at least look like ours, or somebody's own file would be cut.
    if proven.lines.is_empty() && !is_piece_of_first_line(tail) {
        return Err(Fault::NotAStateFile);
    }
    proven.tail = Tail::Torn(at);
    Ok(())
}

/// Where a record with the right chain ends in `tail`, if one does. `"chain"` may also occur within a record's own
/// values, so that every occurrence is tried.
fn whole_record(tail: &[u8], before: Chain) -> Option<(usize, Chain)> {
    (0..tail.len().saturating_sub(MEMBER.len() + DIGITS + END.len() - 1)).find_map(|at| {
        if !tail[at..].starts_with(MEMBER) {
            return None;
        }
        let end = at + MEMBER.len() + DIGITS + END.len();
        let (text, digits) = split_chain(&tail[..end])?;
        let chain = before.next(text);
        (chain.hex().to_hex().as_bytes() == digits).then_some((end, chain))
    })
}

fn is_piece_of_first_line(tail: &[u8]) -> bool {
    const BEGINNING: &[u8] = br#"{"seq":0,"at":""#;
    let written = tail.iter().position(|&byte| byte == 0).unwrap_or(tail.len());
    let compared = written.min(BEGINNING.len());
    let rest_is_zero = written >= BEGINNING.len() || tail[written..].iter().all(|&byte| byte == 0);
    tail[..compared] == BEGINNING[..compared] && rest_is_zero
}

/// The line's bytes before `,"chain"`, and the digits of its chain.
fn split_chain(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.strip_suffix(END)?;
    let (rest, digits) = line.split_at_checked(line.len().checked_sub(DIGITS)?)?;
    Some((rest.strip_suffix(MEMBER)?, digits))
}

/// Reads the record of a line whose chain is right.
fn decode(line: &[u8], index: usize) -> Result<Record, Fault> {
    /// What every version of the first record has.
    #[derive(Deserialize)]
    struct Start {
        format: u32,
    }
    // The format is looked at first: a newer one may have a first record that cannot be read otherwise.
    if index == 0
        && let Ok(Start { format }) = serde_json::from_slice(line)
        && format > FORMAT
    {
        return Err(Fault::NewerFormat { found: format });
    }
    let record: Record =
        serde_json::from_slice(line).map_err(|error| Fault::UnknownRecord(error.to_string()))?;
    let expected = index as u64;
    if record.seq != expected {
        return Err(Fault::Sequence { found: record.seq, expected });
    }
    match (matches!(record.body, Body::RunStarted { .. }), index == 0) {
        (false, true) => Err(Fault::NoStart),
        (true, false) => Err(Fault::SecondStart),
        _ => Ok(record),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::sample;

    fn whole() -> (Vec<Record>, Vec<u8>) {
        let records = sample::records(sample::every_kind());
        let bytes = sample::bytes(&records);
        (records, bytes)
    }

    /// A file of one line whose chain is right, whatever the line says.
    fn chained(text: &str, before: Chain) -> Vec<u8> {
        let text = text.strip_suffix('}').unwrap();
        let chain = before.next(text.as_bytes()).hex().to_hex();
        format!("{text},\"chain\":\"{chain}\"}}\n").into_bytes()
    }

    fn fault(bytes: &[u8]) -> (usize, Fault) {
        let Damage { line, fault } = parse(bytes).unwrap_err();
        (line, fault)
    }

    #[test]
    fn records_come_back_as_they_were_written() {
        let (records, bytes) = whole();
        let parsed = parse(&bytes).unwrap();
        assert_eq!(parsed.records, records);
        assert_eq!(parsed.tail, Tail::Clean);
    }

    #[test]
    fn the_sample_has_every_kind_of_record() {
        let (_, bytes) = whole();
        let text = String::from_utf8(bytes).unwrap();
        for kind in [
            "run_started",
            "session_started",
            "step_started",
            "step_done",
            "step_failed",
            "step_skipped",
            "step_interrupted",
            "asked",
            "answered",
            "target_claimed",
            "debt_waived",
            "changes_accepted",
            "run_finished",
        ] {
            assert!(text.contains(&format!("\"kind\":\"{kind}\"")), "{kind}");
        }
    }

    #[test]
    fn a_file_cut_at_any_byte_has_the_records_before_the_cut() {
        let (records, bytes) = whole();
        let ends: Vec<usize> =
            bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
        for cut in 0..=bytes.len() {
            let parsed = parse(&bytes[..cut]).unwrap_or_else(|damage| panic!("cut at {cut}: {damage}"));
            let before = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(parsed.records, records[..before], "cut at {cut}");
            let expected = match (cut, bytes[..cut].last()) {
                (0, _) | (_, Some(b'\n')) => Tail::Clean,
                _ if ends.contains(&cut) => Tail::Unterminated(cut),
                _ => Tail::Torn(ends[..before].last().map_or(0, |end| end + 1)),
            };
            assert_eq!(parsed.tail, expected, "cut at {cut}");
        }
    }

    #[test]
    fn every_flipped_bit_is_damage() {
        let (_, mut bytes) = whole();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                assert!(
                    parse(&bytes).is_err_and(|damage| !damage.fault.is_newer()),
                    "bit {bit} of byte {at}"
                );
                bytes[at] ^= 1 << bit;
            }
        }
    }

    #[test]
    fn a_flipped_bit_before_a_torn_line_is_damage_too() {
        let (_, bytes) = whole();
        let mut bytes = bytes[..bytes.len() - 20].to_vec();
        let torn = bytes.iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
        for at in 0..torn - 1 {
            let bit = at % 8;
            bytes[at] ^= 1 << bit;
            assert!(parse(&bytes).is_err(), "bit {bit} of byte {at}");
            bytes[at] ^= 1 << bit;
        }
    }

    #[test]
    fn a_flipped_bit_in_the_newline_before_a_torn_line_never_gives_other_records() {
        let (records, bytes) = whole();
        let mut bytes = bytes[..bytes.len() - 20].to_vec();
        let newline = bytes.iter().rposition(|&byte| byte == b'\n').unwrap();
        for bit in 0..8 {
            bytes[newline] ^= 1 << bit;
            assert_eq!(fault(&bytes), (records.len() - 1, Fault::Trailing), "bit {bit}");
            bytes[newline] ^= 1 << bit;
        }
    }

    #[test]
    fn zeros_at_the_end_are_a_torn_line() {
        let (records, mut bytes) = whole();
        let end = bytes.len();
        bytes.extend([0; 700]);
        let parsed = parse(&bytes).unwrap();
        assert_eq!((parsed.records.len(), parsed.tail), (records.len(), Tail::Torn(end)));
    }

    #[test]
    fn zeros_in_the_place_of_the_last_newline_leave_the_record_whole() {
        let (records, mut bytes) = whole();
        let end = bytes.len() - 1;
        bytes[end] = 0;
        bytes.extend([0; 9]);
        let parsed = parse(&bytes).unwrap();
        assert_eq!((parsed.records.len(), parsed.tail), (records.len(), Tail::Unterminated(end)));
    }

    #[test]
    fn something_behind_the_last_record_is_damage() {
        let (records, mut bytes) = whole();
        *bytes.last_mut().unwrap() = b' ';
        assert_eq!(fault(&bytes), (records.len(), Fault::Trailing));
    }

    #[test]
    fn a_line_taken_out_is_damage_at_the_line_after_it() {
        let (records, _) = whole();
        let lines = sample::bytes(&records);
        let mut lines: Vec<&[u8]> = lines.split_inclusive(|&byte| byte == b'\n').collect();
        lines.remove(4);
        assert_eq!(fault(&lines.concat()), (5, Fault::ChainBroken));
    }

    #[test]
    fn a_line_written_twice_is_damage() {
        let (records, _) = whole();
        let lines = sample::bytes(&records);
        let mut lines: Vec<&[u8]> = lines.split_inclusive(|&byte| byte == b'\n').collect();
        lines.insert(3, lines[2]);
        assert_eq!(fault(&lines.concat()), (4, Fault::ChainBroken));
    }

    #[test]
    fn an_empty_line_is_damage() {
        let (records, mut bytes) = whole();
        bytes.push(b'\n');
        assert_eq!(fault(&bytes), (records.len() + 1, Fault::NoChain));
    }

    #[test]
    fn an_empty_file_has_no_records() {
        assert_eq!(parse(b"").unwrap().records, []);
    }

    #[test]
    fn a_piece_of_a_first_line_is_torn_and_another_file_is_not_ours() {
        for piece in [
            &b"{"[..],
            b"{\"seq\":0,\"at\":\"2026-",
            b"{\"se\0\0\0",
            b"\0\0\0\0",
            b"{\"seq\":0,\"at\":\"2\0\0x",
        ] {
            assert_eq!(parse(piece).map(|parsed| parsed.tail), Ok(Tail::Torn(0)), "{piece:?}");
        }
        for other in
            [&b"my notes"[..], b"{\"a\":1}", b"x", b"\xff", b"my notes\n", b"{}\n", b"\n", b"{\"s\0x"]
        {
            assert_eq!(fault(other), (1, Fault::NotAStateFile), "{other:?}");
        }
    }

    #[test]
    fn a_first_record_that_is_no_start_is_refused() {
        let records = sample::records(vec![sample::session()]);
        assert_eq!(fault(&sample::bytes(&records)), (1, Fault::NoStart));
    }

    #[test]
    fn a_second_start_is_refused() {
        let records = sample::records(vec![sample::run_started(), sample::run_started()]);
        assert_eq!(fault(&sample::bytes(&records)), (2, Fault::SecondStart));
    }

    #[test]
    fn a_gap_in_the_numbers_is_refused_even_with_right_chains() {
        let mut records = sample::records(vec![sample::run_started(), sample::session()]);
        records[1].seq = 2;
        assert_eq!(fault(&sample::bytes(&records)), (2, Fault::Sequence { found: 2, expected: 1 }));
    }

    #[test]
    fn a_newer_format_is_told_apart_from_damage() {
        let line = chained(r#"{"seq":0,"at":"later","kind":"begun","format":2}"#, Chain::start());
        let (line, fault) = fault(&line);
        assert_eq!((line, &fault), (1, &Fault::NewerFormat { found: 2 }));
        assert!(fault.is_newer());
    }

    #[test]
    fn an_unknown_kind_is_told_apart_from_damage() {
        let start = sample::bytes(&sample::records(vec![sample::run_started()]));
        let chain = parse(&start).unwrap().chain;
        let line = chained(r#"{"seq":1,"at":"2026-01-01T00:00:00Z","kind":"discarded"}"#, chain);
        let (line, fault) = fault(&[start, line].concat());
        assert_eq!(line, 2);
        assert!(fault.is_newer(), "{fault}");
    }

    #[test]
    fn text_that_is_no_utf8_is_refused_even_with_a_right_chain() {
        let mut line = br#"{"seq":0,"at":"2026-01-01T00:00:00Z","kind":"run_started","x":""#.to_vec();
        line.extend(b"\xff\"");
        let chain = Chain::start().next(&line).hex().to_hex();
        line.extend(format!(",\"chain\":\"{chain}\"}}\n").bytes());
        assert!(parse(&line).is_err());
    }

    #[test]
    fn capital_digits_in_a_chain_are_damage() {
        let (_, bytes) = whole();
        let first = bytes.iter().position(|&byte| byte == b'\n').unwrap();
        let mut changed = bytes.clone();
        changed[first - 66..first].make_ascii_uppercase();
        assert_ne!(changed, bytes);
        assert_eq!(fault(&changed), (1, Fault::ChainBroken));
    }

    #[test]
    fn a_record_that_could_not_be_read_back_is_not_encoded() {
        let mut records = sample::records(vec![sample::run_started()]);
        let Body::RunStarted { basis, .. } = &mut records[0].body else { unreachable!() };
        basis.vars.insert("deep".into(), (0..200).fold(json!(1), |inner, _| json!([inner])));
        assert!(encode(&records[0], Chain::start()).is_err());
        let endless = Record { seq: 1, at: sample::at(0), body: Body::RunFinished { seconds: f64::NAN } };
        assert!(encode(&endless, Chain::start()).is_err());
    }
}
