//! Services of Windows, by the program's own action: a real service manager starts and stops `tests/windows/service.c`.
//!
//! `MOVEBOOK_TEST_SERVICE` names that service, built; without it nothing is proven. Each test registers a service of its
//! own, which needs the rights of an administrator, and takes it away again.
#![cfg(windows)]

mod common;
#[path = "windows_service/registered.rs"]
mod registered;

use std::time::{Duration, Instant};

use movebook::cancel::Cancel;
use movebook::plan::{IfMissing, ServiceAction, ServiceState};
use movebook::run::outcome::{ActionWatch, Failure, Figures};
use movebook::run::service;
use windows_sys::Win32::System::Services::{SERVICE_RUNNING, SERVICE_STOP_PENDING, SERVICE_STOPPED};

use self::registered::Service;
use common::windows::can_show;

/// Far longer than a service here ever needs.
const LONG: Duration = Duration::from_secs(60);

fn action(name: &str, state: ServiceState, wait: Duration) -> ServiceAction {
    ServiceAction {
        name: name.to_owned(),
        host: String::new(),
        state,
        wait,
        if_missing: IfMissing::Fail,
        commands: None,
    }
}

fn perform_until(action: &ServiceAction, cancel: &Cancel) -> Result<Figures, Failure> {
    service::perform(action, &ActionWatch { cancel, progress: &|_, _| {}, redact: &str::to_owned })
}

fn perform(action: &ServiceAction) -> Result<Figures, Failure> {
    perform_until(action, &Cancel::new())
}

fn reach(name: &str, state: ServiceState) -> Figures {
    perform(&action(name, state, LONG)).unwrap()
}

fn failed(action: &ServiceAction) -> (String, String) {
    match perform(action) {
        Err(Failure::Failed { error, hints }) => (error, hints.join("\n")),
        other => panic!("expected a failure, got {other:?}"),
    }
}

#[test]
fn a_service_that_takes_its_time_is_running_and_stopped_when_the_step_is_done() {
    let Some(service) = Service::registered("movebook-slow", "--start-seconds 1 --stop-seconds 1") else {
        return;
    };
    assert_eq!(reach(service.name, ServiceState::Running)["state"], "running");
    assert_eq!(service.told().0, SERVICE_RUNNING);
    let again = reach(service.name, ServiceState::Running);
    assert_eq!(again["changed"], false);
    assert_eq!(reach(service.name, ServiceState::Stopped)["state"], "stopped");
    assert_eq!(service.told().0, SERVICE_STOPPED);
}

#[test]
fn a_service_is_found_by_the_name_that_the_console_shows() {
    let Some(service) = Service::registered("movebook-shown", "") else { return };
    assert_eq!(reach("movebook-shown shown", ServiceState::Running)["state"], "running");
    assert_eq!(reach(service.name, ServiceState::Running)["changed"], false);
}

#[test]
fn a_file_that_a_service_holds_is_free_once_it_is_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let held = directory.path().join("archive.fdb");
    std::fs::write(&held, "").unwrap();
    let arguments = format!("--stop-seconds 1 --holds \"{}\"", held.display());
    let Some(service) = Service::registered("movebook-holding", &arguments) else { return };
    reach(service.name, ServiceState::Running);
    assert!(std::fs::File::open(&held).is_err(), "nobody else may open it");
    reach(service.name, ServiceState::Stopped);
    std::fs::File::open(&held).unwrap();
}

#[test]
fn a_stop_that_never_ends_is_an_error_with_the_process() {
    let Some(service) = Service::registered("movebook-hanging", "--never-stops") else { return };
    reach(service.name, ServiceState::Running);
    let (_, process) = service.told();
    let (error, hint) = failed(&action(service.name, ServiceState::Stopped, Duration::from_secs(2)));
    assert_eq!(
        error,
        format!("service {} is not stopped after 2s: it is stopping (process {process})", service.name)
    );
    assert!(hint.contains(&format!("end process {process} by hand")), "{hint}");
}

#[test]
fn waiting_for_a_stop_that_never_ends_is_broken_off_by_the_wish_to_stop() {
    let Some(service) = Service::registered("movebook-hanging-too", "--never-stops") else { return };
    reach(service.name, ServiceState::Running);
    let cancel = Cancel::new();
    let ended = std::thread::scope(|scope| {
        let action = action(service.name, ServiceState::Stopped, LONG);
        let waiting = scope.spawn({
            let cancel = cancel.clone();
            move || perform_until(&action, &cancel)
        });
        let begun = Instant::now();
        while service.told().0 != SERVICE_STOP_PENDING {
            assert!(begun.elapsed() < LONG, "it was never asked to stop");
            std::thread::sleep(Duration::from_millis(20));
        }
        cancel.request();
        waiting.join().unwrap()
    });
    assert_eq!(ended, Err(Failure::Interrupted));
}

