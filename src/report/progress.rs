//! How far a step is, in words: a line for its bar, and what stands below it. Pure: the width of the screen is given.
//!
//! What is only estimated is told as such: `about 3 min`, `~18,022 files`.

use super::words;
use crate::copy::{LargeFile, Progress};
use crate::event::{Event, Expected, LeftBy};

/// Files that are told by name on a terminal: more would push what was said off a small screen.
const NAMED: usize = 3;
/// A name is given at least this many columns, however narrow the screen is.
const SHORTEST_NAME: usize = 12;
const WIDE_BAR: usize = 24;
const NARROW_BAR: usize = 8;

/// What is shown of a step that is at work.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// How much is done of how much; `None` while that is not known.
    pub(super) bar: Option<(u64, u64)>,
    pub(super) bar_width: usize,
    /// Behind the bar.
    pub(super) head: String,
    /// Below it, each a line that fits the screen.
    pub(super) below: Vec<String>,
}

/// Shows a step on a screen with so many columns beside the step's name.
pub(super) fn look(event: &Event, columns: usize) -> Look {
    let Event::StepProgress { doing, progress, rate, expected, left, left_by, .. } = event else {
        return Look { bar: None, bar_width: WIDE_BAR, head: String::new(), below: Vec::new() };
    };
    let left = left.map(|left| left_in_words(left, *left_by));
    if progress.files_known == 0 {
        let head = [Some((*doing).to_owned()), left].into_iter().flatten().collect::<Vec<_>>().join(", ");
        return Look { bar: None, bar_width: WIDE_BAR, head: fitted(&head, columns), below: Vec::new() };
    }
    let total = total(progress, *expected);
    // Files and bytes count together: a tree of empty files moves the bar too.
    let bar = total.map(|total| {
        let all = total.bytes.saturating_add(total.files);
        (progress.bytes_done.saturating_add(progress.files_done).min(all), all)
    });
    let mut head = Vec::new();
    head.extend(bar.map(|(done, all)| format!("{:>3} %", percent(done, all))));
    if bar.is_none() || *doing != "copying" {
        head.push((*doing).to_owned());
    }
    head.push(words::rate(*rate));
    head.extend(left);
    let mut below = vec![fitted(&counts(progress, *expected).join(" · "), columns)];
    below.extend(named(&progress.large, columns));
    // By the screen alone: a bar that grew and shrank with the figures behind it would be restless.
    let bar_width = if columns >= WIDE_BAR + 50 { WIDE_BAR } else { NARROW_BAR };
    let taken = if bar.is_some() { bar_width + 3 } else { 0 };
    let head = fitted(&head.join(" · "), columns.saturating_sub(taken));
    Look { bar, bar_width, head, below }
}

/// The same in one line, for a log: `copying 4,210 of 18,022 files, 1.1 GiB of 4.2 GiB, 88 MiB/s, 36 s left`.
pub(super) fn line(event: &Event) -> String {
    let Event::StepProgress { doing, progress, rate, expected, left, left_by, .. } = event else {
        return String::new();
    };
    let mut parts = Vec::new();
    if progress.files_known > 0 {
        parts.extend(counts(progress, *expected));
    }
    if *rate > 0.0 {
        parts.push(words::rate(*rate));
    }
    parts.extend(left.map(|left| left_in_words(left, *left_by)));
    parts.extend(progress.large.iter().take(NAMED).map(|file| {
        format!("{} {} % of {}", words::name(&file.path), percent_of(file), words::bytes(file.bytes))
    }));
    if parts.is_empty() { (*doing).to_owned() } else { format!("{doing} {}", parts.join(", ")) }
}

fn left_in_words(left: f64, by: Option<LeftBy>) -> String {
    let about = if by == Some(LeftBy::Estimate) { "about " } else { "" };
    format!("{about}{} left", words::seconds(left))
}

fn total(progress: &Progress, expected: Option<Expected>) -> Option<Expected> {
    match progress.listed {
        true => Some(Expected { files: progress.files_known, bytes: progress.bytes_known }),
        false => expected,
    }
}

/// `183 of ~1,204 files`, `130 MiB of ~324 MiB`, and what a person may have to look at.
fn counts(progress: &Progress, expected: Option<Expected>) -> Vec<String> {
    let (files, bytes) = match (total(progress, expected), progress.listed) {
        (Some(total), true) => (words::count(total.files), words::bytes(total.bytes)),
        (Some(total), false) => {
            (format!("~{}", words::count(total.files)), format!("~{}", words::bytes(total.bytes)))
        }
        // What is known so far, and more to come.
        (None, _) => (
            format!("{}+", words::count(progress.files_known)),
            format!("{}+", words::bytes(progress.bytes_known)),
        ),
    };
    let mut parts = vec![
        format!("{} of {files} files", words::count(progress.files_done)),
        format!("{} of {bytes}", words::bytes(progress.bytes_done)),
    ];
    if progress.failed > 0 {
        parts.push(format!("{} failed", words::count(progress.failed)));
    }
    if progress.retrying > 0 {
        parts.push(format!("{} waiting to be tried again", words::count(progress.retrying)));
    }
    parts
}

