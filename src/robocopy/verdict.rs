//! What robocopy's exit code and summary come to, beside what movebook itself found. Pure.
//!
//! The code is a bit each for what was copied, extra, mismatched and failed. It is one witness among three: bits that do not
//! fit what the trees looked like before, or the summary, are told in words, and a bit that nobody set clears nothing.

use super::output::{Place, Table, Told};
use super::summary::exit;

/// So many names stand in a sentence.
const NAMED: usize = 5;

/// What movebook found before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Files and links that were to be copied.
    pub to_copy: u64,
    /// What only the target has, whatever becomes of it.
    pub extra: u64,
}

/// Whether the summary speaks of all that was to be copied. Where Windows ends a robocopy from outside, its exit code is 1, as if
/// all had gone well: only the summary, its last words, tells that it came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    Whole,
    /// It is missing, or counts fewer files as copied or failed.
    Short,
}

/// How a robocopy ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It came to its end.
    Done {
        /// How many failed by its own count; at least one where its code says so.
        failed: u64,
        sum: Sum,
        /// What does not fit.
        warnings: Vec<String>,
    },
    /// It did not, for this reason.
    Fatal(String),
}

/// Judges an exit code. `marked` are the entries with a star, taken apart: those that both trees have, and the rest.
pub fn judge(code: i32, told: &Told, found: &Found, marked: &Marked) -> Verdict {
    let Some(code) = u8::try_from(code).ok().filter(|code| *code < 2 * exit::FATAL) else {
        return Verdict::Fatal(format!(
            "robocopy ended with {code}, which is no exit code of its own{}",
            last(told)
        ));
    };
    if code & exit::FATAL != 0 {
        return Verdict::Fatal(format!("robocopy did not come to its end (exit code {code}){}", last(told)));
    }
    let has = |bit: u8| code & bit != 0;
    let mut warnings = Vec::new();
    let counted = told
        .table
        .map_or(0, |Table { files, directories, .. }| files.failed.saturating_add(directories.failed));
    let is_whole = told
        .table
        .is_some_and(|Table { files, .. }| files.copied.saturating_add(files.failed) >= found.to_copy);
    let copied = told.table.map(|table| table.files.copied);
    let named = told.troubles.len() as u64 + told.elsewhere.len() as u64;
    let failed = counted.max(named).max(u64::from(has(exit::FAILED)));
    if counted > 0 && !has(exit::FAILED) {
        warnings.push(format!(
            "robocopy ended with {code}, as if nothing had failed, and its summary counts {counted}"
        ));
    }
    if told.table.is_none() {
        warnings.push(format!("robocopy ended with {code} and left no summary that could be read"));
    }
    if has(exit::COPIED) && found.to_copy == 0 {
        let what = copied.map_or(String::new(), |files| format!(" {}", counted_files(files)));
        warnings.push(format!(
            "robocopy says that it copied{what} where nothing was to be copied{}",
            listed(&told.first_copied)
        ));
    }
    if !has(exit::COPIED) && copied.unwrap_or(0) == 0 && found.to_copy > 0 {
        warnings.push(format!(
            "robocopy says that it copied nothing, and {} to be copied",
            if found.to_copy == 1 {
                "1 file was".to_owned()
            } else {
                format!("{} files were", found.to_copy)
            }
        ));
    }
    if has(exit::EXTRA) && found.extra == 0 && marked.in_target.iter().all(|place| !place.path.ends_with('/'))
    {
        warnings.push(format!(
            "robocopy says that the target has what the source has not, where nothing was found{}",
            listed(&marked.in_target)
        ));
    }
    if has(exit::MISMATCHED) || !marked.in_both.is_empty() {
        let more = if marked.in_both.is_empty() { ", and names none" } else { "" };
        warnings.push(format!(
            "robocopy says that a file of one side is a directory on the other{more}{}",
            listed(&marked.in_both)
        ));
    }
    for trouble in told.elsewhere.iter().take(NAMED) {
        warnings.push(format!("robocopy: error {}: {}", trouble.code, trouble.message));
    }
    Verdict::Done { failed, sum: if is_whole { Sum::Whole } else { Sum::Short }, warnings }
}

/// Entries with a star.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    pub in_both: Vec<Place>,
    pub in_target: Vec<Place>,
}

/// The last words of a robocopy, and its first error, for whoever has nothing else to go by.
fn last(told: &Told) -> String {
    let errors = told.troubles.values().chain(&told.elsewhere).take(1);
    let mut words: Vec<String> =
        errors.map(|trouble| format!("error {}: {}", trouble.code, trouble.message)).collect();
    words.extend(told.last_words.iter().cloned());
    match words.is_empty() {
        true => "; it said nothing".to_owned(),
        false => format!(": {}", words.join(" · ")),
    }
}

fn counted_files(files: u64) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}

