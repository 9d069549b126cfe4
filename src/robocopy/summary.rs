//! What a pass did, in robocopy's columns, and the exit code that it comes to.
//!
//! Each file is in one of copied, skipped, mismatch and failed, and total is their sum. Files that the patterns do not name
//! are no part of it, as with robocopy; those that `/xf`, an age or a size keep out are skipped.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::copy::{EntryKind, ExtraEntry, PassSummary, Rule, Tally};

/// robocopy's exit codes are a bit each; 8 and above is failure.
pub mod exit {
    /// Nothing was to be done.
    pub const NOTHING: u8 = 0;
    pub const COPIED: u8 = 1;
    /// The target has what the source has not (or had, before a purge).
    pub const EXTRA: u8 = 2;
    /// A file stands where the other side has a directory.
    pub const MISMATCHED: u8 = 4;
    pub const FAILED: u8 = 8;
    /// A wrong command line, a guard's refusal, or a pass that did not come to its end.
    pub const FATAL: u8 = 16;
    /// By Ctrl-C.
    pub const INTERRUPTED: u8 = 130;
}

/// One row of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    pub copied: u64,
    pub skipped: u64,
    pub mismatched: u64,
    pub failed: u64,
    pub extras: u64,
}

impl Row {
    pub fn total(&self) -> u64 {
        self.copied + self.skipped + self.mismatched + self.failed
    }
}

/// The table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub directories: Row,
    pub files: Row,
    pub bytes: Row,
}

/// What stands where the other side has a directory, with its bytes; paths as [`names::shown`](crate::copy::names::shown)
/// writes them, a directory's with a `/` at its end.
pub type Mismatched = BTreeMap<String, u64>;

/// What a pass says of itself, and of what only the target has.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    pub summary: &'a PassSummary,
    /// What only the target has, as it was listed.
    pub extras: &'a [ExtraEntry],
    /// Of what failed.
    pub mismatched: &'a Mismatched,
    /// Extra entries that could not be looked at, or that a purge should have taken away and could not.
    pub stayed: u64,
}

impl Figures {
    pub fn of(told: &Told<'_>) -> Self {
        let Told { summary, extras, mismatched, stayed } = told;
        let directories_mismatched = mismatched.keys().filter(|path| path.ends_with('/')).count() as u64;
        let all_mismatched = mismatched.len() as u64;
        let mismatched =
            Tally { files: all_mismatched - directories_mismatched, bytes: mismatched.values().sum() };
        let mut figures = Self::default();
        // A directory that is kept out counts once, whatever is in it.
        let directories_out: u64 = [Rule::ExcludeDirectories, Rule::MaxDepth]
            .iter()
            .filter_map(|rule| summary.filtered.get(rule))
            .map(|tally| tally.files)
            .sum();
        figures.directories = Row {
            copied: summary.directories_created,
            skipped: summary.directories.saturating_sub(summary.directories_created) + directories_out,
            mismatched: directories_mismatched,
            extras: extras.iter().filter(|extra| extra.kind == EntryKind::Directory).count() as u64,
            ..Row::default()
        };
        let mut skipped = summary.same;
        for (rule, tally) in &summary.filtered {
            if !matches!(rule, Rule::Include | Rule::ExcludeDirectories | Rule::MaxDepth) {
                skipped.merge(*tally);
            }
        }
        let mut extra = Tally::default();
        extras
            .iter()
            .filter(|extra| extra.kind != EntryKind::Directory)
            .for_each(|entry| extra.add(entry.bytes));
        figures.files = Row {
            copied: summary.new.files + summary.changed.files + summary.links_copied,
            skipped: skipped.files + summary.skipped_links + summary.skipped_special,
            mismatched: mismatched.files,
            failed: (summary.failed.files + summary.vanished).saturating_sub(all_mismatched) + stayed,
            extras: extra.files,
        };
        figures.bytes = Row {
            copied: summary.new.bytes + summary.changed.bytes,
            skipped: skipped.bytes,
            mismatched: mismatched.bytes,
            failed: summary.failed.bytes.saturating_sub(mismatched.bytes),
            extras: extra.bytes,
        };
        figures
    }

    /// The bits of what was done, or would be.
    pub fn exit(&self) -> u8 {
        let bit = |number: u64, bit: u8| if number > 0 { bit } else { exit::NOTHING };
        let Self { directories, files, .. } = self;
        bit(files.copied, exit::COPIED)
            | bit(files.extras + directories.extras, exit::EXTRA)
            | bit(files.mismatched + directories.mismatched, exit::MISMATCHED)
            | bit(files.failed, exit::FAILED)
    }
}

/// How sizes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizes {
    /// `12.50 k`
    Short,
    /// `/bytes`
    Plain,
}

/// The table as robocopy prints it: by position and number the same in every language of Windows.
pub fn table(figures: &Figures, sizes: Sizes, took: Duration) -> String {
    let mut text = String::from("\n               Total    Copied   Skipped  Mismatch    FAILED    Extras\n");
    for (name, row) in [("Dirs", &figures.directories), ("Files", &figures.files)] {
        line(&mut text, name, columns(row).map(|number| number.to_string()));
    }
    line(&mut text, "Bytes", columns(&figures.bytes).map(|number| size(number, sizes)));
    let (took, none) = (clock(took), clock(Duration::ZERO));
    line(&mut text, "Times", [took.clone(), took, String::new(), String::new(), none.clone(), none]);
    text
}

