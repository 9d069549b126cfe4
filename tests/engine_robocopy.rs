//! `engine: robocopy`: passes that robocopy carries out, with movebook around it.
//!
//! There is no robocopy here but on Windows. In each of these tests a script stands in for it: either it calls
//! `movebook robocopy`, which understands the same command line, or it does and says what the test needs a robocopy to do
//! and say. not proven here: that the real robocopy does as they do, which `tests/windows_robocopy.rs` asks in the Windows
//! workflow.
// The stand-ins are scripts of a Unix shell.
#![cfg(unix)]

mod common;
#[path = "engine_robocopy/plans.rs"]
mod plans;
#[path = "engine_robocopy/purges.rs"]
mod purges;
#[path = "engine_robocopy/reports.rs"]
mod reports;
#[path = "engine_robocopy/troubles.rs"]
mod troubles;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use common::scene::PROGRAM;
use common::{Scene, tree};
use serde_json::Value;

/// How long an interrupted process may take at most; nothing is measured by it.
const SOON: Duration = Duration::from_secs(10);

/// As robocopy is called: from, to, and what it is told; `$list` is set where it is to list alone.
const BEGIN: &str = "from=$1; to=$2; case \" $* \" in *' /l '*) list=1;; *) list=;; esac\n";
/// A robocopy that is movebook's own. It stands in for the real one.
const STAND_IN: &str = "exec PROGRAM robocopy \"$@\"\n";

/// A scene in which robocopy is a script.
fn with_robocopy(scene: Scene, body: &str) -> Scene {
    let scene = scene.folder("bin");
    let body = body.replace("PROGRAM", PROGRAM);
    let log = "printf '%s\\n' \"$*\" >> 'ROOT/called'\n";
    let text = scene.placed(&format!("#!/bin/sh\n{log}{BEGIN}{body}"));
    // By a child: a file that this process had open for writing may not be executed while another test forks.
    let written = Command::new("sh")
        .args(["-c", "printf %s \"$1\" > \"$0\" && chmod +x \"$0\""])
        .arg(scene.path("bin/robocopy"))
        .arg(text)
        .status()
        .unwrap();
    assert!(written.success());
    let path = format!("{}:{}", scene.path("bin").display(), std::env::var("PATH").unwrap());
    scene.environment("PATH", &path)
}

/// A pass of ten files by robocopy, with more of its fields.
fn pass(fields: &str, body: &str) -> Scene {
    let step =
        format!("- {{id: a, copy: {{from: ROOT/old, to: ROOT/new, engine: robocopy, wait: 0s{fields}}}}}");
    with_robocopy(Scene::new().steps(&step).tree("old", 10), body)
}

/// How robocopy was called, call by call.
fn called(scene: &Scene) -> Vec<String> {
    scene.text("called").lines().map(str::to_owned).collect()
}

/// What was not copied, with what is told of it.
fn failed(scene: &Scene) -> Vec<(String, String)> {
    let ended =
        scene.movebook(&["account", "scene.state.jsonl", "a", "--list", "failed", "--format", "json"]);
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    ended.code(0).events().iter().map(|entry| (text(entry, "path"), text(entry, "error"))).collect()
}

