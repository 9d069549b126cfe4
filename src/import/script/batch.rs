//! Batch files, as `cmd` reads them: variables are filled in first, whatever the quotes; then a line is parted at `&`, `|` and
//! the redirections that stand outside of quotes.

mod flow;

use std::sync::LazyLock;

use regex::Regex;

use super::{Front, Line, Part, Script, only_ends, program, why, windows_words};
use crate::import::unknown::Unknowns;
use crate::import::variables::{NameCase, Value, Variables};
use flow::{Flow, Labels};

pub(super) fn read(text: &str, number: usize, unknowns: &mut Unknowns) -> Script {
    let mut reader = Reader {
        text,
        front: Front::Deed,
        variables: Variables::new(NameCase::Ignored, number, unknowns),
        labels: Labels::of(text),
        flow: Flow::InOrder,
        delayed: Delayed::No,
    };
    let mut lines = Vec::new();
    let mut rest = text.lines().enumerate().peekable();
    while let Some((index, first)) = rest.next() {
        let mut raw = first.to_owned();
        if comment(&raw).is_none() {
            while is_continued(&raw) {
                raw.pop();
                let Some((_, next)) = rest.next() else { break };
                raw = format!("{} {}", raw.trim_end(), next.trim_start());
            }
        }
        let is_code = comment(&raw).is_none() && flow::label(&raw).is_none();
        let mut open = if is_code { block_depth(&raw) } else { 0 };
        while open > 0 {
            let Some((_, next)) = rest.next() else { break };
            open = open.saturating_add_signed(parentheses(next, isize::MIN));
            raw = format!("{raw}\n{next}");
        }
        let parts = reader.line(&raw, index + 1);
        lines.push(Line { number: index + 1, text: raw.trim().to_owned(), parts });
    }
    Script { lines, held: reader.variables.held }
}

/// An odd number of `^` at the end: the last one takes the line's end away.
fn is_continued(line: &str) -> bool {
    (line.len() - line.trim_end_matches('^').len()) % 2 == 1
}

fn comment(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '@');
    if let Some(rest) = line.strip_prefix("::") {
        return Some(rest);
    }
    let (word, rest) = line.split_at_checked(3)?;
    let ends = rest.chars().next().is_none_or(|letter| !letter.is_alphanumeric());
    (word.eq_ignore_ascii_case("rem") && ends).then_some(rest)
}

/// The first word of a line, in small letters.
fn first_word(line: &str) -> String {
    let line = line.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '@');
    let end = line.find(|letter: char| letter.is_whitespace() || "(/".contains(letter)).unwrap_or(line.len());
    line[..end].to_ascii_lowercase()
}

/// How many parentheses a line leaves open in which a block may begin: anywhere, be it behind `&`, `&&`, `||` or `|`.
fn block_depth(line: &str) -> usize {
    let opens = first_word(line) == "else" || pieces(line).iter().any(Piece::is_construct);
    if opens { usize::try_from(parentheses(line, 0)).unwrap_or(0) } else { 0 }
}

/// Opened less closed, outside of quotes; never less than the least.
fn parentheses(line: &str, least: isize) -> isize {
    let mut is_quoted = false;
    let mut escaped = false;
    let mut open = 0isize;
    for letter in line.chars() {
        match letter {
            _ if escaped => {
                escaped = false;
                continue;
            }
            '"' => is_quoted = !is_quoted,
            '^' if !is_quoted => escaped = true,
            '(' if !is_quoted => open += 1,
            ')' if !is_quoted => open = least.max(open - 1),
            _ => {}
        }
    }
    open
}

/// Whether `!NAME!` is a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delayed {
    No,
    Yes,
}

/// Programs that `call` starts as if it were not there.
const IS_NO_SCRIPT: &[&str] = &[
    "robocopy",
    "rclone",
    "rsync",
    "movebook",
    "net",
    "sc",
    "timeout",
    "pause",
    "echo",
    "xcopy",
    "powershell",
];

struct Reader<'t, 'u> {
    text: &'t str,
    front: Front,
    variables: Variables<'u>,
    labels: Labels,
    flow: Flow,
    delayed: Delayed,
}

