//! A shell's text → statements: what ends one, and which of them belong to one construct.

/// A simple command, or what is left of a construct's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub start: usize,
    pub end: usize,
    /// Where its code begins: behind the pattern of a `case`.
    pub code: usize,
    pub ended: Ended,
    pub kind: Kind,
}

/// What stands behind a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By `;` or a line's end.
    Plainly,
    /// By `&&`: what follows depends on it.
    And,
    /// By `||`.
    Or,
    /// By `&`.
    Background,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Comment,
    Code,
    /// A text for a program's input stands in it (`<<`).
    WithInput,
    Unclosed,
}

/// All statements of a text.
pub(super) fn statements(text: &str) -> Vec<Statement> {
    Scanner {
        text,
        at: 0,
        start: 0,
        code: 0,
        depth: 0,
        kind: Kind::Code,
        inputs: Vec::new(),
        found: Vec::new(),
    }
    .scan()
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    start: usize,
    code: usize,
    depth: usize,
    kind: Kind,
    /// The words that end texts which begin behind this line.
    inputs: Vec<&'t str>,
    found: Vec<Statement>,
}

impl Scanner<'_> {
    fn scan(mut self) -> Vec<Statement> {
        while let Some(letter) = self.text[self.at..].chars().next() {
            let rest = &self.text[self.at..];
            if letter == '#' && self.begins_word() {
                let end = self.at + rest.find('\n').unwrap_or(rest.len());
                if self.depth == 0 && self.text[self.start..self.at].trim().is_empty() {
                    self.found.push(Statement {
                        start: self.at,
                        end,
                        code: self.at,
                        ended: Ended::Plainly,
                        kind: Kind::Comment,
                    });
                    (self.start, self.code) = (end, end);
                }
                self.at = end;
                continue;
            }
            if let Some(length) = quoted(rest) {
                match length {
                    Some(length) => self.at += length,
                    None => {
                        self.kind = Kind::Unclosed;
                        self.at = self.text.len();
                    }
                }
                continue;
            }
            self.letter(letter);
        }
        if self.depth > 0 {
            self.kind = Kind::Unclosed;
        }
        self.end(self.text.len(), Ended::Plainly);
        self.found
    }

    fn begins_word(&self) -> bool {
        let before = self.text[..self.at].chars().next_back();
        before.is_none_or(|before| before.is_whitespace() || ";()&|".contains(before))
    }

    fn letter(&mut self, letter: char) {
        let rest = &self.text[self.at..];
        let mut length = letter.len_utf8();
        let is_redirection = self.text[..self.at].ends_with(['>', '<']) || rest.starts_with("&>");
        match letter {
            '(' => self.depth += 1,
            // What a pattern leads belongs to the `case` that stands in front of it.
            ')' if self.depth == 0 && unled(&self.text[self.code..self.at]).starts_with("case ") => {}
            ')' if self.depth == 0 => self.code = self.at + 1,
            ')' => self.depth -= 1,
            _ if self.depth > 0 => {}
            '<' if rest.starts_with("<<") && !rest.starts_with("<<<") => length = self.input(rest),
            '<' if rest.starts_with("<<<") => length = 3,
            '\n' => {
                self.skip_inputs();
                return;
            }
            ';' => self.end(self.at, Ended::Plainly),
            '&' if rest.starts_with("&&") => {
                length = 2;
                self.end(self.at, Ended::And);
            }
            '|' if rest.starts_with("||") => {
                length = 2;
                self.end(self.at, Ended::Or);
            }
            '&' if !is_redirection => self.end(self.at, Ended::Background),
            _ => {}
        }
        self.at += length;
        // The mark itself belongs to no statement.
        if self.start == self.at - length
            && matches!(letter, ';' | '&' | '|')
            && self.text[self.start..].starts_with(letter)
        {
            (self.start, self.code) = (self.at, self.at);
        }
    }

    /// Takes note of `<<WORD`; how long it is.
    fn input(&mut self, rest: &str) -> usize {
        let behind = rest[2..].strip_prefix('-').unwrap_or(&rest[2..]).trim_start_matches([' ', '\t']);
        let begin = rest.len() - behind.len();
        let length = behind
            .find(|letter: char| letter.is_whitespace() || ";&|<>()".contains(letter))
            .unwrap_or(behind.len());
        self.kind = Kind::WithInput;
        let from = self.at + begin;
        self.inputs.push(self.text[from..from + length].trim_matches(['\'', '"', '\\']));
        begin + length
    }

    /// The end of a line, with the texts that follow it.
    fn skip_inputs(&mut self) {
        let line_end = self.at;
        self.at += 1;
        for input in std::mem::take(&mut self.inputs) {
            loop {
                let rest = &self.text[self.at..];
                let length = rest.find('\n').map_or(rest.len(), |end| end + 1);
                let is_last = rest[..length].trim() == input;
                self.at += length;
                if is_last || length == 0 {
                    break;
                }
            }
        }
        let end = if self.kind == Kind::WithInput { self.at.min(self.text.len()) } else { line_end };
        // `|` at a line's end goes on with the next.
        if self.text[self.code..line_end].trim_end().ends_with('|') && self.kind == Kind::Code {
            return;
        }
        self.end(end, Ended::Plainly);
        (self.start, self.code) = (self.at, self.at);
    }

    fn end(&mut self, end: usize, ended: Ended) {
        let (start, code) = (self.start, self.code.min(end));
        if !self.text[start..end].trim().is_empty() {
            let kind = self.kind;
            let begin = end - self.text[start..end].trim_start().len();
            let finish = begin + self.text[begin..end].trim_end().len();
            self.found.push(Statement {
                start: begin,
                end: finish,
                code: code.clamp(begin, finish),
                ended,
                kind,
            });
        } else if let (Some(last), true) = (self.found.last_mut(), matches!(ended, Ended::And | Ended::Or)) {
            last.ended = ended;
        }
        self.kind = Kind::Code;
        (self.start, self.code) = (end, end);
    }
}

