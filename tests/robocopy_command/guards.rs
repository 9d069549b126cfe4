//! What stands in front of a line, and between `/purge` and a target.

use std::fs;
#[cfg(unix)]
use std::time::{Duration, SystemTime};

use super::common::tree;
#[cfg(unix)]
use super::common::{self, Scene};
use super::{Pair, names, row};

#[test]
fn a_purge_moves_into_a_quarantine_and_says_where() {
    let pair = Pair::new(&["a"], &["a", "x", "gone/y"]);
    let purged = pair.line("/mir --purge-limit 2").code(2);
    assert_eq!(pair.target(), "a");
    let quarantine = pair.0.path("new.movebook-quarantine");
    let [run] = &fs::read_dir(&quarantine).unwrap().collect::<Vec<_>>()[..] else {
        panic!("one run is kept")
    };
    let folder = run.as_ref().unwrap().path().join("1");
    assert_eq!(tree::contents(&folder).into_keys().collect::<Vec<_>>(), ["gone", "gone/y", "x"]);
    assert!(purged.stdout.contains(folder.to_str().unwrap()), "{}", purged.stdout);
}

#[test]
fn a_purge_above_its_limits_changes_nothing_and_says_what_to_type() {
    let pair = Pair::new(&["a", "b"], &["a", "x", "y"]);
    let refused = pair.line("/mir").code(16);
    assert!(refused.stderr.contains("--purge-limit 2"), "{}", refused.stderr);
    assert_eq!(pair.target(), "a x y", "not even what is new is copied");
    pair.line("/mir --purge-limit 1").code(16);
    pair.line("/mir --purge-limit 2").code(3);
    assert_eq!(pair.target(), "a b");
}

#[test]
fn a_purge_from_a_source_without_a_file_is_refused() {
    let pair = Pair::new(&[], &["x"]);
    let refused = pair.line("/mir --purge-limit 100").code(16);
    assert!(refused.stderr.contains("holds no file"), "{}", refused.stderr);
    assert_eq!(pair.target(), "x");
}

#[test]
fn a_purge_that_would_take_nothing_away_is_not_judged() {
    let pair = Pair::new(&[], &[]);
    pair.line("/mir").code(0);
    pair.file("old", "a", "1h");
    pair.line("/mir").code(1);
    assert!(!pair.0.path("new.movebook-quarantine").exists());
}

#[test]
fn a_log_that_the_purge_would_take_away_is_refused() {
    let pair = Pair::new(&["a"], &[]);
    pair.line(&format!("/mir /log:{}", pair.0.path("new/log.txt").display()))
        .code(16)
        .says("lies in the target");
    assert_eq!(pair.target(), "");
    pair.line(&format!("/e /log:{}", pair.0.path("new/log.txt").display())).code(3);
}

/// Who runs it at night reads the log in the morning.
#[test]
fn why_a_line_was_refused_is_in_its_log() {
    let pair = Pair::new(&["a"], &[]);
    let [old, inside, log] =
        ["old", "old/in", "log.txt"].map(|name| pair.0.path(name).to_str().unwrap().to_owned());
    pair.0.movebook(&["robocopy", &old, &inside, &format!("/log:{log}")]).code(16).says("lies inside");
    let told = pair.0.text("log.txt");
    assert!(told.contains("Source") && told.contains("ERROR : ") && told.contains("lies inside"), "{told}");
}

#[test]
fn a_file_that_is_written_in_a_purged_target_is_refused_whatever_its_spelling() {
    let pair = Pair::new(&["a"], &[]);
    pair.line("/mir /log:old/../new/log.txt").code(16).says("lies in the target");
    pair.line("/mir /save:new/job").code(16).says("lies in the target");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(pair.0.path("new"), pair.0.path("link")).unwrap();
        pair.line("/mir /log:link/log.txt").code(16).says("lies in the target");
    }
    assert_eq!(pair.target(), "");
}

#[test]
fn a_job_file_is_kept_only_of_a_line_that_is_carried_out() {
    let pair = Pair::new(&["a"], &[]);
    pair.0.movebook(&["robocopy", "old", "old/in", "/save:job"]).code(16);
    assert!(!pair.0.path("job.rcj").exists());
    pair.line("/save:job").code(1);
    assert!(pair.0.path("job.rcj").exists());
}

#[test]
fn a_list_says_that_the_line_would_be_refused() {
    let pair = Pair::new(&[], &["x", "y"]);
    pair.line("/mir /l").code(2).says("Without /L this line would be refused").says("holds no file");
    pair.file("old", "a", "1h");
    pair.line("/mir /l").code(3).says("add `--purge-limit 2`");
    pair.line("/mir /l --purge-limit 2").code(3).never_says("would be refused");
    pair.line("/e /l").code(3).never_says("would be refused");
}

#[test]
fn a_purge_that_does_not_end_says_where_what_has_gone_is() {
    let pair = Pair::new(&["a"], &["x"]);
    // A file stands where the quarantine is to be.
    pair.0.write("new.movebook-quarantine", "");
    let ended = pair.line("/mir --purge-limit 1").code(16);
    assert!(ended.stderr.contains("what was taken away by then is in "), "{}", ended.stderr);
    assert!(ended.stderr.contains("new.movebook-quarantine"), "{}", ended.stderr);
    assert!(ended.stdout.contains("New File"), "what was copied is told: {}", ended.stdout);
    assert_eq!(pair.target(), "a x");
}

