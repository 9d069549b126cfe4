//! Windows' shares, by rclone's own SMB, from a real Samba.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::common::samba::{PASSWORD, Samba};
use crate::common::{Scene, scene, tree};
use crate::{or_not_proven, rclone};

/// An archive on the share, of a second that is long over, in whole milliseconds: finer than that rclone's SMB does not list.
fn archive(samba: &Samba) {
    for number in 0..60 {
        let path = samba.path(&format!("MailArchive/{:02}/Content/{number}.dat", number / 20));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("{number} ").repeat(number * 50)).unwrap();
        settle(&path);
    }
    for (name, content) in [
        ("MailArchive/Master.FDB", "database"),
        ("MailArchive/00/index 1.dat", "index"),
        ("MailArchive/Größe.txt", "ü"),
    ] {
        let path = samba.path(name);
        fs::write(&path, content).unwrap();
        settle(&path);
    }
    fs::create_dir(samba.path("MailArchive/empty")).unwrap();
}

fn settle(path: &Path) {
    let then = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    fs::File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
}

fn scene_on(samba: &Samba, steps: &str) -> Scene {
    let filters =
        "filters: {content: {include: ['*.dat'], exclude: ['index*']}, no-databases: {exclude: ['*.fdb']}}\n";
    Scene::new()
        .runbook(&format!("{filters}{}{}", samba.defaults(), scene::one_phase(steps)))
        .environment("MOVEBOOK_VAR_PASSWORD", PASSWORD)
}

#[test]
fn an_archive_on_a_share_is_checked_copied_in_passes_and_proven() {
    or_not_proven!(rclone());
    let samba = or_not_proven!(Samba::start());
    archive(&samba);
    let scene = scene_on(
        &samba,
        "
- id: paths
  check:
    - {path: 'smb-old:c$/MailArchive', exists: true, contains: ['*.fdb', '*.dat', '00/Content/*.dat']}
    - {path: ROOT/new, writable: true, free_space: {at_least: source, of: 'smb-old:c$/MailArchive'}}
    - {path: 'smb-old:c$/other', exists: false}
    - {apart: ['smb-old:c$/MailArchive', ROOT/new, 'smb-old:c$/Other']}
- {id: content, copy: {from: 'smb-old:c$/MailArchive', to: ROOT/new, filter: content, directories: non-empty, errors: tolerate}}
- {id: catch-up, copy: {from: 'smb-old:c$/MailArchive', to: ROOT/new, filter: no-databases, directories: non-empty}}
- {id: ask, checkpoint: {ask: Go on?}}
- {id: last, copy: {from: 'smb-old:c$/MailArchive', to: ROOT/new, purge: {max_percent: 10}, expect: ['*.fdb']}}
- {id: proof, verify: {from: 'smb-old:c$/MailArchive', to: ROOT/new, method: blake3}}
",
    );
    scene.run(&[]).code(3).says("60 new").says("2 new, 60 same");
    scene.write("new/00/extra.dat", "gone from the archive");
    scene.approve("ask", &[]).code(0);
    let ended = scene.resume(&[]).code(0).says("1 new, 62 same").says("1 purged").says("63 files equal");
    tree::assert_equal(&samba.path("MailArchive"), &scene.path("new"));
    let state = scene.state_file();
    scene.movebook(&["restore", state.to_str().unwrap(), "00/extra.dat"]).code(0);
    assert_eq!(scene.text("new/00/extra.dat"), "gone from the archive");
    ended.never_says(PASSWORD);
}

#[test]
fn a_share_is_a_target_whose_purge_is_kept_beside_it() {
    or_not_proven!(rclone());
    let samba = or_not_proven!(Samba::start());
    fs::create_dir(samba.path("backup")).unwrap();
    let scene = scene_on(
        &samba,
        "
- {id: first, copy: {from: ROOT/old, to: 'smb-old:c$/backup/archive'}}
- {id: ask, checkpoint: {ask: Go on?}}
- {id: last, copy: {from: ROOT/old, to: 'smb-old:c$/backup/archive', purge: {max_percent: 20}}}
- {id: proof, verify: {from: ROOT/old, to: 'smb-old:c$/backup/archive', method: blake3}}
",
    )
    .tree("old", 30);
    scene.run(&[]).code(3);
    fs::write(samba.path("backup/archive/00/extra"), "mine").unwrap();
    scene.approve("ask", &[]).code(0);
    scene.resume(&[]).code(0).says("30 same, 1 purged").says("30 files equal");
    let kept = tree::contents(&samba.path("backup/archive.movebook-quarantine"));
    assert!(kept.keys().any(|name| name.ends_with("/1/00/extra")), "{kept:?}");
    let names = |root: &Path| tree::contents(root).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&samba.path("backup/archive")), names(&scene.path("old")));
}

