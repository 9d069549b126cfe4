//! A program with its arguments → what it means in a runbook.
//!
//! What only shows something, or what a run does by itself, means nothing. What changes something and is not read here is
//! left, by name.

mod prefix;
mod service;
mod wait;

use std::time::Duration;

use super::pass::{Pass, Reading, rclone, robocopy, rsync};
use super::reader::Outcome;
use super::script::{self, Dialect, program};
use super::unknown;
use crate::plan::action::ServiceState;
use crate::robocopy::Misuse;
use prefix::{Bare, bare};

/// What a line means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    Pass {
        pass: Box<Pass>,
        notes: Vec<String>,
    },
    Services(Vec<Service>),
    Wait(Duration),
    /// A person is waited for; with the line's own question, if it has one.
    Pause {
        ask: Option<String>,
    },
    /// Tells a person something.
    Says(String),
    /// A pass makes its target: only where this is none is it left.
    MakesFolders(Vec<String>),
    /// It was for the script alone.
    Nothing,
    /// It copies nothing, and why.
    Idle(String),
    Left(Vec<String>),
}

/// A service that is brought into a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub name: String,
    /// Empty: this machine.
    pub host: String,
    pub state: ServiceState,
    pub note: Option<&'static str>,
}

/// What a line is read with.
pub struct Around<'a> {
    pub dialect: Dialect,
    pub read_job: &'a dyn Fn(&str) -> Result<String, Misuse>,
}

/// Programs that read what the one before them prints, and change nothing else.
const READERS: &[&str] = &[
    "find",
    "findstr",
    "more",
    "sort",
    "tee",
    "tee-object",
    "out-null",
    "out-file",
    "out-host",
    "out-string",
    "out-default",
    "select-string",
    "grep",
    "cat",
    "head",
    "tail",
    "less",
    "awk",
    "sed",
    "where-object",
    "format-table",
    "format-list",
];

/// Of these, those that work whatever they read.
const PASSING_ON: &[&str] =
    &["tee", "tee-object", "cat", "out-null", "out-file", "out-host", "out-string", "out-default"];

/// What always works, or without what no script goes on.
const WORKS: &[&str] = &[
    "cd",
    "chdir",
    "true",
    ":",
    "echo",
    "echo.",
    "cls",
    "clear",
    "title",
    "setlocal",
    "set",
    "set-location",
];

/// What only shows something, or sets up the window and the script itself.
const SHOWS: &[&str] = &[
    "cls",
    "title",
    "color",
    "chcp",
    "setlocal",
    "endlocal",
    "prompt",
    "mode",
    "ver",
    "cd",
    "chdir",
    "pushd",
    "popd",
    "dir",
    "tree",
    "type",
    "whoami",
    "hostname",
    "ipconfig",
    "tasklist",
    "clear",
    "clear-host",
    "set-location",
    "push-location",
    "pop-location",
    "set-strictmode",
    "start-transcript",
    "stop-transcript",
    "ls",
    "df",
    "du",
    "date",
    "time",
    "pwd",
    "id",
    "uname",
    "true",
    ":",
    "shopt",
    "set",
    "yes",
    "import-module",
    "using",
];

/// Beginnings of PowerShell's commands that only ask for something.
const VERBS_THAT_SHOW: &[&str] = &["get-", "test-", "measure-", "compare-"];
/// Its other commands that only show something, of whose verbs some change something, too.
const CMDLETS_THAT_SHOW: &[&str] = &[
    "write-verbose",
    "write-debug",
    "write-progress",
    "write-error",
    "out-null",
    "out-host",
    "out-default",
    "out-string",
    "out-gridview",
    "format-table",
    "format-list",
    "format-wide",
    "format-custom",
    "format-hex",
    "select-object",
    "select-string",
];

/// What a line means, program by program where `|` joins them.
pub fn meaning(programs: &[Vec<String>], around: &Around<'_>) -> Meaning {
    if let [get, then] = programs
        && let Some(services) = service::piped(get, then)
    {
        return services;
    }
    let mut meant: Vec<Meaning> = Vec::new();
    for (number, words) in programs.iter().enumerate() {
        let is_reader =
            number > 0 && words.first().is_some_and(|word| READERS.contains(&program(word).as_str()));
        if !is_reader {
            meant.push(of_program(words, around));
        }
    }
    if meant.len() > 1 {
        meant.retain(|meaning| !matches!(meaning, Meaning::Nothing | Meaning::Says(_)));
    }
    if meant.iter().any(|meaning| matches!(meaning, Meaning::Left(_))) {
        meant.retain(|meaning| matches!(meaning, Meaning::Left(_)));
        meant.truncate(1);
    }
    match (meant.pop(), meant.is_empty()) {
        (None, _) => Meaning::Nothing,
        (Some(only), true) => only,
        (Some(_), false) => left("it joins programs by `|` that each do something: write a step for each"),
    }
}

