//! PowerShell: statements, of which assignments are followed and the rest are programs with their arguments.
//!
//! What stands in `try` and `finally` is done in order; every other block is left whole.

mod statements;
mod words;

use std::sync::LazyLock;

use regex::Regex;

use super::{Line, Part, Reached, Script, only_ends, program, why};
use crate::import::unknown::Unknowns;
use crate::import::variables::{NameCase, Value, Variables};
use statements::{Kind, Statement, block, statements};
use words::{Token, joined_path, tokens};

/// Blocks within blocks that are gone into.
const DEEPEST: usize = 8;

pub(super) fn read(text: &str, number: usize, unknowns: &mut Unknowns) -> Script {
    let variables = Variables::new(NameCase::Ignored, number, unknowns);
    let mut reader = Reader { variables, reached: Reached::InOrder, lines: Vec::new() };
    reader.all(text, 1, 0);
    Script { lines: reader.lines, held: reader.variables.held }
}

struct Reader<'u> {
    variables: Variables<'u>,
    reached: Reached,
    lines: Vec<Line>,
}

/// `[string]$old = …`, `$env:X += …`
static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?is)^(?:\[[\w.\[\]]+\]\s*)*\$(?:(?:env|script|global|local):)?(\w+)\s*([-+*/]?=)([^=].*)$")
        .ok()
});

static SET: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\$(?:(?:env|script|global|local):)?(\w+)\s*[-+*/]?=(?:[^=]|$)").ok());

/// What sets variables that are not named by `=`.
static SETS_OTHERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?im)(?:^|[\s;{(|])(?:\.\s|(?:set|new|remove|clear)-variable\b|invoke-expression\b|iex\b)")
        .ok()
});

fn sets_others(word: &str) -> bool {
    [
        ".",
        "set-variable",
        "new-variable",
        "remove-variable",
        "clear-variable",
        "set",
        "sv",
        "invoke-expression",
        "iex",
    ]
    .contains(&word)
}