#[test]
fn a_path_of_the_target_is_kept_out_of_the_purge() {
    let pair = Pair::new(&["a"], &["a", "keep/x", "y"]);
    let keep = pair.0.path("new/keep").display().to_string();
    pair.line(&format!("/mir --purge-limit 1 /xd {keep}")).code(2);
    assert_eq!(pair.target(), "a keep keep/x");
    pair.file("old", "keep/x", "1h");
    pair.line(&format!("/mir /xd {keep}")).code(16).says("the source has it, too");
    let too = pair.0.path("old/keep").display().to_string();
    pair.line(&format!("/mir /xd {keep} {too}")).code(0);
}

#[test]
fn a_directory_over_a_file_is_a_mismatch_of_directories() {
    let pair = Pair::new(&["a", "m/b"], &["m"]);
    let told = pair.line("/e").code(4 | 1);
    assert_eq!((row(&told, "Dirs")[3], row(&told, "Files")[3..5].to_vec()), (1, vec![0, 0]));
    assert!(told.stdout.contains("*Mismatch"), "{}", told.stdout);
}

#[test]
fn a_purge_after_an_error_is_not_done_and_the_code_is_that_of_the_pass() {
    let pair = Pair::new(&["a", "clash"], &["x"]);
    fs::create_dir(pair.0.path("new/clash")).unwrap();
    let ended = pair.line("/mir --purge-limit 100").code(16);
    assert!(ended.stderr.contains("nothing was purged"), "{}", ended.stderr);
    assert_eq!(pair.target(), "a clash x");
}

#[test]
fn a_stray_blank_is_recognised_for_what_it_is() {
    let pair = Pair::new(&["a"], &[]);
    let old = pair.0.path("old").to_str().unwrap().to_owned();
    let above = format!("{}{}", pair.0.root().to_str().unwrap(), std::path::MAIN_SEPARATOR);
    let refused = pair.0.movebook(&["robocopy", &old, &above, "MailArchive", "/mir"]).code(16);
    assert!(refused.stderr.contains("is two words"), "{}", refused.stderr);
    assert!(refused.stderr.contains(&format!("\"{above}MailArchive\"")), "{}", refused.stderr);
    assert_eq!(names(&pair.0, "old"), "a");
}

#[test]
fn a_stray_blank_is_recognised_whatever_stands_behind_it() {
    let pair = Pair::new(&["d/a.dat"], &[]);
    pair.0.write("data/other.dat", "of a stranger");
    let line = ["robocopy", "old", "data/", "MailArchive", "*.dat", "/s", "/purge", "--purge-limit", "9"];
    pair.0.movebook(&line).code(16).says("is two words");
    assert_eq!(names(&pair.0, "data"), "other.dat");
    let root = if cfg!(windows) { r"C:\" } else { "/" };
    pair.0.movebook(&["robocopy", "old", root, "Mail.v2", "*.dat"]).code(16).says("is two words");
}

#[test]
fn a_pattern_that_names_no_file_is_told() {
    let pair = Pair::new(&["a", "d/B"], &[]);
    let said = "No file of the source is named `Archive`";
    pair.line("Archive").code(0).says(said);
    pair.line("Archive *").says(said);
    pair.line("b /s").code(1).never_says("No file of the source");
    pair.line("b").says("named `b`");
}

#[test]
fn roots_and_folders_in_each_other_are_no_targets() {
    let pair = Pair::new(&["a"], &[]);
    let old = pair.0.path("old").to_str().unwrap().to_owned();
    let root = if cfg!(windows) { r"C:\" } else { "/" };
    for (target, said) in [
        (root.to_owned(), "is the root"),
        (old.clone(), "are the same folder"),
        (format!("{old}/in"), "lies inside"),
    ] {
        let refused = pair.0.movebook(&["robocopy", &old, &target, "/e"]).code(16);
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
    assert_eq!(names(&pair.0, "old"), "a");
}

/// Links are on the list, and are no files of the target.
#[cfg(unix)]
#[test]
fn a_limit_that_is_given_is_one_of_number_alone() {
    let pair = Pair::new(&["a"], &["x"]);
    for link in ["l", "m", "n"] {
        std::os::unix::fs::symlink("x", pair.0.path("new").join(link)).unwrap();
    }
    pair.file("old", "b", "1h");
    fs::remove_file(pair.0.path("old/a")).unwrap();
    let refused = pair.line("/mir --purge-limit 1").code(16);
    assert!(refused.stderr.contains("its limit of 1 file"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--purge-limit 4"), "{}", refused.stderr);
    pair.line("/mir --purge-limit 4").code(3);
    assert_eq!(pair.target(), "b");
}

#[cfg(unix)]
#[test]
fn ctrl_c_in_the_purge_says_where_what_has_gone_is() {
    let scene = Scene::new().file("old/a", "a").tree("new", 1500);
    let [old, new] = ["old", "new"].map(|side| scene.path(side).to_str().unwrap().to_owned());
    let line = ["robocopy", &old, &new, "/mir", "--purge-limit", "9000", "/nfl", "/ndl"];
    let quarantine = scene.path("new.movebook-quarantine");
    let running = common::Running::start(scene.command(&line));
    let first = SystemTime::now();
    while !quarantine.exists() && first.elapsed().unwrap() < common::PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
    running.interrupt();
    let ended = running.ended_within(common::PATIENCE);
    assert_eq!(ended.code, 130, "{}", ended.all());
    let folder = quarantine.to_str().unwrap();
    assert!(
        ended.stderr.contains("interrupted in the purge") && ended.stderr.contains(folder),
        "{}",
        ended.all()
    );
}
