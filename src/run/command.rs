//! `command`: a program with its arguments, or a line for the shell.
//!
//! Invariant: when the step has ended, whichever way but the program's own, nothing that the program started is still at
//! work (but for what has made itself a process group of its own), and nothing it wrote is kept with a secret in it.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::outcome::{self, ActionWatch, Failure, Figures};
use super::output;
use crate::plan::{CommandAction, Program};
use crate::sys::process::{self, End, Ended, Launch, Request};

/// Words that people take for programs and that only a shell knows.
const SHELL_WORDS: [&str; 14] = [
    "assoc", "call", "cd", "copy", "del", "dir", "echo", "export", "md", "mklink", "move", "set", "source",
    "type",
];

/// Runs the command. Figures: `output` (what it wrote to stdout, without the last line break; the last
/// [`process::KEPT_BYTES`] of it where it is longer), `output_bytes` (all that it wrote there), `exit_code`, `seconds`.
pub fn perform(action: &CommandAction, watch: &ActionWatch<'_>) -> Result<Figures, Failure> {
    watch.check()?;
    start_and_judge(action, watch).map_err(|failure| outcome::redacted(failure, watch.redact))
}

fn start_and_judge(action: &CommandAction, watch: &ActionWatch<'_>) -> Result<Figures, Failure> {
    let name = shown_name(&action.program);
    if let Some(directory) = &action.directory
        && !directory.is_dir()
    {
        let error = format!("cannot run {name} in {}: there is no such directory", directory.display());
        return Err(
            Failure::failed(error).hint("create the directory before this step, or correct `directory:`")
        );
    }
    let request = Request {
        launch: launch(&action.program)?,
        environment: &action.environment,
        directory: action.directory.as_deref(),
        input: action.input.as_deref(),
        timeout: action.timeout,
    };
    let ended = process::run(&request, watch.cancel, &|| (watch.progress)("running", None))
        .map_err(|error| not_started(&action.program, &name, &error))?;
    judge(action, &name, &ended, watch.redact)
}

fn launch(program: &Program) -> Result<Launch<'_>, Failure> {
    match program {
        Program::Run(words) => match words.split_first() {
            Some((program, arguments)) if !program.is_empty() => Ok(Launch::Program(program, arguments)),
            _ => Err(Failure::failed("the command names no program")
                .hint("`run:` is a list: the program first, then each argument as an item of its own")),
        },
        Program::Shell(line) => Ok(Launch::ShellLine(line)),
    }
}

/// Arguments are left out: they are long, and the step's title says what it is about.
fn shown_name(program: &Program) -> String {
    match program {
        Program::Run(words) => format!("`{}`", words.first().map_or("", String::as_str)),
        Program::Shell(_) => "the shell command".to_owned(),
    }
}

fn judge(
    action: &CommandAction,
    name: &str,
    ended: &Ended,
    redact: &dyn Fn(&str) -> String,
) -> Result<Figures, Failure> {
    let words = || output::last_words(&ended.stdout, &ended.stderr, redact);
    match ended.end {
        End::Exited(code) if accepts(&action.exit_codes, code) => Ok(figures(code, ended, redact)),
        End::Exited(code) => Err(output::failed_saying(
            format!(
                "{name} ended with exit code {code}, where {} was expected",
                expected(&action.exit_codes)
            ),
            words(),
        )),
        End::Killed(signal) => {
            Err(output::failed_saying(format!("{name} was killed by signal {signal}"), words()))
        }
        End::TimedOut => {
            let limit = action.timeout.unwrap_or(ended.elapsed);
            Err(output::failed_saying(
                format!(
                    "{name} had not ended after {} and was ended, with all that it had started",
                    crate::values::written(limit)
                ),
                words(),
            )
            .hint("if it needs longer, raise the step's `timeout:`"))
        }
        End::Interrupted => Err(Failure::Interrupted),
    }
}

fn figures(code: i32, ended: &Ended, redact: &dyn Fn(&str) -> String) -> Figures {
    let text = output::text(&ended.stdout, redact);
    Figures::from([
        ("output".to_owned(), output::without_last_break(&text).into()),
        ("output_bytes".to_owned(), ended.stdout.total.into()),
        ("exit_code".to_owned(), code.into()),
        ("seconds".to_owned(), ended.elapsed.as_secs_f64().into()),
    ])
}

/// Windows' large codes (`0xC000013A`) may be written with or without their sign. No list means 0 alone.
fn accepts(exit_codes: &[i64], code: i32) -> bool {
    let unsigned = i64::from(code.cast_unsigned());
    match exit_codes {
        [] => code == 0,
        codes => codes.contains(&i64::from(code)) || codes.contains(&unsigned),
    }
}

fn expected(exit_codes: &[i64]) -> String {
    match exit_codes {
        [] => "0".to_owned(),
        codes => codes.iter().map(i64::to_string).collect::<Vec<_>>().join(" or "),
    }
}

fn not_started(program: &Program, name: &str, error: &io::Error) -> Failure {
    let written = match program {
        Program::Run(words) => words.first().map_or("", String::as_str),
        Program::Shell(_) => return Failure::failed(format!("cannot start the system's shell: {error}")),
    };
    match error.kind() {
        ErrorKind::NotFound if Path::new(written).is_file() => Failure::failed(format!(
            "cannot start {name}: the program that its first line names does not exist"
        ))
        .hint("install the interpreter, or name it in `run:` before the script"),
        ErrorKind::NotFound => Failure::failed(format!("cannot start {name}: there is no such program"))
            .hint(not_found_hint(written)),
        ErrorKind::PermissionDenied => {
            Failure::failed(format!("cannot start {name}: it is not executable for this user"))
                .hint("make the file executable, or name its interpreter in `run:` before it")
        }
        _ => Failure::failed(format!("cannot start {name}: {error}")),
    }
}

fn not_found_hint(written: &str) -> String {
    if SHELL_WORDS.iter().any(|word| word.eq_ignore_ascii_case(written)) {
        format!("`{written}` is a word of the shell and not a program: write the whole line under `shell:`")
    } else if written.contains([' ', '|', '>', '<', '&', '$']) {
        "`run:` is a list, the program first and then each argument as an item of its own; a whole line goes under `shell:`"
            .to_owned()
    } else {
        "check the spelling, install it, or give its whole path".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_list_of_codes_accepts_zero_alone() {
        assert!(accepts(&[], 0));
        assert!(!accepts(&[], 1));
    }

    #[test]
    fn a_list_of_codes_accepts_no_other() {
        assert!(accepts(&[1, 3], 3));
        assert!(!accepts(&[1, 3], 0));
    }

    #[test]
    fn a_large_windows_code_is_accepted_in_both_spellings() {
        let code = 0xC000_013A_u32.cast_signed();
        assert!(accepts(&[0xC000_013A], code));
        assert!(accepts(&[i64::from(code)], code));
    }

    #[test]
    fn a_shell_word_and_a_whole_line_get_hints_of_their_own() {
        assert!(not_found_hint("DIR").contains("word of the shell"));
        assert!(not_found_hint("robocopy a b").contains("is a list"));
        assert!(not_found_hint("robocpy").contains("spelling"));
    }
}
