//! What a child wrote, made fit to be kept and shown: without secrets, bounded, without control characters.
//!
//! Pure. Invariant: no part of a secret is left, not even where the bound cuts through one.

use super::outcome::Failure;
use crate::sys::process::{Captured, MARGIN_BYTES};

/// How many lines of a child's last words an error shows …
const LINES: usize = 8;
/// … and how much of each.
const LINE_LENGTH: usize = 200;

/// The text of a stream, or the end of it where it was long, without secrets. Bytes that are no UTF-8 become `�`.
pub fn text(captured: &Captured, redact: &dyn Fn(&str) -> String) -> String {
    let whole = String::from_utf8_lossy(&captured.tail);
    let redacted = redact(&whole);
    if !captured.is_cut() {
        return redacted;
    }
    // The first bytes may be the rest of a secret that nothing recognises any more, so they are left out. Where the cut
    // goes through a secret itself, the two redacted texts part at its mask, and all behind that point is safe.
    let margin = redact(&whole[..whole.floor_char_boundary(MARGIN_BYTES)]);
    let unsafe_length: usize = redacted
        .chars()
        .zip(margin.chars())
        .take_while(|(one, other)| one == other)
        .map(|(one, _)| one.len_utf8())
        .sum();
    redacted[unsafe_length..].to_owned()
}

/// A text without its last line break.
pub fn without_last_break(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// The last lines that a child wrote, for an error: from stderr, or from stdout where stderr is empty.
pub fn last_words(stdout: &Captured, stderr: &Captured, redact: &dyn Fn(&str) -> String) -> Option<String> {
    [stderr, stdout].into_iter().find_map(|captured| {
        let text = text(captured, redact);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(LINES)..];
        (!last.is_empty())
            .then(|| last.iter().map(|line| format!("\n  {}", presentable(line))).collect::<String>())
    })
}

/// Adds the last words to an error.
pub fn failed_saying(error: String, words: Option<String>) -> Failure {
    match words {
        Some(words) => Failure::failed(format!("{error}; it said:{words}")),
        None => Failure::failed(error),
    }
}

/// Control characters are shown and not obeyed: a child must not paint on the operator's terminal.
fn presentable(line: &str) -> String {
    let mut shown = String::new();
    for (count, character) in line.trim_end().chars().enumerate() {
        if count == LINE_LENGTH {
            shown.push('…');
            break;
        }
        match character {
            '\t' => shown.push_str("    "),
            control if control.is_control() => shown.extend(control.escape_default()),
            other => shown.push(other),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(text: &str, total: u64) -> Captured {
        Captured { tail: text.as_bytes().to_vec(), total }
    }

    fn without_canary(text: &str) -> String {
        text.replace("CANARY-7f3a", "***")
    }

    #[test]
    fn a_short_text_is_whole_and_redacted() {
        let text = text(&captured("key CANARY-7f3a ok\n", 19), &without_canary);
        assert_eq!(text, "key *** ok\n");
    }

    #[test]
    fn half_a_secret_at_the_beginning_of_a_cut_text_is_left_out() {
        let tail = format!("RY-7f3a {}", "x".repeat(MARGIN_BYTES));
        let text = text(&captured(&tail, 1_000_000), &without_canary);
        assert!(!text.contains("7f3a"), "{text}");
        assert!(text.ends_with("xxxxxx"));
    }

    #[test]
    fn a_secret_that_the_cut_goes_through_is_masked_at_every_offset() {
        for offset in 0..12 {
            let tail = format!("{}CANARY-7f3a{}", "x".repeat(MARGIN_BYTES - offset), "y".repeat(50));
            let text = text(&captured(&tail, 1_000_000), &without_canary);
            for length in 4..=11 {
                assert!(!text.contains(&"CANARY-7f3a"[11 - length..]), "offset {offset}: {text}");
            }
            assert!(text.ends_with(&"y".repeat(50)));
        }
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        let tail: Vec<u8> = [0xff, 0xc3, 0x28].repeat(3_000);
        let captured = Captured { total: 1_000_000, tail };
        assert!(text(&captured, &without_canary).contains('\u{fffd}'));
    }

    #[test]
    fn one_line_break_at_the_end_goes() {
        assert_eq!(without_last_break("a\n\n"), "a\n");
        assert_eq!(without_last_break("a\r\n"), "a");
        assert_eq!(without_last_break("a"), "a");
    }

    #[test]
    fn last_words_show_control_characters_and_obey_none() {
        let words = last_words(&captured("", 0), &captured("\u{1b}[2Jgone\n", 9), &without_canary).unwrap();
        assert_eq!(words, "\n  \\u{1b}[2Jgone");
    }

    #[test]
    fn last_words_come_from_stdout_where_stderr_is_silent() {
        let words = last_words(&captured("out\n", 4), &captured("\n", 1), &without_canary).unwrap();
        assert_eq!(words, "\n  out");
    }
}
