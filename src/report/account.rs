//! The account of a run's passes: sums for people and programs, and one name a line.
//!
//! Pure: what the journal says and how the files of names stand come in, text goes out.

use std::fmt::Write;

use owo_colors::{OwoColorize, Style};
use serde::Serialize;

use super::terminal::Colour;
use super::words;
use crate::copy::account::{Bucket, Entry};
use crate::copy::{EntryKind, PassSummary, Rule, Tally};

/// The account of one pass.
#[derive(Clone, Debug, Serialize)]
pub struct Pass {
    pub step: String,
    pub status: Standing,
    /// Whose names can be listed, and if not, why.
    pub names: Names,
    /// As the journal has them; counted from the names where the pass is not over; `None` before it began.
    pub sums: Option<PassSummary>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// No pass was begun, or the step was skipped.
    NotBegun,
    /// A person is asked, mostly about the purge of a pass whose files are copied.
    Waiting,
    /// Under way or cut off: the sums are those of the names so far, without files that are the same.
    Unfinished,
    Over,
}

/// How the file of names stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    /// All of them are there.
    Whole,
    /// So far.
    Unfinished,
    /// There was nothing to name.
    Nothing,
    /// They could not be written.
    Lost(String),
    /// The file is gone.
    Missing,
    /// The file is not that of this pass.
    Foreign(String),
}

/// The table of a pass, a line for each bucket that holds something.
pub fn human(pass: &Pass, colour: Colour) -> String {
    let paint = |text: &str, style: Style| match colour {
        Colour::Always => text.style(style).to_string(),
        Colour::Never => text.to_owned(),
    };
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let mut text = String::new();
    // Writing to a String cannot fail, here and below.
    let said = match pass.status {
        Standing::NotBegun => "no pass yet",
        Standing::Waiting => "waiting for an answer",
        Standing::Unfinished => "unfinished: what was named so far, without files that are the same",
        Standing::Over => "over",
    };
    let _ = writeln!(text, "{} {}", paint(&pass.step, bold), paint(said, dim));
    let Some(sums) = &pass.sums else { return text };
    let _ = writeln!(text, "{}", paint(&format!("  {:<34} {:>12} {:>12}", "", "files", "bytes"), dim));
    let mut row = |name: &str, tally: Tally, list: &str| {
        let line = format!(
            "  {name:<34} {:>12} {:>12}  {list}",
            words::count(tally.files),
            words::bytes(tally.bytes)
        );
        let _ = writeln!(text, "{}", line.trim_end());
    };
    let (mut source, mut target) = (Tally::default(), Tally::default());
    for (bucket, name, list) in SOURCE {
        let tally = bucket.tally(sums);
        source.merge(tally);
        if tally.files > 0 || matches!(bucket, Bucket::New | Bucket::Changed) {
            row(name, tally, list);
        }
        if *bucket == Bucket::Changed && (pass.status == Standing::Over || sums.same.files > 0) {
            row("the same", sums.same, "(counted, not named)");
        }
        if *bucket == Bucket::Filtered {
            for (rule, tally) in &sums.filtered {
                row(&format!("  by {}", rule_word(*rule)), *tally, "");
            }
        }
    }
    source.merge(sums.same);
    row("seen in the source", source, "");
    for (bucket, name, list) in TARGET {
        let tally = bucket.tally(sums);
        target.merge(tally);
        if tally.files > 0 {
            row(name, tally, list);
        }
    }
    row("only in the target", target, if target.files > 0 { "--list extra" } else { "" });
    let _ = writeln!(
        text,
        "  {}",
        paint(
            &format!(
                "directories: {} seen, {} made · files tried again: {}",
                words::count(sums.directories),
                words::count(sums.directories_created),
                words::count(sums.retried)
            ),
            dim
        )
    );
    if let Some(objection) = objection(&pass.names) {
        let _ = writeln!(text, "  {}", paint(&format!("names: {objection}"), Style::new().yellow()));
    }
    text
}

/// What is wrong with the names, if anything.
pub fn objection(names: &Names) -> Option<String> {
    match names {
        Names::Whole | Names::Nothing => None,
        Names::Unfinished => Some("the pass is not over, and these are the names so far".to_owned()),
        Names::Lost(why) => Some(format!("they were not kept: {}", words::name(why))),
        Names::Missing => Some("their file is gone".to_owned()),
        Names::Foreign(why) => Some(format!("their file is not that of this pass: {}", words::name(why))),
    }
}