impl Reader<'_, '_> {
    fn line(&mut self, raw: &str, number: usize) -> Vec<Part> {
        let trimmed = raw.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '@');
        if let Some(text) = comment(raw) {
            return vec![Part::Comment(text.trim().to_owned())];
        }
        if let Some(label) = flow::label(trimmed) {
            self.flow.label(&label, number, &self.labels);
            return Vec::new();
        }
        if trimmed.is_empty() {
            return Vec::new();
        }
        let word = first_word(trimmed);
        if let Some(reason) = self.flow.reason() {
            self.forget_what_is_set(trimmed);
            self.flow.pass_by(&word, trimmed, &self.labels);
            // What only says something or ends is no loss.
            let is_loss = !matches!(word.as_str(), "echo" | "exit" | "goto" | "set" | "endlocal");
            return if is_loss { vec![Part::Left(reason)] } else { Vec::new() };
        }
        if matches!(word.as_str(), "if" | "for" | "else") || trimmed.starts_with(['(', ')']) {
            return vec![self.construct(&word, trimmed, number)];
        }
        let filled = self.filled_in(trimmed);
        let mut parts = Vec::new();
        let mut rest = pieces(&filled).into_iter();
        while let Some(piece) = rest.next() {
            if piece.joined == Joined::IfItWorked {
                parts.push(Part::AndThen);
            }
            if let Some(reason) = self.flow.reason() {
                parts.push(Part::Left(reason));
            } else if piece.is_construct() {
                // All that stands behind it on its line belongs to it.
                let (joined, word) =
                    (piece.joined, piece.programs.first().map_or(String::new(), |text| first_word(text)));
                let whole: Vec<String> =
                    [piece].into_iter().chain(rest).map(|piece| piece.programs.join("|")).collect();
                let whole = whole.join("&");
                parts.push(match joined {
                    Joined::IfItFailed if only_ends(&whole) => Part::OrEnds,
                    Joined::IfItFailed => {
                        self.forget_what_is_set(&whole);
                        Part::Left(why::AFTER_ERROR.to_owned())
                    }
                    Joined::Always | Joined::IfItWorked => self.construct(&word, &whole, number),
                });
                break;
            } else {
                parts.extend(self.piece(&piece, number));
            }
        }
        parts
    }

    /// A condition, a loop, or lines in parentheses.
    fn construct(&mut self, word: &str, text: &str, number: usize) -> Part {
        self.forget_what_is_set(text);
        let why = match word {
            "if" => self.flow.decide(text, number, &self.labels).why(),
            "else" => Some(why::ON_CONDITION),
            "for" => Some(why::LOOP),
            _ => Some("it stands in parentheses: write its steps by hand"),
        };
        match why {
            Some(why) => Part::Left(why.to_owned()),
            None => Part::Needless(why::ENDS_ON_ERROR.to_owned()),
        }
    }

    fn piece(&mut self, piece: &Piece, number: usize) -> Option<Part> {
        let words: Vec<Vec<String>> = piece.programs.iter().map(|text| windows_words(text)).collect();
        if piece.joined == Joined::IfItFailed {
            let word =
                words.first().and_then(|words| words.first()).map(|word| program(word)).unwrap_or_default();
            return Some(match word.as_str() {
                "exit" | "goto" | "echo" => Part::OrEnds,
                _ => Part::Left(why::AFTER_ERROR.to_owned()),
            });
        }
        if piece.joined == Joined::Always {
            self.front = Front::of(&words);
        }
        let [text] = piece.programs.as_slice() else { return Some(Part::Pipeline(words)) };
        let words = words.into_iter().next().filter(|words| !words.is_empty())?;
        let name = program(&words[0]);
        match name.as_str() {
            "set" if piece.joined == Joined::IfItWorked => {
                self.forget_what_is_set(text);
                None
            }
            "set" => self.set(text.get(3..).unwrap_or_default().trim_start()),
            "setlocal" => {
                if words.iter().any(|word| word.eq_ignore_ascii_case("enabledelayedexpansion")) {
                    self.delayed = Delayed::Yes;
                }
                self.variables.enter_scope();
                None
            }
            "endlocal" => {
                self.variables.leave_scope();
                None
            }
            // To end or to jump if something is so is a condition; to do so behind a deed leaves what follows to its failure.
            "exit" | "goto" if piece.joined == Joined::IfItWorked => {
                let condition = match self.front {
                    Front::Question => format!("if so {text}"),
                    Front::Deed => format!("if not errorlevel 1 {text}"),
                };
                let why = self.flow.decide(&condition, number, &self.labels).why();
                why.map(|why| Part::Left(why.to_owned()))
            }
            "exit" => {
                self.flow.leave(None, number, &self.labels);
                None
            }
            "goto" => {
                let label = words.get(1).map(|label| label.trim_start_matches(':').to_lowercase());
                let label = label.filter(|label| label != "eof");
                self.flow.leave(label.as_deref(), number, &self.labels);
                // To go back is a loop; what is jumped over is told where it stands.
                let goes_on = self.flow.ends_at_a_label();
                (label.is_some() && !goes_on).then(|| Part::Left(why::JUMP.to_owned()))
            }
            "call" if words.get(1).is_some_and(|label| label.starts_with(':')) => {
                let label = flow::label(&words[1]).unwrap_or_default();
                let body: Vec<&str> =
                    self.text.lines().skip_while(|line| flow::label(line).as_ref() != Some(&label)).collect();
                self.forget_what_is_set(&body.join("\n"));
                Some(Part::Left(why::FUNCTION.to_owned()))
            }
            "call" if words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("set")) => {
                self.forget_what_is_set(text);
                None
            }
            "call" if words.get(1).is_some_and(|word| !IS_NO_SCRIPT.contains(&program(word).as_str())) => {
                self.variables.forget_all();
                Some(Part::Pipeline(vec![words]))
            }
            // What it says is a text and no words: a quote in it is a letter.
            "echo" => Some(Part::Pipeline(vec![vec![
                "echo".to_owned(),
                text.trim().get("echo".len()..).unwrap_or_default().trim().to_owned(),
            ]])),
            _ => Some(Part::Pipeline(vec![words])),
        }
    }

    /// What stands behind `set`.
    fn set(&mut self, text: &str) -> Option<Part> {
        let (switch, rest) = match text.get(..2) {
            Some(switch) if switch.starts_with('/') => (switch.to_ascii_lowercase(), text[2..].trim_start()),
            _ => (String::new(), text),
        };
        // Between quotes, what stands behind the last one does not count.
        let inner = match rest.strip_prefix('"') {
            Some(inner) => inner.rfind('"').map_or(inner, |end| &inner[..end]),
            None => rest,
        };
        let (name, value) = inner.split_once('=')?;
        let name = name.trim_end_matches(['+', '-', '*', '/', '%']);
        if switch.is_empty() {
            self.variables.set(name, Value::Text(value.to_owned()));
            return None;
        }
        let letter = self.variables.asked(&format!("%{name}%"), name);
        (switch == "/p").then(|| Part::Question { letter, ask: value.trim_matches('"').trim().to_owned() })
    }

    fn forget_what_is_set(&mut self, text: &str) {
        // A pattern that is written here compiles, as the tests show.
        static SET: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r#"(?i)\bset\s+(?:/[ap]\s+)?"?([^\s="&|]+)\s*="#).ok());
        static CALLS: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r"(?i)\b(?:call\s+[^\s:]|endlocal)").ok());
        for found in SET.iter().flat_map(|set| set.captures_iter(text)) {
            self.variables.forget(&found[1]);
        }
        if CALLS.as_ref().is_none_or(|calls| calls.is_match(text)) {
            self.variables.forget_all();
        }
    }

    fn filled_in(&mut self, line: &str) -> String {
        let mut filled = String::with_capacity(line.len());
        let mut rest = line;
        while let Some(at) = rest.find(['%', '!']) {
            filled.push_str(&rest[..at]);
            let mark = &rest[at..=at];
            let behind = &rest[at + 1..];
            if mark == "!" && self.delayed == Delayed::No {
                filled.push('!');
                rest = behind;
                continue;
            }
            if mark == "%" && behind.starts_with('%') {
                filled.push('%');
                rest = &behind[1..];
                continue;
            }
            if let Some(length) = argument(behind).filter(|_| mark == "%") {
                let written = format!("%{}", &behind[..length]);
                let name = argument_name(&behind[..length]);
                let is_plain =
                    behind[..length].trim_start_matches('~').len() == 1 && !behind.starts_with('*');
                filled.push(match is_plain && !name.ends_with("folder") {
                    true => self.variables.by_name(&written, &name),
                    false => self.variables.of_this_script(&written, &name),
                });
                rest = &behind[length..];
                continue;
            }
            let Some(end) = behind.find(mark).filter(|end| *end > 0) else {
                filled.push_str(mark);
                rest = behind;
                continue;
            };
            let inner = &behind[..end];
            let written = format!("{mark}{inner}{mark}");
            // `%NAME:~0,3%` and `%NAME:a=b%` are parts of what it holds.
            filled.push_str(&match inner.split_once(':') {
                Some((name, _)) => self.variables.of_this_script(&written, name).to_string(),
                None => self.variables.text(inner, &format!("%{inner}%")),
            });
            rest = &behind[end + 1..];
        }
        filled.push_str(rest);
        filled
    }
}