/// The length of a text between quotes, of `$( … )`, `${ … }`, or of a letter behind a backslash. `Some(None)`: it has no end.
pub(super) fn quoted(rest: &str) -> Option<Option<usize>> {
    let mut letters = rest.chars();
    Some(match (letters.next()?, letters.next()) {
        ('\\', next) => Some(1 + next.map_or(0, char::len_utf8)),
        ('\'', _) => rest[1..].find('\'').map(|end| end + 2),
        ('`', _) => rest[1..].find('`').map(|end| end + 2),
        ('"', _) => double_quoted(rest),
        ('$', Some('(')) => closed(rest, 1, '(', ')'),
        ('$', Some('{')) => closed(rest, 1, '{', '}'),
        ('$', Some('\'')) => {
            let mut at = 2;
            loop {
                let found = at + rest[at..].find(['\'', '\\'])?;
                if rest[found..].starts_with('\'') {
                    return Some(Some(found + 1));
                }
                at = found + 1 + rest[found + 1..].chars().next().map_or(0, char::len_utf8);
            }
        }
        _ => return None,
    })
}

fn double_quoted(rest: &str) -> Option<usize> {
    let mut at = 1;
    loop {
        let found = at + rest[at..].find(['"', '\\'])?;
        if rest[found..].starts_with('"') {
            return Some(found + 1);
        }
        at = found + 1 + rest[found + 1..].chars().next().map_or(0, char::len_utf8);
    }
}

/// The length up to the bracket that closes the one at a place. Quotes within hide brackets.
fn closed(rest: &str, from: usize, open: char, close: char) -> Option<usize> {
    let (mut at, mut depth) = (from, 0usize);
    while let Some(letter) = rest[at..].chars().next() {
        let hidden = match letter {
            '\\' => Some(1 + rest[at + 1..].chars().next().map_or(0, char::len_utf8)),
            '\'' => Some(rest[at + 1..].find('\'')? + 2),
            '"' => Some(double_quoted(&rest[at..])?),
            _ => None,
        };
        if let Some(length) = hidden {
            at += length;
            continue;
        }
        at += letter.len_utf8();
        if letter == open {
            depth += 1;
        } else if letter == close {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// A construct that a statement begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Construct {
    Condition,
    Loop,
    Function,
    Group,
}

/// What a statement begins, if it does, be it behind `|`.
pub(super) fn begun(code: &str) -> Option<Construct> {
    piped(code).into_iter().find_map(begun_by)
}

fn begun_by(code: &str) -> Option<Construct> {
    let code = unled(code);
    let first = code.split_whitespace().next()?;
    Some(match first {
        "if" | "case" | "select" => Construct::Condition,
        "for" | "while" | "until" => Construct::Loop,
        "{" => Construct::Group,
        _ if first.starts_with('(') => Construct::Group,
        _ if body(code).is_some() => Construct::Function,
        _ => return None,
    })
}

/// Whether a statement closes, or goes on with, what none before it began.
pub(super) fn is_stray(code: &str) -> bool {
    let first = code.split_whitespace().next().unwrap_or_default();
    matches!(first, "fi" | "done" | "esac" | "}" | "then" | "do" | "else" | "elif")
}

/// How many constructs a statement opens, less those that it closes.
pub(super) fn nesting(code: &str) -> isize {
    // No person opens more on one line.
    const MOST: usize = 50;
    let mut open = 0;
    for piece in piped(code) {
        let mut code = unled(piece);
        for _ in 0..MOST {
            let first = code.split_whitespace().next().unwrap_or_default();
            let behind = match first {
                "fi" | "done" | "esac" | "}" => {
                    open -= 1;
                    break;
                }
                "if" | "while" | "until" | "{" => &code[first.len()..],
                "case" => pattern_end(code).map_or("", |end| &code[end..]),
                "for" | "select" => "",
                // The brace may stand on the next line, and counts there. Parentheses are closed within the statement.
                _ => match body(code).and_then(|body| body.strip_prefix('{')) {
                    Some(behind) => behind,
                    None => break,
                },
            };
            open += 1;
            code = unled(behind);
        }
    }
    open
}

/// What stands behind the name of a function.
fn body(code: &str) -> Option<&str> {
    let ends = |letter: char| letter.is_whitespace() || "(){};&|<>$'\"`=".contains(letter);
    let (is_told, code) = match code.strip_prefix("function").filter(|rest| rest.starts_with([' ', '\t'])) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, code),
    };
    let end = code.find(ends).unwrap_or(code.len());
    let behind = code[end..].trim_start();
    let called = behind.strip_prefix('(').and_then(|rest| rest.trim_start().strip_prefix(')'));
    match called {
        Some(rest) if end > 0 => Some(rest.trim_start()),
        _ if is_told => Some(behind),
        _ => None,
    }
}

