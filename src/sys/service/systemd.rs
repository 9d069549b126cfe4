//! systemd, through `systemctl` and its properties.

use std::path::Path;

use indexmap::IndexMap;

use super::{Manager, Patience, Problem, Status};
use crate::sys::process::{self, End, Ended, Launch, Request};

/// Whether this machine was started by systemd, by the test that `sd_booted(3)` describes.
pub fn is_at_work() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

pub struct Systemd {
    unit: String,
}

impl Systemd {
    pub fn new(unit: &str) -> Self {
        Self { unit: unit.to_owned() }
    }

    fn call(&self, arguments: &[&str], patience: Patience<'_>) -> Result<Ended, Problem> {
        let mut words: Vec<String> = ["--no-pager", "--no-ask-password"].map(str::to_owned).to_vec();
        words.extend(arguments.iter().map(|&word| word.to_owned()));
        // A unit's name may begin with `-`, and is no option for it.
        words.extend(["--".to_owned(), self.unit.clone()]);
        let request = Request {
            launch: Launch::Program("systemctl", &words),
            environment: &IndexMap::new(),
            directory: None,
            input: None,
            timeout: Some(patience.limit),
        };
        let ended = process::run(&request, patience.cancel, &|| {})
            .map_err(|error| Problem::failed(format!("cannot start `systemctl`: {error}")))?;
        match ended.end {
            End::Exited(0) => Ok(ended),
            End::Interrupted => Err(Problem::Interrupted),
            End::TimedOut => Err(Problem::TimedOut),
            End::Exited(_) | End::Killed(_) => Err(Problem::Failed {
                what: format!("`systemctl {}` failed for {}", arguments[0], self.unit),
                said: Some(Box::new(ended)),
                hint: Some(format!(
                    "look at `journalctl --unit {}`; managing services needs the rights of root",
                    self.unit
                )),
            }),
        }
    }
}

impl Manager for Systemd {
    fn status(&self, patience: Patience<'_>) -> Result<Status, Problem> {
        let ended = self.call(&["show", "--property=LoadState,ActiveState"], patience)?;
        let text = String::from_utf8_lossy(&ended.stdout.tail).into_owned();
        status_of(&text).ok_or_else(|| Problem::Failed {
            what: format!("`systemctl show` does not tell the state of {}", self.unit),
            said: Some(Box::new(ended)),
            hint: None,
        })
    }

    fn start(&self, patience: Patience<'_>) -> Result<(), Problem> {
        self.call(&["start"], patience).map(drop)
    }

    fn stop(&self, patience: Patience<'_>) -> Result<(), Problem> {
        self.call(&["stop"], patience).map(drop)
    }
}

/// Reads lines of `Property=value`; `None` where the state is not among them.
fn status_of(properties: &str) -> Option<Status> {
    let value = |name: &str| {
        properties.lines().find_map(|line| line.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')))
    };
    let active = value("ActiveState")?;
    Some(match active {
        // `refreshing` and `reloading` serve all the while.
        "active" | "reloading" | "refreshing" => Status::Running,
        // A unit whose file is gone may still be at work, so this is looked at last.
        "inactive" | "failed" if value("LoadState") == Some("not-found") => Status::Missing,
        "inactive" | "failed" => Status::Stopped,
        other => Status::Changing(other.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(load: &str, active: &str) -> Option<Status> {
        status_of(&format!("LoadState={load}\nActiveState={active}\n"))
    }

    #[test]
    fn a_unit_is_running_stopped_changing_or_missing() {
        assert_eq!(status("loaded", "active"), Some(Status::Running));
        assert_eq!(status("loaded", "reloading"), Some(Status::Running));
        assert_eq!(status("loaded", "inactive"), Some(Status::Stopped));
        assert_eq!(status("loaded", "failed"), Some(Status::Stopped));
        assert_eq!(status("loaded", "deactivating"), Some(Status::Changing("deactivating".into())));
        assert_eq!(status("not-found", "inactive"), Some(Status::Missing));
    }

    #[test]
    fn a_unit_whose_file_is_gone_but_which_works_is_running() {
        assert_eq!(status("not-found", "active"), Some(Status::Running));
    }

    #[test]
    fn an_answer_without_a_state_is_no_state() {
        assert_eq!(status_of("Id=ssh.service\n"), None);
    }
}
