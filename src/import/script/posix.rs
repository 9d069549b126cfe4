//! Shell scripts: assignments are followed, constructs are left whole, and the rest are programs with their arguments.

mod statements;
mod words;

use std::sync::LazyLock;

use regex::Regex;

use super::{Line, Part, Reached, Script, only_ends, why};
use crate::import::unknown::Unknowns;
use crate::import::variables::{NameCase, Value, Variables};
use statements::{Construct, Ended, Kind, Statement, begun, nesting, statements};
use words::{Braces, filled_in, words};

pub(super) fn read(text: &str, number: usize, unknowns: &mut Unknowns) -> Script {
    let variables = Variables::new(NameCase::Kept, number, unknowns);
    let mut reader =
        Reader { text, variables, reached: Reached::InOrder, lines: Vec::new(), counted: (0, 1) };
    reader.all();
    Script { lines: reader.lines, held: reader.variables.held, used: reader.variables.used }
}

/// `OLD=…`, also behind `export` and its like.
static ASSIGNMENT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?s)^([A-Za-z_]\w*)(\+?)=(.*)$").ok());

static SET: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|[\s;&|({])(?:read\s[^;\n]*?)?([A-Za-z_]\w*)\+?=").ok());

struct Reader<'t, 'u> {
    text: &'t str,
    variables: Variables<'u>,
    reached: Reached,
    lines: Vec<Line>,
    /// A place, and the number of its line.
    counted: (usize, usize),
}

impl Reader<'_, '_> {
    fn all(&mut self) {
        let found = statements(self.text);
        let mut rest = found.as_slice();
        let mut before = Ended::Plainly;
        while let Some((first, behind)) = rest.split_first() {
            rest = behind;
            let number = self.number(first.start);
            if first.kind == Kind::Comment {
                let comment = self.text[first.start..first.end].trim_start_matches('#');
                // What a system reads to find the interpreter is for no person.
                let comment = if comment.starts_with('!') { "" } else { comment.trim() };
                self.push(number, first, vec![Part::Comment(comment.to_owned())]);
                continue;
            }
            let construct = begun(&self.text[first.code..first.end]);
            if let Some(construct) = construct {
                let count = self.construct_length(first, rest);
                let whole = Statement { end: rest[..count].last().unwrap_or(first).end, ..first.clone() };
                before = rest[..count].last().unwrap_or(first).ended;
                rest = &rest[count..];
                if ends_on_error(&self.text[whole.start..whole.end]) {
                    self.push(number, &whole, vec![Part::Needless(why::ENDS_ON_ERROR.to_owned())]);
                    continue;
                }
                self.left(number, &whole, reason_of(construct, &self.text[whole.start..whole.end]));
                continue;
            }
            let parts = self.statement(first, number, before);
            before = first.ended;
            self.push(number, first, parts);
        }
    }

    /// How many statements behind its first belong to a construct.
    fn construct_length(&self, first: &Statement, rest: &[Statement]) -> usize {
        let code = |statement: &Statement| &self.text[statement.code..statement.end];
        let mut open = nesting(code(first));
        // A function's brace on the next line.
        let begins_there = begun(code(first)) == Some(Construct::Function) && open == 0;
        let mut count = 0;
        while open > 0 || (begins_there && count == 0) {
            let Some(next) = rest.get(count) else { break };
            count += 1;
            if next.kind != Kind::Comment {
                open += nesting(code(next));
            }
        }
        count
    }

    fn number(&mut self, at: usize) -> usize {
        let (from, number) = self.counted;
        self.counted = (at, number + self.text[from..at].matches('\n').count());
        self.counted.1
    }

    fn push(&mut self, number: usize, statement: &Statement, parts: Vec<Part>) {
        let text = &self.text[statement.start..statement.end];
        let is_of_one_line = !text.contains('\n');
        match self.lines.last_mut() {
            // Statements of one line are told as one.
            Some(last) if last.number == number && is_of_one_line && !last.text.contains('\n') => {
                last.parts.extend(parts);
            }
            _ if is_of_one_line => {
                let begin = self.text[..statement.start].rfind('\n').map_or(0, |at| at + 1);
                let end =
                    self.text[statement.end..].find('\n').map_or(self.text.len(), |at| statement.end + at);
                self.lines.push(Line { number, text: self.text[begin..end].trim().to_owned(), parts });
            }
            _ => self.lines.push(Line { number, text: joined(text), parts }),
        }
    }

    fn left(&mut self, number: usize, statement: &Statement, why: &str) {
        let text = &self.text[statement.start..statement.end];
        for found in SET.iter().flat_map(|set| set.captures_iter(text)) {
            self.variables.forget(&found[1]);
        }
        self.push(number, statement, vec![Part::Left(why.to_owned())]);
    }

    fn statement(&mut self, statement: &Statement, number: usize, before: Ended) -> Vec<Part> {
        let left = |why: &str| vec![Part::Left(why.to_owned())];
        if let Some(reason) = self.reached.reason() {
            return left(&reason);
        }
        match (statement.kind, statement.ended, before) {
            (Kind::Unclosed, ..) => {
                return left("a quote or a bracket is not closed: close it, and read the script again");
            }
            (Kind::WithInput, ..) => {
                return left("a program is given a text here: write the step by hand, with `input`");
            }
            (_, Ended::Background, _) => return left(why::BACKGROUND),
            (_, _, Ended::Or) if only_ends(&self.text[statement.code..statement.end]) => {
                return vec![Part::Needless(why::ENDS_ON_ERROR.to_owned())];
            }
            (_, _, Ended::Or) => return left(why::AFTER_ERROR),
            _ => {}
        }
        let code = &self.text[statement.code..statement.end];
        let mut parts = match before {
            Ended::And => vec![Part::AndThen],
            _ => Vec::new(),
        };
        let Some(code) = self.assignments(code) else { return parts };
        let found = words(code, &mut self.variables);
        let first = found.programs.first().and_then(|words| words.first()).map_or("", String::as_str);
        parts.extend(match first {
            "exit" | "return" => {
                self.reached = Reached::ByJump { behind: number };
                None
            }
            "read" => self.question(&found.programs[0][1..]),
            _ if found.braces == Braces::Some => {
                Some(Part::Left("braces make several words of one here: write them one by one".to_owned()))
            }
            _ => Some(Part::Pipeline(found.programs.into_iter().filter(|words| !words.is_empty()).collect())),
        });
        parts
    }

    /// Follows the assignments at the beginning; what stands behind them, if anything does.
    fn assignments<'c>(&mut self, code: &'c str) -> Option<&'c str> {
        let mut rest = code.trim_start();
        let mut is_declared = false;
        let mut assigned = Vec::new();
        while !rest.is_empty() && !rest.starts_with('#') {
            let (word, behind) = rest.split_at(raw_word(rest));
            match ASSIGNMENT.as_ref().and_then(|assignment| assignment.captures(word)) {
                Some(found) => {
                    assigned.push((found[1].to_owned(), found[3].to_owned(), !found[2].is_empty()))
                }
                None if ["export", "readonly", "local", "declare", "typeset"].contains(&word) => {
                    is_declared = true
                }
                None if is_declared => {}
                // In front of a program they are for that program alone.
                None => return Some(rest),
            }
            rest = behind.trim_start();
        }
        for (name, value, is_added) in assigned {
            self.assign(&name, &value, is_added);
        }
        None
    }

    fn assign(&mut self, name: &str, value: &str, is_added: bool) {
        if let Some(items) = value.strip_prefix('(').map(|inner| inner.trim_end_matches(')')) {
            let found = words(items, &mut self.variables).programs.concat();
            self.variables.set(name, if is_added { Value::Unknown } else { Value::List(found) });
            return;
        }
        let found = match value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
            Some(inner) if !inner.contains('"') => filled_in(inner, &mut self.variables),
            _ => words(value, &mut self.variables).programs.concat().join(" "),
        };
        if value.starts_with("$(") || value.starts_with('`') || value.starts_with("\"$(") || is_added {
            self.variables.forget(name);
        } else {
            self.variables.set(name, Value::Text(found));
        }
    }

    /// `read -r -p "Where is it? " OLD`
    fn question(&mut self, words: &[String]) -> Option<Part> {
        let mut ask = String::new();
        let mut names = Vec::new();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            match word.strip_prefix('-') {
                Some(flags) if flags.ends_with('p') => ask = rest.next().cloned().unwrap_or_default(),
                Some(flags) if flags.ends_with(['t', 'n', 'N', 'd', 'u', 'i', 'a']) => drop(rest.next()),
                Some(_) => {}
                None => names.push(word),
            }
        }
        let Some(name) = names.first() else {
            return Some(Part::Pipeline(vec![
                ["read".to_owned()].into_iter().chain(words.iter().cloned()).collect(),
            ]));
        };
        let letter = self.variables.asked(&format!("${name}"), name);
        Some(Part::Question { letter, ask: ask.trim().to_owned() })
    }
}

