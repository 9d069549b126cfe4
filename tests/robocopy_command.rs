//! `movebook robocopy`: robocopy's command line on real trees, its guards, what it tells, and its exit codes.
//!
//! In these tests it stands in for `robocopy.exe`, which is on Windows alone.

mod common;
#[path = "robocopy_command/guards.rs"]
mod guards;

use std::fs;
use std::time::{Duration, SystemTime};

use common::running::Ended;
use common::{Scene, tree};
use filetime::FileTime;

/// A source and a target in a scene, and lines over them.
struct Pair(Scene);

impl Pair {
    fn new(source: &[&str], target: &[&str]) -> Self {
        let pair = Self(Scene::new().folder("old").folder("new"));
        source.iter().for_each(|name| pair.file("old", name, "1h"));
        target.iter().for_each(|name| pair.file("new", name, "1h"));
        pair
    }

    /// A file that holds its own name, last changed so long ago.
    fn file(&self, side: &str, name: &str, age: &str) {
        let path = format!("{side}/{name}");
        self.0.write(&path, name);
        let age = movebook::values::duration(age).unwrap();
        // The same moment on both sides.
        let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(now() / 60 * 60) - age;
        filetime::set_file_mtime(self.0.path(&path), FileTime::from_system_time(moment)).unwrap();
    }

    /// `movebook robocopy OLD NEW` with these words.
    #[track_caller]
    fn line(&self, words: &str) -> Ended {
        let [old, new] = ["old", "new"].map(|side| self.0.path(side).to_str().unwrap().to_owned());
        let mut arguments = vec!["robocopy", &old, &new];
        arguments.extend(words.split_whitespace());
        self.0.movebook(&arguments)
    }

