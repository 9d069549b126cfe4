//! systemd, through `systemctl` and its properties.

use std::path::Path;

use indexmap::IndexMap;

use super::{Changing, Manager, Patience, Problem, Status};
use crate::sys::process::{self, End, Ended, Launch, Request};

/// Whether this machine was started by systemd, by the test that `sd_booted(3)` describes.
pub fn is_at_work() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

pub struct Systemd {
    program: String,
    unit: String,
}

impl Systemd {
    pub fn new(unit: &str) -> Self {
        Self { program: "systemctl".to_owned(), unit: unit.to_owned() }
    }

    fn call(&self, arguments: &[&str], patience: Patience<'_>) -> Result<Ended, Problem> {
        let mut words: Vec<String> = ["--no-pager", "--no-ask-password"].map(str::to_owned).to_vec();
        words.extend(arguments.iter().map(|&word| word.to_owned()));
        // A unit's name may begin with `-`, and is no option for it.
        words.extend(["--".to_owned(), self.unit.clone()]);
        let request = Request {
            launch: Launch::Program(&self.program, &words),
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
        other => Status::Changing(Changing { word: other.to_owned(), process: None }),
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
        let changing = Changing { word: "deactivating".to_owned(), process: None };
        assert_eq!(status("loaded", "deactivating"), Some(Status::Changing(changing)));
        assert_eq!(status("not-found", "inactive"), Some(Status::Missing));
    }

    #[test]
    fn a_unit_whose_file_is_gone_but_which_works_is_running() {
        assert_eq!(status("not-found", "active"), Some(Status::Running));
    }

    /// Not systemd, but what it is asked and how its answers are read.
    #[test]
    fn a_unit_is_asked_for_by_its_properties_and_never_taken_for_an_option() {
        const SCRIPT: &str = r#"#!/bin/sh
case "$*" in
    '--no-pager --no-ask-password show --property=LoadState,ActiveState -- -odd')
        printf 'LoadState=loaded\nActiveState=active\n' ;;
    *) echo 'Access denied' >&2; exit 4 ;;
esac
"#;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("systemctl");
        // Written by a child: were it open here, a test that starts a process at the same time would keep it busy.
        let written = std::process::Command::new("sh")
            .args(["-c", "printf %s \"$1\" > \"$2\" && chmod +x \"$2\"", "sh", SCRIPT])
            .arg(&file)
            .status();
        assert!(written.unwrap().success());
        let systemd = Systemd { program: file.display().to_string(), unit: "-odd".to_owned() };
        let cancel = crate::cancel::Cancel::new();
        let patience = Patience { limit: std::time::Duration::from_secs(60), cancel: &cancel };
        assert_eq!(systemd.status(patience).unwrap(), Status::Running);
        let Err(Problem::Failed { what, said, .. }) = systemd.stop(patience) else {
            panic!("it was refused")
        };
        assert_eq!(what, "`systemctl stop` failed for -odd");
        assert_eq!(said.unwrap().stderr.tail, b"Access denied\n");
    }

    #[test]
    fn an_answer_without_a_state_is_no_state() {
        assert_eq!(status_of("Id=ssh.service\n"), None);
    }
}
