//! The account of a pass: every file is in one bucket, by name, and the sums are those of an independent listing.
#![cfg(unix)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{Scene, tree};
use filetime::FileTime;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

const STATE: &str = "scene.state.jsonl";

const PASS: &str = "
filters:
  some: {exclude: ['*.tmp'], exclude_directories: [cache], max_size: 50B}
phases:
  - id: only
    steps:
      - {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new', filter: some, directories: all, errors: tolerate, adopt: true, purge: {max_files: 1000, max_percent: 100}}}
      - {id: behind, checkpoint: {ask: On?}}
";

/// Bucket and bytes by path: what the account says, or what a listing does.
type Names = BTreeMap<String, (String, u64)>;

/// Trees by chance, small enough to be looked at and with everything that a pass can meet.
struct Trees<'a> {
    scene: &'a Scene,
    random: StdRng,
}

impl Trees<'_> {
    fn make(&mut self, blocked: usize) {
        for folder in ["", "a", "a/b", "cache", "a/cache", "c d"] {
            for side in ["old", "new"] {
                fs::create_dir_all(self.scene.path(side).join(folder)).unwrap();
            }
            for number in 0..self.random.random_range(3..12) {
                let name = ["one.dat", "two.tmp", "ü.dat", "line\nbreak"][self.random.random_range(0..4)];
                self.entry(format!("{folder}/{number}-{name}").trim_start_matches('/'));
            }
        }
        for number in 0..blocked {
            fs::write(self.scene.path(&format!("old/a/blocked-{number}")), "12345").unwrap();
            fs::create_dir(self.scene.path(&format!("new/a/blocked-{number}"))).unwrap();
        }
        symlink("nowhere", self.scene.path("old/a/link")).unwrap();
        symlink("nowhere", self.scene.path("new/a/extra-link")).unwrap();
        for pipe in ["old/pipe", "new/a/extra-pipe"] {
            use rustix::fs::{CWD, FileType, Mode};
            rustix::fs::mknodat(CWD, self.scene.path(pipe), FileType::Fifo, Mode::RUSR, 0).unwrap();
        }
        fs::create_dir_all(self.scene.path("new/extra-folder/inner")).unwrap();
        fs::write(self.scene.path("new/extra-folder/inner/file.dat"), "gone").unwrap();
        fs::write(self.scene.path("new/extra-folder/stays.tmp"), "stays").unwrap();
    }

    /// A file on one side or on both, alike or not.
    fn entry(&mut self, name: &str) {
        let size = self.random.random_range(0..80);
        let time = FileTime::from_unix_time(1_000_000, 0);
        let (old, new) = (self.scene.path("old").join(name), self.scene.path("new").join(name));
        let how = self.random.random_range(0..4);
        if how != 0 {
            fs::write(&old, vec![b'o'; size]).unwrap();
            filetime::set_file_mtime(&old, time).unwrap();
        }
        if how != 1 {
            fs::write(&new, vec![b'o'; size + usize::from(how == 2)]).unwrap();
            filetime::set_file_mtime(&new, time).unwrap();
        }
    }
}