/// A line a large file, with the figures below each other.
fn named(large: &[LargeFile], columns: usize) -> Vec<String> {
    let figures = |file: &LargeFile| format!("{:>3} % of {}", percent_of(file), words::bytes(file.bytes));
    let large = &large[..large.len().min(NAMED)];
    let widest = large.iter().map(|file| figures(file).chars().count()).max().unwrap_or(0);
    let room = columns.saturating_sub(widest + 2).max(SHORTEST_NAME);
    let names: Vec<String> = large.iter().map(|file| shortened(&words::name(&file.path), room)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    names.iter().zip(large).map(|(name, file)| format!("{name:<width$}  {}", figures(file))).collect()
}

fn percent_of(file: &LargeFile) -> u64 {
    percent(file.bytes_done, file.bytes)
}

/// Rounded down: 100 only when all is done.
fn percent(done: u64, all: u64) -> u64 {
    if all == 0 { 100 } else { u64::try_from(u128::from(done) * 100 / u128::from(all)).unwrap_or(100) }
}

/// A text cut at the end of the line.
fn fitted(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    text.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}

/// A name with its middle left out: its folder and its ending tell most.
fn shortened(name: &str, room: usize) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= room {
        return name.to_owned();
    }
    let kept = room.saturating_sub(1);
    let (front, back) = (kept / 3, kept - kept / 3);
    letters[..front].iter().chain(['…'].iter()).chain(&letters[letters.len() - back..]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn at_work(progress: Progress, expected: Option<Expected>, left: Option<(f64, LeftBy)>) -> Event {
        Event::StepProgress {
            step: "final".into(),
            doing: "copying",
            progress,
            seconds: 1.0,
            rate: 20.0 * MIB as f64,
            expected,
            left: left.map(|(left, _)| left),
            left_by: left.map(|(_, by)| by),
        }
    }

    fn half() -> Progress {
        Progress {
            files_done: 100,
            files_known: 200,
            bytes_done: 50 * MIB,
            bytes_known: 100 * MIB,
            listed: true,
            ..Progress::default()
        }
    }

    #[test]
    fn a_listed_pass_has_exact_figures() {
        let event = at_work(half(), None, Some((12.0, LeftBy::Listing)));
        let look = look(&event, 80);
        assert_eq!(look.bar, Some((50 * MIB + 100, 100 * MIB + 200)));
        assert_eq!(look.head, " 50 % · 20.0 MiB/s · 12 s left");
        assert_eq!(look.below, ["100 of 200 files · 50.0 MiB of 100.0 MiB"]);
        assert_eq!(line(&event), "copying 100 of 200 files, 50.0 MiB of 100.0 MiB, 20.0 MiB/s, 12 s left");
    }

    #[test]
    fn an_estimate_is_told_as_one() {
        let progress = Progress { listed: false, failed: 1, retrying: 2, ..half() };
        let expected = Some(Expected { files: 1_000, bytes: 400 * MIB });
        let event = at_work(progress, expected, Some((200.0, LeftBy::Estimate)));
        let look = look(&event, 90);
        assert_eq!(look.bar, Some((50 * MIB + 100, 400 * MIB + 1_000)));
        assert_eq!(look.head, " 12 % · 20.0 MiB/s · about 3 min 20 s left");
        assert_eq!(
            look.below,
            ["100 of ~1,000 files · 50.0 MiB of ~400.0 MiB · 1 failed · 2 waiting to be tried again"]
        );
    }

    #[test]
    fn there_is_no_bar_while_nobody_knows_how_much_there_is() {
        let look = look(&at_work(Progress { listed: false, ..half() }, None, None), 80);
        assert_eq!((look.bar, look.head.as_str()), (None, "copying · 20.0 MiB/s"));
        assert_eq!(look.below, ["100 of 200+ files · 50.0 MiB of 100.0 MiB+"]);
    }

    #[test]
    fn large_files_stand_below_each_other_and_fit_the_screen() {
        let file = |path: &str, done: u64, all: u64| LargeFile {
            path: path.into(),
            bytes_done: done * MIB,
            bytes: all * MIB,
        };
        let large = vec![
            file("2019/Archive/FileGroup00000007.dat", 512, 1024),
            file("Main.fdb", 7, 700),
            file("c", 99, 100),
            file("d", 1, 50),
        ];
        let look = look(&at_work(Progress { large, ..half() }, None, None), 44);
        assert_eq!(
            look.below[1..],
            [
                "2019/Ar…roup00000007.dat   50 % of 1.0 GiB",
                "Main.fdb                    1 % of 700.0 MiB",
                "c                          99 % of 100.0 MiB",
            ]
        );
    }

    #[test]
    fn nothing_is_wider_than_the_screen() {
        let path = "a/very/long/path/of/a/file/that/nobody/could/ever/show/in/full.dat".to_owned();
        let large = vec![LargeFile { path, bytes_done: 1, bytes: 900 * MIB }];
        let progress = Progress { failed: 100_000, retrying: 100_000, large, ..half() };
        let event = at_work(progress, None, None);
        for columns in 40..120 {
            let look = look(&event, columns);
            let head = look.bar_width + 3 + look.head.chars().count();
            assert!(head <= columns, "{columns}: {look:?}");
            for line in look.below {
                assert!(line.chars().count() <= columns, "{columns}: {line}");
            }
        }
    }

    #[test]
    fn what_could_move_the_cursor_is_escaped() {
        let large = vec![LargeFile { path: "a\u{1b}[2J".into(), bytes_done: 0, bytes: 900 * MIB }];
        let event = at_work(Progress { large, ..half() }, None, None);
        assert!(!look(&event, 80).below.concat().contains('\u{1b}'));
        assert!(!line(&event).contains('\u{1b}'));
    }
}