/// The file that a program behind a `|` writes what it reads into.
pub fn written_by_reader(programs: &[Vec<String>]) -> Option<String> {
    programs.iter().find_map(|words| {
        let (first, arguments) = words.split_first()?;
        let mut files = arguments.iter().filter(|word| !word.starts_with('-') && !script::goes_nowhere(word));
        match program(first).as_str() {
            "tee" | "tee-object" | "out-file" => files.next().cloned(),
            "sed" if arguments.iter().any(|word| word.starts_with("-i")) => files.next_back().cloned(),
            _ => None,
        }
    })
}

/// How a line ends that means this, as far as it is known before a run.
pub fn outcome(meaning: &Meaning, programs: &[Vec<String>]) -> Outcome {
    let name = |words: &Vec<String>| words.first().map(|word| program(word)).unwrap_or_default();
    // A pipe ends as its last program does.
    let asks = programs.len() > 1
        && programs.last().is_some_and(|words| {
            let name = name(words);
            READERS.contains(&name.as_str()) && !PASSING_ON.contains(&name.as_str())
        });
    let always_works = || programs.last().is_some_and(|words| WORKS.contains(&name(words).as_str()));
    let makes_even_if_there = || programs.iter().flatten().any(|word| word == "-p" || word == "--parents");
    match meaning {
        Meaning::Left(_) => Outcome::Left,
        _ if asks => Outcome::Open,
        Meaning::Pass { .. } | Meaning::Services(_) | Meaning::Wait(_) => Outcome::Works,
        Meaning::Pause { .. } | Meaning::Says(_) => Outcome::Works,
        Meaning::MakesFolders(_) if makes_even_if_there() => Outcome::Works,
        Meaning::Nothing if always_works() => Outcome::Works,
        Meaning::MakesFolders(_) | Meaning::Nothing | Meaning::Idle(_) => Outcome::Open,
    }
}

fn left(why: impl Into<String>) -> Meaning {
    Meaning::Left(vec![why.into()])
}

fn of_program(words: &[String], around: &Around<'_>) -> Meaning {
    let Bare { words, priority } = match bare(words, around.dialect) {
        Ok(bare) => bare,
        Err(why) => return left(why),
    };
    let Some((first, arguments)) = words.split_first() else { return Meaning::Nothing };
    let called = first.rsplit(['\\', '/']).next().unwrap_or(first);
    if unknown::has_stand_in(called) {
        return left(format!("the script does not say what `{first}` is"));
    }
    let name = program(first);
    let style = around.dialect.paths();
    let reading = match name.as_str() {
        "robocopy" => robocopy::read(arguments, style, around.read_job),
        "rclone" => rclone::read(arguments, style),
        "rsync" => rsync::read(arguments, style),
        _ => return other(first, &name, arguments, around.dialect),
    };
    match reading {
        Reading::Pass { mut pass, notes } => {
            pass.priority = priority;
            Meaning::Pass { pass, notes }
        }
        Reading::Nothing { note } => Meaning::Idle(note),
        Reading::Left(why) => Meaning::Left(why),
    }
}

fn other(first: &str, name: &str, arguments: &[String], dialect: Dialect) -> Meaning {
    if let Some(meaning) = service::meaning(first, name, arguments, dialect) {
        return meaning;
    }
    if let Some(meaning) = wait::meaning(name, arguments, dialect) {
        return meaning;
    }
    if let Some(text) = said(name, arguments, dialect) {
        return text;
    }
    if matches!(name, "md" | "mkdir") {
        let folders = arguments.iter().filter(|word| !word.starts_with('-')).cloned().collect();
        return Meaning::MakesFolders(folders);
    }
    // What a redirection alone does, or `)`.
    let sets_the_clock = matches!(name, "date" | "time")
        && arguments.iter().any(|word| {
            !matches!(word.to_ascii_lowercase().as_str(), "/t" | "-u" | "-r" | "-i") && !word.starts_with('+')
        });
    // To PowerShell it is another name of `Set-Variable`.
    let sets = name == "set" && dialect == Dialect::PowerShell;
    let shows = SHOWS.contains(&name) || CMDLETS_THAT_SHOW.contains(&name);
    if (shows && !sets_the_clock && !sets) || VERBS_THAT_SHOW.iter().any(|verb| name.starts_with(verb)) {
        return Meaning::Nothing;
    }
    left(match name {
        "xcopy" | "copy" | "cp" | "scp" | "sftp" | "ftp" | "copy-item" | "teracopy" | "dd" | "tar" => {
            format!("`{name}` is no line that is read here: write a `copy` step, whose passes go on where they were")
        }
        "move" | "mv" | "move-item" => format!("`{name}` takes files from their source, which no step does: copy, compare, and delete by hand"),
        "del" | "erase" | "rd" | "rmdir" | "rm" | "remove-item" => {
            format!("`{name}` deletes for good: let a pass purge, or write a `command` step behind a checkpoint")
        }
        "net" if arguments.first().is_some_and(|word| word.eq_ignore_ascii_case("use")) => {
            "a share is connected here: connect it before the run, or name it by its whole path (`\\\\server\\share`)".to_owned()
        }
        "powershell" | "pwsh" => "it starts PowerShell: give its script to `movebook import`".to_owned(),
        "ssh" | "plink" | "psexec" | "invoke-command" | "winrs" => {
            format!("`{name}` does something on another machine: write a `service` step with `host`, or a `command` step")
        }
        _ => format!("movebook does not read `{first}`: write a `command` step, if it is needed"),
    })
}