/// The lines of a log as robocopy writes them with `/unicode`.
fn wide(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

const DONE: &str = "  D: 1 0 1 0 0 0\n  F: 10 10 0 0 0 0\n  B: 1 1 0 0 0 0\n";

#[test]
fn a_pass_by_robocopy_leaves_equal_trees_and_the_same_account() {
    let scene = pass("", STAND_IN);
    scene.run(&[]).code(0).says("10 new");
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    let [call] = &called(&scene)[..] else { panic!("{:?}", called(&scene)) };
    let expected = "/e /r:2 /w:0 /xj /dcopy:DAT /mt:16 /fp /bytes /np /unicode";
    assert!(call.ends_with(expected), "{call}");
}

#[test]
fn attributes_that_alone_differ_are_asked_for_only_where_some_were_found() {
    use std::os::unix::fs::PermissionsExt;

    let step = |id| format!("- {{id: {id}, copy: {{from: ROOT/old, to: ROOT/new, engine: robocopy}}}}");
    let between = "- {id: between, command: {run: [chmod, '600', ROOT/new/00/file-1.dat]}}";
    let steps = [step("first"), step("again"), between.to_owned(), step("last")].join("\n");
    let scene = with_robocopy(Scene::new().steps(&steps).tree("old", 3), STAND_IN);
    fs::set_permissions(scene.path("old/00/file-1.dat"), fs::Permissions::from_mode(0o644)).unwrap();
    scene.run(&[]).code(0);
    let asked: Vec<bool> = called(&scene).iter().map(|call| call.contains(" /it")).collect();
    assert_eq!(asked, [false, false, true]);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
}

#[test]
fn a_robocopy_that_copies_nothing_and_ends_with_0_is_not_believed() {
    let scene = pass("", &format!("printf '{}'\nexit 0\n", DONE.replace("10 10", "10 0")));
    scene.run(&[]).code(1).says("10 files could not be copied");
    let failed = failed(&scene);
    assert_eq!(failed.len(), 10);
    assert_eq!(failed[0].1, "it still differs from the source; robocopy ended with 0");
}

#[test]
fn a_tolerant_pass_that_copied_nothing_leaves_debt() {
    let scene = pass(", errors: tolerate", "exit 0\n");
    let ended = scene.run(&[]).code(3);
    assert!(
        ended.all().contains("robocopy says that it copied nothing, and 10 files were to be copied"),
        "{}",
        ended.all()
    );
    assert!(ended.all().contains("left no summary that could be read"), "{}", ended.all());
    assert_eq!(scene.journal().only("step_done", "a")["debt"]["files"], 10);
}

#[test]
fn an_error_in_german_is_told_with_its_file_its_number_and_its_words() {
    for (errors, code) in [("fail", 1), ("tolerate", 3)] {
        let scene = pass(
            &format!(", errors: {errors}"),
            "cp -pR \"$from/.\" \"$to\"; rm \"$to/00/file-4.dat\"; cat 'ROOT/log.utf16'; exit 9\n",
        );
        let line = "2026/11/27 10:00:00 FEHLER 32 (0x00000020) Datei wird kopiert ROOT/old/00/file-4.dat
Der Prozess kann nicht auf die Datei zugreifen, da sie von einem anderen Prozess verwendet wird.
";
        let text = scene.placed(&format!(
            "{}FEHLER: WIEDERHOLUNGSLIMIT ÜBERSCHRITTEN.\n\n{}",
            line.repeat(3),
            DONE.replace("10 10 0 0 0", "10 9 0 0 1")
        ));
        scene.write("log.utf16", wide(&text));
        scene.run(&[]).code(code);
        let [(path, error)] = &failed(&scene)[..] else { panic!("{:?}", failed(&scene)) };
        assert_eq!(path, "00/file-4.dat");
        assert!(error.starts_with("robocopy: error 32: Der Prozess kann nicht"), "{error}");
    }
}

#[test]
fn what_robocopy_says_can_move_no_cursor() {
    let scene = pass("", "cat 'ROOT/log'; exit 9\n");
    let odd = "\u{1b}[2J\u{202e}x";
    scene.write(
        "log",
        scene.placed(&format!(
            "2026/11/27 10:00:00 ERROR 5 (0x00000005) Copying File ROOT/old/00/file-4.dat\n{odd}\n\
             2026/11/27 10:00:00 ERROR 5 (0x00000005) Copying File ROOT/old/{odd}\n{odd}\n\
             2026/11/27 10:00:00 ERROR 53 (0x00000035) {odd}\n{odd}\n\t  *x \t\t 5\tROOT/old/{odd}\n{DONE}"
        )),
    );
    let ended = scene.run(&[]).code(1);
    let listed = scene.movebook(&["account", "scene.state.jsonl", "a", "--list", "failed"]).code(0);
    for text in [ended.all(), listed.all()] {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
    assert!(ended.all().contains("error 53"), "{}", ended.all());
}

#[test]
fn a_file_that_was_copied_at_the_second_attempt_has_not_failed() {
    let scene = pass(", errors: tolerate", "cp -pR \"$from/.\" \"$to\"; cat 'ROOT/log'; exit 1\n");
    let line = "\t    New File \t\t 5\tROOT/old/00/file-4.dat\n";
    let error =
        "2026/11/27 10:00:00 ERROR 32 (0x00000020) Copying File ROOT/old/00/file-4.dat\nIt is in use.\n";
    let text = scene.placed(&format!("{line}{error}Waiting 0 seconds... Retrying...\n{line}{DONE}"));
    scene.write("log", text);
    scene.run(&[]).code(0);
}

#[test]
fn a_failure_that_the_exit_code_hides_is_counted_by_the_summary() {
    let table = DONE.replace("10 10 0 0 0", "10 9 0 0 1");
    let scene = pass(
        ", errors: tolerate",
        &format!("cp -pR \"$from/.\" \"$to\"; rm \"$to/00/file-4.dat\"; printf '{table}'; exit 3\n"),
    );
    let ended = scene.run(&[]).code(3);
    assert!(ended.all().contains("as if nothing had failed, and its summary counts 1"), "{}", ended.all());
    assert_eq!(scene.journal().only("step_done", "a")["debt"]["files"], 1);
    assert_eq!(failed(&scene)[0].0, "00/file-4.dat");
}

#[test]
fn bits_that_do_not_fit_are_told_by_name() {
    let scene = pass("", "cp -pR \"$from/.\" \"$to\"; cat 'ROOT/log'; exit 7\n");
    scene.write(
        "log",
        scene.placed(&format!(
            "\t  *Konflikt \t\t 5\tROOT/old/00/file-1.dat\n\n{}",
            DONE.replace("10 10", "10 8")
        )),
    );
    let ended = scene.run(&[]).code(0);
    assert!(
        ended.all().contains("a file of one side is a directory on the other: 00/file-1.dat"),
        "{}",
        ended.all()
    );
    assert!(
        ended.all().contains("that the target has what the source has not, where nothing was found"),
        "{}",
        ended.all()
    );
}

#[test]
fn a_robocopy_that_cannot_begin_is_told_with_its_last_words() {
    let scene = pass(
        "",
        "printf '\\nERROR : Invalid Parameter #9 : \"/it\"\\n\\n   Usage :: ROBOCOPY\\n'; exit 16\n",
    );
    let ended = scene.run(&[]).code(1);
    assert!(ended.all().contains("exit code 16): ERROR : Invalid Parameter #9 : \"/it\""), "{}", ended.all());
    assert!(ended.all().contains("`engine: native` gives the same target tree"), "{}", ended.all());
}

#[test]
fn a_robocopy_that_is_missing_is_told_before_and_when_it_is_needed() {
    let step = "- {id: a, copy: {from: ROOT/old, to: ROOT/new, engine: robocopy}}";
    let scene = Scene::new().steps(step).tree("old", 3).folder("empty");
    let path = scene.path("empty").display().to_string();
    let scene = scene.environment("PATH", &path);
    scene.plan(&[]).code(0).says("note: robocopy is not found on this machine");
    scene.run(&[]).code(1).says("cannot start robocopy").says("`engine: native` gives the same target tree");
}

#[test]
fn an_error_of_the_whole_target_ends_robocopy_at_once_with_all_that_it_started() {
    let scene = pass("", "cat 'ROOT/log'; sleep 1000 & echo $! > 'ROOT/child'; wait\n");
    scene.write(
        "log",
        scene.placed("2026/11/27 10:00:00 ERREUR 112 (0x00000070) Copie du fichier ROOT/old/00/file-1.dat\nEspace insuffisant sur le disque.\n"),
    );
    let ended = scene.run(&[]).code(1);
    assert!(ended.all().contains("error 112: Espace insuffisant sur le disque."), "{}", ended.all());
    assert!(ended.all().contains("make room on the target's volume"), "{}", ended.all());
    is_over(&scene);
}

#[test]
fn a_full_disk_is_told_as_one_whatever_path_robocopy_names() {
    let scene = pass("", "cat 'ROOT/log'; sleep 1000 & wait\n");
    scene.write("log", "2026/11/27 10:00:00 ERROR 112 (0x00000070) Copying File E:\\elsewhere\nNo room.\n");
    let ended = scene.run(&[]).code(1);
    assert!(ended.all().contains("error 112:") && ended.all().contains("make room"), "{}", ended.all());
}

#[test]
fn ctrl_c_ends_robocopy_with_all_that_it_started_and_the_run_goes_on() {
    let scene = pass("", &format!("test -e 'ROOT/second' && {STAND_IN}\n{HANG}"));
    let running = hanging(&scene);
    running.interrupt();
    let ended = running.ended_within(SOON);
    assert_eq!(ended.code, 130, "{}", ended.all());
    is_over(&scene);
    scene.write("second", "");
    scene.resume(&["scene.state.jsonl"]).code(0);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
}

#[test]
fn a_run_that_was_killed_does_the_pass_again() {
    let scene = pass("", &format!("test -e 'ROOT/second' && {STAND_IN}\n{HANG}"));
    hanging(&scene).kill();
    scene.write("second", "");
    scene.resume(&["scene.state.jsonl"]).code(0);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    assert_eq!(called(&scene).len(), 2);
    let group = scene.text("child");
    // Without movebook nobody ended what it had started; on Windows the job does.
    Command::new("kill").args(["-9", group.trim()]).status().unwrap();
}

#[test]
fn what_is_kept_out_by_its_whole_path_stays_out_on_both_sides() {
    let step = "- {id: a, copy: {from: ROOT/old, to: ROOT/new, filter: most, engine: robocopy, purge: {max_percent: 100}}}";
    let text = format!(
        "filters:\n  most: {{exclude: [00/file-1.dat], exclude_directories: [/keep]}}\n{}",
        common::scene::one_phase(step)
    );
    let scene = with_robocopy(Scene::new().runbook(&text).tree("old", 5).file("old/keep/x", "x"), STAND_IN);
    scene.run(&[]).code(0);
    let names: Vec<String> = tree::contents(&scene.path("new")).into_keys().collect();
    assert_eq!(names, ["00", "00/file-0.dat", "00/file-2.dat", "00/file-3.dat", "00/file-4.dat"]);
}

#[test]
fn what_a_step_adds_is_passed_on() {
    let scene = pass(", extra_args: [/z, /compress], threads: 1", STAND_IN);
    scene.run(&[]).code(0);
    assert!(called(&scene)[0].contains(" /mt:1 /z /compress "), "{:?}", called(&scene));
}

#[cfg(target_os = "linux")]
#[test]
fn a_gentle_pass_starts_a_gentle_robocopy() {
    for (fields, expected) in [("", 0), (", gentle: true", 10)] {
        let scene = pass(fields, &format!("ps -o ni= -p $$ > 'ROOT/nice'\n{STAND_IN}"));
        scene.run(&[]).code(0);
        let own = rustix::process::getpriority_process(None).unwrap();
        assert_eq!(scene.text("nice").trim().parse::<i32>().unwrap(), own.max(expected));
    }
}

/// A robocopy that has started another process, and waits.
const HANG: &str = "sleep 1000 & echo $! > 'ROOT/child.new'; mv 'ROOT/child.new' 'ROOT/child'; wait\n";

/// A run whose robocopy hangs.
fn hanging(scene: &Scene) -> common::Running {
    let running = scene.begin(&[]);
    until("robocopy has begun", || scene.path("child").exists());
    running
}

/// What robocopy had started is not there any more.
fn is_over(scene: &Scene) {
    let child = scene.text("child").trim().to_owned();
    until("what robocopy started has ended", || {
        let status = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        // One that nobody has waited for yet has ended, too.
        status.is_empty() || status.contains(") Z ")
    });
}

#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + common::PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