#[test]
fn a_service_that_ends_while_it_starts_is_an_error_that_says_why() {
    let Some(service) = Service::registered("movebook-failing", r"--start-seconds 1 --holds Q:\none\file")
    else {
        return;
    };
    let (error, hint) = failed(&action(service.name, ServiceState::Running, LONG));
    assert!(error.contains("was started and is stopped again"), "{error}");
    assert!(error.contains("os error 3)"), "{error}");
    assert!(hint.contains("event log"), "{hint}");
}

#[test]
fn a_service_that_crashes_while_it_starts_is_not_waited_for() {
    // Wine's manager goes on believing that it starts.
    if !can_show("a service that crashes while it starts is not waited for") {
        return;
    }
    let Some(service) = Service::registered("movebook-crashing", "--start-seconds 1 --aborts") else {
        return;
    };
    let (error, _) = failed(&action(service.name, ServiceState::Running, LONG));
    assert!(error.contains("os error 1067)"), "{error}");
}

#[test]
fn a_service_that_takes_no_stop_is_an_error_that_says_what_to_do() {
    let Some(service) = Service::registered("movebook-deaf", "--refuses-stop") else { return };
    reach(service.name, ServiceState::Running);
    let (error, hint) = failed(&action(service.name, ServiceState::Stopped, LONG));
    assert!(error.contains("cannot stop the service"), "{error}");
    assert!(hint.contains("own commands"), "{hint}");
}

#[test]
fn a_disabled_service_is_not_started_and_the_error_says_what_to_do() {
    let Some(service) = Service::registered("movebook-disabled", "") else { return };
    service.disable();
    let (error, hint) = failed(&action(service.name, ServiceState::Running, LONG));
    assert!(error.contains("cannot start the service"), "{error}");
    assert!(hint.contains("start type"), "{hint}");
}

#[test]
fn a_service_whose_program_is_gone_is_an_error_that_says_what_to_do() {
    let Some(service) = Service::registered("movebook-hollow", "") else { return };
    service.lose_program();
    let (error, hint) = failed(&action(service.name, ServiceState::Running, LONG));
    assert!(error.contains("cannot start the service"), "{error}");
    assert!(hint.contains("install it anew"), "{hint}");
}

#[test]
fn a_service_that_does_not_exist_fails_only_where_the_step_minds() {
    let mut absent = action("movebook-absent", ServiceState::Stopped, LONG);
    let (error, hint) = failed(&absent);
    assert_eq!(error, "service movebook-absent does not exist");
    assert!(hint.contains("if_missing: ok"), "{hint}");
    absent.if_missing = IfMissing::Ok;
    assert_eq!(perform(&absent).unwrap()["state"], "missing");
}

#[test]
fn services_that_block_a_stop_are_named() {
    let Some(below) = Service::registered("movebook-below", "") else { return };
    let Some(above) = Service::depending_on("movebook-above", "", Some(below.name)) else { return };
    reach(above.name, ServiceState::Running);
    reach(below.name, ServiceState::Running);
    match perform(&action(below.name, ServiceState::Stopped, LONG)) {
        Err(Failure::Failed { error, hints }) => {
            assert!(
                error.ends_with("cannot stop the service: movebook-above depends on it and runs"),
                "{error}"
            );
            assert!(hints[0].starts_with("stop movebook-above"), "{hints:?}");
        }
        Ok(_) => assert!(!can_show("services that block a stop are named"), "nothing blocked the stop"),
        Err(other) => panic!("expected a failure that names the service, got {other:?}"),
    }
}

#[test]
fn a_service_that_may_not_be_stopped_is_an_error_that_says_what_to_do() {
    if !can_show("a service that may not be stopped is an error that says what to do") {
        return;
    }
    let Some(service) = Service::registered("movebook-guarded", "") else { return };
    reach(service.name, ServiceState::Running);
    service.let_nobody_stop_it();
    let (error, hint) = failed(&action(service.name, ServiceState::Stopped, LONG));
    assert!(error.contains("cannot"), "{error}");
    assert!(hint.contains("Run as administrator"), "{hint}");
}

/// A name that no network knows: the step fails, or time is up, but it never hangs.
#[test]
fn a_machine_that_is_not_there_is_an_error() {
    let mut afar = action("movebook-afar", ServiceState::Stopped, Duration::from_secs(5));
    afar.host = "no-such-machine.invalid".to_owned();
    match perform(&afar) {
        Err(Failure::Failed { error, .. }) if error.contains("does not exist") => {
            assert!(!can_show("a machine that is not there is an error"), "{error}");
        }
        Err(Failure::Failed { error, .. }) => assert!(error.contains("no-such-machine.invalid"), "{error}"),
        other => panic!("expected a failure, got {other:?}"),
    }
}
