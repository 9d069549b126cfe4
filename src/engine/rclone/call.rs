//! One call of rclone: which one it is, what it gets in its environment, what it says, and how it ended.
//!
//! Invariants: no argument holds a secret, and no flag reaches rclone that somebody else has set.

use std::io::ErrorKind;

use indexmap::IndexMap;

use crate::cancel::Cancel;
use crate::copy::PassError;
use crate::rclone::environment;
use crate::rclone::log::{Errors, Lines, meaning_of};
use crate::rclone::remote::Remote;
use crate::rclone::version::Version;
use crate::sys::process::{self, End, Launch, Request, Stream};

const PROGRAM: &str = "rclone";

/// What every call has unless its arguments say otherwise: a remote that does not answer is told of soon, and nobody is asked
/// for a password where nobody can answer.
const ALWAYS: [(&str, &str); 2] = [("RCLONE_LOW_LEVEL_RETRIES", "3"), ("RCLONE_ASK_PASSWORD", "false")];

/// An rclone that can be called.
pub(super) struct Rclone<'a> {
    environment: IndexMap<String, String>,
    cancel: &'a Cancel,
}

impl<'a> Rclone<'a> {
    /// Makes sure that there is an rclone which is not too old, and gives it the options of its remotes.
    pub(super) fn ready(
        given: &IndexMap<String, String>,
        remotes: &[Remote],
        cancel: &'a Cancel,
    ) -> Result<Self, PassError> {
        if let Some((name, _)) = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .find(|(name, _)| environment::is_flag(name))
        {
            return Err(fatal(
                format!(
                    "the environment variable {name} is a flag of rclone's, by which the pass would mean something else"
                ),
                &format!("unset {name}; what rclone is to do is said by the step's fields and `extra_args`"),
            ));
        }
        let always = ALWAYS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut rclone = Self { environment: IndexMap::from(always), cancel };
        rclone.check_version()?;
        let mut plain = given.clone();
        for (name, value) in &mut plain {
            if environment::is_obscured(name) {
                *value = rclone.obscured(value)?;
            }
        }
        let remotes: Vec<&Remote> = remotes.iter().collect();
        rclone.environment.extend(environment::for_remotes(&plain, &remotes));
        Ok(rclone)
    }

    /// Calls it, and gives every line that it writes to `hear`. The exit code.
    pub(super) fn run(
        &self,
        arguments: &[String],
        hear: &mut dyn FnMut(Stream, &str),
    ) -> Result<i32, PassError> {
        self.run_with(arguments, None, self.cancel, hear)
    }

    /// As [`Rclone::run`], and ended with all that it started once `stop` is requested, too. `None` where it was.
    pub(super) fn run_until(
        &self,
        arguments: &[String],
        stop: &Cancel,
        hear: &mut dyn FnMut(Stream, &str),
    ) -> Result<Option<i32>, PassError> {
        match self.run_with(arguments, None, stop, hear) {
            Err(PassError::Interrupted) if !self.cancel.is_requested() => Ok(None),
            ended => ended.map(Some),
        }
    }