/// What a pass must make of the trees, by a listing that knows nothing of movebook.
fn expected(old: &Path, new: &Path) -> Names {
    let mut names = Names::new();
    let mut walk = walkdir::WalkDir::new(old).min_depth(1).into_iter();
    while let Some(entry) = walk.next() {
        let entry = entry.unwrap();
        let there = new.join(entry.path().strip_prefix(old).unwrap()).symlink_metadata().ok();
        let here = entry.path().symlink_metadata().unwrap();
        let name = shown(entry.path().strip_prefix(old).unwrap());
        if here.is_dir() {
            if entry.file_name() == "cache" {
                names.insert(name + "/", ("filtered exclude_directories".into(), 0));
                walk.skip_current_dir();
            }
            continue;
        }
        let (bucket, bytes) = if here.is_symlink() {
            ("skipped_links", 0)
        } else if !here.is_file() {
            ("skipped_special", 0)
        } else if name.ends_with(".tmp") {
            ("filtered exclude", here.len())
        } else if here.len() > 50 {
            ("filtered max_size", here.len())
        } else {
            let bucket = match there {
                None => "new",
                Some(there) if there.is_dir() => "failed",
                Some(there) if there.len() == here.len() => "same",
                Some(_) => "changed",
            };
            (bucket, here.len())
        };
        names.insert(name, (bucket.into(), bytes));
    }
    for entry in walkdir::WalkDir::new(new).min_depth(1) {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(new).unwrap();
        let is = entry.path().symlink_metadata().unwrap();
        // No pass looks into a folder that the filter leaves out on both sides.
        let unseen =
            path.ancestors().skip(1).any(|above| above.ends_with("cache") && old.join(above).is_dir());
        if is.is_dir() || unseen || old.join(path).symlink_metadata().is_ok() {
            continue;
        }
        let stays = path.to_str().unwrap().ends_with(".tmp") || is.is_file() && is.len() > 50;
        let rule = if path.to_str().unwrap().ends_with(".tmp") { "exclude" } else { "max_size" };
        let bytes = if is.is_file() { is.len() } else { 0 };
        let bucket = if stays { format!("extra_filtered {rule}") } else { "extra".into() };
        names.insert(shown(path), (bucket, bytes));
    }
    names
}

fn shown(path: &Path) -> String {
    path.to_str().unwrap().replace('\n', "\\x0A")
}

/// The names as the account lists them, and the folders that a purge took away left out.
fn listed(scene: &Scene, bucket: &str) -> Names {
    let ended = scene.movebook(&["account", STATE, "pass", "--list", bucket, "--format", "json"]).code(0);
    let mut names = Names::new();
    for line in ended.events().iter().filter(|line| line["kind"] != "directory") {
        assert_eq!(line["step"], "pass");
        let mut bucket = line["bucket"].as_str().unwrap().to_owned();
        if let Some(rule) = line["rule"].as_str() {
            bucket = format!("{bucket} {rule}");
        }
        let path = line["path"].as_str().unwrap().to_owned();
        let bytes = line["bytes"].as_u64().unwrap();
        assert_eq!(names.insert(path, (bucket, bytes)), None, "{line} is in two buckets");
    }
    names
}

fn sums(scene: &Scene) -> Value {
    scene.movebook(&["account", STATE, "pass", "--format", "json"]).code(0).json()[0].clone()
}

/// Runs the pass, whose target is taken over.
fn pass(scene: &Scene) {
    scene.run(&[]).code(3).says("is not empty");
    scene.approve("pass", &["--answer", "adopt"]).code(0);
    scene.run(&[]).code(3).says("behind");
}

fn tally(names: &Names, bucket: &str) -> (u64, u64) {
    let of = names.values().filter(|(is, _)| is.split(' ').next() == Some(bucket));
    of.fold((0, 0), |(files, bytes), (_, more)| (files + 1, bytes + more))
}

