//! The text of a script → its lines, each with its place and what it calls.
//!
//! One reader a dialect. A reader fills in variables, takes quotes and continuations away, and leaves what a step cannot say
//! (conditions, loops, functions, what stands behind a jump) whole, with the reason: nothing is dropped, and nothing that is
//! done only sometimes becomes a step that is always done.

mod batch;
mod posix;
mod powershell;
mod windows_words;
mod written;

use super::unknown::Unknowns;
use super::variables::Held;
use crate::guard::PathStyle;

pub use windows_words::words as windows_words;
pub use written::{goes_nowhere, written};

/// Whose language a script is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Batch,
    PowerShell,
    Posix,
    /// A job file of robocopy's.
    RobocopyJob,
}

/// A line, or several that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The number of its first line, from 1.
    pub number: usize,
    /// As it stands. Continued lines are joined; a block keeps its lines.
    pub text: String,
    pub parts: Vec<Part>,
}

/// One thing that a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// For people.
    Comment(String),
    /// Programs with their arguments, of which each reads what the one before it prints; most often there is one.
    Pipeline(Vec<Vec<String>>),
    /// What follows on this line is done only if what stands in front of it went well.
    AndThen,
    /// What is done only if what stands in front of it failed says so and ends.
    OrEnds,
    /// Asks for a value, for which this letter stands.
    Question { letter: char, ask: String },
    /// What a run does by itself, and how.
    Needless(String),
    /// What is not understood, and why.
    Left(String),
}

/// A script that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    pub lines: Vec<Line>,
    pub held: Vec<Held>,
}

impl Dialect {
    /// By the end of a file's name, or else by what it looks like.
    pub fn of(name: &str, text: &str) -> Self {
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        match extension.as_deref() {
            Some("cmd" | "bat") => Self::Batch,
            Some("ps1" | "psm1") => Self::PowerShell,
            Some("sh" | "bash" | "ksh" | "zsh") => Self::Posix,
            Some("rcj") => Self::RobocopyJob,
            _ => Self::looked_at(text),
        }
    }

    fn looked_at(text: &str) -> Self {
        let mut lines =
            text.lines().map(|line| line.trim().to_ascii_lowercase()).filter(|line| !line.is_empty());
        let Some(first) = lines.next() else { return Self::Batch };
        if first.starts_with("#!") {
            return if first.contains("pwsh") { Self::PowerShell } else { Self::Posix };
        }
        let mut all = std::iter::once(first).chain(lines);
        all.find_map(|line| {
            let begins = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
            if begins(&["@echo", "rem ", "setlocal", "set \"", "goto "]) || line.contains("%~") {
                Some(Self::Batch)
            } else if begins(&["/sd:", "/dd:", "/nosd", "/nodd"]) {
                Some(Self::RobocopyJob)
            } else if begins(&["param(", "param (", "$", "write-host", "stop-service", "start-service", "<#"])
            {
                Some(Self::PowerShell)
            } else if begins(&["rsync ", "systemctl ", "set -", "sudo ", "export "]) || line == "fi" {
                Some(Self::Posix)
            } else {
                None
            }
        })
        .unwrap_or(Self::Batch)
    }

    /// How paths are written in it.
    pub fn paths(self) -> PathStyle {
        match self {
            Self::Batch | Self::PowerShell | Self::RobocopyJob => PathStyle::Windows,
            Self::Posix => PathStyle::Unix,
        }
    }
}

/// Reads a script; `number` is which one it is among all that are read.
pub fn read(text: &str, dialect: Dialect, number: usize, unknowns: &mut Unknowns) -> Script {
    match dialect {
        Dialect::Batch => batch::read(text, number, unknowns),
        Dialect::PowerShell => powershell::read(text, number, unknowns),
        Dialect::Posix => posix::read(text, number, unknowns),
        // The only line of a job file is the one that names it.
        Dialect::RobocopyJob => Script::default(),
    }
}

/// What a list of `&&` and `||` begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Front {
    /// What only asks whether something is so.
    Question,
    Deed,
}

