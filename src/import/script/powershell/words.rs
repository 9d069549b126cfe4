//! A statement of PowerShell → words, with texts taken out of their quotes and variables filled in.

use super::statements::{Skipped, block, skipped};
use crate::import::variables::Variables;

/// A piece of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// More than one where a list stands.
    Words(Vec<String>),
    Comma,
    /// `|`
    Pipe,
    /// `&&`
    And,
    /// `||`
    Or,
}

/// The pieces of a statement, redirections and comments taken away.
pub(super) fn tokens(text: &str, variables: &mut Variables<'_>) -> Vec<Token> {
    Reader { text, at: 0, variables, tokens: Vec::new(), word: None }.read()
}

struct Reader<'t, 'v, 'u> {
    text: &'t str,
    at: usize,
    variables: &'v mut Variables<'u>,
    tokens: Vec<Token>,
    word: Option<Word>,
}

#[derive(Default)]
struct Word {
    text: String,
    /// Where the word is a variable that holds a list.
    items: Option<Vec<String>>,
}

impl Reader<'_, '_, '_> {
    fn read(mut self) -> Vec<Token> {
        while let Some(letter) = self.text[self.at..].chars().next() {
            if let Some(skipped) = skipped(self.text, self.at) {
                let inner = &self.text[self.at..skipped.end];
                self.at = skipped.end;
                match skipped.what {
                    Skipped::Comment | Skipped::LineEnd => self.end_word(),
                    Skipped::Text | Skipped::Unclosed => self.take_text(inner),
                }
                continue;
            }
            self.letter(letter);
        }
        self.end_word();
        self.tokens
    }

    fn letter(&mut self, letter: char) {
        let rest = &self.text[self.at..];
        let mut end = self.at + letter.len_utf8();
        match letter {
            _ if letter.is_whitespace() => self.end_word(),
            ',' => self.token(Token::Comma),
            '|' if rest.starts_with("||") => {
                end += 1;
                self.token(Token::Or);
            }
            '|' => self.token(Token::Pipe),
            '&' if rest.starts_with("&&") => {
                end += 1;
                self.token(Token::And);
            }
            '>' => end = self.redirection(),
            '$' | '@' if rest[1..].starts_with('(') => {
                end = self.at + 1 + bracketed(&rest[1..]);
                let written = &self.text[self.at..end];
                self.expression(written);
            }
            '(' => {
                end = self.at + bracketed(rest);
                let written = &self.text[self.at..end];
                self.expression(written);
            }
            '{' => {
                end = self.at + block(rest).map_or(rest.len(), |(_, end)| end);
                let written = &self.text[self.at..end];
                self.expression(written);
            }
            '$' | '@' => match variable(&rest[1..]) {
                Some((name, length)) if looks_into(&rest[1 + length..]) => {
                    end = self.at + 1 + length;
                    end += member(&self.text[end..]);
                    let letter = self.variables.of_this_script(&self.text[self.at..end], name);
                    self.push(letter.encode_utf8(&mut [0; 4]));
                }
                Some((name, length)) => {
                    end = self.at + 1 + length;
                    self.variable(name, &self.text[self.at..end]);
                }
                None => self.push(&letter.to_string()),
            },
            letter => self.push(letter.encode_utf8(&mut [0; 4])),
        }
        self.at = end;
    }

    fn push(&mut self, text: &str) {
        self.word.get_or_insert_default().text.push_str(text);
    }

    fn token(&mut self, token: Token) {
        self.end_word();
        self.tokens.push(token);
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        let words = match word.items {
            Some(items) if word.text.is_empty() => items,
            Some(items) => vec![format!("{}{}", items.join(" "), word.text)],
            None => vec![word.text],
        };
        self.tokens.push(Token::Words(words));
    }

    /// A variable that is not in quotes: a list stays one.
    fn variable(&mut self, name: &str, written: &str) {
        let items = self.variables.items(name, written);
        match (&mut self.word, items.as_slice()) {
            (None, [_, _, ..]) => self.word = Some(Word { text: String::new(), items: Some(items) }),
            _ => self.push(&items.join(" ")),
        }
    }

    /// A list of texts is one; what only a running script could work out is not known.
    fn expression(&mut self, written: &str) {
        if let Some(inner) = written.strip_prefix("@(").and_then(|inner| inner.strip_suffix(')'))
            && !inner.contains(['(', '{'])
            && self.word.is_none()
        {
            let inner = inner.replace('\n', " ");
            let mut items = Vec::new();
            for token in tokens(&inner, self.variables) {
                if let Token::Words(words) = token {
                    items.extend(words);
                }
            }
            self.word = Some(Word { text: String::new(), items: Some(items) });
            return;
        }
        let text = self.worked_out(written);
        self.push(&text);
    }

    /// What `$( … )` comes to, where it is a variable or a path that is put together; else a letter for it.
    fn worked_out(&mut self, written: &str) -> String {
        let inner =
            written.trim_start_matches('$').strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
        if let Some(inner) = inner.map(str::trim).filter(|inner| !inner.contains(['(', '{'])) {
            let whole = inner.strip_prefix('$').and_then(variable);
            if let Some((name, _)) = whole.filter(|(_, length)| length + 1 == inner.len()) {
                return self.variables.text(name, written);
            }
            if inner.get(..9).is_some_and(|word| word.eq_ignore_ascii_case("join-path"))
                && let Some(path) = joined_path(&tokens(inner, self.variables))
            {
                return path;
            }
        }
        self.variables.of_this_script(written, "expression").to_string()
    }

    fn take_text(&mut self, quoted: &str) {
        if let Some(letter) = quoted.strip_prefix('`') {
            return self.push(letter);
        }
        let is_here = quoted.starts_with('@');
        let quoted = quoted.trim_start_matches('@').trim_end_matches(|letter| is_here && letter == '@');
        let Some(quote) = quoted.chars().next() else { return };
        let inner = quoted[1..].strip_suffix(quote).unwrap_or(&quoted[1..]);
        let inner = if is_here { inner.trim_matches('\n') } else { inner };
        // Even an empty text is a word.
        self.push("");
        match quote {
            '\'' => self.push(&inner.replace("''", "'")),
            _ => self.fill_in(inner),
        }
    }

    fn fill_in(&mut self, inner: &str) {
        let mut at = 0;
        while let Some(letter) = inner[at..].chars().next() {
            let rest = &inner[at + letter.len_utf8()..];
            let next = rest.chars().next();
            let mut length = letter.len_utf8();
            match (letter, next) {
                ('`', Some(next)) => {
                    length += next.len_utf8();
                    self.push(match next {
                        'n' => "\n",
                        't' => "\t",
                        'r' => "",
                        _ => &rest[..next.len_utf8()],
                    });
                }
                ('"', Some('"')) => {
                    length += 1;
                    self.push("\"");
                }
                ('$', Some('(')) => {
                    length += bracketed(rest);
                    let text = self.worked_out(&inner[at..at + length]);
                    self.push(&text);
                }
                ('$', Some(_)) => match variable(rest) {
                    Some((name, behind)) => {
                        length += behind;
                        let text = self.variables.text(name, &inner[at..at + length]);
                        self.push(&text);
                    }
                    None => self.push("$"),
                },
                (letter, _) => self.push(letter.encode_utf8(&mut [0; 4])),
            }
            at += length;
        }
    }

    /// Takes away `> file`, `2>&1`, `*> $null`; where it ends.
    fn redirection(&mut self) -> usize {
        if self
            .word
            .as_ref()
            .is_some_and(|word| matches!(word.text.as_str(), "*" | "1" | "2" | "3" | "4" | "5" | "6"))
        {
            self.word = None;
        }
        self.end_word();
        let rest = self.text[self.at..].trim_start_matches('>');
        if let Some(behind) = rest.strip_prefix('&') {
            return self.text.len() - behind.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
        }
        let mut at = self.text.len() - rest.trim_start_matches([' ', '\t']).len();
        while let Some(letter) = self.text[at..].chars().next() {
            match skipped(self.text, at) {
                Some(skipped) => at = skipped.end,
                None if letter.is_whitespace() || "|;>".contains(letter) => break,
                None => at += letter.len_utf8(),
            }
        }
        at
    }
}

