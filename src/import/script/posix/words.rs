//! A statement of a shell → its words, with quotes taken away and variables filled in.

use super::statements::quoted;
use crate::import::variables::Variables;

/// The words of a statement, program by program where `|` joins them.
pub(super) struct Words {
    pub programs: Vec<Vec<String>>,
    /// `{a,b}` makes several words of one, which is not followed.
    pub braces: Braces,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Braces {
    None,
    Some,
}

pub(super) fn words(code: &str, variables: &mut Variables<'_>) -> Words {
    let words = Words { programs: vec![Vec::new()], braces: Braces::None };
    Reader { code, at: 0, looked_to: 0, variables, word: None, words }.read()
}

/// A text in which variables are filled in, as between double quotes.
pub(super) fn filled_in(text: &str, variables: &mut Variables<'_>) -> String {
    let mut reader = Reader {
        code: text,
        at: 0,
        looked_to: 0,
        variables,
        word: None,
        words: Words { programs: vec![Vec::new()], braces: Braces::None },
    };
    while let Some(letter) = text[reader.at..].chars().next() {
        reader.quoted_letter(letter);
    }
    reader.word.unwrap_or_default()
}

struct Reader<'c, 'v, 'u> {
    code: &'c str,
    at: usize,
    /// Where the last braces end that were looked at.
    looked_to: usize,
    variables: &'v mut Variables<'u>,
    word: Option<String>,
    words: Words,
}

