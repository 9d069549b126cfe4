//! `command` on real processes.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use movebook::cancel::Cancel;
use movebook::plan::{CommandAction, Program};
use movebook::run::command;
use movebook::run::outcome::{ActionWatch, Failure, Figures};

const CANARY: &str = "CANARY-2f9b1c";

fn shell(line: &str) -> CommandAction {
    action(Program::Shell(line.to_owned()))
}

fn run_words(words: &[&str]) -> CommandAction {
    action(Program::Run(words.iter().map(|&word| word.to_owned()).collect()))
}

fn action(program: Program) -> CommandAction {
    CommandAction {
        program,
        environment: IndexMap::new(),
        directory: None,
        input: None,
        timeout: None,
        exit_codes: vec![0],
    }
}

fn perform(action: &CommandAction) -> Result<Figures, Failure> {
    perform_until(action, &Cancel::new())
}

fn perform_until(action: &CommandAction, cancel: &Cancel) -> Result<Figures, Failure> {
    let redact = |text: &str| text.replace(CANARY, "***");
    command::perform(action, &ActionWatch { cancel, progress: &|_, _| {}, redact: &redact })
}

fn failed(result: Result<Figures, Failure>) -> (String, String) {
    match result {
        Err(Failure::Failed { error, hints }) => (error, hints.join("\n")),
        other => panic!("expected a failure, got {other:?}"),
    }
}

/// Whether a process still works; one that has ended and that nobody has waited for does not.
fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| stat.rsplit(')').next().and_then(|rest| rest.trim().chars().next()))
        .is_some_and(|state| state != 'Z' && state != 'X')
}

fn pids(file: &Path) -> Vec<u32> {
    std::fs::read_to_string(file).unwrap().lines().map(|line| line.trim().parse().unwrap()).collect()
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Written by a child: were it open here, a test that starts a process at the same time would keep it busy.
fn executable(path: &Path, text: &str) {
    let written = std::process::Command::new("sh")
        .args(["-c", "printf %s \"$1\" > \"$2\" && chmod +x \"$2\"", "sh", text])
        .arg(path)
        .status();
    assert!(written.unwrap().success());
}

/// A shell that starts a shell that starts a sleep, each writing its number into the file.
fn tree(file: &Path) -> String {
    let file = file.display();
    format!("echo $$ >> {file}; sh -c 'echo $$ >> {file}; sleep 300 & echo $! >> {file}; wait' & wait")
}

#[test]
fn output_exit_code_and_seconds_are_figures() {
    let figures = perform(&shell("echo one; echo two")).unwrap();
    assert_eq!(figures["output"], "one\ntwo");
    assert_eq!(figures["output_bytes"], 8);
    assert_eq!(figures["exit_code"], 0);
    assert!(figures["seconds"].as_f64().unwrap() > 0.0);
}

#[test]
fn arguments_reach_the_program_as_they_are() {
    let figures = perform(&run_words(&["printf", "[%s]", "a b", "$HOME", "*", "\"q'"])).unwrap();
    assert_eq!(figures["output"], "[a b][$HOME][*][\"q']");
}

#[test]
fn input_is_read_and_there_is_none_otherwise() {
    let mut with = run_words(&["cat"]);
    with.input = Some("line\n".into());
    assert_eq!(perform(&with).unwrap()["output"], "line");
    assert_eq!(perform(&run_words(&["cat"])).unwrap()["output"], "");
}

#[test]
fn a_program_that_does_not_read_its_large_input_does_no_harm() {
    let mut action = run_words(&["true"]);
    action.input = Some("x".repeat(4 << 20));
    perform(&action).unwrap();
}

#[test]
fn the_environment_is_added_to_the_inherited_one() {
    let mut action = shell("echo $GREETING; test -n \"$PATH\"");
    action.environment.insert("GREETING".into(), "hello".into());
    assert_eq!(perform(&action).unwrap()["output"], "hello");
}

#[test]
fn it_runs_in_its_directory_and_finds_a_relative_program_there() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("tool");
    executable(&script, "#!/bin/sh\npwd\n");
    let mut action = run_words(&["./tool"]);
    action.directory = Some(directory.path().to_owned());
    let expected = directory.path().canonicalize().unwrap();
    assert_eq!(perform(&action).unwrap()["output"], expected.to_str().unwrap());
}

#[test]
fn a_missing_directory_is_named() {
    let mut action = run_words(&["true"]);
    action.directory = Some("/nowhere/at/all".into());
    let (error, _) = failed(perform(&action));
    assert_eq!(error, "cannot run `true` in /nowhere/at/all: there is no such directory");
}

#[test]
fn another_exit_code_fails_with_the_last_words() {
    let (error, _) = failed(perform(&shell("echo working; echo 'no licence' >&2; exit 5")));
    assert_eq!(
        error,
        "the shell command ended with exit code 5, where 0 was expected; it said:\n  no licence"
    );
}