impl Front {
    /// By what the last of a line of programs is.
    fn of(programs: &[Vec<String>]) -> Self {
        let questions = [
            "[",
            "[[",
            "test",
            "test-path",
            "exist",
            "find",
            "findstr",
            "grep",
            "pgrep",
            "mountpoint",
            "which",
            "where",
            "command",
            "type",
            "fc",
            "diff",
            "cmp",
            "ping",
            "pidof",
        ];
        let last = programs.last().and_then(|words| words.first()).map(|word| program(word));
        match last.is_some_and(|name| questions.contains(&name.as_str())) {
            true => Self::Question,
            false => Self::Deed,
        }
    }
}

/// Whether what follows is reached by going on from the line before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    InOrder,
    /// Only by a jump, since this line ended the script.
    ByJump {
        behind: usize,
    },
}

impl Reached {
    fn reason(self) -> Option<String> {
        match self {
            Self::InOrder => None,
            Self::ByJump { behind } => Some(format!(
                "it stands behind line {behind}, where the script ends or jumps, and is reached by a jump alone"
            )),
        }
    }
}

pub use why::{ENDS_ON_ERROR, ENDS_UNLESS, ON_CONDITION};

/// Why what is done only sometimes is left.
mod why {
    pub const ON_CONDITION: &str =
        "it is done only on a condition: write the step by hand, with `when` or behind a checkpoint";
    pub const AFTER_ERROR: &str = "what happens after an error is not carried over: a step that fails ends the run, and `retry` repeats it";
    pub const ENDS_ON_ERROR: &str =
        "a step that fails ends the run, which goes on there by `movebook resume`";
    pub const ENDS_UNLESS: &str =
        "the script ends unless this holds: ask for it by a checkpoint, or in front of the run";
    pub const LOOP: &str = "it is repeated by a loop: write the step by hand, with `for_each` or `retry`";
    pub const FUNCTION: &str = "it stands in a function: write its steps by hand where it is called";
    pub const JUMP: &str = "jumps are not carried over: a step that fails can be repeated by `retry`";
    pub const BACKGROUND: &str = "it runs beside what follows, and the steps of a run follow each other";
    pub const TOO_DEEP: &str = "it is nested too deeply to be read";
}

/// Whether a block that is gone through after an error only says so and ends.
fn only_ends(block: &str) -> bool {
    let ends = [
        "exit",
        "return",
        "throw",
        "break",
        "echo",
        "printf",
        "fi",
        "write-host",
        "write-error",
        "write-warning",
        "write-output",
    ];
    block.split(['\n', ';', '{', '}', '(', ')', '&', '|']).all(|piece| {
        let word = piece.split_whitespace().next().unwrap_or_default().to_lowercase();
        word.is_empty() || ends.contains(&word.as_str())
    })
}

/// The program's name alone, in small letters: `robocopy` of `"C:\Windows\System32\Robocopy.exe"`.
pub fn program(word: &str) -> String {
    let name = word.rsplit(['\\', '/']).next().unwrap_or(word).to_lowercase();
    let bare = [".exe", ".com", ".cmd", ".bat"].iter().find_map(|end| name.strip_suffix(end));
    bare.map_or(name.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_dialect_and_else_the_text_does() {
        for (name, text, dialect) in [
            ("a.CMD", "", Dialect::Batch),
            ("a.ps1", "@echo off", Dialect::PowerShell),
            ("a.rcj", "", Dialect::RobocopyJob),
            ("a.sh", "", Dialect::Posix),
            ("a", "#!/bin/sh\n", Dialect::Posix),
            ("a", "#!/usr/bin/env pwsh\n", Dialect::PowerShell),
            ("a.txt", "\n@ECHO OFF\n", Dialect::Batch),
            ("a.txt", "$old = 'x'\n", Dialect::PowerShell),
            ("a.txt", "::\n:: Robocopy Job\n\t/SD:C:\\a\n", Dialect::RobocopyJob),
            ("a.txt", "rsync -a /a/ /b/\n", Dialect::Posix),
            ("a.txt", "robocopy C:\\a D:\\b\n", Dialect::Batch),
            ("a", "", Dialect::Batch),
        ] {
            assert_eq!(Dialect::of(name, text), dialect, "{name} {text:?}");
        }
    }

    #[test]
    fn a_program_is_known_by_its_name_wherever_it_lies() {
        for word in ["robocopy", "ROBOCOPY.EXE", r"C:\Windows\System32\Robocopy.exe", "/usr/bin/robocopy"] {
            assert_eq!(program(word), "robocopy");
        }
    }
}
