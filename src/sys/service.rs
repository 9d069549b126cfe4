//! Services of this machine and, on Windows, of others.
//!
//! Invariant: a state is read from what is meant for programs, never from words in the system's language.

use std::time::Duration;

use crate::cancel::Cancel;

#[cfg(any(windows, test))]
mod advice;
#[cfg(not(windows))]
mod systemd;
#[cfg(windows)]
mod windows;

/// What a service manager knows of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    Running,
    Stopped,
    /// Still there and still holding its files (Windows).
    Paused,
    Changing(Changing),
    Missing,
}

/// On its way from one state to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changing {
    /// The manager's own word for it.
    pub word: String,
    /// The number of the service's process, where the manager knows it.
    pub process: Option<u32>,
}

/// How long a call may take, and who may end it before.
#[derive(Clone, Copy)]
pub struct Patience<'a> {
    pub limit: Duration,
    pub cancel: &'a Cancel,
}

/// Whoever can say and change what state a service is in. Asking for a state that is reached already is no error.
pub trait Manager {
    fn status(&self, patience: Patience<'_>) -> Result<Status, Problem>;
    fn start(&self, patience: Patience<'_>) -> Result<(), Problem>;
    fn stop(&self, patience: Patience<'_>) -> Result<(), Problem>;

    /// Why a service that was started is stopped all the same. `None` where the manager does not say, or where one that
    /// was started may not run yet.
    fn why_ended(&self, _patience: Patience<'_>) -> Result<Option<String>, Problem> {
        Ok(None)
    }
}

/// Why a manager did not do what it was asked to.
#[derive(Clone, Debug)]
pub enum Problem {
    Interrupted,
    TimedOut,
    Failed {
        what: String,
        /// What a program wrote; it may hold a secret.
        said: Option<Box<crate::sys::process::Ended>>,
        hint: Option<String>,
    },
}

impl Problem {
    pub fn failed(what: impl Into<String>) -> Self {
        Self::Failed { what: what.into(), said: None, hint: None }
    }

    pub fn hint(mut self, text: impl Into<String>) -> Self {
        if let Self::Failed { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }
}

/// The system's own manager for one service.
#[cfg(windows)]
pub fn manager(name: &str, host: Option<&str>) -> Result<Box<dyn Manager>, Problem> {
    Ok(Box::new(windows::ServiceControl::new(name, host)))
}

/// The system's own manager for one service.
#[cfg(not(windows))]
pub fn manager(name: &str, host: Option<&str>) -> Result<Box<dyn Manager>, Problem> {
    const OWN_COMMANDS: &str = "give the step its own commands: `status:` (ends with 0 running, 3 stopped, 4 missing), `start:` and `stop:`";
    if let Some(host) = host {
        return Err(Problem::failed(format!(
            "the service is on {host}, and only Windows can manage another machine's services"
        ))
        .hint(format!("{OWN_COMMANDS}, for example by ssh")));
    }
    if !systemd::is_at_work() {
        return Err(Problem::failed(
            "no service manager is at work on this machine (systemd was looked for)",
        )
        .hint(OWN_COMMANDS));
    }
    Ok(Box::new(systemd::Systemd::new(name)))
}