#[test]
fn an_accepted_exit_code_is_no_failure() {
    let mut action = shell("exit 3");
    action.exit_codes = vec![0, 1, 3];
    assert_eq!(perform(&action).unwrap()["exit_code"], 3);
}

#[test]
fn a_child_killed_by_a_signal_says_so() {
    let (error, _) = failed(perform(&shell("kill -KILL $$")));
    assert_eq!(error, "the shell command was killed by signal 9");
}

#[test]
fn a_program_that_does_not_exist_is_named() {
    let (error, hints) = failed(perform(&run_words(&["no-such-program-here"])));
    assert_eq!(error, "cannot start `no-such-program-here`: there is no such program");
    assert!(hints.contains("spelling"));
}

#[test]
fn a_file_that_is_not_executable_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let (error, _) = failed(perform(&run_words(&[file.path().to_str().unwrap()])));
    assert!(error.ends_with("it is not executable for this user"), "{error}");
}

#[test]
fn a_script_whose_interpreter_is_missing_says_that_and_not_that_it_is_missing_itself() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("tool");
    executable(&script, "#!/no/such/interpreter\n");
    let (error, _) = failed(perform(&run_words(&[script.to_str().unwrap()])));
    assert!(error.ends_with("the program that its first line names does not exist"), "{error}");
}

#[test]
fn a_timeout_ends_the_whole_tree() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pids");
    let mut action = shell(&tree(&file));
    action.timeout = Some(Duration::from_secs(3));
    let (error, _) = failed(perform(&action));
    assert_eq!(error, "the shell command had not ended after 3s and was ended, with all that it had started");
    let pids = pids(&file);
    assert_eq!(pids.len(), 3);
    wait_for("the tree is gone", || !pids.iter().any(|pid| is_alive(*pid)));
}

#[test]
fn a_tree_that_ignores_the_request_to_end_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pids");
    let mut action = shell(&format!("trap '' TERM; {}", tree(&file)));
    action.timeout = Some(Duration::from_secs(3));
    failed(perform(&action));
    let pids = pids(&file);
    assert_eq!(pids.len(), 3);
    wait_for("the tree is gone", || !pids.iter().any(|pid| is_alive(*pid)));
}

#[test]
fn the_wish_to_stop_ends_the_whole_tree() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pids");
    let cancel = Cancel::new();
    let action = shell(&tree(&file));
    let result = std::thread::scope(|scope| {
        let run = scope.spawn(|| perform_until(&action, &cancel));
        wait_for("the tree stands", || file.exists() && pids(&file).len() == 3);
        cancel.request();
        run.join().unwrap()
    });
    assert_eq!(result, Err(Failure::Interrupted));
    let pids = pids(&file);
    wait_for("the tree is gone", || !pids.iter().any(|pid| is_alive(*pid)));
}

#[test]
fn a_flood_on_both_streams_is_read_whole_and_kept_bounded() {
    let figures = perform(&shell(
        "head -c 50000000 /dev/zero | tr '\\0' e >&2 & head -c 50000000 /dev/zero | tr '\\0' o; wait",
    ))
    .unwrap();
    assert_eq!(figures["output_bytes"], 50_000_000);
    assert_eq!(figures["output"].as_str().unwrap().len(), 64 * 1024);
}

#[test]
fn a_grandchild_that_keeps_the_pipe_open_does_not_hold_the_step_and_lives_on() {
    let figures = perform(&shell("sleep 30 & echo $!")).unwrap();
    let pid: u32 = figures["output"].as_str().unwrap().parse().unwrap();
    assert!(is_alive(pid));
    std::process::Command::new("kill").arg(pid.to_string()).status().unwrap();
}

#[test]
fn a_secret_is_in_neither_output_nor_error() {
    let mut action = shell("echo \"key=$KEY\"; echo \"bad key $KEY\" >&2; exit $CODE");
    action.environment.insert("KEY".into(), CANARY.into());
    action.environment.insert("CODE".into(), "0".into());
    let figures = perform(&action).unwrap();
    assert_eq!(figures["output"], "key=***");

    action.environment.insert("CODE".into(), "1".into());
    let (error, _) = failed(perform(&action));
    assert!(error.ends_with("\n  bad key ***"), "{error}");
}

#[test]
fn a_secret_in_the_name_of_a_program_is_in_neither_error_nor_hint() {
    let (error, hints) = failed(perform(&run_words(&[&format!("tool {CANARY}")])));
    assert!(!error.contains(CANARY) && !hints.contains(CANARY), "{error} {hints}");
}

#[test]
fn a_child_leads_a_process_group_of_its_own() {
    let figures = perform(&shell("echo $$; cut -d' ' -f5 /proc/$$/stat")).unwrap();
    let numbers: Vec<&str> = figures["output"].as_str().unwrap().split_whitespace().collect();
    assert_eq!(numbers[0], numbers[1]);
}