impl Reader<'_> {
    fn all(&mut self, text: &str, first: usize, depth: usize) {
        for statement in statements(text, first) {
            self.statement(&statement, depth);
        }
    }

    fn push(&mut self, statement: &Statement<'_>, parts: Vec<Part>) {
        // A continued line is one line to those who read it.
        let pieces: Vec<&str> = statement.text.split("`\n").map(str::trim).collect();
        let text = pieces.join(" ");
        let text = if text.contains('{') { text } else { joined(&text) };
        self.lines.push(Line { number: statement.number, text, parts });
    }

    fn left(&mut self, statement: &Statement<'_>, why: &str) {
        for found in SET.iter().flat_map(|set| set.captures_iter(statement.text)) {
            self.variables.forget(&found[1]);
        }
        if SETS_OTHERS.as_ref().is_none_or(|sets| sets.is_match(statement.text)) {
            self.variables.forget_all();
        }
        self.push(statement, vec![Part::Left(why.to_owned())]);
    }

    fn statement(&mut self, statement: &Statement<'_>, depth: usize) {
        let text = statement.text;
        if statement.kind == Kind::Comment {
            let comment = text.trim_start_matches(['<', '#', ' ']).trim_end_matches(['#', '>', ' ']);
            let comment = if text.to_ascii_lowercase().starts_with("#requires") { "" } else { comment };
            return self.push(statement, vec![Part::Comment(comment.to_owned())]);
        }
        if let Some(reason) = self.reached.reason() {
            return self.left(statement, &reason);
        }
        if statement.kind == Kind::Unclosed {
            return self
                .left(statement, "a quote or a bracket is not closed: close it, and read the script again");
        }
        let end =
            text.find(|letter: char| letter.is_whitespace() || "({".contains(letter)).unwrap_or(text.len());
        let word = text[..end].to_ascii_lowercase();
        let reason = match word.as_str() {
            "if" if after_error(text) => {
                return self.push(statement, vec![Part::Needless(why::ENDS_ON_ERROR.to_owned())]);
            }
            "if" | "elseif" if text.to_ascii_lowercase().contains("exitcode") => why::AFTER_ERROR,
            "if" | "elseif" | "else" | "switch" => why::ON_CONDITION,
            "for" | "foreach" | "while" | "do" => why::LOOP,
            "function" | "filter" | "class" | "workflow" => why::FUNCTION,
            "catch" | "trap" => why::AFTER_ERROR,
            "try" | "finally" | "{" => return self.tried(statement, depth),
            "param" => return self.parameters(statement),
            "exit" | "return" | "break" | "throw" => {
                self.reached = Reached::ByJump { behind: statement.number };
                return self.push(statement, Vec::new());
            }
            _ if text.starts_with("[") && text.to_ascii_lowercase().contains("binding") => {
                return self.push(statement, Vec::new());
            }
            _ => "",
        };
        if !reason.is_empty() {
            return self.left(statement, reason);
        }
        let assigned = ASSIGNMENT.as_ref().and_then(|assignment| assignment.captures(text));
        let parts = match assigned {
            Some(found) => self.assignment(&found[1], &found[2], found[3].trim()),
            None if block(text).is_some() => {
                return self.left(statement, "it has a block of PowerShell in it: write its steps by hand");
            }
            None => {
                let tokens = tokens(text, &mut self.variables);
                if sets_others(&word) {
                    self.variables.forget_all();
                }
                pipelines(tokens)
            }
        };
        self.push(statement, parts);
    }

    /// `try { … } catch { … } finally { … }`
    fn tried(&mut self, statement: &Statement<'_>, depth: usize) {
        let text = statement.text;
        let Some((inner, end)) = block(text).filter(|_| depth < DEEPEST) else {
            return self.left(statement, why::TOO_DEEP);
        };
        let number = |at: usize| statement.number + text[..at].matches('\n').count();
        self.all(&text[inner.clone()], number(inner.start), depth + 1);
        let rest = text[end..].trim_start();
        if !rest.is_empty() {
            let at = text.len() - rest.len();
            let after = self.after_catch(rest);
            if after > 0 {
                let caught =
                    Statement { number: number(at), text: rest[..after].trim_end(), kind: Kind::Code };
                self.left(&caught, why::AFTER_ERROR);
            }
            let finally = rest[after..].trim_start();
            if !finally.is_empty() {
                self.all(finally, number(text.len() - finally.len()), depth + 1);
            }
        }
    }

    /// How much of what stands behind `try { … }` is `catch`.
    fn after_catch(&self, text: &str) -> usize {
        let mut at = 0;
        while text[at..].trim_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case("catch")) {
            match block(&text[at..]) {
                Some((_, end)) => at += end,
                None => return text.len(),
            }
        }
        at
    }

    /// The defaults of `param(…)`.
    fn parameters(&mut self, statement: &Statement<'_>) {
        let text = statement.text;
        let inner = text.find('(').map_or("", |open| text[open + 1..].trim_end_matches(')'));
        for parameter in parted(inner) {
            let parameter = parameter.trim();
            // Attributes stand in front of a parameter's type and name.
            let Some(begin) = parameter
                .find('$')
                .filter(|at| !parameter[..*at].contains('('))
                .or_else(|| parameter.rfind(']').and_then(|end| Some(end + parameter[end..].find('$')?)))
            else {
                continue;
            };
            let found = ASSIGNMENT.as_ref().and_then(|assignment| assignment.captures(&parameter[begin..]));
            if let Some(found) = found {
                self.assignment(&found[1], "=", found[3].trim());
            }
        }
        self.push(statement, Vec::new());
    }

    fn assignment(&mut self, name: &str, operator: &str, value: &str) -> Vec<Part> {
        let tokens = tokens(value, &mut self.variables);
        let first = match tokens.first() {
            Some(Token::Words(words)) => words.first().map_or("", String::as_str),
            _ => "",
        };
        if operator != "=" || block(value).is_some() {
            self.variables.forget(name);
            return Vec::new();
        }
        let begins_value =
            value.starts_with(|letter: char| "'\"$@([".contains(letter) || letter.is_ascii_digit());
        if begins_value {
            match valued(&tokens) {
                Some(value) => self.variables.set(name, value),
                None => self.variables.forget(name),
            }
            return Vec::new();
        }
        if let Some(path) = joined_path(&tokens) {
            self.variables.set(name, Value::Text(path));
            return Vec::new();
        }
        self.variables.forget(name);
        if first.eq_ignore_ascii_case("read-host") && !name.eq_ignore_ascii_case("null") {
            let words = tokens.iter().skip(1).filter_map(|token| match token {
                Token::Words(words) => Some(words.join(" ")),
                _ => None,
            });
            let ask = words.filter(|word| !word.starts_with('-')).collect::<Vec<_>>().join(" ");
            let letter = self.variables.asked(&format!("${name}"), name);
            return vec![Part::Question { letter, ask }];
        }
        pipelines(tokens)
    }
}

/// Whether a condition looks at an exit code, and only says so and ends.
fn after_error(text: &str) -> bool {
    let Some((inner, end)) = block(text) else { return false };
    text[..inner.start].to_ascii_lowercase().contains("exitcode")
        && end == text.len()
        && only_ends(&text[inner])
}