/// What a line tells a person.
fn said(name: &str, arguments: &[String], dialect: Dialect) -> Option<Meaning> {
    let is_echo = matches!(
        name,
        "echo" | "write-host" | "write-output" | "write-warning" | "write-information" | "printf"
    );
    // `echo.`, `echo:text`
    let glued = name.strip_prefix("echo").filter(|rest| rest.starts_with(['.', ':', '(', '/', '[']));
    if !is_echo && (glued.is_none() || dialect != Dialect::Batch) {
        return None;
    }
    let mut words = Vec::new();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-ForegroundColor" | "-BackgroundColor" | "-Separator" => drop(rest.next()),
            "-NoNewline" | "-n" | "-e" | "-Object" => {}
            word => words.push(word),
        }
    }
    let text = words.join(" ");
    let text = text.trim_end_matches("\\n").trim();
    let says_nothing =
        text.is_empty() || (name == "echo" && matches!(text.to_lowercase().as_str(), "on" | "off"));
    Some(if says_nothing { Meaning::Nothing } else { Meaning::Says(text.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str, dialect: Dialect) -> Meaning {
        let programs: Vec<Vec<String>> =
            line.split(" | ").map(crate::import::script::windows_words).collect();
        let around = Around { dialect, read_job: &|_| Err(Misuse::new("no job", "give it")) };
        meaning(&programs, &around)
    }

    #[test]
    fn a_pipe_to_a_reader_changes_nothing() {
        assert!(matches!(of("echo y | net stop x", Dialect::Batch), Meaning::Services(_)));
        assert!(matches!(of(r"robocopy C:\a D:\b /e | findstr x", Dialect::Batch), Meaning::Pass { .. }));
        assert!(matches!(of("foo | net stop x", Dialect::Batch), Meaning::Left(_)));
        assert!(matches!(of("net stop x | net stop y", Dialect::Batch), Meaning::Left(_)));
    }

    #[test]
    fn what_changes_something_is_never_nothing() {
        for line in [
            "Format-Volume -DriveLetter D -Force",
            "Out-File x",
            "Out-Printer x",
            "Write-EventLog x",
            "Set-ExecutionPolicy x",
            "date 2024-01-01",
            "time 10:00",
            "xcopy a b",
            "del x",
            r"net use Z: \\s\x",
            "reg add x",
            "psexec x",
            "foo",
            "schtasks /create",
        ] {
            assert!(matches!(of(line, Dialect::Batch), Meaning::Left(_)), "{line}");
        }
    }

    #[test]
    fn a_program_is_known_wherever_it_lies() {
        let folder = '\u{f0000}';
        let found = of(&format!("{folder}\\System32\\robocopy.exe C:\\a D:\\b"), Dialect::Batch);
        assert!(matches!(found, Meaning::Pass { .. }), "{found:?}");
        assert!(matches!(of(&format!("C:\\{folder} C:\\a D:\\b"), Dialect::Batch), Meaning::Left(_)));
    }

    #[test]
    fn what_only_shows_something_is_nothing() {
        for line in ["cls", "dir D:", "title x", "echo off", "echo.", "Get-Service x", "cd x"] {
            assert_eq!(of(line, Dialect::Batch), Meaning::Nothing, "{line}");
        }
        assert_eq!(of("echo Now  do it", Dialect::Batch), Meaning::Says("Now do it".to_owned()));
        assert_eq!(
            of("Write-Host -ForegroundColor Red x", Dialect::PowerShell),
            Meaning::Says("x".to_owned())
        );
    }

    #[test]
    fn what_a_line_begins_with_is_looked_behind() {
        use crate::copy::Priority;
        for (line, dialect, priority) in [
            (r#"start "" /wait /low robocopy C:\a D:\b"#, Dialect::Batch, Priority::Gentle),
            (r#"cmd /c "robocopy C:\a D:\b""#, Dialect::Batch, Priority::Normal),
            (r"call robocopy C:\a D:\b", Dialect::Batch, Priority::Normal),
            (r"movebook robocopy C:\a D:\b", Dialect::Batch, Priority::Normal),
            ("sudo nice -n 19 ionice -c3 rsync -a /a/ /b/", Dialect::Posix, Priority::Gentle),
        ] {
            match of(line, dialect) {
                Meaning::Pass { pass, .. } => assert_eq!(pass.priority, priority, "{line}"),
                other => panic!("{line}: {other:?}"),
            }
        }
        for line in [
            "robocopy C:\\a D:\\b /e & net start x",
            "robocopy C:\\a D:\\b /mir >nul",
            "sc stop x & del y",
            "net stop x || net start y",
        ] {
            let meant = of(&format!("cmd /c \"{line}\""), Dialect::Batch);
            assert!(matches!(meant, Meaning::Left(_)), "{line}: {meant:?}");
        }
        assert!(matches!(of(r"start robocopy C:\a D:\b", Dialect::Batch), Meaning::Left(_)));
    }
}
