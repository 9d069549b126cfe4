//! What stands in front of a program and only says how it is started.

use crate::copy::Priority;
use crate::import::script::{Dialect, program, windows_words};

/// A program with its arguments, and how much it gives way to others.
pub struct Bare {
    pub words: Vec<String>,
    pub priority: Priority,
}

/// Takes away `start /wait`, `call`, `cmd /c`, `sudo`, `nice` and their like.
///
/// # Errors
/// It is started in a way that no step has.
pub fn bare(words: &[String], dialect: Dialect) -> Result<Bare, String> {
    let mut words = words.to_vec();
    let mut priority = Priority::Normal;
    loop {
        let name = words.first().map(|word| program(word)).unwrap_or_default();
        let posix = dialect == Dialect::Posix;
        match name.as_str() {
            "call" if !posix => drop(words.remove(0)),
            "nohup" | "exec" | "command" | "time" if posix => drop(words.remove(0)),
            "sudo" | "doas" if posix => {
                words.remove(0);
                if words.first().is_some_and(|word| word.starts_with('-')) {
                    return Err(format!(
                        "`{name} {}` is more than another user: run movebook as the one who may",
                        words[0]
                    ));
                }
            }
            "env" if posix => {
                words.remove(0);
                while words.first().is_some_and(|word| word.contains('=')) {
                    words.remove(0);
                }
            }
            "nice" | "ionice" if posix => {
                words.remove(0);
                priority = Priority::Gentle;
                while let Some(option) = words.first().filter(|word| word.starts_with('-')) {
                    let has_own_value = option.len() > 2;
                    words.remove(0);
                    if !has_own_value && !words.is_empty() {
                        words.remove(0);
                    }
                }
            }
            "start" if dialect == Dialect::Batch => priority = started(&mut words, priority)?,
            "cmd" if words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("/c")) => {
                if let Some(word) =
                    words[2..].iter().find(|word| word.contains(['&', '|', '<', '>', '^', '%', '\n']))
                {
                    return Err(format!(
                        "`{word}` is more than one program with its arguments: write it without `cmd /c`"
                    ));
                }
                words = match &words[2..] {
                    [line] => windows_words(line),
                    words => words.to_vec(),
                };
            }
            "movebook" if words.get(1).is_some_and(|word| word == "robocopy") => drop(words.remove(0)),
            "timeout" if posix => {
                return Err(
                    "a limit of time is not carried over: Ctrl-C ends a run, and `resume` goes on with it"
                        .to_owned(),
                );
            }
            _ => return Ok(Bare { words, priority }),
        }
    }
}

/// `start ["title"] [/wait] [/low] PROGRAM`
fn started(words: &mut Vec<String>, priority: Priority) -> Result<Priority, String> {
    let (mut priority, mut waits) = (priority, false);
    words.remove(0);
    if words.first().is_some_and(|title| title.is_empty() || title.contains(' ')) {
        words.remove(0);
    }
    while let Some(switch) = words.first().filter(|word| word.starts_with('/')) {
        match switch.to_ascii_lowercase().as_str() {
            "/wait" | "/w" => waits = true,
            "/low" | "/belownormal" => priority = Priority::Gentle,
            "/min" | "/max" | "/b" | "/normal" | "/high" | "/abovenormal" | "/i" => {}
            other => {
                return Err(format!("`start {other}` is not carried over: start the program without it"));
            }
        }
        words.remove(0);
    }
    match waits {
        true => Ok(priority),
        false => Err(
            "`start` without /WAIT lets it run beside what follows, and the steps of a run follow each other"
                .to_owned(),
        ),
    }
}
