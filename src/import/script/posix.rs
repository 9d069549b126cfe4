//! Shell scripts: assignments are followed, constructs are left whole, and the rest are programs with their arguments.

mod statements;
mod words;

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use regex::Regex;

use super::{Front, Line, Part, Reached, Script, only_ends, why};
use crate::import::unknown::Unknowns;
use crate::import::variables::{NameCase, Value, Variables};
use statements::{Construct, Ended, Kind, Statement, begun, function_name, is_stray, nesting, statements};
use words::{Braces, filled_in, words};

pub(super) fn read(text: &str, number: usize, unknowns: &mut Unknowns) -> Script {
    let variables = Variables::new(NameCase::Kept, number, unknowns);
    let mut reader = Reader {
        text,
        variables,
        reached: Reached::InOrder,
        lines: Vec::new(),
        whole_line: None,
        counted: (0, 1),
        whole: 0,
        functions: HashSet::new(),
        set_by_functions: BTreeSet::new(),
        front: Front::Deed,
    };
    reader.all();
    Script { lines: reader.lines, held: reader.variables.held }
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
    /// The number of the last line, where its text has no break: further statements of it are told with it.
    whole_line: Option<usize>,
    /// A place, and the number of its line.
    counted: (usize, usize),
    /// How many lines there were where the last construct ended.
    whole: usize,
    /// Names of functions, and what is set in any of them.
    functions: HashSet<String>,
    set_by_functions: BTreeSet<String>,
    /// What the list of `&&` and `||` began with.
    front: Front,
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
                let text = &self.text[whole.start..whole.end];
                if construct == Construct::Function {
                    self.functions.insert(function_name(&self.text[first.code..first.end]).to_owned());
                    self.set_by_functions.extend(set_in(text).map(str::to_owned));
                }
                match ends_on_error(text) {
                    true => self.push(number, &whole, vec![Part::Needless(why::ENDS_ON_ERROR.to_owned())]),
                    false => self.left(number, &whole, reason_of(construct, text)),
                }
                self.whole = self.lines.len();
                continue;
            }
            if is_stray(&self.text[first.code..first.end]) {
                // Nobody knows where it began: nothing behind the last construct is sure to be done.
                for line in &mut self.lines[self.whole..] {
                    if line.parts.iter().any(|part| !matches!(part, Part::Comment(_))) {
                        line.parts = vec![Part::Left(STRAY.to_owned())];
                    }
                }
                self.left(number, first, STRAY);
                self.whole = self.lines.len();
                before = first.ended;
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
            Some(last) if is_of_one_line && last.number == number && self.whole_line == Some(number) => {
                last.parts.extend(parts);
            }
            _ if is_of_one_line => {
                let begin = self.text[..statement.start].rfind('\n').map_or(0, |at| at + 1);
                let end =
                    self.text[statement.end..].find('\n').map_or(self.text.len(), |at| statement.end + at);
                self.lines.push(Line { number, text: self.text[begin..end].trim().to_owned(), parts });
                self.whole_line = Some(number);
            }
            _ => {
                let text = joined(text);
                self.whole_line = (!text.contains('\n')).then_some(number);
                self.lines.push(Line { number, text, parts });
            }
        }
    }

    fn left(&mut self, number: usize, statement: &Statement, why: &str) {
        let text = &self.text[statement.start..statement.end];
        for name in set_in(text) {
            self.variables.forget(name);
        }
        if FORGETS.as_ref().is_none_or(|forgets| forgets.is_match(text)) {
            self.variables.forget_all();
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
                return vec![Part::OrEnds];
            }
            (_, _, Ended::Or) => {
                for name in set_in(&self.text[statement.code..statement.end]) {
                    self.variables.forget(name);
                }
                return left(why::AFTER_ERROR);
            }
            _ => {}
        }
        let code = &self.text[statement.code..statement.end];
        let mut parts = match before {
            Ended::And => vec![Part::AndThen],
            _ => Vec::new(),
        };
        let when = if before == Ended::And { When::OnCondition } else { When::Always };
        let Some(code) = self.assignments(code, when) else {
            // A list goes on behind it, as behind `true`; what it works out may fail.
            if statement.ended == Ended::And {
                parts.push(match code.contains(['`', '(']) {
                    true => Part::Left("what it sets is not known before it is run".to_owned()),
                    false => Part::Pipeline(vec![vec!["true".to_owned()]]),
                });
            }
            return parts;
        };
        let found = words(code, &mut self.variables);
        if when == When::Always {
            self.front = Front::of(&found.programs);
        }
        let first = found.programs.first().and_then(|words| words.first()).map_or("", String::as_str);
        self.forget_by(first, &found.programs[0]);
        parts.extend(match first {
            "exit" | "return" if when == When::OnCondition && self.front == Front::Question => {
                Some(Part::Left(why::ON_CONDITION.to_owned()))
            }
            "exit" | "return" => {
                self.reached = Reached::ByJump { behind: number };
                None
            }
            "unset" => None,
            name if self.functions.contains(name) => Some(Part::Left(why::FUNCTION.to_owned())),
            "read" => self.question(&found.programs[0][1..]),
            _ if found.braces == Braces::Some => {
                Some(Part::Left("braces make several words of one here: write them one by one".to_owned()))
            }
            _ => Some(Part::Pipeline(found.programs.into_iter().filter(|words| !words.is_empty()).collect())),
        });
        parts
    }

    /// Follows the assignments at the beginning; what stands behind them, if anything does.
    fn assignments<'c>(&mut self, code: &'c str, when: When) -> Option<&'c str> {
        let mut rest = code.trim_start();
        let mut is_declared = false;
        let mut assigned = Vec::new();
        while !rest.is_empty() && !rest.starts_with('#') {
            let (word, behind) = rest.split_at(raw_word(rest));
            match ASSIGNMENT.as_ref().and_then(|assignment| assignment.captures(word)) {
                Some(found) => {
                    let known = match when {
                        When::Always if found[2].is_empty() => Known::Whole,
                        When::Always | When::OnCondition => Known::InPart,
                    };
                    assigned.push((found[1].to_owned(), found[3].to_owned(), known))
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
        for (name, value, known) in assigned {
            self.assign(&name, &value, known);
        }
        None
    }

    /// Forgets what a program may set.
    fn forget_by(&mut self, program: &str, words: &[String]) {
        match program {
            "." | "source" | "eval" => self.variables.forget_all(),
            "unset" | "read" | "printf" | "mapfile" | "readarray" | "getopts" | "let" => {
                for word in &words[1..] {
                    self.variables.forget(word.split('=').next().unwrap_or_default());
                }
            }
            name if self.functions.contains(name) => {
                for name in &self.set_by_functions {
                    self.variables.forget(name);
                }
            }
            _ => {}
        }
    }

    fn assign(&mut self, name: &str, value: &str, known: Known) {
        if let Some(items) = value.strip_prefix('(').map(|inner| inner.trim_end_matches(')')) {
            let found = words(items, &mut self.variables).programs.concat();
            self.variables
                .set(name, if known == Known::InPart { Value::Unknown } else { Value::List(found) });
            return;
        }
        let found = match value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
            Some(inner) if !inner.contains('"') => filled_in(inner, &mut self.variables),
            _ => words(value, &mut self.variables).programs.concat().join(" "),
        };
        if value.starts_with("$(")
            || value.starts_with('`')
            || value.starts_with("\"$(")
            || known == Known::InPart
        {
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

/// When an assignment is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Always,
    /// Only if what stands in front of it went well.
    OnCondition,
}

/// How much of what a variable holds behind an assignment is written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Whole,
    /// It is added to, or set only sometimes.
    InPart,
}

const STRAY: &str = "it belongs to a condition, a loop or a function whose beginning is not understood: write its steps by hand";

/// What sets variables that are not named in the same text.
static FORGETS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|[\s;&|({])(?:\.|source|eval|unset|printf\s+-v)\s").ok());

fn set_in(text: &str) -> impl Iterator<Item = &str> {
    let found = SET.iter().flat_map(move |set| set.captures_iter(text));
    found.filter_map(|found| found.get(1)).map(|name| name.as_str())
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
mod tests;