/// `Join-Path FOLDER NAME`
pub(super) fn joined_path(tokens: &[Token]) -> Option<String> {
    let [Token::Words(command), Token::Words(folder), Token::Words(below)] = tokens else { return None };
    let is_join = command.first().is_some_and(|word| word.eq_ignore_ascii_case("join-path"));
    is_join.then(|| format!("{}\\{}", folder.join(" ").trim_end_matches('\\'), below.join(" ")))
}

/// Whether what stands behind a variable is something of what it holds: `.Path`, `[0]`.
fn looks_into(rest: &str) -> bool {
    let mut letters = rest.chars();
    match letters.next() {
        Some('[') => true,
        Some('.') => letters.next().is_some_and(|next| next.is_alphabetic() || next == '_'),
        _ => false,
    }
}

/// The length of `.Path`, `[0]` and what follows without a blank.
fn member(rest: &str) -> usize {
    rest.find(|letter: char| letter.is_whitespace() || "\\/|;,\"'".contains(letter)).unwrap_or(rest.len())
}

/// The name of a variable behind its `$`, and how long it is as it is written.
fn variable(text: &str) -> Option<(&str, usize)> {
    if let Some(rest) = text.strip_prefix('{') {
        let end = rest.find('}')?;
        return Some((rest[..end].trim_start_matches("env:"), end + 2));
    }
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let scope = ["env:", "script:", "global:", "local:"]
        .into_iter()
        .find(|scope| text.get(..scope.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scope)))
        .map_or(0, str::len);
    let length = text[scope..].find(|letter| !is_name(letter)).unwrap_or(text.len() - scope);
    (length > 0).then(|| (&text[scope..scope + length], scope + length))
}