#[test]
fn what_is_not_as_a_runbook_needs_it_is_told_of_a_share_as_of_a_folder() {
    or_not_proven!(rclone());
    let samba = or_not_proven!(Samba::start());
    archive(&samba);
    let scene = scene_on(
        &samba,
        "
- id: paths
  check:
    - {path: 'smb-old:c$/MailArchive', contains: ['*.mdb']}
    - {path: 'smb-old:c$/nowhere', exists: true}
    - {path: 'smb-old:c$/MailArchive', free_space: {at_least: 900TiB}}
    - {apart: ['smb-old:c$/MailArchive', 'smb-old:c$/mailarchive/00']}
",
    );
    let ended = scene.run(&[]).code(1).says("holds no file `*.mdb`").says("c$/nowhere: does not exist");
    ended.says("are free on its volume, and 900.0 TiB are wanted").says("lies inside");
}

#[test]
fn a_wrong_password_is_told_as_such_and_nothing_is_made() {
    or_not_proven!(rclone());
    let samba = or_not_proven!(Samba::start());
    archive(&samba);
    let scene = scene_on(&samba, "- {id: a, copy: {from: 'smb-old:c$/MailArchive', to: ROOT/new}}")
        .environment("MOVEBOOK_VAR_PASSWORD", "WRONG-canary-9");
    let ended = scene.run(&[]).code(1).says("logon").says("user and the password of the remote");
    ended.never_says("WRONG-canary");
    assert!(!scene.path("new/Master.FDB").exists());
}

/// The password is asked for at every look that others may take: arguments, records, and what the run says.
#[test]
fn the_password_is_in_no_argument_no_record_and_no_line() {
    or_not_proven!(rclone());
    let samba = or_not_proven!(Samba::start());
    archive(&samba);
    let scene = scene_on(
        &samba,
        "
- {id: a, copy: {from: 'smb_old:c$/MailArchive', to: ROOT/new}}
- {id: b, verify: {from: 'smb_old:c$/MailArchive', to: ROOT/new}}
",
    );
    // Not a stand-in: the real one, behind a script that writes down how it was called. (A shell hands on no variable with a
    // hyphen in its name, so the remote has none in its own.)
    let scene = crate::stand_ins::with_rclone(
        scene,
        "printf '%s\\n' \"$*\" >> ROOT/arguments; env | grep RCLONE >> ROOT/environment; exec REAL \"$@\"",
    );
    scene.plan(&[]).code(0).never_says(PASSWORD);
    scene.run(&[]).code(0).never_says(PASSWORD);
    let (arguments, environment) = (scene.text("arguments"), scene.text("environment"));
    assert!(
        arguments.contains("lsjson") && arguments.contains("check") && arguments.contains("obscure -"),
        "{arguments}"
    );
    assert!(!arguments.contains(PASSWORD) && !environment.contains(PASSWORD));
    let obscured =
        environment.lines().find_map(|line| line.strip_prefix("RCLONE_CONFIG_SMB_OLD_PASS=")).unwrap();
    assert!(!arguments.contains(obscured));
    for file in walkdir::WalkDir::new(scene.root())
        .into_iter()
        .map(Result::unwrap)
        .filter(|file| file.file_type().is_file())
    {
        let text = String::from_utf8_lossy(&fs::read(file.path()).unwrap()).into_owned();
        let holds = |secret: &str| text.contains(secret) && !file.path().ends_with("environment");
        assert!(!holds(PASSWORD) && !holds(obscured), "{}", file.path().display());
    }
}