fn columns(row: &Row) -> [u64; 6] {
    [row.total(), row.copied, row.skipped, row.mismatched, row.failed, row.extras]
}

fn line(text: &mut String, name: &str, columns: [String; 6]) {
    // Writing to a String cannot fail.
    let _ = write!(text, "{name:>8} :");
    for column in columns {
        let _ = write!(text, " {column:>9}");
    }
    text.truncate(text.trim_end_matches(' ').len());
    text.push('\n');
}

/// Bytes with one of robocopy's units of 1024.
pub fn size(bytes: u64, sizes: Sizes) -> String {
    if sizes == Sizes::Plain || bytes < 1024 {
        return bytes.to_string();
    }
    // A size of more than 2^53 bytes loses its last digits, which are not shown.
    let mut amount = bytes as f64 / 1024.0;
    let mut units = ["k", "m", "g"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for next in units.chain(["t"]) {
        if amount < 1023.995 {
            break;
        }
        amount /= 1024.0;
        unit = next;
    }
    format!("{amount:.2} {unit}")
}

fn clock(took: Duration) -> String {
    let seconds = took.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(files: u64, bytes: u64) -> Tally {
        Tally { files, bytes }
    }

    fn mismatched(sizes: &[u64]) -> Mismatched {
        sizes.iter().enumerate().map(|(number, size)| (number.to_string(), *size)).collect()
    }

    #[test]
    fn each_file_is_in_one_column_and_total_is_their_sum() {
        let summary = PassSummary {
            new: tally(1, 10),
            changed: tally(2, 20),
            same: tally(4, 40),
            filtered: [(Rule::Exclude, tally(8, 80)), (Rule::Include, tally(16, 160))].into(),
            failed: tally(3, 6),
            vanished: 1,
            ..PassSummary::default()
        };
        let told = Told { summary: &summary, extras: &[], mismatched: &mismatched(&[1, 3]), stayed: 0 };
        let figures = Figures::of(&told);
        assert_eq!(figures.files, Row { copied: 3, skipped: 12, mismatched: 2, failed: 2, extras: 0 });
        assert_eq!(figures.files.total(), 19);
        assert_eq!(figures.bytes, Row { copied: 30, skipped: 120, mismatched: 4, failed: 2, extras: 0 });
    }

    #[test]
    fn a_directory_that_is_mismatched_counts_as_one() {
        let summary = PassSummary { failed: tally(1, 0), ..PassSummary::default() };
        let mismatched = Mismatched::from([("m/".to_owned(), 0)]);
        let figures =
            Figures::of(&Told { summary: &summary, extras: &[], mismatched: &mismatched, stayed: 0 });
        assert_eq!((figures.directories.mismatched, figures.files), (1, Row::default()));
        assert_eq!(figures.exit(), exit::MISMATCHED);
    }

    #[test]
    fn the_exit_code_has_a_bit_for_each_thing_that_happened() {
        let extra = |kind| ExtraEntry { path: "x".into(), kind, bytes: 0 };
        let with = |summary: PassSummary, extras: &[ExtraEntry], clashes: &[u64], stayed| {
            let told = Told { summary: &summary, extras, mismatched: &mismatched(clashes), stayed };
            Figures::of(&told).exit()
        };
        let nothing = PassSummary::default;
        assert_eq!(with(PassSummary { same: tally(9, 9), ..nothing() }, &[], &[], 0), 0);
        assert_eq!(with(PassSummary { changed: tally(1, 1), ..nothing() }, &[], &[], 0), 1);
        for kind in [EntryKind::File, EntryKind::Directory, EntryKind::Link] {
            assert_eq!(with(nothing(), &[extra(kind)], &[], 0), 2);
        }
        assert_eq!(with(PassSummary { failed: tally(1, 1), ..nothing() }, &[], &[1], 0), 4);
        assert_eq!(with(PassSummary { failed: tally(1, 1), ..nothing() }, &[], &[], 0), 8);
        assert_eq!(with(PassSummary { vanished: 1, ..nothing() }, &[], &[], 0), 8);
        assert_eq!(with(nothing(), &[extra(EntryKind::File)], &[], 1), 2 | 8);
    }

    #[test]
    fn the_table_has_its_numbers_where_robocopy_has_them() {
        let figures = Figures {
            directories: Row { copied: 1, skipped: 2, ..Row::default() },
            files: Row { copied: 10, extras: 4, ..Row::default() },
            bytes: Row { copied: 12_800, ..Row::default() },
        };
        let lines = [
            "",
            "               Total    Copied   Skipped  Mismatch    FAILED    Extras",
            "    Dirs :         3         1         2         0         0         0",
            "   Files :        10        10         0         0         0         4",
            "   Bytes :   12.50 k   12.50 k         0         0         0         0",
            "   Times :   1:01:01   1:01:01                       0:00:00   0:00:00",
            "",
        ];
        assert_eq!(table(&figures, Sizes::Short, Duration::from_secs(3661)), lines.join("\n"));
    }

    #[test]
    fn a_size_is_short_or_plain() {
        for (bytes, short) in
            [(0, "0"), (1023, "1023"), (1024, "1.00 k"), (1_048_575, "1.00 m"), (5_368_709_120, "5.00 g")]
        {
            assert_eq!(size(bytes, Sizes::Short), short);
            assert_eq!(size(bytes, Sizes::Plain), bytes.to_string());
        }
    }
}