/// With continued lines as one.
fn joined(text: &str) -> String {
    let mut pieces = text.split("\\\n");
    let mut joined = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        joined.truncate(joined.trim_end().len());
        joined.push(' ');
        joined.push_str(piece.trim_start());
    }
    joined
}

/// The length of the first word as it is written.
fn raw_word(text: &str) -> usize {
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        match statements::quoted(&text[at..]) {
            Some(length) => at += length.unwrap_or(text.len() - at),
            // `X=( a b )`
            None if letter == '(' && text[..at].ends_with('=') => {
                at += text[at..].find(')').map_or(text.len() - at, |end| end + 1);
            }
            None if letter.is_whitespace() => return at,
            None => at += letter.len_utf8(),
        }
    }
    at
}

/// Whether a condition looks at an exit code, and only says so and ends.
fn ends_on_error(text: &str) -> bool {
    let Some((condition, rest)) = text.split_once("then") else { return false };
    text.starts_with("if") && condition.contains("$?") && only_ends(rest)
}

fn reason_of(construct: Construct, text: &str) -> &'static str {
    match construct {
        Construct::Condition if text.contains("$?") => why::AFTER_ERROR,
        Construct::Condition => why::ON_CONDITION,
        Construct::Loop => why::LOOP,
        Construct::Function => why::FUNCTION,
        Construct::Group => "it stands in a group: write its steps by hand",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, String)> {
        let mut unknowns = Unknowns::default();
        let script = read(text, 0, &mut unknowns);
        let word = |part: &Part| match part {
            Part::Pipeline(programs) => {
                programs.iter().map(|words| words.join("·")).collect::<Vec<_>>().join(" | ")
            }
            Part::Left(why) => format!("left: {}", why.split(':').next().unwrap()),
            other => format!("{other:?}"),
        };
        let lines =
            script.lines.iter().flat_map(|line| line.parts.iter().map(move |part| (line.number, part)));
        lines.map(|(number, part)| (number, unknowns.shown(&word(part)))).collect()
    }

    fn programs(text: &str) -> Vec<String> {
        found(text).into_iter().map(|(_, word)| word).collect()
    }

    #[test]
    fn assignments_are_followed() {
        let text = "OLD=/srv/old NEW='/srv/new'\nexport OPTS=\"-a --delete\"\nA=(x \"y z\")\nP=q rsync $OPTS \"$OLD/\" $NEW \"${A[@]}\"\n";
        assert_eq!(programs(text), ["rsync·-a·--delete·/srv/old/·/srv/new·x·y z"]);
    }

    #[test]
    fn constructs_are_left_whole_and_what_they_set_is_forgotten() {
        let text = "if [ -d /x ]; then\n  OLD=/y\n  rsync a b\nelse\n for i in 1; do rsync $i c; done\nfi\nrsync $OLD d\n";
        let found = found(text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[1], (7, "rsync·$OLD·d".to_owned()));
        let found = programs(
            "f() {\n rsync a b\n}\nfunction g\n{\n x\n}\ncase $1 in\n a) if x; then y; fi;;\nesac\nrsync c d",
        );
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(found[3], "rsync·c·d");
    }

    #[test]
    fn what_depends_on_something_is_told_so() {
        assert_eq!(programs("[ -d /x ] && rsync a b"), ["[·-d·/x·]", "AndThen", "rsync·a·b"]);
        assert!(programs("rsync a b || start c")[1].starts_with("left: what happens after an error"));
        assert!(programs("rsync a b || exit 1")[1].starts_with("Needless"));
        assert!(programs("rsync a b &")[0].starts_with("left: it runs beside"));
        assert!(programs("exit 0\nrsync a b")[0].starts_with("left: it stands behind line 1"));
    }

    #[test]
    fn a_question_is_told_with_its_text() {
        assert!(programs("read -rp 'Where? ' OLD")[0].contains("Where?"));
        assert_eq!(programs("read"), ["read"]);
    }
}