#[test]
fn every_name_is_in_one_bucket_and_the_sums_are_those_of_a_listing() {
    let first: u64 =
        std::env::var("MOVEBOOK_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    for seed in (0..10).map(|number| first.wrapping_add(number)) {
        println!("MOVEBOOK_SEED={seed}");
        let scene = Scene::new().runbook(PASS);
        // A pass with errors purges nothing: both ways are gone.
        let blocked = usize::from(seed % 2 == 0) * 2;
        Trees { scene: &scene, random: StdRng::seed_from_u64(seed) }.make(blocked);
        let mut expected = expected(&scene.path("old"), &scene.path("new"));
        let extra = if blocked > 0 { "kept" } else { "purged" };
        for (bucket, _) in expected.values_mut().filter(|(bucket, _)| bucket == "extra") {
            *bucket = extra.to_owned();
        }
        pass(&scene);

        let said = sums(&scene);
        assert_eq!((&said["status"], &said["names"]), (&"over".into(), &"whole".into()));
        let sums = &said["sums"];
        for bucket in ["new", "changed", "same", "failed", "purged", "kept", "extra_filtered"] {
            let (files, bytes) = tally(&expected, bucket);
            assert_eq!(
                (&sums[bucket]["files"], &sums[bucket]["bytes"]),
                (&files.into(), &bytes.into()),
                "{bucket}"
            );
        }
        for bucket in ["skipped_links", "skipped_special", "links_copied", "vanished"] {
            assert_eq!(sums[bucket], tally(&expected, bucket).0, "{bucket}");
        }
        for (rule, tally) in sums["filtered"].as_object().unwrap() {
            let of = expected.values().filter(|(bucket, _)| *bucket == format!("filtered {rule}"));
            assert_eq!(tally["files"], of.count() as u64, "{rule}");
        }
        // The whole of the source, and the whole of what only the target had.
        let all: u64 = ["new", "changed", "same", "failed", "skipped_links", "skipped_special", "filtered"]
            .map(|bucket| tally(&expected, bucket).0)
            .iter()
            .sum();
        let only_target: u64 =
            ["purged", "kept", "extra_filtered"].map(|bucket| tally(&expected, bucket).0).iter().sum();
        assert_eq!(all + only_target, expected.len() as u64);

        let named: Names = expected
            .iter()
            .filter(|(_, (is, _))| is != "same")
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        assert_eq!(listed(&scene, "all"), named);
        let extras: Names = named
            .into_iter()
            .filter(|(_, (is, _))| is == extra || is.starts_with("extra_filtered"))
            .collect();
        assert!(extras.contains_key("a/extra-link") && extras.contains_key("extra-folder/stays.tmp"));
        assert_eq!(listed(&scene, "extra"), extras);
        // And what the account says of the target is so.
        for (name, (bucket, _)) in &extras {
            let path = scene.path("new").join(name.replace("\\x0A", "\n"));
            assert_eq!(path.symlink_metadata().is_err(), bucket == "purged", "{name} {bucket}");
        }
    }
}

#[test]
fn a_failed_file_is_listed_with_class_attempts_and_last_error() {
    let scene = Scene::new()
        .steps("- {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new'}}")
        .file("old/blocked.dat", "12345")
        .file("new/blocked.dat/in-the-way", "");
    scene.run(&[]).code(1);
    let line = scene.movebook(&["account", STATE, "--list", "failed", "--format", "json"]).code(0).json();
    assert_eq!((&line["path"], &line["bytes"]), (&"blocked.dat".into(), &5.into()));
    assert_eq!((&line["class"], &line["attempts"]), (&"permanent".into(), &1.into()));
    assert!(line["error"].as_str().unwrap().contains("move that out of the way"), "{line}");
    scene.movebook(&["account", STATE, "--list", "failed"]).code(0).says("(permanent, 1 attempt)");
}

