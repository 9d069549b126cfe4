//! What robocopy leaves open: reports that are cut off, count too few, or name what is no file. A script stands in for robocopy.

use super::{DONE, STAND_IN, failed, pass, with_robocopy};
use crate::common::{Scene, tree};

/// Copies half of the ten files, whatever is asked for.
const HALF: &str =
    "mkdir -p \"$to/00\"; for n in 0 1 2 3 4; do cp -p \"$from/00/file-$n.dat\" \"$to/00\"; done\n";
const ALL: &str = "cp -pR \"$from/.\" \"$to\"\n";

/// The owed files of a pass that tolerates errors.
#[track_caller]
fn owed(body: &str) -> u64 {
    let scene = pass(", errors: tolerate", body);
    scene.run(&[]).code(3);
    let debt = scene.journal().only("step_done", "a")["debt"]["files"].as_u64().unwrap();
    assert_eq!(failed(&scene).len() as u64, debt);
    debt
}

#[test]
fn a_robocopy_that_was_killed_half_way_leaves_debt_though_it_ends_with_1() {
    assert_eq!(owed(&format!("{HALF}exit 1\n")), 5);
}

#[test]
fn a_robocopy_that_was_killed_half_way_clears_no_debt_of_an_earlier_step() {
    let steps = "
- {id: a, copy: {from: ROOT/old, to: ROOT/new, engine: robocopy, wait: 0s, errors: tolerate}}
- {id: b, copy: {from: ROOT/old, to: ROOT/new, engine: robocopy, wait: 0s, errors: tolerate}}
";
    let body =
        format!("test -e 'ROOT/called.once' || {{ touch 'ROOT/called.once'; exit 1; }}\n{HALF}exit 1\n");
    let scene = with_robocopy(Scene::new().steps(steps).tree("old", 10), &body);
    scene.run(&[]).code(3);
    assert_eq!(scene.journal().only("step_done", "b")["debt"]["files"], 5);
}

#[test]
fn a_summary_that_counts_fewer_than_there_were_is_looked_behind() {
    assert_eq!(owed(&format!("{HALF}printf '{}'; exit 1\n", DONE.replace("10 10", "10 5"))), 5);
}

#[test]
fn a_folder_that_could_not_be_entered_owes_its_files() {
    let table = DONE.replace("1 0 1 0 0 0", "2 1 0 0 1 0");
    let error =
        "2026/11/27 10:00:00 ERROR 5 (0x00000005) Scanning Source Directory %s/00/\\nAccess is denied.\\n\\n";
    let body = format!("{HALF}printf '{error}' \"$from\"; printf '{table}'; exit 9\n");
    assert_eq!(owed(&body), 5);
}

#[test]
fn a_notice_at_the_end_of_a_name_does_not_hide_the_file() {
    let line = "2026/11/27 10:00:00 ERROR 32 (0x00000020) Copying File %s/00/file-1.datWaiting 0 seconds...\\nIn use.\\n\\n";
    let body = format!(
        "{ALL}rm \"$to/00/file-1.dat\"; printf '{line}' \"$from\"; printf '{}'; exit 9\n",
        DONE.replace("10 10 0 0 0", "10 9 0 0 1")
    );
    let scene = pass(", errors: tolerate", &body);
    scene.run(&[]).code(3);
    let failed = failed(&scene);
    assert_eq!(failed.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["00/file-1.dat"]);
}

#[test]
fn an_access_list_that_could_not_be_copied_fails_a_clean_pass_and_purges_nothing() {
    let line = "2026/11/27 10:00:00 ERROR 5 (0x00000005) Copying NTFS Security to Destination File %s/00/file-1.dat\\nNo.\\n\\n";
    let body = format!(
        "test \"$list\" && exec PROGRAM robocopy \"$@\"\n{ALL}printf '{line}' \"$to\"; printf '{}'; exit 9\n",
        DONE.replace("10 10 0 0 0", "10 9 0 0 1")
    );
    let steps = "
- {id: early, copy: {from: ROOT/old, to: ROOT/new}}
- {id: gate, checkpoint: {ask: On?}}
- {id: a, copy: {from: ROOT/old, to: ROOT/new, engine: robocopy, purge: {max_files: 9, max_percent: 100}}}
";
    let scene = with_robocopy(Scene::new().steps(steps).tree("old", 10).file("old/gone", "x"), &body);
    scene.run(&[]).code(3);
    std::fs::remove_file(scene.path("old/gone")).unwrap();
    scene.approve("gate", &[]).code(0);
    scene.run(&[]).code(1).says("1 file could not be copied");
    assert!(scene.path("new/gone").exists());
    assert_eq!(failed(&scene)[0].0, "00/file-1.dat");
}

#[test]
fn an_error_of_the_target_that_a_second_attempt_got_rid_of_is_none() {
    let file = "\\t    New File \\t\\t 5\\t%s/00/file-1.dat\\n";
    let error =
        "2026/11/27 10:00:00 ERROR 32 (0x00000020) Changing File Attributes %s/00/file-1.dat\\nIn use.\\n\\n";
    let line = format!("printf '{file}' \"$from\"; ");
    let body = format!("{ALL}{line}printf '{error}' \"$to\"; {line}printf '{DONE}'; exit 1\n");
    for errors in ["fail", "tolerate"] {
        pass(&format!(", errors: {errors}"), &body).run(&[]).code(0).says("10 new");
    }
}

#[test]
fn links_are_copied_in_a_clean_pass() {
    let scene = pass(", links: copy", STAND_IN);
    std::os::unix::fs::symlink("00/file-1.dat", scene.path("old/link")).unwrap();
    scene.run(&[]).code(0).says("10 new");
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
}

#[test]
fn a_list_that_is_cut_off_lets_nothing_be_done() {
    let steps = "
- {id: early, copy: {from: ROOT/old, to: ROOT/new}}
- {id: gate, checkpoint: {ask: On?}}
- {id: a, copy: {from: ROOT/old, to: ROOT/new, engine: robocopy, purge: {max_files: 9, max_percent: 100}}}
";
    let body = format!(
        "test \"$list\" && {{ printf '\\t*EXTRA File\\t\\t1\\t%s/gone\\n' \"$to\"; exit 1; }}\n{STAND_IN}"
    );
    let scene = with_robocopy(Scene::new().steps(steps).tree("old", 10).file("old/gone", "x"), &body);
    scene.run(&[]).code(3);
    std::fs::remove_file(scene.path("old/gone")).unwrap();
    scene.approve("gate", &[]).code(0);
    scene.run(&[]).code(1).says("left no summary");
    assert!(scene.path("new/gone").exists());
}
