//! Commands of the runbook in the place of a service manager.
//!
//! Their exit codes are those of LSB init scripts, so that `service NAME status` can be given as it is.

use indexmap::IndexMap;

use crate::plan::ServiceCommands;
use crate::sys::process::{self, End, Ended, Launch, Request};
use crate::sys::service::{Manager, Patience, Problem, Status};

pub struct GivenCommands<'a> {
    commands: &'a ServiceCommands,
}

impl<'a> GivenCommands<'a> {
    pub fn new(commands: &'a ServiceCommands) -> Self {
        Self { commands }
    }
}

impl Manager for GivenCommands<'_> {
    fn status(&self, patience: Patience<'_>) -> Result<Status, Problem> {
        let ended = call("status", &self.commands.status, patience)?;
        match ended.end {
            End::Exited(0) => Ok(Status::Running),
            End::Exited(3) => Ok(Status::Stopped),
            End::Exited(4) => Ok(Status::Missing),
            _ => Err(failed(
                "status",
                ended,
                "a status command ends with 0 (running), 3 (stopped) or 4 (no such service)",
            )),
        }
    }

    fn start(&self, patience: Patience<'_>) -> Result<(), Problem> {
        succeed("start", &self.commands.start, patience)
    }

    fn stop(&self, patience: Patience<'_>) -> Result<(), Problem> {
        succeed("stop", &self.commands.stop, patience)
    }
}

fn succeed(key: &str, words: &[String], patience: Patience<'_>) -> Result<(), Problem> {
    let ended = call(key, words, patience)?;
    match ended.end {
        End::Exited(0) => Ok(()),
        _ => Err(failed(key, ended, &format!("run the `{key}:` command by hand to see why"))),
    }
}

fn call(key: &str, words: &[String], patience: Patience<'_>) -> Result<Ended, Problem> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(Problem::failed(format!("it would need a `{key}:` command and has none"))
            .hint("give the step all three: `status:`, `start:` and `stop:`"));
    };
    let request = Request {
        launch: Launch::Program(program, arguments),
        environment: &IndexMap::new(),
        directory: None,
        input: None,
        timeout: Some(patience.limit),
    };
    let ended = process::run(&request, patience.cancel, &|| {})
        .map_err(|error| Problem::failed(format!("cannot run its {key} command `{program}`: {error}")))?;
    match ended.end {
        End::Interrupted => Err(Problem::Interrupted),
        End::TimedOut => Err(Problem::TimedOut),
        End::Exited(_) | End::Killed(_) => Ok(ended),
    }
}

fn failed(key: &str, ended: Ended, hint: &str) -> Problem {
    let how = match ended.end {
        End::Exited(code) => format!("ended with exit code {code}"),
        End::Killed(signal) => format!("was killed by signal {signal}"),
        End::TimedOut | End::Interrupted => "was ended".to_owned(),
    };
    Problem::Failed {
        what: format!("its {key} command {how}"),
        said: Some(Box::new(ended)),
        hint: Some(hint.to_owned()),
    }
}