#[test]
fn a_file_that_vanishes_while_it_waits_for_its_retry_is_named() {
    use movebook::cancel::Cancel;
    use movebook::copy::account::{Bucket, FORMAT, Head, Line, Names, Reader, Writer};
    use movebook::copy::native::Native;

    use movebook::copy::{
        Compare, CopyPass, Directories, Engine, Extras, Links, OnErrors, Preserve, Priority, Progress, Watch,
    };

    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    fs::create_dir(&from).unwrap();
    let doomed = from.join("doomed");
    let mut file = fs::File::create(&doomed).unwrap();
    let started = jiff::Timestamp::now();
    let names = folder.path().join("account/pass.jsonl");
    let head = Head {
        account: FORMAT,
        run: "r".into(),
        step: "pass".into(),
        attempt: 1,
        started,
        from: String::new(),
        to: String::new(),
    };
    let writer = Writer::begin(&names, &head);
    let (waits, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            // It grows while it is read, which is tried again later; and then it is gone.
            while !waits.load(Ordering::Relaxed) && !over.load(Ordering::Relaxed) {
                file.write_all(&[b'x'; 4096]).unwrap();
            }
            fs::remove_file(&doomed).unwrap();
        });
        let pass = CopyPass {
            from: from.clone(),
            to,
            filter: movebook::filter::Filter::everything(),
            started,
            directories: Directories::All,
            errors: OnErrors::Tolerate,
            retries: 1000,
            wait: Duration::from_millis(300),
            threads: 2,
            compare: Compare::Metadata,
            mtime_tolerance: None,
            links: Links::Skip,
            preserve: Preserve::NOTHING_MORE,
            bandwidth: None,
            priority: Priority::Normal,
            resume_over: CopyPass::RESUME_OVER,
            distrust: None,
            extras: Extras::Keep,
        };
        let progress = |progress: Progress| waits.store(progress.retrying > 0, Ordering::Relaxed);
        let watch = Watch { progress: &progress, cancel: &Cancel::new(), account: Some(&writer) };
        let outcome = Native.copy(&pass, &watch);
        over.store(true, Ordering::Relaxed);
        outcome.unwrap()
    });
    if outcome.summary.new.files == 1 {
        println!("not proven here: the file was copied between two writes");
        return;
    }
    assert_eq!(outcome.summary.vanished, 1);
    assert!(matches!(writer.finish(&outcome.summary).0, Names::Kept(_)));
    let first = Reader::open(&names).unwrap().next().unwrap().unwrap();
    let Line::Entry(entry) = first else { panic!("{first:?}") };
    assert_eq!((entry.bucket, entry.path.as_str()), (Bucket::Vanished, "doomed"));
    assert!(entry.attempts > Some(1), "{entry:?}");
}