/// The length of `1`, `*` or `~dp0` behind a `%`.
fn argument(text: &str) -> Option<usize> {
    let modifiers = match text.strip_prefix('~') {
        Some(rest) => 1 + rest.bytes().take_while(u8::is_ascii_alphabetic).count(),
        None => 0,
    };
    let last = *text.as_bytes().get(modifiers)?;
    (last.is_ascii_digit() || (last == b'*' && modifiers == 0)).then_some(modifiers + 1)
}

fn argument_name(written: &str) -> String {
    match written.chars().next_back() {
        Some('*') => "arguments".to_owned(),
        Some('0') => "script_folder".to_owned(),
        digit => format!("argument_{}", digit.unwrap_or_default()),
    }
}

/// A part of a line that is carried out by itself.
struct Piece {
    joined: Joined,
    /// More than one where `|` joins them; without redirections.
    programs: Vec<String>,
}

impl Piece {
    /// Whether a condition, a loop or lines in parentheses stand in it.
    fn is_construct(&self) -> bool {
        self.programs
            .iter()
            .any(|text| text.starts_with('(') || matches!(first_word(text).as_str(), "if" | "for"))
    }
}

/// When a part of a line is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joined {
    /// Behind `&`.
    Always,
    /// Behind `&&`.
    IfItWorked,
    /// Behind `||`.
    IfItFailed,
}

