//! What purges take away is listed, brought back and discarded by the real program; and what is left of an agreed list.
#![cfg(unix)]

mod common;

use std::fs;
use std::time::Duration;

use common::screen::Screen;
use common::{Scene, tree};
use filetime::FileTime;

const STATE: &str = "scene.state.jsonl";

/// A run that has purged `files` of 40 files, a folder of two among them where it is more than 20.
fn purged(files: usize) -> Scene {
    let scene = Scene::new()
        .steps(
            "
- {id: early, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
- {id: gate, checkpoint: {ask: On?}}
- {id: final, copy: {from: 'ROOT/old', to: 'ROOT/new', directories: all, purge: {max_files: 1000, max_percent: 100}}}
- {id: again, checkpoint: {ask: On?}}
- {id: last, copy: {from: 'ROOT/old', to: 'ROOT/new', directories: all, purge: {max_files: 1000, max_percent: 100}}}
",
        )
        .tree("old", 40);
    scene.run(&[]).code(3);
    for number in 0..files {
        fs::remove_file(scene.path(&name("old", number))).unwrap();
    }
    for folder in ["old/00", "old/01"] {
        // Only an empty one goes.
        let _ = fs::remove_dir(scene.path(folder));
    }
    scene.approve("gate", &[]).code(0);
    scene.run(&[]).code(3);
    scene
}

fn name(tree: &str, number: usize) -> String {
    format!("{tree}/{:02}/file-{number}.dat", number / 20)
}

/// Paths below the target that are in the quarantine, as a program reads them.
fn listed(scene: &Scene) -> Vec<String> {
    let ended = scene.movebook(&["quarantine", STATE, "--format", "json"]).code(0);
    ended.events().iter().map(|line| line["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_was_taken_away_is_listed_with_its_purge() {
    let scene = purged(3);
    assert_eq!(listed(&scene), ["00/file-0.dat", "00/file-1.dat", "00/file-2.dat"]);
    let line = &scene.movebook(&["quarantine", STATE, "--format", "json"]).code(0).events()[1];
    assert_eq!((&line["purge"], &line["step"], &line["kind"]), (&1.into(), &"final".into(), &"file".into()));
    assert_eq!(line["bytes"], "old 1 ".repeat(20).len(), "{line}");
    let human = scene.movebook(&["quarantine", STATE]).code(0).says("purge 1 · step final").says("3 files");
    assert!(human.stdout.contains("00/file-2.dat"), "{}", human.stdout);
}

#[test]
fn a_file_comes_back_as_it_was_and_the_others_stay() {
    let scene = purged(3);
    let before = tree::contents(&scene.path("new"));
    let ended = scene.movebook(&["restore", STATE, "00/file-1.dat"]).code(0).says("brought back: 1 file");
    assert_eq!(ended.stdout, "00/file-1.dat\n");
    assert!(ended.stderr.contains("the next pass that purges takes them away again"), "{}", ended.stderr);
    let mut after = tree::contents(&scene.path("new"));
    assert!(after.remove("00/file-1.dat").is_some());
    assert_eq!(after, before);
    assert_eq!(listed(&scene), ["00/file-0.dat", "00/file-2.dat"]);
}

#[test]
fn a_whole_folder_that_was_purged_comes_back_with_its_time_and_permissions() {
    use std::os::unix::fs::PermissionsExt;

    let scene = Scene::new()
        .steps(
            "
- {id: early, copy: {from: 'ROOT/old', to: 'ROOT/new', directories: all}}
- {id: gate, checkpoint: {ask: On?}}
- {id: final, copy: {from: 'ROOT/old', to: 'ROOT/new', directories: all, purge: {max_files: 1000, max_percent: 100}}}
",
        )
        .tree("old", 3)
        .tree("old/gone", 40)
        .folder("old/gone/empty");
    for (number, folder) in ["old/gone/00", "old/gone/01", "old/gone/empty", "old/gone"].iter().enumerate() {
        let path = scene.path(folder);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
        filetime::set_file_mtime(&path, FileTime::from_unix_time(1_000_000 + number as i64, 5_000_000))
            .unwrap();
    }
    scene.run(&[]).code(3);
    let look = |scene: &Scene| -> Vec<_> {
        ["new/gone", "new/gone/00", "new/gone/01", "new/gone/empty"]
            .map(|folder| {
                let is = fs::metadata(scene.path(folder)).unwrap();
                (FileTime::from_last_modification_time(&is), is.permissions().mode() & 0o777)
            })
            .into()
    };
    let (contents, folders) = (tree::contents(&scene.path("new")), look(&scene));
    fs::remove_dir_all(scene.path("old/gone")).unwrap();
    scene.approve("gate", &[]).code(0);
    scene.run(&[]).code(0);
    assert!(!scene.path("new/gone").exists());
    assert_eq!(listed(&scene).len(), 41, "an empty folder is listed too");
    scene.movebook(&["restore", STATE, "gone/"]).code(0).says("40 files");
    assert_eq!(tree::contents(&scene.path("new")), contents);
    assert_eq!(look(&scene), folders);
    assert!(!scene.path("new.movebook-quarantine").exists(), "the empty quarantine is removed");
    scene.movebook(&["quarantine", STATE]).code(0).says("no file is in the quarantine");
}

#[test]
fn nothing_in_the_target_is_replaced() {
    let scene = purged(2);
    scene.write("new/00/file-0.dat", "somebody put this here");
    scene
        .movebook(&["restore", STATE, "--all"])
        .code(1)
        .says("00/file-0.dat stays in the quarantine: the target has something of this name")
        .says("help: ")
        .says("brought back: 1 file");
    assert_eq!(scene.text("new/00/file-0.dat"), "somebody put this here");
    assert_eq!(listed(&scene), ["00/file-0.dat"]);
}

#[test]
fn a_path_that_was_purged_twice_is_told_apart() {
    let scene = purged(1);
    let first = "the state that the second purge took away";
    scene.write("new/00/file-0.dat", first);
    scene.approve("again", &[]).code(0);
    scene.run(&[]).code(0);
    assert_eq!(listed(&scene), ["00/file-0.dat", "00/file-0.dat"]);
    let human = scene.movebook(&["quarantine", STATE]).code(0);
    assert!(human.stdout.contains("purge 1 · step final") && human.stdout.contains("purge 2 · step last"));
    scene
        .movebook(&["restore", STATE, "00/file-0.dat"])
        .code(2)
        .says("was taken away more than once")
        .says("--purge 1 means that of")
        .says("--purge 2 means that of");
    assert!(!scene.path("new/00/file-0.dat").exists());
    // All: the latest comes back, and the earlier one stays.
    scene.movebook(&["restore", STATE, "--all"]).code(1);
    assert_eq!(scene.text("new/00/file-0.dat"), first);
    assert_eq!(listed(&scene).len(), 1);
    fs::remove_file(scene.path("new/00/file-0.dat")).unwrap();
    scene.movebook(&["restore", STATE, "00/file-0.dat", "--purge", "2"]).code(2).says("nothing under");
    scene.movebook(&["restore", STATE, "00/file-0.dat", "--purge", "1"]).code(0);
    assert_ne!(scene.text("new/00/file-0.dat"), first);
    scene.movebook(&["restore", STATE, "--all", "--purge", "3"]).code(2).says("no purge 3");
}

#[test]
fn what_is_not_there_is_said_before_anything_is_changed() {
    let scene = purged(2);
    for path in ["nothing", "../old/00/file-5.dat", "/etc/passwd", "00/file-30.dat"] {
        scene.movebook(&["restore", STATE, "00/file-0.dat", path]).code(2).says("nothing under");
        scene
            .movebook(&["discard", STATE, "00/file-0.dat", path, "--yes"])
            .code(2)
            .says("nothing was changed");
    }
    scene.movebook(&["restore", STATE]).code(2).says("<PATHS|--all>");
    assert_eq!(listed(&scene).len(), 2);
    assert_eq!(scene.journal().of("quarantine_changing").count(), 0);
}

#[test]
fn a_quarantine_whose_folder_is_gone_is_not_told_as_an_empty_one() {
    let scene = purged(2);
    let (place, away) = (scene.path("new.movebook-quarantine"), scene.path("unplugged"));
    fs::rename(&place, &away).unwrap();
    for command in [&["restore", STATE, "--all"][..], &["discard", STATE, "--all", "--yes"]] {
        let ended = scene.movebook(command).code(1).says("of purge 1 is not there");
        assert!(!ended.stderr.contains("nothing is in the quarantine"), "{}", ended.stderr);
    }
    assert_eq!(scene.journal().of("quarantine_changing").count(), 0);
    fs::rename(&away, &place).unwrap();
    scene.movebook(&["restore", STATE, "--all"]).code(0).says("2 files");
    // The folder that is gone now held nothing.
    scene.movebook(&["discard", STATE, "--all", "--yes"]).code(0).says("nothing is in the quarantine");
}

#[test]
fn a_purge_of_which_nothing_is_left_is_not_missed_beside_another() {
    let scene = purged(1);
    scene.movebook(&["restore", STATE, "--all"]).code(0);
    scene.approve("again", &[]).code(0);
    scene.run(&[]).code(0);
    let ended = scene.movebook(&["discard", STATE, "--all", "--yes"]).code(0).says("1 file");
    assert!(!ended.stderr.contains("is not there"), "{}", ended.stderr);
}

#[test]
fn a_file_that_is_no_state_file_is_refused_and_nothing_is_left_beside_it() {
    let scene = Scene::new().file("notes.txt", b"no journal\n").file("empty.txt", b"");
    let beside = || {
        let entries = fs::read_dir(scene.path("")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = beside();
    for file in ["notes.txt", "empty.txt"] {
        for command in [&["restore", file, "--all"][..], &["discard", file, "--yes"]] {
            let ended = scene.movebook(command);
            assert!(matches!(ended.code, 2 | 6), "{command:?}: {:?} {}", ended.code, ended.stderr);
            assert_eq!(beside(), before, "{command:?}");
        }
    }
}

#[test]
fn discarding_needs_a_yes() {
    let scene = purged(2);
    scene.movebook(&["discard", STATE, "--all"]).code(2).says("nobody can be asked here").says("--yes");
    assert_eq!(listed(&scene).len(), 2);
    let mut screen = Screen::of(scene.command(&["discard", STATE, "--all"]));
    screen.sees("Delete 2 files").types("n\r");
    assert_eq!(screen.code(), 0);
    assert_eq!(listed(&scene).len(), 2);
    let mut screen = Screen::of(scene.command(&["discard", STATE, "--all"]));
    screen.sees("Delete 2 files").types("y\r");
    assert_eq!(screen.code(), 0);
    assert!(listed(&scene).is_empty());
}

#[test]
fn a_finished_run_can_still_restore_and_discard_and_says_so() {
    let scene = purged(4);
    scene.approve("again", &[]).code(0);
    scene.run(&[]).code(0);
    let target = scene.path("new/00/file-0.dat");
    scene.movebook(&["restore", STATE, target.to_str().unwrap()]).code(0);
    scene.movebook(&["discard", STATE, "00/file-1.dat", "--yes"]).code(0).says("deleted for good: 1 file");
    scene
        .status(&[])
        .code(0)
        .says("quarantine: 4 files")
        .says("1 file, ")
        .says("brought back")
        .says("discarded")
        .says("movebook quarantine scene.state.jsonl");
    let status = scene.status(&["--format", "json"]).code(0).json();
    assert_eq!(status["quarantine"]["taken"]["files"], 4);
    assert_eq!(status["quarantine"]["restored"]["files"], 1);
    assert_eq!(status["quarantine"]["discarded"]["files"], 1);
    scene.movebook(&["discard", STATE, "--all", "--yes"]).code(0).says("2 files");
    assert!(!scene.path("new.movebook-quarantine").exists());
    scene.movebook(&["discard", STATE, "--all", "--yes"]).code(0).says("nothing is in the quarantine");
    let journal = scene.journal();
    let deeds: Vec<_> =
        journal.of("quarantine_changed").map(|record| record["deed"].as_str().unwrap()).collect();
    assert_eq!(deeds, ["restore", "discard", "discard"]);
    assert_eq!(journal.of("quarantine_changing").count(), 3);
    scene.run(&[]).code(0).says("nothing is left to do");
}

#[test]
fn a_target_that_is_another_folder_gets_nothing_back() {
    let scene = purged(2);
    fs::rename(scene.path("new"), scene.path("elsewhere")).unwrap();
    fs::create_dir(scene.path("new")).unwrap();
    scene.movebook(&["restore", STATE, "--all"]).code(7).says("is not the folder that purge 1 took from");
    assert_eq!(listed(&scene).len(), 2);
}

#[test]
fn a_run_at_work_keeps_its_quarantine_to_itself() {
    let scene = purged(2);
    let mut busy = scene.command(&["approve", "again", "--answer-file", "-"]);
    let mut child = busy.stdin(std::process::Stdio::piped()).spawn().unwrap();
    // It holds the lock while it waits for its answer.
    let end = std::time::Instant::now() + common::PATIENCE;
    while scene.status(&["--format", "json"]).json()["holder"].is_null() {
        assert!(std::time::Instant::now() < end, "the other process never took the lock");
        std::thread::sleep(Duration::from_millis(5));
    }
    scene.movebook(&["restore", STATE, "--all"]).code(4);
    scene.movebook(&["discard", STATE, "--all", "--yes"]).code(4);
    assert_eq!(listed(&scene).len(), 2);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn bringing_back_that_was_killed_is_done_by_the_same_command() {
    use std::io::{BufRead, BufReader};

    let scene = Scene::new().steps(
        "
- {id: early, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
- {id: gate, checkpoint: {ask: On?}}
- {id: final, copy: {from: 'ROOT/old', to: 'ROOT/new', purge: {max_files: 100000, max_percent: 100}}}
",
    );
    tree::many_names(&scene.path("old/gone"), 8000, 10);
    scene.write("old/stays.dat", "stays");
    scene.run(&[]).code(3);
    let before = tree::contents(&scene.path("new"));
    fs::remove_dir_all(scene.path("old/gone")).unwrap();
    scene.approve("gate", &[]).code(0);
    scene.run(&[]).code(0);
    let mut child =
        scene.command(&["restore", STATE, "--all"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let first = BufReader::new(child.stdout.take().unwrap()).lines().nth(20).unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let left = listed(&scene).len();
    assert!(left < 8000 && !listed(&scene).contains(&first), "{left}");
    if left > 0 {
        scene.status(&[]).code(0).says("bringing back was cut off");
        scene.movebook(&["restore", STATE, "--all"]).code(0);
    } else {
        println!("not proven here: all was back before the process was killed");
    }
    assert_eq!(tree::contents(&scene.path("new")), before);
    assert!(!scene.path("new.movebook-quarantine").exists());
}

/// A run that asks about the purge of `gone` files.
fn asks(gone: usize) -> Scene {
    let scene = Scene::new()
        .steps(
            "
- {id: early, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
- {id: gate, checkpoint: {ask: On?}}
- {id: final, copy: {from: 'ROOT/old', to: 'ROOT/new', directories: all, purge: {max_files: 5, max_percent: 100}}}
",
        )
        .tree("old", 40);
    scene.run(&[]).code(3);
    for number in 0..gone {
        fs::remove_file(scene.path(&name("old", number))).unwrap();
    }
    scene.approve("gate", &[]).code(0);
    scene.run(&[]).code(3).says("The purge would take away");
    scene
}

#[test]
fn what_is_left_of_an_agreed_list_is_not_asked_about_again() {
    let scene = asks(20);
    scene.approve("final", &["--answer", "purge"]).code(0);
    // As if the purge had been cut off behind its eighth file.
    for number in 0..8 {
        fs::remove_file(scene.path(&name("new", number))).unwrap();
    }
    scene.run(&[]).code(0).says("is not asked about again");
    assert_eq!(listed(&scene).len(), 12);
    assert_eq!(scene.journal().count("asked", "final"), 1);
}

#[test]
fn one_name_more_than_was_agreed_to_is_asked_about() {
    let scene = asks(20);
    scene.approve("final", &["--answer", "purge"]).code(0);
    fs::remove_file(scene.path(&name("new", 0))).unwrap();
    scene.write("new/00/came-later.dat", "nobody was asked about this one");
    scene.run(&[]).code(3).says("The purge would take away");
    assert!(scene.path("new/00/came-later.dat").exists());
    assert_eq!(scene.journal().count("asked", "final"), 2);
}

#[test]
fn an_agreed_list_that_is_gone_is_asked_about_anew() {
    let scene = asks(20);
    scene.approve("final", &["--answer", "purge"]).code(0);
    fs::remove_file(scene.path(&name("new", 0))).unwrap();
    fs::remove_file(scene.path("scene.state.jsonl.account/final.purge-list.jsonl")).unwrap();
    scene.run(&[]).code(3);
    assert_eq!(scene.journal().count("asked", "final"), 2);
}

#[test]
fn what_is_left_of_a_list_that_was_to_be_kept_is_kept() {
    let scene = asks(20);
    scene.approve("final", &["--answer", "keep"]).code(0);
    fs::remove_file(scene.path(&name("new", 0))).unwrap();
    scene.run(&[]).code(0);
    assert_eq!(
        scene.movebook(&["account", STATE, "final", "--list", "kept"]).code(0).stdout.lines().count(),
        19
    );
}

#[test]
fn a_purge_that_was_killed_half_way_goes_on_without_a_question() {
    let scene = Scene::new().steps(
        "
- {id: early, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
- {id: gate, checkpoint: {ask: On?}}
- {id: final, copy: {from: 'ROOT/old', to: 'ROOT/new', purge: {max_files: 5, max_percent: 100}}}
",
    );
    tree::many_names(&scene.path("old/gone"), 30_000, 10);
    scene.write("old/stays.dat", "stays");
    scene.run(&[]).code(3);
    fs::remove_dir_all(scene.path("old/gone")).unwrap();
    scene.approve("gate", &[]).code(0);
    scene.run(&[]).code(3);
    let list = scene.text("scene.state.jsonl.account/final.purge-list.jsonl");
    assert_eq!(
        list.lines().filter(|line| line.contains("\"file\"")).count(),
        30_000,
        "the whole list is kept"
    );
    scene.approve("final", &["--answer", "purge"]).code(0);
    let running = scene.begin(&[]);
    let place = scene.path("new.movebook-quarantine");
    let end = std::time::Instant::now() + common::PATIENCE;
    while !place.exists() && std::time::Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
    running.kill();
    let left = fs::read_dir(scene.path("new/gone")).map_or(0, Iterator::count);
    if left == 0 {
        println!("not proven here: the purge was over before it was killed");
    }
    scene.run(&[]).code(0);
    assert_eq!(scene.journal().count("asked", "final"), 1);
    // The folder itself may lie there too: made for a file that did not come any more, or left behind by all of them.
    let listed = scene.movebook(&["quarantine", STATE, "--format", "json"]).code(0).events();
    let (files, others): (Vec<_>, Vec<_>) = listed.iter().partition(|entry| entry["kind"] == "file");
    assert_eq!(files.len(), 30_000);
    assert!(others.iter().all(|entry| entry["kind"] == "directory"), "{others:?}");
    assert_eq!(tree::contents(&scene.path("new")).len(), 1);
}