/// The name of the function that a statement begins.
pub(super) fn function_name(code: &str) -> &str {
    let code = unled(code);
    let code = code.strip_prefix("function ").unwrap_or(code).trim_start();
    &code[..code.find(|letter: char| letter.is_whitespace() || "(){".contains(letter)).unwrap_or(code.len())]
}

/// Where the first pattern of a `case` ends, if it stands on the same line.
fn pattern_end(code: &str) -> Option<usize> {
    let begin = code.find(" in ")? + " in ".len();
    Some(begin + code[begin..].find(')')? + 1)
}

/// The commands of a pipe.
fn piped(code: &str) -> Vec<&str> {
    // The patterns of a `case` are joined by `|`, too.
    if unled(code).starts_with("case ") || !code.contains('|') {
        return vec![code];
    }
    let mut pieces = Vec::new();
    let (mut at, mut start, mut depth) = (0, 0, 0usize);
    while let Some(letter) = code[at..].chars().next() {
        if let Some(length) = quoted(&code[at..]) {
            at += length.unwrap_or(code.len() - at);
            continue;
        }
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                pieces.push(&code[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += letter.len_utf8();
    }
    pieces.push(&code[start..]);
    pieces
}

/// Without `then`, `do` and `else`, behind which a command stands.
fn unled(code: &str) -> &str {
    // `|&` joins programs, too, and a line may go on in front of its first word.
    let mut code = code.strip_prefix('&').unwrap_or(code).trim_start();
    let led = |code: &str| -> Option<usize> {
        if code.starts_with("\\\n") {
            return Some(2);
        }
        let words = ["then", "do", "else", "elif", "!", "time"];
        let word = words
            .into_iter()
            .find(|word| code.strip_prefix(word).is_some_and(|rest| rest.starts_with(char::is_whitespace)))?;
        Some(word.len())
    };
    while let Some(length) = led(code) {
        let rest = &code[length..];
        code = rest.trim_start();
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(&str, Ended)> {
        statements(text).into_iter().map(|found| (&text[found.start..found.end], found.ended)).collect()
    }

    #[test]
    fn statements_end_at_marks_that_are_in_no_quotes() {
        let text = "# c\na 'b;\n' \"d & e\" \\; # x\nf && g || h; i 2>&1 &\nj | k |\n l";
        let expected = [
            ("# c", Ended::Plainly),
            ("a 'b;\n' \"d & e\" \\; # x", Ended::Plainly),
            ("f", Ended::And),
            ("g", Ended::Or),
            ("h", Ended::Plainly),
            ("i 2>&1", Ended::Background),
            ("j | k |\n l", Ended::Plainly),
        ];
        assert_eq!(texts(text), expected);
    }

    #[test]
    fn a_text_for_a_programs_input_belongs_to_its_statement() {
        let found = statements("cat <<'EOF' > x\nrsync a b\nEOF\npause");
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].kind, Kind::WithInput);
    }

    #[test]
    fn the_pattern_of_a_case_is_not_its_command() {
        let text = "case $1 in\n a | b) if x; then y; fi ;;\nesac";
        let nested: isize = statements(text).iter().map(|found| nesting(&text[found.code..found.end])).sum();
        assert_eq!(nested, 0);
    }

    #[test]
    fn what_is_never_closed_is_told() {
        for text in ["a 'b", "a \"b", "a $(b", "a ${b", "a (b", "a `b", "a $'b"] {
            assert_eq!(statements(text)[0].kind, Kind::Unclosed, "{text}");
        }
    }
}
