//! PowerShell's text → statements: what ends one, and what is a text or a comment within it.

/// A statement, or a comment that stands by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement<'t> {
    /// The number of its first line, from 1.
    pub number: usize,
    pub text: &'t str,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Comment,
    Code,
    /// A quote or a bracket is never closed: nobody knows where it ends.
    Unclosed,
}

/// The statements of a text whose first line has this number.
pub(super) fn statements(text: &str, first: usize) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let (mut at, mut start, mut depth) = (0, 0, 0usize);
    let mut kind = Kind::Code;
    // What the statement's code ends with so far: it goes on behind `|` and `,`.
    let mut last = '\n';
    let mut counted = (0, first);
    let mut push = |start: usize, end: usize, kind: Kind| {
        let code = &text[start..end];
        if !code.trim().is_empty() {
            let begin = start + code.len() - code.trim_start().len();
            counted = (begin, counted.1 + text[counted.0..begin].matches('\n').count());
            found.push(Statement { number: counted.1, text: text[begin..end].trim_end(), kind });
        }
    };
    while let Some(letter) = text[at..].chars().next() {
        if let Some(skipped) = skipped(text, at) {
            let end = skipped.end;
            match skipped.what {
                Skipped::Comment if text[start..at].trim().is_empty() && depth == 0 => {
                    push(start, end, Kind::Comment);
                    start = end;
                }
                Skipped::Text => last = '\'',
                Skipped::Unclosed => {
                    last = '\'';
                    kind = Kind::Unclosed;
                }
                Skipped::Comment | Skipped::LineEnd => {}
            }
            at = end;
            continue;
        }
        let next = at + letter.len_utf8();
        match letter {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth = depth.saturating_sub(1),
            '\n' | ';' if depth == 0 && !(letter == '\n' && "|,".contains(last)) => {
                push(start, at, kind);
                (start, kind, last) = (next, Kind::Code, '\n');
            }
            _ => {}
        }
        if !letter.is_whitespace() && letter != ';' {
            last = letter;
        }
        at = next;
    }
    push(start, text.len(), if depth > 0 { Kind::Unclosed } else { kind });
    found
}

pub(super) struct Skip {
    pub end: usize,
    pub what: Skipped,
}

/// What begins at a place and is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skipped {
    Comment,
    /// Between quotes, or a letter behind a backtick.
    Text,
    /// A backtick at the end of a line: the statement goes on.
    LineEnd,
    Unclosed,
}

/// A text, a comment or a letter behind a backtick that begins at a place.
pub(super) fn skipped(text: &str, at: usize) -> Option<Skip> {
    let rest = &text[at..];
    let closed = |end: Option<usize>, what: Skipped| match end {
        Some(end) => Skip { end: at + end, what },
        None => Skip { end: text.len(), what: Skipped::Unclosed },
    };
    let first = rest.chars().next()?;
    Some(match first {
        '<' if rest.starts_with("<#") => closed(rest.find("#>").map(|end| end + 2), Skipped::Comment),
        '#' if begins_word(text, at) => closed(Some(rest.find('\n').unwrap_or(rest.len())), Skipped::Comment),
        '@' if rest.starts_with("@'\n") => closed(rest.find("\n'@").map(|end| end + 3), Skipped::Text),
        '@' if rest.starts_with("@\"\n") => closed(rest.find("\n\"@").map(|end| end + 3), Skipped::Text),
        '`' => {
            let next = rest[1..].chars().next();
            let what = if next == Some('\n') { Skipped::LineEnd } else { Skipped::Text };
            closed(Some(1 + next.map_or(0, char::len_utf8)), what)
        }
        '\'' => closed(quoted(rest, '\''), Skipped::Text),
        '"' => closed(quoted(rest, '"'), Skipped::Text),
        _ => return None,
    })
}

fn begins_word(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_none_or(|before| before.is_whitespace() || ";{}()|".contains(before))
}

/// The length of a text between quotes, with both.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            // Two are one that is a letter.
            if letters.next_if(|(_, next)| *next == quote).is_none() {
                return Some(at + 1);
            }
        } else if letter == '`' && quote == '"' {
            letters.next();
        }
    }
    None
}

/// The first `{ … }` of a statement that stands outside of texts: what is in it, and where it ends.
pub(super) fn block(text: &str) -> Option<(std::ops::Range<usize>, usize)> {
    let (mut at, mut depth) = (0, 0usize);
    let mut open = None;
    while let Some(letter) = text[at..].chars().next() {
        if let Some(skipped) = skipped(text, at) {
            at = skipped.end;
            continue;
        }
        match letter {
            '{' if !text[..at].ends_with('$') || open.is_some() => {
                open.get_or_insert(at + 1);
                depth += 1;
            }
            '}' if open.is_some() => {
                depth -= 1;
                if let (0, Some(open)) = (depth, open) {
                    return Some((open..at, at + 1));
                }
            }
            _ => {}
        }
        at += letter.len_utf8();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(usize, &str)> {
        statements(text, 1).into_iter().map(|statement| (statement.number, statement.text)).collect()
    }

    #[test]
    fn a_statement_ends_at_its_line_unless_it_is_open() {
        let text = "# say\nrobocopy a `\n  b\nx; y # z\nGet-Service a |\n  Stop-Service\nf @(\n'a;',\n'b')\n";
        let expected = [
            (1, "# say"),
            (2, "robocopy a `\n  b"),
            (4, "x"),
            (4, "y # z"),
            (5, "Get-Service a |\n  Stop-Service"),
            (7, "f @(\n'a;',\n'b')"),
        ];
        assert_eq!(texts(text), expected);
    }

    #[test]
    fn texts_and_comments_hide_what_would_end_a_statement() {
        assert_eq!(texts("a 'b;\nc' \"d`\";\" <# ; \n #> e"), [(1, "a 'b;\nc' \"d`\";\" <# ; \n #> e")]);
        assert_eq!(texts("$x = @'\n'; }\n'@\ny"), [(1, "$x = @'\n'; }\n'@"), (4, "y")]);
    }

    #[test]
    fn what_is_never_closed_is_told() {
        for text in ["a 'b\nc", "a (b\nc", "<# a"] {
            assert_eq!(statements(text, 1)[0].kind, Kind::Unclosed, "{text}");
        }
    }

    #[test]
    fn a_block_is_found_with_those_within_it() {
        let text = "try { a { b } ' } ' } catch { c }";
        let (inner, end) = block(text).unwrap();
        assert_eq!((&text[inner], &text[end..]), (" a { b } ' } ' ", " catch { c }"));
        assert_eq!(block("a ${b} c"), None);
    }
}