impl Reader<'_, '_, '_> {
    fn read(mut self) -> Words {
        while let Some(letter) = self.code[self.at..].chars().next() {
            self.letter(letter);
        }
        self.end_word();
        self.words
    }

    fn push(&mut self, text: &str) {
        self.word.get_or_insert_default().push_str(text);
    }

    fn end_word(&mut self) {
        let word = self.word.take();
        self.words.programs.last_mut().into_iter().for_each(|program| program.extend(word.clone()));
    }

    fn letter(&mut self, letter: char) {
        let rest = &self.code[self.at..];
        match letter {
            '\\' => {
                let next = rest[1..].chars().next();
                self.at += 1 + next.map_or(0, char::len_utf8);
                match next {
                    Some('\n') | None => {}
                    Some(next) => self.push(next.encode_utf8(&mut [0; 4])),
                }
            }
            '\'' => {
                let length = rest[1..].find('\'').map_or(rest.len(), |end| end + 2);
                self.at += length;
                self.push(rest[1..length].trim_end_matches('\''));
            }
            '"' => {
                self.at += 1;
                self.push("");
                while let Some(letter) = self.code[self.at..].chars().next() {
                    if letter == '"' {
                        self.at += 1;
                        break;
                    }
                    self.quoted_letter(letter);
                }
            }
            '#' if self.word.is_none() => self.at += rest.find('\n').unwrap_or(rest.len()),
            '$' | '`' => {
                let (items, length) = self.value(rest);
                self.at += length;
                self.unquoted(&items);
            }
            '~' if self.word.is_none()
                && rest[1..].chars().next().is_none_or(|next| next == '/' || next.is_whitespace()) =>
            {
                self.at += 1;
                let home = self.variables.text("HOME", "~");
                self.push(&home);
            }
            '|' => {
                self.end_word();
                self.words.programs.push(Vec::new());
                self.at += 1;
                if self.code[self.at..].starts_with('&') {
                    self.at += 1;
                }
            }
            '>' | '<' => self.redirection(),
            '&' if rest.starts_with("&>") => {
                self.at += 1;
                self.redirection();
            }
            letter if letter.is_whitespace() => {
                self.at += letter.len_utf8();
                self.end_word();
            }
            letter => {
                if letter == '{' && self.at >= self.looked_to {
                    self.look_for_several();
                }
                self.at += letter.len_utf8();
                self.push(letter.encode_utf8(&mut [0; 4]));
            }
        }
    }

    /// A letter between double quotes, or what a `$` there stands for.
    fn quoted_letter(&mut self, letter: char) {
        let rest = &self.code[self.at..];
        match letter {
            '\\' => {
                let next = rest[1..].chars().next();
                self.at += 1 + next.map_or(0, char::len_utf8);
                match next {
                    Some(next @ ('$' | '`' | '"' | '\\')) => self.push(next.encode_utf8(&mut [0; 4])),
                    Some('\n') => {}
                    Some(_) | None => self.push(&rest[..1 + next.map_or(0, char::len_utf8)]),
                }
            }
            '$' | '`' => {
                let (items, length) = self.value(rest);
                self.at += length;
                // A list between quotes keeps its items apart.
                if let [first, middle @ .., last] = items.as_slice() {
                    self.push(first);
                    for item in middle.iter().chain([last]) {
                        self.end_word();
                        self.push(item);
                    }
                } else {
                    self.push(&items.concat());
                }
            }
            letter => {
                self.at += letter.len_utf8();
                self.push(letter.encode_utf8(&mut [0; 4]));
            }
        }
    }

    /// What a variable outside of quotes holds is parted at its blanks.
    fn unquoted(&mut self, items: &[String]) {
        for (number, item) in items.iter().enumerate() {
            if number > 0 {
                self.end_word();
            }
            if item.starts_with(char::is_whitespace) {
                self.end_word();
            }
            for (number, piece) in item.split_whitespace().enumerate() {
                if number > 0 {
                    self.end_word();
                }
                self.push(piece);
            }
            if item.ends_with(char::is_whitespace) {
                self.end_word();
            }
        }
    }

    /// What `$…` stands for, and how long it is.
    fn value(&mut self, rest: &str) -> (Vec<String>, usize) {
        let behind = &rest[1..];
        let first = behind.chars().next();
        if rest.starts_with('`') || matches!(first, Some('(' | '{' | '\'')) {
            let length = quoted(rest).flatten().unwrap_or(rest.len());
            let written = &rest[..length];
            return match first {
                Some('{') if !rest.starts_with('`') => (self.braced(written), length),
                Some('\'') if !rest.starts_with('`') => {
                    (vec![written.get(2..length.saturating_sub(1)).unwrap_or_default().to_owned()], length)
                }
                _ => (vec![self.variables.of_this_script(written, "expression").to_string()], length),
            };
        }
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let length = match first {
            Some(digit) if digit.is_ascii_digit() || "@*#?$!".contains(digit) => 1,
            _ => behind.find(|letter| !is_name(letter)).unwrap_or(behind.len()),
        };
        if length == 0 {
            return (vec!["$".to_owned()], 1);
        }
        (self.named(&behind[..length], &rest[..=length]), length + 1)
    }

    fn named(&mut self, name: &str, written: &str) -> Vec<String> {
        match name {
            "0" => vec![self.variables.of_this_script(written, "script").to_string()],
            _ if name.starts_with(|letter: char| letter.is_ascii_digit()) => {
                vec![self.variables.by_name(written, &format!("argument_{name}")).to_string()]
            }
            "@" | "*" | "#" | "?" | "$" | "!" => {
                vec![self.variables.of_this_script(written, "arguments").to_string()]
            }
            name => self.variables.items(name, written),
        }
    }

    /// `${NAME}`, `${NAME:-default}`, `${NAMES[@]}`; what else braces can say is not known.
    fn braced(&mut self, written: &str) -> Vec<String> {
        let inner = written.trim_start_matches("${").strip_suffix('}').unwrap_or_default();
        let end = inner
            .find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
            .unwrap_or(inner.len());
        let (name, rest) = inner.split_at(end);
        match rest {
            "" | "[@]" | "[*]" if !name.is_empty() => self.named(name, written),
            _ => match rest.strip_prefix(":-").or_else(|| rest.strip_prefix(":=")) {
                Some(default)
                    if !name.is_empty() && !self.variables.is_set(name) && !default.contains('$') =>
                {
                    vec![default.trim_matches(['"', '\'']).to_owned()]
                }
                Some(_) if self.variables.is_set(name) => self.named(name, written),
                // `${1:?usage}` is an argument as `$1` is.
                _ if name.starts_with(|letter: char| letter.is_ascii_digit()) => self.named(name, written),
                _ => {
                    let name = if name.is_empty() { "expression" } else { name };
                    vec![self.variables.of_this_script(written, name).to_string()]
                }
            },
        }
    }

    /// Whether `{a,b}` or `{1..3}` begins here. A brace within another has the same end, so that one look serves both.
    fn look_for_several(&mut self) {
        let rest = &self.code[self.at..];
        let ends = |letter: char| letter == '}' || letter.is_whitespace();
        let end = rest.find(ends).unwrap_or(rest.len());
        self.looked_to = self.at + end;
        let inner = &rest[..end];
        if rest[end..].starts_with('}') && (inner.contains(',') || inner.contains("..")) {
            self.words.braces = Braces::Some;
        }
    }

    fn redirection(&mut self) {
        if self.word.as_ref().is_some_and(|word| word.len() == 1 && word.as_bytes()[0].is_ascii_digit()) {
            self.word = None;
        }
        self.end_word();
        let rest = self.code[self.at..].trim_start_matches(['>', '<']);
        let rest = rest.strip_prefix('&').unwrap_or(rest).trim_start_matches([' ', '\t']);
        self.at = self.code.len() - rest.len();
        while let Some(letter) = self.code[self.at..].chars().next() {
            match quoted(&self.code[self.at..]) {
                Some(length) => self.at += length.unwrap_or(self.code.len() - self.at),
                None if letter.is_whitespace() || "|<>&".contains(letter) => break,
                None => self.at += letter.len_utf8(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::unknown::Unknowns;
    use crate::import::variables::{NameCase, Value};

    fn shown(code: &str) -> Vec<String> {
        let mut unknowns = Unknowns::default();
        let mut variables = Variables::new(NameCase::Kept, 0, &mut unknowns);
        variables.set("OLD", Value::Text("/srv/Mail Archive".to_owned()));
        variables.set("OPTS", Value::List(vec!["-a".to_owned(), "x y".to_owned()]));
        let words = words(code, &mut variables);
        words.programs.concat().iter().map(|word| unknowns.shown(word)).collect()
    }

    #[test]
    fn quotes_keep_a_value_whole_and_without_them_it_is_parted() {
        assert_eq!(
            shown(r#"rsync "$OLD/" $OLD 'a $OLD' b\ c"#),
            ["rsync", "/srv/Mail Archive/", "/srv/Mail", "Archive", "a $OLD", "b c"]
        );
        assert_eq!(shown(r#"x "${OPTS[@]}" y"#), ["x", "-a", "x y", "y"]);
    }

    #[test]
    fn a_default_is_taken_and_what_is_not_known_is_shown_as_written() {
        assert_eq!(
            shown("${1:-/srv/old} ${NEW} $OTHER/x $(date) `date` ${NEW%/} $2 ~/y"),
            ["${1:-/srv/old}", "${NEW}", "$OTHER/x", "$(date)", "`date`", "${NEW%/}", "$2", "~/y"]
                .map(|word| if word == "${1:-/srv/old}" { "/srv/old" } else { word })
        );
    }

    #[test]
    fn redirections_and_comments_are_taken_away() {
        assert_eq!(shown("a 2>&1 >/dev/null b &> 'c d' < e # f"), ["a", "b"]);
    }
}