fn pieces(line: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut piece = Piece { joined: Joined::Always, programs: vec![String::new()] };
    let mut is_quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let Some(program) = piece.programs.last_mut() else { break };
        match letter {
            '"' => {
                is_quoted = !is_quoted;
                program.push('"');
            }
            _ if is_quoted => program.push(letter),
            '^' => program.extend(letters.next()),
            '&' | '|' => {
                let is_double = letters.next_if_eq(&letter).is_some();
                if letter == '|' && !is_double {
                    piece.programs.push(String::new());
                    continue;
                }
                let joined = match (letter, is_double) {
                    ('|', _) => Joined::IfItFailed,
                    (_, true) => Joined::IfItWorked,
                    (_, false) => Joined::Always,
                };
                let next = Piece { joined, programs: vec![String::new()] };
                pieces.push(std::mem::replace(&mut piece, next));
            }
            '>' | '<' => redirection(program, &mut letters),
            letter => program.push(letter),
        }
    }
    pieces.push(piece);
    for program in pieces.iter_mut().flat_map(|piece| &mut piece.programs) {
        *program =
            program.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '@').to_owned();
    }
    pieces.retain(|piece| piece.programs.iter().any(|program| !program.trim().is_empty()));
    pieces
}

/// Takes away `>file`, `2>&1`, `>> "a b"` and the number in front.
fn redirection(program: &mut String, letters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let has_number = program.ends_with(|letter: char| letter.is_ascii_digit())
        && program[..program.len() - 1].chars().next_back().is_none_or(char::is_whitespace);
    if has_number {
        program.pop();
    }
    letters.next_if_eq(&'>');
    if letters.next_if_eq(&'&').is_some() {
        letters.next_if(char::is_ascii_digit);
        return;
    }
    while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
    let mut is_quoted = false;
    while let Some(letter) =
        letters.next_if(|letter| is_quoted || !(letter.is_whitespace() || "&|<>".contains(*letter)))
    {
        is_quoted ^= letter == '"';
    }
}

#[cfg(test)]
mod tests;