/// Two passes with a checkpoint between them.
fn two_passes() -> Scene {
    Scene::new()
        .steps(
            "
- {id: first, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
- {id: gate, checkpoint: {ask: On?}}
- {id: second, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
",
        )
        .tree("old", 40)
}

#[test]
fn without_a_step_all_passes_are_shown() {
    let scene = two_passes();
    scene.run(&[]).code(3);
    scene.movebook(&["account", STATE]).code(0).says("first over").says("second no pass yet");
    scene.write("old/more.dat", "more");
    scene.approve("gate", &[]).code(0);
    scene.run(&[]).code(0);
    let said = scene.movebook(&["account", STATE, "--format", "json"]).code(0).json();
    let steps: Vec<_> = said.as_array().unwrap().iter().map(|pass| pass["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["first", "second"]);
    let lists = scene.movebook(&["account", STATE, "--list", "new"]).code(0);
    assert_eq!(lists.stdout.lines().filter(|line| line.starts_with("first ")).count(), 40);
    assert_eq!(lists.stdout.lines().filter(|line| line.starts_with("second ")).count(), 1);
}

#[test]
fn what_is_the_same_is_counted_and_where_its_names_are_is_said() {
    let scene = two_passes();
    scene.run(&[]).code(3);
    scene.movebook(&["account", STATE, "first", "--list", "same"]).code(2).says("manifest");
}

#[test]
fn a_step_that_is_no_pass_has_no_account() {
    let scene = two_passes();
    scene.run(&[]).code(3);
    scene.movebook(&["account", STATE, "gate"]).code(2).says("no copy step").says("first, second");
    scene.movebook(&["account", STATE, "frist"]).code(2).says("no step `frist`");
}

#[test]
fn the_names_are_for_their_owner_alone() {
    let scene = two_passes();
    scene.run(&[]).code(3);
    let mode = |name: &str| fs::metadata(scene.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("scene.state.jsonl.account"), 0o700);
    assert_eq!(mode("scene.state.jsonl.account/first.jsonl"), 0o600);
}

#[test]
fn a_plan_writes_no_names() {
    let scene = two_passes();
    scene.plan(&[]).code(0);
    assert!(!scene.names().iter().any(|name| name.contains("account")));
}

#[test]
fn a_pass_that_is_done_again_replaces_all_names_of_the_one_before() {
    let scene = Scene::new()
        .steps("- {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new'}}")
        .tree("old", 20)
        .file("old/blocked.dat", "its content")
        .file("new/blocked.dat/in-the-way", "");
    scene.run(&[]).code(1);
    assert_eq!(listed(&scene, "new").len(), 20);
    fs::remove_dir_all(scene.path("new/blocked.dat")).unwrap();
    scene.run(&[]).code(0);
    assert_eq!(listed(&scene, "all").keys().collect::<Vec<_>>(), ["blocked.dat"]);
}

#[test]
fn the_names_of_a_pass_that_was_killed_are_said_to_be_unfinished() {
    let scene = Scene::new().steps("- {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new'}}");
    tree::many_names(&scene.path("old"), 60_000, 100);
    let mut running = scene.begin(&[]);
    running.until("step_progress", "pass");
    running.kill();
    scene.movebook(&["account", STATE, "pass"]).code(0).says("unfinished");
    let some = scene.movebook(&["account", STATE, "pass", "--list", "new"]).code(0);
    assert!(some.stderr.contains("the pass is not over"), "{}", some.stderr);
    assert!(some.stdout.lines().count() < 60_000);
    scene.resume(&[]).code(0);
    assert_eq!(sums(&scene)["status"], "over");
    // The second pass found what the first one had copied, and its names are its own.
    let new = sums(&scene)["sums"]["new"]["files"].as_u64().unwrap();
    assert_eq!(listed(&scene, "all").len() as u64, new);
}

#[test]
fn a_pass_whose_purge_is_asked_about_has_its_sums_and_is_said_to_wait() {
    let scene = Scene::new()
        .steps(
            "
- {id: early, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
- {id: gate, checkpoint: {ask: On?}}
- {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new', purge: {max_files: 1, max_percent: 100}}}
",
        )
        .tree("old", 40);
    scene.run(&[]).code(3);
    for number in 0..2 {
        fs::remove_file(scene.path(&format!("old/00/file-{number}.dat"))).unwrap();
    }
    scene.approve("gate", &[]).code(0);
    scene.run(&[]).code(3).says("more than its limits of 1 file or 100 %");
    let said = scene.movebook(&["account", STATE, "pass"]).code(0).says("pass waiting for an answer");
    let seen = said.stdout.lines().find(|line| line.contains("seen in the source")).unwrap();
    assert!(seen.contains(" 38 "), "{}", said.stdout);
    assert!(
        said.stdout.lines().any(|line| line.contains("the same") && line.contains(" 38 ")),
        "{}",
        said.stdout
    );
    let json = scene.movebook(&["account", STATE, "pass", "--format", "json"]).code(0).json();
    assert_eq!((&json[0]["status"], &json[0]["sums"]["same"]["files"]), (&"waiting".into(), &38.into()));
}

#[test]
fn what_a_killed_purge_deleted_is_still_listed_when_the_step_is_done() {
    let scene = Scene::new().steps(
        "
- {id: early, copy: {from: 'ROOT/old', to: 'ROOT/new'}}
- {id: gate, checkpoint: {ask: On?}}
- {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new', purge: {max_files: 90000, max_percent: 100, keep: none}}}
",
    );
    tree::many_names(&scene.path("old/gone"), 30_000, 10);
    scene.write("old/stays.dat", "stays");
    scene.run(&[]).code(3);
    fs::remove_dir_all(scene.path("old/gone")).unwrap();
    scene.approve("gate", &[]).code(0);
    let file = scene.path("scene.state.jsonl.account/pass.deleting-1.jsonl");
    let running = scene.begin(&[]);
    let end = std::time::Instant::now() + common::PATIENCE;
    while !file.exists() && std::time::Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    running.kill();
    scene.run(&[]).code(0);
    assert!(file.exists(), "the list of the first attempt stays");
    if scene.journal().count("step_started", "pass") < 2 {
        println!("not proven here: the purge was over before it was killed");
        return;
    }
    scene
        .movebook(&["account", STATE, "pass"])
        .code(0)
        .says("attempt 1 deleted for good")
        .says("pass.deleting-1.jsonl");
    let listed = fs::read_to_string(&file).unwrap().lines().filter(|line| line.contains("\"file\"")).count();
    let deleted_later =
        scene.movebook(&["account", STATE, "pass", "--list", "purged"]).code(0).stdout.lines().count();
    // A kill while the list is written leaves it cut, with nothing deleted by then.
    assert!(listed == 30_000 || deleted_later >= 30_000, "{listed} listed, {deleted_later} deleted later");
}

#[test]
fn a_file_that_is_not_that_of_the_run_is_told_and_not_listed() {
    let scene = two_passes();
    scene.run(&[]).code(3);
    let file = scene.path("scene.state.jsonl.account/first.jsonl");
    let whole = fs::read(&file).unwrap();
    let list = || scene.movebook(&["account", STATE, "first", "--list", "new"]);
    list().code(0);
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    list().code(6).says("it was cut").says("help: ");
    fs::write(&file, String::from_utf8(whole.clone()).unwrap().replace("file-3.dat", "file-X.dat")).unwrap();
    list().code(6).says("changed after the pass");
    fs::write(&file, "{}\n").unwrap();
    list().code(6).says("line 1 is no line of an account");
    fs::remove_file(&file).unwrap();
    list().code(2).says("their file is gone").says("first.jsonl");
    scene.movebook(&["account", STATE, "first"]).code(0).says("new").says("their file is gone");

    let other = two_passes();
    other.run(&[]).code(3);
    fs::copy(other.path("scene.state.jsonl.account/first.jsonl"), &file).unwrap();
    list().code(6).says("it is that of step first of run");
}

#[test]
fn names_that_cannot_be_written_lose_nothing_but_themselves() {
    let scene = two_passes().file("scene.state.jsonl.account", "in the way");
    scene.run(&[]).code(3).says("the names of this pass are not kept");
    tree::assert_equal(&scene.path("old"), &scene.path("new"));
    scene.movebook(&["account", STATE, "first"]).code(0).says("40").says("they were not kept");
    scene.movebook(&["account", STATE, "first", "--list", "new"]).code(1).says("not kept");
    assert_eq!(scene.text("scene.state.jsonl.account"), "in the way");
}

/// The most memory that a process has had so far, in KiB, as Linux tells it.
fn peak(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
fn the_memory_of_a_long_list_is_that_of_a_short_one() {
    const NAMES: usize = 300_000;
    let measure = |names: usize| {
        let scene = Scene::new().runbook(
            "
filters:
  none: {exclude: ['*.dat']}
phases:
  - id: only
    steps:
      - {id: pass, copy: {from: 'ROOT/old', to: 'ROOT/new', filter: none}}
      - {id: look, command: {shell: 'grep VmHWM /proc/$PPID/status > ROOT/peak || true'}}
",
        );
        for folder in 0..100 {
            tree::many_names(&scene.path(&format!("old/{folder}")), names / 100, 10);
        }
        scene.run(&[]).code(0);
        let written =
            scene.text("peak").split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse().ok());
        let mut command = scene.command(&["account", STATE, "pass", "--list", "filtered"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Once all but a few names have come, the process is waiting to write the last of them.
        let before = lines.by_ref().take(names - 2000).filter(|line| line.is_ok()).count();
        let listed = peak(child.id());
        assert_eq!(before + lines.count(), names);
        assert!(child.wait().unwrap().success());
        Some([written?, listed?])
    };
    let (Some(short), Some(long)) = (measure(NAMES / 50), measure(NAMES)) else {
        println!("not proven here: this system does not tell a process's peak memory");
        return;
    };
    // The process that wrote the names, as its own child saw it behind the pass; and the one that listed them.
    for (what, short, long, more) in
        [("writing", short[0], long[0], 8192_u64), ("listing", short[1], long[1], 2048)]
    {
        println!("{what}: peak {short} KiB for {} names, {long} KiB for {NAMES}", NAMES / 50);
        assert!(long < short + more, "{what}: {short} KiB for few names, {long} KiB for many");
    }
}