fn listed(places: &[Place]) -> String {
    if places.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = places.iter().take(NAMED).map(|place| place.path.as_str()).collect();
    let more = if places.len() > NAMED { " …" } else { "" };
    format!(": {}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::robocopy::output::{Reading, Roots};

    fn told(text: &str) -> Told {
        let mut reading = Reading::new(Roots::new(r"C:\old", r"D:\new"));
        reading.feed(text.replace('\n', "\r\n").as_bytes());
        reading.finish()
    }

    fn table(copied: u64, failed: u64) -> String {
        format!("  D : 1 0 1 0 0 0\n  F : 9 {copied} 0 0 {failed} 0\n  B : 9 0 0 0 0 0\n\n")
    }

    fn judged(code: i32, text: &str, to_copy: u64, extra: u64) -> (u64, Vec<String>) {
        match judge(code, &told(text), &Found { to_copy, extra }, &Marked::default()) {
            Verdict::Done { failed, warnings, .. } => (failed, warnings),
            Verdict::Fatal(why) => panic!("{why}"),
        }
    }

    fn sum(code: i32, text: &str, to_copy: u64) -> Sum {
        match judge(code, &told(text), &Found { to_copy, extra: 0 }, &Marked::default()) {
            Verdict::Done { sum, .. } => sum,
            Verdict::Fatal(why) => panic!("{why}"),
        }
    }

    #[test]
    fn a_summary_that_is_missing_or_counts_fewer_than_there_were_leaves_files_open() {
        for (text, to_copy, expected) in [
            (table(9, 0), 9, Sum::Whole),
            (table(7, 2), 9, Sum::Whole),
            (table(5, 0), 9, Sum::Short),
            (table(0, 0), 9, Sum::Short),
            (String::new(), 9, Sum::Short),
            (String::new(), 0, Sum::Short),
        ] {
            assert_eq!(sum(1, &text, to_copy), expected, "{text:?}");
        }
    }

    #[test]
    fn a_code_that_fits_says_nothing() {
        for (code, copied, to_copy, extra) in [(0, 0, 0, 0), (1, 3, 3, 0), (2, 0, 0, 4), (3, 3, 3, 4)] {
            assert_eq!(judged(code, &table(copied, 0), to_copy, extra), (0, vec![]), "{code}");
        }
    }

    #[test]
    fn a_failure_counts_whoever_tells_it() {
        let line = "2026/11/27 10:00:00 FEHLER 5 (0x00000005) Datei wird kopiert C:\\old\\a\n";
        for (code, text) in
            [(9, table(1, 0)), (1, table(1, 1)), (1, line.to_owned() + &table(1, 0)), (9, table(1, 1))]
        {
            assert_eq!(judged(code, &text, 2, 0).0, 1, "{code} {text}");
        }
        // A failed deletion has been seen with 3.
        let (_, warnings) = judged(3, &table(1, 2), 1, 1);
        assert!(
            warnings[0].contains("as if nothing had failed") && warnings[0].contains('2'),
            "{warnings:?}"
        );
    }

    #[test]
    fn a_bit_in_the_wrong_place_is_told_in_words() {
        let copied = format!("\t    Neue Datei \t\t 5\tC:\\old\\d\\a.dat\n{}", table(1, 0));
        let (_, warnings) = judged(1, &copied, 0, 0);
        assert_eq!(warnings, ["robocopy says that it copied 1 file where nothing was to be copied: d/a.dat"]);
        let (_, warnings) = judged(2, &table(0, 0), 0, 0);
        assert!(warnings[0].contains("what the source has not"), "{warnings:?}");
        let (_, warnings) = judged(4, &table(0, 0), 0, 0);
        assert!(warnings[0].contains("a directory on the other, and names none"), "{warnings:?}");
    }

    #[test]
    fn mismatches_are_named() {
        let in_both = told("\t  *Konflikt  \t\t 7\tC:\\old\\ein Ordner\n").marked;
        let marked = Marked { in_both, in_target: Vec::new() };
        let verdict = judge(4, &told(&table(0, 0)), &Found::default(), &marked);
        let Verdict::Done { warnings, .. } = verdict else { panic!("{verdict:?}") };
        assert!(warnings[0].ends_with(": ein Ordner"), "{warnings:?}");
    }

    #[test]
    fn a_robocopy_that_copied_nothing_is_not_believed() {
        let (_, warnings) = judged(0, &table(0, 0), 7, 0);
        assert!(warnings[0].contains("7 files were to be copied"), "{warnings:?}");
        assert_eq!(judged(0, "", 1, 0).1.len(), 2);
        assert_eq!(sum(0, &table(0, 0), 7), Sum::Short);
    }

    #[test]
    fn a_robocopy_that_did_not_begin_is_told_with_its_last_words() {
        for (code, word) in [
            (16, "Invalid Parameter"),
            (24, "Invalid Parameter"),
            (127, "no exit code"),
            (-1, "no exit code"),
        ] {
            let verdict =
                judge(code, &told("\nERROR : Invalid Parameter #3\n"), &Found::default(), &Marked::default());
            let Verdict::Fatal(why) = verdict else { panic!("{verdict:?}") };
            assert!(why.contains(word) && why.contains("Invalid Parameter #3"), "{why}");
        }
    }
}
