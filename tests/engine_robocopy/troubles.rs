//! What robocopy cannot read or write, what it would skip without a word, and what it is asked to keep. A script stands in
//! for it.

use super::{DONE, STAND_IN, called, failed, pass, wide, with_robocopy};
use crate::common::{Scene, tree};

#[test]
fn a_folder_that_robocopy_may_not_enter_is_told_and_its_files_have_failed() {
    let scene = Scene::new()
        .steps("- {id: a, copy: {from: ROOT/old, to: ROOT/new, engine: robocopy, wait: 0s}}")
        .tree("old", 10)
        .file("old/closed/x", "x");
    let scene = with_robocopy(
        scene,
        "cp -pR \"$from/.\" \"$to\"; rm -r \"$to/closed\"; cat 'ROOT/log.utf16'; exit 9\n",
    );
    let text = scene.placed(&format!(
        "2026/11/27 10:00:00 FEHLER 5 (0x00000005) Quellverzeichnis wird gescannt ROOT/old/closed/\nZugriff verweigert\n\n{}",
        DONE.replace("D: 1 0 1 0 0", "D: 2 0 1 0 1")
    ));
    scene.write("log.utf16", wide(&text));
    scene.run(&[]).code(1);
    let failed = failed(&scene);
    assert!(failed.iter().any(|(path, _)| path == "closed/x"), "{failed:?}");
}

#[test]
fn an_error_that_names_the_target_is_told_at_the_file_that_it_is_of() {
    for (errors, code) in [("fail", 1), ("tolerate", 3)] {
        let scene = pass(
            &format!(", errors: {errors}"),
            "cp -pR \"$from/.\" \"$to\"; rm \"$to/00/file-4.dat\"; cat 'ROOT/log'; exit 9\n",
        );
        let error = "2026/11/27 10:00:00 ERROR 5 (0x00000005) Creating Destination File ROOT/new/00/file-4.dat\nAccess is denied.\n";
        scene.write(
            "log",
            scene.placed(&format!("{}\n{}", error.repeat(3), DONE.replace("10 10 0 0 0", "10 9 0 0 1"))),
        );
        scene.run(&[]).code(code);
        let failed = failed(&scene);
        let [(path, error)] = &failed[..] else { panic!("{failed:?}") };
        assert_eq!(
            (path.as_str(), error.as_str()),
            ("00/file-4.dat", "robocopy: error 5: Access is denied.")
        );
    }
}

#[test]
fn a_link_that_must_not_be_there_fails_the_pass_though_robocopy_skips_it() {
    let scene = pass(", links: fail", STAND_IN);
    std::os::unix::fs::symlink("/etc", scene.path("old/elsewhere")).unwrap();
    scene.run(&[]).code(1);
    assert_eq!(failed(&scene)[0].0, "elsewhere");
    assert!(called(&scene)[0].contains(" /xj "), "{:?}", called(&scene));
}

#[test]
fn access_lists_and_owners_are_asked_for_and_kept() {
    let scene = pass(", preserve: [acls, owner]", STAND_IN);
    scene.run(&[]).code(0);
    assert!(called(&scene)[0].contains(" /copy:DATSO /dcopy:DAT "), "{:?}", called(&scene));
    assert!(called(&scene)[0].contains(" /secfix "), "{:?}", called(&scene));
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
}

#[test]
fn the_rights_of_a_backup_are_asked_for() {
    let scene = pass(", backup: true", STAND_IN);
    scene.run(&[]).code(0);
    assert!(called(&scene)[0].contains(" /b "), "{:?}", called(&scene));
}