    /// What it writes to stdout, whole, where it ends well.
    pub(super) fn ask(&self, arguments: &[&str]) -> Result<String, Refused> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut output = String::new();
        let mut errors = Errors::default();
        let code = self.run(&arguments, &mut |stream, line| match stream {
            Stream::Stdout => {
                output.push_str(line);
                output.push('\n');
            }
            Stream::Stderr => errors.hear(&crate::rclone::log::Line::read(line)),
        })?;
        match code {
            0 => Ok(output),
            code => Err(Refused::Said { code, said: words(&errors, code) }),
        }
    }

    pub(super) fn cancel(&self) -> &Cancel {
        self.cancel
    }

    fn check_version(&self) -> Result<(), PassError> {
        let oldest = Version::OLDEST;
        let get = format!("install rclone {oldest} or later (https://rclone.org/downloads/), and go on");
        let output = self.ask(&["version"]).map_err(|refused| match refused {
            Refused::Ended(error) => error,
            Refused::Said { said, .. } => fatal(format!("`rclone version` failed: {said}"), &get),
        })?;
        match Version::of(&output) {
            Some(version) if version.will_do() => Ok(()),
            Some(version) => {
                Err(fatal(format!("this is rclone {version}, and {oldest} or later is needed"), &get))
            }
            None => Err(fatal(
                "what is called `rclone` here does not tell its version as rclone does".into(),
                &get,
            )),
        }
    }

    /// As rclone wants passwords. It is given the plain one by a pipe, which nobody can list.
    fn obscured(&self, plain: &str) -> Result<String, PassError> {
        let mut output = String::new();
        let arguments = ["obscure".to_owned(), "-".to_owned()];
        let code = self.run_with(&arguments, Some(plain), self.cancel, &mut |stream, line| {
            if stream == Stream::Stdout {
                output.push_str(line.trim());
            }
        })?;
        match (code, output.is_empty()) {
            (0, false) => Ok(output),
            _ => Err(fatal(
                format!("rclone could not obscure a password: it ended with {code}"),
                "see that the password is not empty and has one line, and go on",
            )),
        }
    }

    fn run_with(
        &self,
        arguments: &[String],
        input: Option<&str>,
        stop: &Cancel,
        hear: &mut dyn FnMut(Stream, &str),
    ) -> Result<i32, PassError> {
        let request = Request {
            launch: Launch::Program(PROGRAM, arguments),
            environment: &self.environment,
            directory: None,
            input,
            timeout: None,
        };
        let (mut out, mut err) = (Lines::default(), Lines::default());
        let ended = process::run_heard(&request, stop, &mut |stream, bytes| match stream {
            Stream::Stdout => out.push(bytes, |line| hear(stream, line)),
            Stream::Stderr => err.push(bytes, |line| hear(stream, line)),
        })
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => fatal(
                "there is no program `rclone`".into(),
                &format!(
                    "install rclone {} or later (https://rclone.org/downloads/) where the system looks for programs, or use \
                     `engine: native` for folders",
                    Version::OLDEST
                ),
            ),
            _ => fatal(format!("cannot start rclone: {error}"), "see that it may be run by this user, and go on"),
        })?;
        out.finish(|line| hear(Stream::Stdout, line));
        err.finish(|line| hear(Stream::Stderr, line));
        match ended.end {
            End::Exited(code) => Ok(code),
            End::Killed(signal) => Err(fatal(
                format!("rclone was killed by signal {signal}"),
                "see who ends it (too little memory?), and go on: the pass is done again and copies what is missing",
            )),
            End::TimedOut | End::Interrupted => Err(PassError::Interrupted),
        }
    }
}

/// Why a question got no answer.
pub(super) enum Refused {
    /// rclone ended with an error of its own.
    Said {
        code: i32,
        said: String,
    },
    Ended(PassError),
}

impl From<PassError> for Refused {
    fn from(error: PassError) -> Self {
        Self::Ended(error)
    }
}

impl Refused {
    /// An error of a whole pass.
    pub(super) fn of(self, doing: &str, place: &str) -> PassError {
        match self {
            Self::Ended(error) => error,
            Self::Said { code, said } => failed(doing, place, code, &said),
        }
    }
}

/// What rclone said of a call that failed.
pub(super) fn words(errors: &Errors, code: i32) -> String {
    let said = errors.trouble().map(str::to_owned);
    let first =
        || errors.of_last_attempt().first().map(|failed| format!("{}: {}", failed.path, failed.error));
    // Its words are text from outside: they are escaped, and bounded.
    let said = said.or_else(first).unwrap_or_else(|| format!("it ended with {code}, {}", meaning_of(code)));
    presentable(&said)
}

/// A text of rclone's on one line, without what would move a cursor.
pub(super) fn presentable(text: &str) -> String {
    const LONGEST: usize = 600;
    let mut shown = String::new();
    for letter in text.trim().chars().take(LONGEST) {
        match letter {
            '\n' | '\t' => shown.push(' '),
            control if control.is_control() => shown.extend(control.escape_default()),
            other => shown.push(other),
        }
    }
    shown
}

/// A call that failed as a whole.
pub(super) fn failed(doing: &str, place: &str, code: i32, said: &str) -> PassError {
    let lower = said.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let hint = if says(&["didn't find section", "not found in config", "unknown remote"]) {
        "declare the remote by `rclone config`, or by `environment` (`RCLONE_CONFIG_NAME_TYPE`, …), and go on"
    } else if says(&[
        "logon",
        "unauthorized",
        "401",
        "authentication",
        "permission denied",
        "access denied",
        "403",
    ]) {
        "see that the user and the password of the remote are right and that it may read there, and go on"
    } else if code == 3 || says(&["directory not found", "no such file"]) {
        "correct the path, or see that the folder is there, and go on"
    } else if code == 1 {
        "correct what it complains of, and go on"
    } else {
        "see that the remote can be reached (`rclone lsf` lists it), and go on: the pass is done again and copies what is missing"
    };
    PassError::Fatal {
        what: format!("rclone cannot {doing}: {said}"),
        path: place.to_owned(),
        hint: hint.to_owned(),
        source: None,
    }
}

fn fatal(what: String, hint: &str) -> PassError {
    PassError::Fatal { what, path: PROGRAM.to_owned(), hint: hint.to_owned(), source: None }
}