    /// The target's files and folders.
    fn target(&self) -> String {
        names(&self.0, "new")
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn names(scene: &Scene, folder: &str) -> String {
    let names: Vec<String> =
        tree::contents(&scene.path(folder)).into_keys().map(|name| name.replace('\\', "/")).collect();
    names.join(" ")
}

/// The numbers of a row of the summary, by their places.
#[track_caller]
fn row(ended: &Ended, name: &str) -> Vec<u64> {
    // The header has lines of these names too.
    let line = ended.stdout.lines().rfind(|line| line.trim_start().starts_with(name)).unwrap_or_else(|| {
        panic!("no row {name} in:\n{}", ended.stdout);
    });
    let (_, numbers) = line.split_once(" :").unwrap();
    numbers.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

#[test]
fn the_published_lines_run_as_they_stand() {
    let pair = Pair::new(&[], &[]);
    for (name, age) in [
        ("MailStoreMaster.fdb", "1h"),
        ("2024-01/a.dat", "30d"),
        ("2024-01/b.DAT", "1h"),
        ("2024-01/index1.dat", "30d"),
        ("2024-01/a.rr", "30d"),
        ("2024-02/MailStoreFileGroup.fdb", "30d"),
    ] {
        pair.file("old", name, age);
    }
    fs::create_dir(pair.0.path("old/2024-03")).unwrap();
    let content = "2024-01 2024-01/a.dat";
    let settled = "2024-01 2024-01/a.dat 2024-01/a.rr 2024-01/index1.dat";
    let caught_up = "2024-01 2024-01/a.dat 2024-01/a.rr 2024-01/b.DAT 2024-01/index1.dat";

    pair.line("*.dat /xf index* /s /r:2 /w:2 /minage:1").code(1);
    assert_eq!(pair.target(), content);
    pair.line("/xf *.fdb /s /r:2 /w:2 /minage:1").code(1);
    assert_eq!(pair.target(), settled);
    pair.line("/xf *.fdb /s /r:2 /w:2").code(1);
    assert_eq!(pair.target(), caught_up);
    pair.line("/e /purge /r:2 /w:2").code(1);
    tree::assert_equal(&pair.0.path("old"), &pair.0.path("new"));
    pair.line("/e /purge /r:2 /w:2").code(0);
}

#[test]
fn minage_is_24_hours_to_the_second() {
    let pair = Pair::new(&[], &[]);
    for (name, seconds) in [("older.dat", 24 * 3600 + 30), ("younger.dat", 24 * 3600 - 30)] {
        pair.0.write(&format!("old/{name}"), name);
        let moment = SystemTime::now() - Duration::from_secs(seconds);
        filetime::set_file_mtime(pair.0.path("old").join(name), FileTime::from_system_time(moment)).unwrap();
    }
    pair.line("/minage:1").code(1);
    assert_eq!(pair.target(), "older.dat");
}

#[test]
fn a_date_stands_for_the_beginning_of_its_day() {
    let pair = Pair::new(&[], &[]);
    pair.file("old", "young", "1h");
    pair.file("old", "old", "30d");
    pair.line("/maxage:20010101 /minage:20010101").code(0);
    pair.line("/maxage:20010101").code(1);
    assert_eq!(pair.target(), "old young");
}

#[test]
fn a_list_pass_lists_and_changes_nothing() {
    let pair = Pair::new(&["a", "d/b"], &["x"]);
    let before = tree::fingerprint(pair.0.root());
    let listed = pair.line("/mir /l /bytes").code(3);
    assert_eq!(tree::fingerprint(pair.0.root()), before);
    assert!(listed.stdout.contains("New File\t         1\ta\n"), "{}", listed.stdout);
    assert!(listed.stdout.contains("New File\t         3\td/b\n"), "{}", listed.stdout);
    assert!(listed.stdout.contains("*EXTRA File\t         1\tx\n"), "{}", listed.stdout);
    assert_eq!(row(&listed, "Files"), [2, 2, 0, 0, 0, 1]);
}

#[test]
fn exit_codes_are_a_bit_each() {
    let pair = Pair::new(&["a", "same"], &["same"]);
    pair.line("").code(1);
    pair.line("").code(0);
    pair.file("new", "extra", "1h");
    pair.line("").code(2);
    pair.line("/xx").code(0);
    pair.file("old", "b", "1h");
    pair.line("").code(3);
    pair.file("old", "clash", "1h");
    fs::create_dir(pair.0.path("new/clash")).unwrap();
    let mismatched = pair.line("/bytes").code(4 | 2);
    assert_eq!(row(&mismatched, "Files"), [4, 0, 3, 1, 0, 1]);
    assert!(mismatched.stdout.contains("*Mismatch\t         5\tclash\n"), "{}", mismatched.stdout);
}

#[test]
fn the_summary_adds_up_by_position() {
    let pair =
        Pair::new(&["a.dat", "b.dat", "d/c.dat", "index.dat", "d/no.txt"], &["a.dat", "x.dat", "y.txt"]);
    let told = pair.line("*.dat /s /xf index* /bytes").code(3);
    assert_eq!(row(&told, "Files"), [4, 2, 2, 0, 0, 1]);
    assert_eq!(row(&told, "Bytes"), [5 + 5 + 7 + 9, 5 + 7, 5 + 9, 0, 0, 5]);
    assert_eq!(row(&told, "Dirs"), [2, 1, 1, 0, 0, 0]);
}

#[test]
fn a_path_that_is_not_absolute_is_taken_from_here() {
    let pair = Pair::new(&["a"], &[]);
    pair.0.movebook(&["robocopy", "old", "new"]).code(1);
    assert_eq!(pair.target(), "a");
}

#[test]
fn a_wrong_line_changes_nothing_and_all_that_is_wrong_is_told() {
    let pair = Pair::new(&["a"], &[]);
    let wrong = pair.line("/purgee /xo /max:5k").code(16);
    for said in ["did you mean /PURGE?", "`/xo` is not done here", "write 5120"] {
        assert!(wrong.stderr.contains(said), "{said} is not in {}", wrong.stderr);
    }
    assert_eq!(pair.target(), "");
    pair.0.movebook(&["robocopy", "old"]).code(16).says("no target is given");
}

#[test]
fn a_source_that_is_not_there_is_fatal() {
    let pair = Pair::new(&[], &[]);
    fs::remove_dir(pair.0.path("old")).unwrap();
    pair.line("/e").code(16).says("cannot open the source");
}

#[test]
fn a_log_takes_the_place_of_the_console_but_for_tee() {
    let pair = Pair::new(&["a"], &[]);
    let log = pair.0.path("log.txt");
    let line = |words: &str| pair.line(&format!("{words}:{}", log.display()));
    let silent = line("/log").code(1);
    assert!(silent.stdout.contains("Log File") && !silent.stdout.contains("New File"), "{}", silent.stdout);
    assert_eq!(pair.0.text("log.txt").matches("New File").count(), 1);
    pair.file("old", "b", "1h");
    let both = line("/tee /log+").code(1);
    assert!(both.stdout.contains("New File"), "{}", both.stdout);
    assert_eq!(pair.0.text("log.txt").matches("New File").count(), 2);
    line("/log").code(0);
    assert_eq!(pair.0.text("log.txt").matches("New File").count(), 0);
}

#[test]
fn a_unicode_log_is_utf_16_with_one_mark() {
    let pair = Pair::new(&["ü"], &[]);
    let log = pair.0.path("log.txt");
    pair.line(&format!("/unilog:{}", log.display())).code(1);
    pair.line(&format!("/unilog+:{}", log.display())).code(0);
    let bytes = fs::read(&log).unwrap();
    let units: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).unwrap();
    assert!(text.starts_with('\u{feff}') && text.matches('\u{feff}').count() == 1);
    assert!(text.contains("\tü\n"), "{text}");
}

#[test]
fn a_log_that_cannot_be_made_ends_it_before_anything_is_copied() {
    let pair = Pair::new(&["a"], &[]);
    pair.line("/log:nowhere/log.txt").code(16).says("cannot write the log");
    assert_eq!(pair.target(), "");
}

#[test]
fn what_is_told_can_be_left_out() {
    let pair = Pair::new(&["a"], &["x", "d/y"]);
    let all = pair.line("/l /e").code(3).stdout;
    for (words, gone) in [
        ("/njh", "Started"),
        ("/njs", "Total"),
        ("/nfl", "New File"),
        ("/nc", "New File"),
        ("/ndl", "*EXTRA Dir"),
    ] {
        assert!(all.contains(gone), "{all}");
        let told = pair.line(&format!("/l /e {words}")).code(3).stdout;
        assert!(!told.contains(gone), "{words}: {told}");
    }
    assert!(pair.line("/l /fp").stdout.contains(pair.0.path("old/a").to_str().unwrap()));
    let stamped = pair.line("/l /ts").stdout;
    let a = stamped.lines().find(|line| line.ends_with("\ta")).unwrap();
    assert!(a.contains("/") && a.matches(':').count() == 2, "{a}");
    for (words, told) in [("*.txt", 0), ("*.txt /x", 1), ("*.txt /x /xx", 0)] {
        let told_of = pair.line(&format!("/l {words}")).stdout.matches("*EXTRA File").count();
        assert_eq!(told_of, told, "{words}");
    }
    assert!(pair.line("/l /v /xf a").stdout.contains("named"));
}

#[test]
fn what_a_switch_has_nothing_to_act_on_is_said_in_the_header() {
    let pair = Pair::new(&["a"], &[]);
    let told = pair.line("/j /z").code(1).stdout;
    assert!(told.contains("Note : /J: ") && !told.contains("Note : /Z: "), "{told}");
}

#[test]
fn a_job_is_kept_and_taken_up() {
    let pair = Pair::new(&["a.dat", "b.txt", "d/c.dat"], &[]);
    pair.line("*.dat /s /r:1 /save:job /quit").code(0);
    assert_eq!(pair.target(), "", "nothing is copied with /quit");
    assert!(pair.0.text("job.rcj").contains("\t/R:1\t"), "{}", pair.0.text("job.rcj"));
    pair.0.movebook(&["robocopy", "/job:job"]).code(1);
    assert_eq!(pair.target(), "a.dat d d/c.dat");
    pair.0.movebook(&["robocopy", "/job:other"]).code(16).says("cannot read other.rcj");
}

#[test]
fn a_template_gets_its_folders_from_the_line() {
    let pair = Pair::new(&["a", "d/b"], &[]);
    pair.0.movebook(&["robocopy", "/nosd", "/nodd", "/e", "/save:mirror.rcj", "/quit"]).code(0);
    pair.line("/job:mirror.rcj").code(1);
    assert_eq!(pair.target(), "a d d/b");
}

#[test]
fn help_is_printed_however_it_is_asked_for() {
    let scene = Scene::new();
    // Of a line without a word robocopy says that it is wrong, by its code.
    for (ask, code) in [(&["robocopy"][..], 16), (&["robocopy", "/?"], 0), (&["robocopy", "--help"], 0)] {
        let help = scene.movebook(ask).code(code).stdout;
        assert!(
            help.contains("Usage: movebook robocopy SOURCE TARGET") && help.contains("/MINAGE:N"),
            "{help}"
        );
    }
}

#[test]
fn content_is_read_with_is() {
    let pair = Pair::new(&["a"], &["a"]);
    let moment = FileTime::from_unix_time(1_000_000_000, 0);
    fs::write(pair.0.path("new/a"), "b").unwrap();
    for side in ["old", "new"] {
        filetime::set_file_mtime(pair.0.path(side).join("a"), moment).unwrap();
    }
    pair.line("").code(0);
    pair.line("/is").code(1);
    assert_eq!(pair.0.text("new/a"), "a");
}

#[cfg(unix)]
#[test]
fn skipped_links_are_told_unless_they_are_to_be_skipped() {
    let pair = Pair::new(&["a"], &[]);
    std::os::unix::fs::symlink("a", pair.0.path("old/l")).unwrap();
    pair.line("/e").code(1).says("1 link was skipped");
    pair.line("/e /xj").code(0).never_says("skipped:");
    pair.line("/e /xjd").code(0).says("1 link was skipped");
    pair.line("/e /xjd /xjf").code(0).never_says("skipped:");
    pair.line("/e /sl").code(1);
    assert_eq!(fs::read_link(pair.0.path("new/l")).unwrap().to_str(), Some("a"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_and_the_same_line_goes_on() {
    let scene = Scene::new().tree("old", 4000);
    let [old, new] = ["old", "new"].map(|side| scene.path(side).to_str().unwrap().to_owned());
    let line = ["robocopy", &old, &new, "/e", "/mt:1"];
    let running = common::Running::start(scene.command(&line));
    let first = SystemTime::now();
    while !scene.path("new").exists() && first.elapsed().unwrap() < common::PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
    running.interrupt();
    let ended = running.ended_within(common::PATIENCE);
    assert_eq!(ended.code, 130, "{}", ended.all());
    assert!(ended.stderr.contains("the same line goes on"), "{}", ended.stderr);
    scene.movebook(&line).code(1);
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
}

#[cfg(unix)]
#[test]
fn what_cannot_be_copied_is_failed_and_keeps_the_purge_from_being_done() {
    let pair = Pair::new(&["a", "pipe"], &["x"]);
    assert!(std::process::Command::new("mkfifo").arg(pair.0.path("new/pipe")).status().unwrap().success());
    let ended = pair.line("/mir --purge-limit 100 /bytes").code(8 | 2 | 1);
    assert_eq!(row(&ended, "Files"), [2, 1, 0, 0, 1, 1]);
    let pipe = pair.0.path("old/pipe").display().to_string();
    assert!(
        ended.stdout.contains(&format!(" ERROR 1 (0x00000001) Copying File {pipe}\n")),
        "{}",
        ended.stdout
    );
    assert!(ended.stderr.contains("nothing was purged"), "{}", ended.stderr);
    assert!(pair.0.path("new/x").exists());
}

#[cfg(unix)]
#[test]
fn a_person_at_the_terminal_is_shown_the_list_and_asked() {
    for (answer, code, left) in [("n", 16, "a x"), ("y", 3, "a b")] {
        let pair = Pair::new(&["a", "b"], &["a", "x"]);
        let [old, new] = ["old", "new"].map(|side| pair.0.path(side).to_str().unwrap().to_owned());
        let mut screen = common::screen::Screen::of(pair.0.command(&["robocopy", &old, &new, "/mir"]));
        screen.sees("  x").sees("Go ahead?").types(answer).types("\r");
        assert_eq!(screen.code(), code, "{}", screen.contents());
        assert_eq!(pair.target(), left);
    }
}

/// Windows may refuse them.
#[cfg(unix)]
#[test]
fn the_rights_for_backups_are_there_where_nothing_has_to_be_asked_for() {
    let pair = Pair::new(&["a"], &[]);
    pair.line("/b /zb").code(1);
    pair.line("/b").code(0);
}
