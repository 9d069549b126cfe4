//! `service` on a real daemon that shell scripts manage.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use movebook::cancel::Cancel;
use movebook::plan::{IfMissing, ServiceAction, ServiceCommands, ServiceState};
use movebook::run::outcome::{ActionWatch, Failure, Figures};
use movebook::run::service;

/// A daemon with a pid file, and the scripts that an administrator would write for it.
struct Daemon {
    directory: tempfile::TempDir,
}

impl Daemon {
    fn new() -> Self {
        let daemon = Self { directory: tempfile::tempdir().unwrap() };
        let pid = daemon.path("pid").display().to_string();
        daemon.script(
            "status",
            &format!("test -f {pid} || exit 3\nkill -0 $(cat {pid}) 2>/dev/null || exit 3"),
        );
        // The daemon keeps the pipes that it inherits, as careless ones do.
        daemon.script("start", &format!("sleep 300 &\necho $! > {pid}"));
        daemon.script("stop", &format!("kill $(cat {pid})\nrm {pid}"));
        daemon
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn script(&self, name: &str, body: &str) {
        std::fs::write(self.path(name), format!("{body}\n")).unwrap();
    }

    fn action(&self, state: ServiceState) -> ServiceAction {
        let words = |name: &str| vec!["sh".to_owned(), self.path(name).display().to_string()];
        ServiceAction {
            name: "fake".into(),
            host: String::new(),
            state,
            wait: Duration::from_secs(10),
            if_missing: IfMissing::Fail,
            commands: Some(ServiceCommands {
                status: words("status"),
                start: words("start"),
                stop: words("stop"),
            }),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Ok(pid) = std::fs::read_to_string(self.path("pid")) {
            std::process::Command::new("kill").arg(pid.trim()).status().unwrap();
        }
    }
}

fn perform(action: &ServiceAction) -> Result<Figures, Failure> {
    perform_until(action, &Cancel::new())
}

fn perform_until(action: &ServiceAction, cancel: &Cancel) -> Result<Figures, Failure> {
    let redact = |text: &str| text.replace("CANARY", "***");
    service::perform(action, &ActionWatch { cancel, progress: &|_, _| {}, redact: &redact })
}

fn failed(result: Result<Figures, Failure>) -> (String, String) {
    match result {
        Err(Failure::Failed { error, hints }) => (error, hints.join("\n")),
        other => panic!("expected a failure, got {other:?}"),
    }
}

fn exists(path: &Path) -> bool {
    path.exists()
}

#[test]
fn a_stopped_service_is_started_and_a_running_one_stopped() {
    let daemon = Daemon::new();
    let figures = perform(&daemon.action(ServiceState::Running)).unwrap();
    assert_eq!((&figures["state"], &figures["changed"]), (&"running".into(), &true.into()));
    assert!(exists(&daemon.path("pid")));

    let figures = perform(&daemon.action(ServiceState::Stopped)).unwrap();
    assert_eq!((&figures["state"], &figures["changed"]), (&"stopped".into(), &true.into()));
    assert!(!exists(&daemon.path("pid")));
}

#[test]
fn a_service_that_is_there_already_is_left_alone() {
    let daemon = Daemon::new();
    daemon.script("stop", "exit 9");
    let figures = perform(&daemon.action(ServiceState::Stopped)).unwrap();
    assert_eq!(figures["changed"], false);
}

#[test]
fn a_service_that_takes_its_time_is_waited_for() {
    let daemon = Daemon::new();
    let ready = daemon.path("ready");
    daemon.script("status", &format!("test -f {} || exit 3", ready.display()));
    daemon.script("start", &format!("(sleep 1; touch {}) &", ready.display()));
    perform(&daemon.action(ServiceState::Running)).unwrap();
    assert!(exists(&ready));
}

#[test]
fn a_state_that_is_not_reached_in_time_is_told_with_the_last_one() {
    let daemon = Daemon::new();
    daemon.script("start", "true");
    let mut action = daemon.action(ServiceState::Running);
    action.wait = Duration::from_millis(300);
    let (error, _) = failed(perform(&action));
    assert_eq!(error, "service fake is not running after 300ms: it is stopped");
}

#[test]
fn a_start_command_that_fails_is_told_with_its_words_and_no_secret() {
    let daemon = Daemon::new();
    daemon.script("start", "echo 'licence CANARY refused' >&2; exit 7");
    let (error, _) = failed(perform(&daemon.action(ServiceState::Running)));
    assert_eq!(
        error,
        "service fake: its start command ended with exit code 7; it said:\n  licence *** refused"
    );
}

#[test]
fn a_missing_service_fails_unless_it_may_be_missing() {
    let daemon = Daemon::new();
    daemon.script("status", "exit 4");
    let mut action = daemon.action(ServiceState::Stopped);
    let (error, hints) = failed(perform(&action));
    assert_eq!(error, "service fake does not exist");
    assert!(hints.contains("if_missing: ok"));

    action.if_missing = IfMissing::Ok;
    let figures = perform(&action).unwrap();
    assert_eq!((&figures["state"], &figures["changed"]), (&"missing".into(), &false.into()));
}

#[test]
fn a_status_that_means_nothing_is_never_taken_for_stopped() {
    let daemon = Daemon::new();
    daemon.script("status", "exit 1");
    let (error, hints) = failed(perform(&daemon.action(ServiceState::Stopped)));
    assert_eq!(error, "service fake: its status command ended with exit code 1");
    assert!(hints.contains("3 (stopped)"));
}

#[test]
fn a_wait_for_a_state_can_be_interrupted() {
    let daemon = Daemon::new();
    let asked = daemon.path("asked");
    daemon.script("start", &format!("touch {}", asked.display()));
    let mut action = daemon.action(ServiceState::Running);
    action.wait = Duration::from_secs(3600);
    let cancel = Cancel::new();
    let result = std::thread::scope(|scope| {
        let run = scope.spawn(|| perform_until(&action, &cancel));
        while !exists(&asked) {
            std::thread::sleep(Duration::from_millis(10));
        }
        cancel.request();
        run.join().unwrap()
    });
    assert_eq!(result, Err(Failure::Interrupted));
}

#[test]
#[cfg(not(windows))]
fn another_machines_service_says_that_only_windows_can() {
    let daemon = Daemon::new();
    let mut action = daemon.action(ServiceState::Stopped);
    action.commands = None;
    action.host = "oldserver".into();
    let (error, hints) = failed(perform(&action));
    assert!(
        error.starts_with("service fake on oldserver: the service is on oldserver, and only Windows"),
        "{error}"
    );
    assert!(hints.contains("`status:`"), "{hints}");
}

#[test]
fn without_a_service_manager_the_commands_to_write_are_named() {
    // Where systemd is at work, the service is missing instead: the same step, the other honest answer.
    let daemon = Daemon::new();
    let mut action = daemon.action(ServiceState::Stopped);
    action.commands = None;
    action.name = "movebook-test-no-such-service".into();
    let (error, hints) = failed(perform(&action));
    if Path::new("/run/systemd/system").is_dir() {
        assert!(error.ends_with("does not exist"), "{error}");
    } else {
        assert!(
            error.ends_with("no service manager is at work on this machine (systemd was looked for)"),
            "{error}"
        );
        assert!(hints.contains("`status:`") && hints.contains("`start:`") && hints.contains("`stop:`"));
    }
}