/// The length of `( … )`, with both; to the end where it is never closed.
fn bracketed(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0usize);
    while let Some(letter) = text[at..].chars().next() {
        if let Some(skipped) = skipped(text, at) {
            at = skipped.end;
            continue;
        }
        at += letter.len_utf8();
        match letter {
            '(' => depth += 1,
            ')' if depth <= 1 => return at,
            ')' => depth -= 1,
            _ => {}
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::unknown::Unknowns;
    use crate::import::variables::{NameCase, Value};

    fn shown(text: &str) -> Vec<String> {
        let mut unknowns = Unknowns::default();
        let mut variables = Variables::new(NameCase::Ignored, 0, &mut unknowns);
        variables.set("old", Value::Text(r"D:\Mail Archive".to_owned()));
        variables.set("options", Value::List(vec!["/e".to_owned(), "/r:2".to_owned()]));
        let tokens = tokens(text, &mut variables);
        let word = |token: Token| match token {
            Token::Words(words) => words.join("·"),
            other => format!("{other:?}"),
        };
        tokens.into_iter().map(|token| unknowns.shown(&word(token))).collect()
    }

    #[test]
    fn texts_variables_and_lists_are_words() {
        let text = "robocopy $Old \"$old\\a `\"b\" 'it''s' @options $options x$options";
        let expected = [
            "robocopy",
            r"D:\Mail Archive",
            "D:\\Mail Archive\\a \"b",
            "it's",
            "/e·/r:2",
            "/e·/r:2",
            "x/e /r:2",
        ];
        assert_eq!(shown(text), expected);
        assert_eq!(shown("@('a', \"b\") 'c','d'"), ["a·b", "c", "Comma", "d"]);
    }

    #[test]
    fn what_is_not_known_is_shown_as_it_was_written() {
        assert_eq!(
            shown("$env:TEMP (Get-Date) $new\\x \"$(1 + 1)\""),
            ["$env:TEMP", "(Get-Date)", "$new\\x", "$(1 + 1)"]
        );
    }

    #[test]
    fn what_is_put_together_is_worked_out_and_what_is_looked_up_is_not_known() {
        let text = r#"(Join-Path $old 'x') "$($old)\y" $old.Path $args[0]\z "$old.x""#;
        let expected =
            [r"D:\Mail Archive\x", r"D:\Mail Archive\y", "$old.Path", r"$args[0]\z", r"D:\Mail Archive.x"];
        assert_eq!(shown(text), expected);
        assert_eq!(shown(&"(".repeat(10_000)).len(), 1);
    }

    #[test]
    fn redirections_and_comments_are_taken_away() {
        assert_eq!(shown("a > $null b 2>&1 *> 'x y' | c # d"), ["a", "b", "Pipe", "c"]);
    }
}
