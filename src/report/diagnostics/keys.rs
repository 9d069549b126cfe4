//! A variable file as it may be printed where secrets are: its keys, and nothing of its values.
//!
//! Pure. Invariant: of a line nothing is left but a name at its very beginning and the colon behind it. What is indented
//! may be the middle of a value, whatever it looks like.

use std::ops::Range;

use crate::secret::MASK;

/// The text, and where its places have gone.
pub struct Keys {
    pub text: String,
    lines: Vec<Line>,
}

struct Line {
    /// Where it begins in the file, and in the text that is printed.
    from: usize,
    to: usize,
    /// How many bytes of it are printed as they are.
    key: usize,
    /// Where, from its beginning, the mask stands.
    mask: Range<usize>,
}

impl Keys {
    pub fn of(text: &str) -> Self {
        let mut keys = Self { text: String::with_capacity(text.len()), lines: Vec::new() };
        let mut from = 0;
        for line in text.split('\n') {
            let key = key_length(line);
            let to = keys.text.len();
            keys.text.push_str(&line[..key]);
            let mut mask = key..key;
            if !line[key..].trim().is_empty() {
                if key > 0 {
                    keys.text.push(' ');
                }
                let start = keys.text.len() - to;
                keys.text.push_str(MASK);
                mask = start..start + MASK.len();
            }
            keys.text.push('\n');
            keys.lines.push(Line { from, to, key, mask });
            from += line.len() + 1;
        }
        // The last line has no end of its own.
        keys.text.pop();
        keys
    }

    /// Where a place of the file is in the text that is printed: a place in a value is all of its mask.
    pub fn place(&self, place: &Range<usize>) -> Range<usize> {
        let line = &self.lines[self.lines.partition_point(|line| line.from <= place.start).max(1) - 1];
        let (start, end) = (place.start - line.from, place.end.saturating_sub(line.from));
        let first = if start < line.key { start } else { line.mask.start };
        let last = if end <= line.key { end } else { line.mask.end };
        line.to + first..line.to + last.max(first)
    }
}

/// The length of the key that a line begins with, colon included; 0 where it begins with none.
fn key_length(line: &str) -> usize {
    let name =
        line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(line.len());
    let begins = line.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    match line[name..].strip_prefix(':') {
        Some(rest) if begins && (rest.is_empty() || rest.starts_with(char::is_whitespace)) => name + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "old: D:\\x\r\nkey: |\n  CANARY: 1\n# key: CANARY\n\nCANARY\nempty:\n{a: CANARY}";

    #[test]
    fn only_names_at_the_beginning_of_a_line_are_left() {
        let keys = Keys::of(TEXT);
        assert_eq!(keys.text, "old: ***\nkey: ***\n***\n***\n\n***\nempty:\n***");
    }

    #[test]
    fn places_stay_on_their_key_or_become_that_of_the_mask() {
        let keys = Keys::of(TEXT);
        let shown = |part: &str| {
            let start = TEXT.find(part).unwrap();
            &keys.text[keys.place(&(start..start + part.len()))]
        };
        assert_eq!(shown("old"), "old");
        assert_eq!(shown("D:\\x"), "***");
        assert_eq!(shown("key"), "key");
        assert_eq!(shown("CANARY: 1"), "***");
        assert_eq!(shown("empty"), "empty");
        assert_eq!(shown("{a"), "***");
    }

    #[test]
    fn every_place_of_a_text_has_one_that_can_be_printed() {
        let keys = Keys::of(TEXT);
        for start in 0..=TEXT.len() {
            for end in start..=TEXT.len() {
                assert!(keys.text.get(keys.place(&(start..end))).is_some(), "{start}..{end}");
            }
        }
    }
}