/// In the order in which people ask.
const SOURCE: &[(Bucket, &str, &str)] = &[
    (Bucket::New, "new", "--list new"),
    (Bucket::Changed, "changed", "--list changed"),
    (Bucket::LinksCopied, "links copied", "--list links-copied"),
    (Bucket::Filtered, "filtered", "--list filtered"),
    (Bucket::SkippedLinks, "links skipped", "--list skipped-links"),
    (Bucket::SkippedSpecial, "devices, sockets, pipes skipped", "--list skipped-special"),
    (Bucket::Failed, "failed", "--list failed"),
    (Bucket::Vanished, "vanished", "--list vanished"),
];

const TARGET: &[(Bucket, &str, &str)] = &[
    (Bucket::Purged, "purged", "--list purged"),
    (Bucket::Kept, "kept", "--list kept"),
    (Bucket::ExtraFiltered, "kept by the filter", "--list extra-filtered"),
    (Bucket::ExtraUnread, "could not be read", "--list extra-unread"),
];

/// One name on a line of its own: what is said of it first, in columns, and the path last, since it may be long.
pub fn line(entry: &Entry, step: Option<&str>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail, here and below.
    if let Some(step) = step {
        let _ = write!(text, "{step:<16} ");
    }
    let _ = write!(text, "{:<15} {:>12}  ", entry.bucket.word(), entry.bytes);
    if let Some(rule) = entry.rule {
        let _ = write!(text, "{:<19} ", rule_word(rule));
    }
    if let Some(kind) = entry.kind.filter(|kind| *kind != EntryKind::Directory) {
        let _ = write!(text, "({}) ", if kind == EntryKind::Link { "link" } else { "special" });
    }
    text.push_str(&words::name(&entry.path));
    if let (Some(class), Some(error)) = (entry.class, &entry.error) {
        let tries = match entry.attempts {
            Some(attempts) if attempts > 1 => format!("{attempts} attempts"),
            _ => "1 attempt".to_owned(),
        };
        let _ = write!(text, ": {} ({}, {tries})", words::name(error), words::word(&class));
    }
    text
}

/// One name as a JSON object.
pub fn json_line(entry: &Entry, step: &str) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Line<'a> {
        step: &'a str,
        #[serde(flatten)]
        entry: &'a Entry,
    }
    serde_json::to_string(&Line { step, entry })
}

fn rule_word(rule: Rule) -> String {
    words::word(&rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::ErrorClass;

    fn entry(bucket: Bucket, path: &str) -> Entry {
        Entry {
            bucket,
            path: path.into(),
            bytes: 7,
            kind: None,
            rule: None,
            class: None,
            attempts: None,
            error: None,
        }
    }

    #[test]
    fn a_failed_file_is_told_with_class_attempts_and_last_error() {
        let entry = Entry {
            class: Some(ErrorClass::Denied),
            attempts: Some(3),
            error: Some("cannot open it".into()),
            ..entry(Bucket::Failed, "a/b")
        };
        let line = line(&entry, None);
        assert!(line.ends_with("a/b: cannot open it (denied, 3 attempts)"), "{line}");
    }

    #[test]
    fn every_bucket_has_its_line_in_the_table() {
        let tally = Tally { files: 1, bytes: 1 };
        let sums = PassSummary {
            new: tally,
            changed: tally,
            same: tally,
            filtered: [(Rule::MinAge, tally)].into(),
            skipped_links: 1,
            skipped_special: 1,
            failed: tally,
            vanished: 1,
            purged: tally,
            kept: tally,
            extra_filtered: tally,
            extra_unread: 1,
            links_copied: 1,
            ..PassSummary::default()
        };
        let pass =
            Pass { step: "final".into(), status: Standing::Over, names: Names::Whole, sums: Some(sums) };
        let text = human(&pass, Colour::Never);
        for bucket in Bucket::ALL {
            let flag = format!("--list {}\n", bucket.word().replace('_', "-"));
            assert!(text.contains(&flag), "{flag} is not in {text}");
        }
        assert!(text.contains("the same") && text.contains("by min_age"), "{text}");
        let seen = text.lines().find(|line| line.contains("seen in the source")).unwrap();
        assert!(seen.contains(" 9 "), "{seen}");
    }

    #[test]
    fn a_control_character_in_a_name_reaches_no_terminal() {
        assert!(!line(&entry(Bucket::New, "a\u{1b}[2J"), None).contains('\u{1b}'));
    }
}
