//! Texts as YAML has them: scalars, templates and comments, whatever the text holds.

use std::fmt::Write as _;

use super::unknown::is_stand_in;

/// A text that is no template, as a scalar.
pub fn text(text: &str) -> String {
    if !text.chars().any(is_odd) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut scalar = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => scalar.push_str("\\\""),
            '\\' => scalar.push_str("\\\\"),
            '\n' => scalar.push_str("\\n"),
            '\t' => scalar.push_str("\\t"),
            // Writing to a String cannot fail.
            letter if is_odd(letter) => match u32::from(letter) {
                code @ ..=0xFF => drop(write!(scalar, "\\x{code:02X}")),
                code @ ..=0xFFFF => drop(write!(scalar, "\\u{code:04X}")),
                code => drop(write!(scalar, "\\U{code:08X}")),
            },
            letter => scalar.push(letter),
        }
    }
    scalar.push('"');
    scalar
}

/// An id of small letters, digits and hyphens; in quotes where YAML would take it for a number or for nothing.
pub fn id(id: &str) -> String {
    let is_plain = id.starts_with(|letter: char| letter.is_ascii_lowercase())
        && !matches!(id, "true" | "false" | "null");
    if is_plain { id.to_owned() } else { text(id) }
}

/// A text for a place where templates are rendered. It stays what it is, but for the letters that stand for variables.
pub fn template(text: &str, variable: &dyn Fn(char) -> Option<String>) -> String {
    let has_variables = text.contains(is_stand_in);
    if !has_variables && !crate::values::is_template(text) {
        return self::text(text);
    }
    let mut written = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            // A brace in front of a template's own would make another mark of both.
            '{' => written.push_str("{{ '{' }}"),
            letter => match variable(letter) {
                Some(name) => drop(write!(written, "{{{{ {name} }}}}")), // writing to a String cannot fail
                None => written.push(letter),
            },
        }
    }
    self::text(&written)
}

/// What a comment may hold: one line, on which nothing moves a cursor or turns the text.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\t' => shown.push(' '),
            letter if is_odd(letter) => shown.extend(letter.escape_unicode()),
            letter => shown.push(letter),
        }
    }
    shown
}

/// Letters that YAML does not take as they are, or that nobody sees.
fn is_odd(letter: char) -> bool {
    letter.is_control()
        || is_stand_in(letter)
        || matches!(u32::from(letter), 0x2028 | 0x2029 | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xFFF0..=0xFFFC | 0xFFFE | 0xFFFF)
        || u32::from(letter) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::unknown::{Unknowns, Whose};

    #[test]
    fn a_text_is_a_scalar_whatever_it_holds() {
        assert_eq!(text(r"\\old\c$\It's"), r"'\\old\c$\It''s'");
        assert_eq!(text("a\u{1b}\"\\\n\u{202e}\u{fffe}"), "\"a\\x1B\\\"\\\\\\n\\u202E\\uFFFE\"");
    }

    #[test]
    fn what_looks_like_a_template_stays_text() {
        let none = |_| None;
        assert_eq!(template("{a}", &none), "'{a}'");
        assert_eq!(template("{{x", &none), "'{{ ''{'' }}{{ ''{'' }}x'");
        let letter = Unknowns::default().stand_in("%OLD%", "old", Whose::AllScripts);
        let named = |found: char| (found == letter).then(|| "old".to_owned());
        assert_eq!(template(&format!("{{{letter}"), &named), "'{{ ''{'' }}{{ old }}'");
    }

    #[test]
    fn a_comment_is_one_line() {
        assert_eq!(shown("a\tb\u{1b}\u{202e}\nc"), "a b\\u{1b}\\u{202e}\\u{a}c");
    }
}