/// A text over several lines on one.
fn joined(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What stands between commas that are in no brackets.
fn parted(text: &str) -> Vec<&str> {
    let (mut parts, mut at, mut start, mut depth) = (Vec::new(), 0, 0, 0usize);
    while let Some(letter) = text[at..].chars().next() {
        if let Some(skipped) = statements::skipped(text, at) {
            at = skipped.end;
            continue;
        }
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += letter.len_utf8();
    }
    parts.push(&text[start..]);
    parts
}

/// A text, texts that are put together by `+`, or a list.
fn valued(tokens: &[Token]) -> Option<Value> {
    if let [Token::Words(items)] = tokens {
        return Some(match items.as_slice() {
            [text] => Value::Text(text.clone()),
            items => Value::List(items.to_vec()),
        });
    }
    let words = |token: &Token| match token {
        Token::Words(words) => Some(words.clone()),
        _ => None,
    };
    let (values, between): (Vec<_>, Vec<_>) = tokens.iter().enumerate().partition(|(at, _)| at % 2 == 0);
    let values: Vec<Vec<String>> =
        values.into_iter().map(|(_, token)| words(token)).collect::<Option<_>>()?;
    if tokens.len() % 2 == 1 && between.iter().all(|(_, token)| **token == Token::Comma) {
        return Some(Value::List(values.concat()));
    }
    let is_plus = |token: &Token| matches!(token, Token::Words(words) if words.as_slice() == ["+"]);
    let is_sum = tokens.len() % 2 == 1 && between.iter().all(|(_, token)| is_plus(token));
    is_sum.then(|| Value::Text(values.concat().concat()))
}

fn pipelines(tokens: Vec<Token>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut programs: Vec<Vec<String>> = vec![Vec::new()];
    // Nothing stands in front of the first.
    let mut joined = Token::Pipe;
    let mut end = |programs: Vec<Vec<String>>, joined: &Token| {
        let programs: Vec<Vec<String>> =
            programs.into_iter().map(called).filter(|words| !words.is_empty()).collect();
        match joined {
            _ if programs.is_empty() => {}
            Token::Or => parts.push(Part::Left(why::AFTER_ERROR.to_owned())),
            Token::And => parts.extend([Part::AndThen, Part::Pipeline(programs)]),
            _ => parts.push(Part::Pipeline(programs)),
        }
    };
    for token in tokens {
        match token {
            Token::Words(words) => {
                programs.last_mut().into_iter().for_each(|program| program.extend(words.clone()))
            }
            Token::Comma => {}
            Token::Pipe => programs.push(Vec::new()),
            Token::And | Token::Or => {
                end(std::mem::replace(&mut programs, vec![Vec::new()]), &joined);
                joined = token;
            }
        }
    }
    end(programs, &joined);
    parts
}

/// Without the operator that calls.
fn called(mut words: Vec<String>) -> Vec<String> {
    if words.first().is_some_and(|first| first == "&" || first == ".") {
        words.remove(0);
    }
    // `.\x.exe` is the program too.
    if let Some(first) = words.first_mut().filter(|first| program(first) == "robocopy") {
        "robocopy".clone_into(first);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(text: &str) -> Vec<String> {
        let mut unknowns = Unknowns::default();
        let script = read(text, 0, &mut unknowns);
        let word = |part: &Part| match part {
            Part::Pipeline(programs) => {
                programs.iter().map(|words| words.join("·")).collect::<Vec<_>>().join(" | ")
            }
            Part::Left(why) => format!("left: {}", why.split(':').next().unwrap()),
            other => format!("{other:?}"),
        };
        script.lines.iter().flat_map(|line| &line.parts).map(|part| unknowns.shown(&word(part))).collect()
    }

    #[test]
    fn variables_of_every_kind_are_followed() {
        let text = "param(\n  [Parameter(Mandatory)] [string]$Old,\n  [string]$New = 'D:\\new'\n)\n\
                    $a = Join-Path $New 'x'\n$b = $a + '\\y'\n$o = @('/e',\n '/r:2')\n& robocopy.exe $Old $b $o\n";
        assert_eq!(programs(text), [r"robocopy·$Old·D:\new\x\y·/e·/r:2"]);
    }

    #[test]
    fn what_is_tried_is_done_in_order_and_what_catches_is_left() {
        let text = "try {\n  Stop-Service x\n  robocopy a b\n} catch {\n  Write-Host no\n} finally {\n  Start-Service x\n}\n";
        assert_eq!(
            programs(text),
            [
                "Stop-Service·x",
                "robocopy·a·b",
                "left: what happens after an error is not carried over",
                "Start-Service·x"
            ]
        );
    }

    #[test]
    fn a_line_in_a_block_has_its_own_number() {
        let mut unknowns = Unknowns::default();
        let script = read("\ntry {\n  Stop-Service x\n}\nfinally { Start-Service x }", 0, &mut unknowns);
        assert_eq!(script.lines.iter().map(|line| line.number).collect::<Vec<_>>(), [3, 5]);
    }

    #[test]
    fn conditions_loops_and_functions_are_left_whole() {
        let text = "if ($x) {\n robocopy a b\n $y = 1\n}\nforeach ($s in 1,2) { robocopy $s }\nfunction f { x }\nrobocopy $y b";
        let found = programs(text);
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(found[3], "robocopy·$y·b");
    }

    #[test]
    fn what_may_have_been_set_since_is_not_known() {
        for text in [". .\\config.ps1", "Set-Variable x 1", "iex $y", "if ($x) { . .\\config.ps1 }"] {
            let found = programs(&format!("$a = 'x'\n{text}\nrobocopy $a b"));
            assert_eq!(found.last().unwrap(), "robocopy·$a·b", "{text}");
        }
    }

    #[test]
    fn blocks_without_end_are_survived() {
        for text in [
            "try {".repeat(10_000),
            "try { ".repeat(100) + &"}".repeat(100),
            "$(".repeat(10_000),
            "@(".repeat(10_000),
        ] {
            programs(&text);
        }
    }
}
