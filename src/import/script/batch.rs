//! Batch files, as `cmd` reads them: variables are filled in first, whatever the quotes; then a line is parted at `&`, `|` and
//! the redirections that stand outside of quotes.

use std::sync::LazyLock;

use regex::Regex;

use super::{Line, Part, Reached, Script, program, why, windows_words};
use crate::import::unknown::Unknowns;
use crate::import::variables::{NameCase, Value, Variables};

pub(super) fn read(text: &str, number: usize, unknowns: &mut Unknowns) -> Script {
    let mut reader = Reader {
        variables: Variables::new(NameCase::Ignored, number, unknowns),
        reached: Reached::InOrder,
        delayed: Delayed::No,
        jumped_to: None,
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
        let mut open = block_depth(&raw);
        while open > 0 {
            let Some((_, next)) = rest.next() else { break };
            open = open.saturating_add_signed(parentheses(next));
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

/// The label of `if … goto LABEL`.
fn label_behind_condition(line: &str) -> Option<String> {
    static JUMP: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)^if\b.*\bgoto\s+:?(\S+)\s*$").ok());
    JUMP.as_ref()?.captures(line).map(|found| found[1].to_lowercase())
}

/// Whether `if errorlevel …` only says so, jumps or ends.
fn ends_on_error(line: &str) -> bool {
    static ENDS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)errorlevel[^&|(\n]*?\s(?:goto|exit|echo)\b[^&|(\n]*$").ok());
    ENDS.as_ref().is_some_and(|ends| ends.is_match(line))
}

/// How many parentheses a line that may begin a block leaves open.
fn block_depth(line: &str) -> usize {
    let opens =
        line.trim_start().starts_with('(') || matches!(first_word(line).as_str(), "if" | "for" | "else");
    if opens { usize::try_from(parentheses(line)).unwrap_or(0) } else { 0 }
}

/// Opened less closed, outside of quotes.
fn parentheses(line: &str) -> isize {
    let mut is_quoted = false;
    let mut escaped = false;
    let mut open = 0;
    for letter in line.chars() {
        match letter {
            _ if escaped => {
                escaped = false;
                continue;
            }
            '"' => is_quoted = !is_quoted,
            '^' if !is_quoted => escaped = true,
            '(' if !is_quoted => open += 1,
            ')' if !is_quoted => open -= 1,
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

struct Reader<'u> {
    variables: Variables<'u>,
    reached: Reached,
    delayed: Delayed,
    /// The label of a condition behind which nothing was done so far: what stands there is done unless the script ends.
    jumped_to: Option<String>,
}

impl Reader<'_> {
    fn line(&mut self, raw: &str, number: usize) -> Vec<Part> {
        let trimmed = raw.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '@');
        if let Some(text) = comment(raw) {
            return vec![Part::Comment(text.trim().to_owned())];
        }
        if let Some(label) = trimmed.strip_prefix(':') {
            let label = label.split_whitespace().next().unwrap_or_default().to_lowercase();
            if self.jumped_to.take_if(|wanted| *wanted == label).is_some() {
                self.reached = Reached::InOrder;
            }
            return Vec::new();
        }
        if trimmed.is_empty() {
            return Vec::new();
        }
        if let Some(reason) = self.reached.reason() {
            // What only says something or ends is no loss.
            let is_loss =
                !matches!(first_word(trimmed).as_str(), "echo" | "exit" | "goto" | "set" | "endlocal");
            return if is_loss { vec![Part::Left(reason)] } else { Vec::new() };
        }
        let jump = label_behind_condition(trimmed);
        let reason = match first_word(trimmed).as_str() {
            "if" if trimmed.to_ascii_lowercase().contains("errorlevel") => match ends_on_error(trimmed) {
                true => return vec![Part::Needless(why::ENDS_ON_ERROR.to_owned())],
                false => Some(why::AFTER_ERROR),
            },
            "if" | "else" => Some(why::ON_CONDITION),
            "for" => Some(why::LOOP),
            _ if trimmed.starts_with(['(', ')']) => Some("it stands in parentheses: write its steps by hand"),
            _ => None,
        };
        if let Some(reason) = reason {
            self.forget_what_is_set(trimmed);
            self.jumped_to = jump;
            return vec![Part::Left(reason.to_owned())];
        }
        let filled = self.filled_in(trimmed);
        let mut parts = Vec::new();
        for piece in pieces(&filled) {
            if piece.joined == Joined::IfItWorked {
                parts.push(Part::AndThen);
            }
            let part = match self.reached.reason() {
                Some(reason) => Some(Part::Left(reason)),
                None => self.piece(piece, number),
            };
            parts.extend(part);
        }
        parts
    }

    fn piece(&mut self, piece: Piece, number: usize) -> Option<Part> {
        if piece.joined == Joined::IfItFailed {
            return Some(Part::Left(why::AFTER_ERROR.to_owned()));
        }
        let words: Vec<Vec<String>> = piece.programs.iter().map(|text| windows_words(text)).collect();
        let [text] = piece.programs.as_slice() else { return Some(Part::Pipeline(words)) };
        let words = words.into_iter().next().filter(|words| !words.is_empty())?;
        let name = program(&words[0]);
        if !matches!(name.as_str(), "echo" | "goto" | "exit" | "pause") {
            self.jumped_to = None;
        }
        match name.as_str() {
            "set" => self.set(text.get(3..).unwrap_or_default().trim_start()),
            "setlocal" => {
                if words.iter().any(|word| word.eq_ignore_ascii_case("enabledelayedexpansion")) {
                    self.delayed = Delayed::Yes;
                }
                None
            }
            "goto" | "exit" => {
                self.reached = Reached::ByJump { behind: number };
                let ends = words[0].to_ascii_lowercase().starts_with("exit")
                    || words.get(1).is_some_and(|label| label.eq_ignore_ascii_case(":eof"));
                (!ends).then(|| Part::Left(why::JUMP.to_owned()))
            }
            "call" if words.get(1).is_some_and(|label| label.starts_with(':')) => {
                Some(Part::Left(why::FUNCTION.to_owned()))
            }
            // What it says is a text and no words: a quote in it is a letter.
            "echo" => Some(Part::Pipeline(vec![vec![
                "echo".to_owned(),
                text.trim().get("echo".len()..).unwrap_or_default().trim().to_owned(),
            ]])),
            "if" | "for" => Some(Part::Left(why::ON_CONDITION.to_owned())),
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
        self.variables.forget(name);
        (switch == "/p").then(|| Part::Question {
            letter: self.variables.of_this_script(&format!("%{name}%"), name),
            ask: value.trim_matches('"').trim().to_owned(),
        })
    }

    fn forget_what_is_set(&mut self, text: &str) {
        // A pattern that is written here compiles, as the tests show.
        static SET: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r#"(?i)\bset\s+(?:/[ap]\s+)?"?([^\s="&|]+)\s*="#).ok());
        for found in SET.iter().flat_map(|set| set.captures_iter(text)) {
            self.variables.forget(&found[1]);
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
                filled.push(self.variables.of_this_script(&written, &argument_name(&behind[..length])));
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
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<Part> {
        let mut unknowns = Unknowns::default();
        read(text, 0, &mut unknowns).lines.into_iter().flat_map(|line| line.parts).collect()
    }

    fn programs(text: &str) -> Vec<String> {
        let words = |part: Part| match part {
            Part::Pipeline(programs) => {
                programs.iter().map(|words| words.join("·")).collect::<Vec<_>>().join(" | ")
            }
            other => format!("{other:?}"),
        };
        parts(text).into_iter().map(words).collect()
    }

    #[test]
    fn variables_are_filled_in_whatever_their_case() {
        let text = "@set OLD=\\\\srv\\c$\n@set \"New=D:\\Mail Archive\"\nrobocopy %old%\\a \"%NEW%\" 100%%\n";
        assert_eq!(programs(text), [r"robocopy·\\srv\c$\a·D:\Mail Archive·100%"]);
    }

    #[test]
    fn a_line_goes_on_behind_a_caret_and_keeps_its_number() {
        let mut unknowns = Unknowns::default();
        let script = read("rem x ^\nrobocopy a b ^\n  /e ^\n  /purge\npause", 0, &mut unknowns);
        let numbers: Vec<_> = script.lines.iter().map(|line| (line.number, line.text.as_str())).collect();
        assert_eq!(numbers, [(1, "rem x ^"), (2, "robocopy a b /e /purge"), (5, "pause")]);
    }

    #[test]
    fn redirections_are_taken_away_and_pipes_are_kept() {
        assert_eq!(programs("robocopy a b /e >> \"c d.log\" 2>&1"), ["robocopy·a·b·/e"]);
        assert_eq!(programs("echo y|net stop x>nul"), ["echo·y | net·stop·x"]);
        assert_eq!(programs("a ^& b & c && d"), ["a·&·b", "c", "AndThen", "d"]);
    }

    #[test]
    fn what_is_done_on_a_condition_is_left_whole() {
        let text = "if exist D:\\x (\n  robocopy a b\n) else (\n  set OLD=x\n)\nrobocopy %OLD% d";
        let parts = parts(text);
        assert_eq!(parts[0], Part::Left(why::ON_CONDITION.to_owned()));
        assert!(
            matches!(&parts[1], Part::Pipeline(programs) if crate::import::unknown::has_stand_in(&programs[0][1]))
        );
        assert_eq!(parts.len(), 2);
        assert_eq!(programs("robocopy a b || goto fail").len(), 2);
    }

    #[test]
    fn what_only_a_jump_leads_to_is_left() {
        let parts = parts("net stop x\ngoto :eof\n:fail\nnet start x\n");
        assert!(matches!(&parts[1], Part::Left(why) if why.contains("behind line 2")), "{parts:?}");
        assert_eq!(parts.len(), 2);
    }

    #[test]
    fn a_script_that_ends_without_its_arguments_is_read_behind_the_label() {
        let text = "if not \"%1\"==\"\" goto go\necho usage\ngoto :eof\n:go\nnet stop x\n";
        assert_eq!(programs(text).last().unwrap(), "net·stop·x");
        let text = "if exist x goto go\nnet stop y\ngoto :eof\n:go\nnet stop x\n";
        assert!(programs(text).last().unwrap().contains("Left"));
    }

    #[test]
    fn what_ends_a_script_after_an_error_is_what_a_run_does() {
        for line in ["if errorlevel 8 goto fail", "if %ERRORLEVEL% geq 8 exit /b 1"] {
            assert!(matches!(parts(line)[..], [Part::Needless(_)]), "{line}");
        }
        for line in [
            "if errorlevel 1 net start x",
            "if errorlevel 8 goto x & net start x",
            "if errorlevel 8 ( echo x",
        ] {
            assert!(matches!(parts(line)[..], [Part::Left(_)]), "{line}");
        }
    }

    #[test]
    fn arguments_and_variables_that_nobody_set_have_letters() {
        let mut unknowns = Unknowns::default();
        let script = read("robocopy %1 \"%~2\" %~dp0x %TEMP%", 0, &mut unknowns);
        let Part::Pipeline(programs) = &script.lines[0].parts[0] else { panic!("{script:?}") };
        let shown: Vec<_> = programs[0].iter().map(|word| unknowns.shown(word)).collect();
        assert_eq!(shown, ["robocopy", "%1", "%~2", "%~dp0x", "%TEMP%"]);
    }

    #[test]
    fn a_question_is_told_with_its_text() {
        let parts = parts("set /p OLD=Where is it? ");
        assert!(matches!(&parts[0], Part::Question { ask, .. } if ask == "Where is it?"));
    }
}
