//! Numbers, times and names as people read them, the same in every report.
//!
//! Names come from disks and from other people's files: what could move a cursor or hide text is escaped.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

/// `18,022`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 file`, `18,022 files`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

pub fn files(number: u64) -> String {
    counted(number, "file", "files")
}

/// `1.2 GiB`.
pub fn bytes(number: u64) -> String {
    bytesize::ByteSize(number).display().iec().to_string()
}

/// `88 MiB/s`.
pub fn rate(bytes_a_second: f64) -> String {
    // A float cast to an integer saturates: a rate beyond all measure stays one.
    format!("{}/s", bytes(bytes_a_second.max(0.0) as u64))
}

/// `40 ms`, `0.4 s`, `36 s`, `12 min 05 s`, `3 h 20 min`.
pub fn seconds(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 0.0995 {
        return format!("{:.0} ms", seconds * 1e3);
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) if hours < 100 => format!("{hours} h {minutes:02} min"),
        (hours, ..) => format!("{} days", hours / 24),
    }
}

/// A time by this machine's clock, to the second.
pub fn time(at: jiff::Timestamp) -> String {
    at.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A name or text from outside, on one line, with control characters written out.
pub fn name(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            // Formatting characters can turn the direction of a line and hide what a name really is.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                let _ = write!(safe, "\\u{{{:x}}}", character as u32); // writing to a String cannot fail
            }
            character if character.is_control() => safe.extend(character.escape_default()),
            character => safe.push(character),
        }
    }
    safe
}

/// A text of several lines from outside: line breaks stay, all else is as in [`name`].
pub fn text(text: &str) -> String {
    text.lines().map(name).collect::<Vec<_>>().join("\n")
}

/// What a finished step did, on one line, from its figures.
pub fn did(action: &str, figures: &BTreeMap<String, Value>) -> String {
    match action {
        "copy" => copied(figures),
        "verify" => verified(figures),
        "check" => counted(number(figures, "checks"), "check holds", "checks hold"),
        "service" => match (string(figures, "state"), figures.get("changed").and_then(Value::as_bool)) {
            (state, Some(false)) => format!("already {state}"),
            (state, _) => state.to_owned(),
        },
        "command" => match figures.get("exit_code").and_then(Value::as_i64) {
            Some(code) => format!("exit code {code}"),
            None => "taken as done".to_owned(),
        },
        _ => String::new(),
    }
}

/// A choice without content in the word that it has in every file.
pub fn word(choice: &impl Serialize) -> String {
    match serde_json::to_value(choice) {
        Ok(Value::String(word)) => word,
        // Choices without content are words.
        _ => String::new(),
    }
}

fn number(figures: &BTreeMap<String, Value>, name: &str) -> u64 {
    figures.get(name).and_then(Value::as_u64).unwrap_or(0)
}

fn string<'f>(figures: &'f BTreeMap<String, Value>, name: &str) -> &'f str {
    figures.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn copied(figures: &BTreeMap<String, Value>) -> String {
    let get = |name: &str| number(figures, name);
    let mut parts = Vec::new();
    for (figure, word) in [("new_files", "new"), ("changed_files", "changed"), ("same_files", "same")] {
        if get(figure) > 0 || figure != "changed_files" {
            parts.push(format!("{} {word}", count(get(figure))));
        }
    }
    for (figure, one, many) in [
        ("linked_files", "of them linked", "of them linked"),
        ("attributes_mended", "with attributes mended", "with attributes mended"),
        ("resumed_files", "gone on with", "gone on with"),
        ("filtered_files", "filtered", "filtered"),
        ("purged_files", "purged", "purged"),
        ("kept_files", "extra", "extra"),
        ("skipped_links", "link skipped", "links skipped"),
        ("skipped_special", "special file skipped", "special files skipped"),
        ("vanished", "vanished", "vanished"),
        ("failed", "failed", "failed"),
    ] {
        if get(figure) > 0 {
            parts.push(counted(get(figure), one, many));
        }
    }
    let mut line = parts.join(", ");
    if get("copied_bytes") > 0 {
        let speed = figures.get("bytes_a_second").and_then(Value::as_f64).unwrap_or(0.0);
        let _ = write!(line, " · {} ({})", bytes(get("copied_bytes")), rate(speed)); // writing to a String cannot fail
    }
    line
}

fn verified(figures: &BTreeMap<String, Value>) -> String {
    format!("{} equal · {}", files(number(figures, "equal_files")), bytes(number(figures, "equal_bytes")))
}

/// An argument as a shell takes it; as it is where nothing in it is special.
pub fn shell_argument(text: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "-_./:=,@+%".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    // Double quotes are what both families of shells know; single ones only where those would not hold.
    match text.contains(['"', '$', '`', '!']) {
        false => format!("\"{text}\""),
        true => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1000, 18022, 1_234_567].map(count), ["0", "999", "1,000", "18,022", "1,234,567"]);
    }

    #[test]
    fn times_have_two_parts_at_most() {
        let texts = [0.04, 9.9, 36.2, 725.0, 12_000.0, 500_000.0].map(seconds);
        assert_eq!(texts, ["40 ms", "9.9 s", "36 s", "12 min 05 s", "3 h 20 min", "5 days"]);
    }

    #[test]
    fn a_name_from_a_disk_cannot_move_the_cursor_or_turn_the_line() {
        assert_eq!(name("a\u{1b}[2Jb\n\u{202e}c"), "a\\u{1b}[2Jb\\n\\u{202e}c");
    }

    #[test]
    fn arguments_are_quoted_where_a_shell_would_split_or_expand_them() {
        assert_eq!(shell_argument("a/b.state.jsonl"), "a/b.state.jsonl");
        assert_eq!(shell_argument("my run.jsonl"), "\"my run.jsonl\"");
        assert_eq!(shell_argument("store[0]"), "\"store[0]\"");
        assert_eq!(shell_argument("it's $5"), r"'it'\''s $5'");
    }

    #[test]
    fn one_thing_is_told_of_in_the_singular() {
        let figures: BTreeMap<String, Value> = [("skipped_links", 1), ("skipped_special", 2)]
            .map(|(name, number)| (name.into(), number.into()))
            .into();
        let line = did("copy", &figures);
        assert!(line.ends_with("1 link skipped, 2 special files skipped"), "{line}");
    }
}
