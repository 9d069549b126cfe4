//! What a pass does to a target, beside the robocopy switches that it stands for.
//!
//! Each row is done twice by the real program, over a source and a target written as one line each: as a copy step of a
//! runbook, and as the line of switches itself, by `movebook robocopy`, which here stands in for `robocopy.exe`.
//!
//! | written | is |
//! | --- | --- |
//! | `a` | a file; its content is `s` in the source and `t` in the target, so that what is expected tells which one is there |
//! | `a=long` | a file with this content |
//! | `a@2d` | a file last changed so long before the row began; 10 days where nothing is said |
//! | `d/` | a directory; those above a file need not be named |
//! | `l->d` | a link |
//!
//! **What is not there.** robocopy's `/xo` leaves a file in the target alone that is newer than the source's. No pass of
//! movebook does: a copy that some program cut off half-way carries the time at which that program wrote it, looks newer
//! than its source, and `/xo` would take it for good in every pass that follows. What differs is copied, newer or older
//! alike, and what a target has for good must be kept out of the pass by a filter.
//!
//! Where robocopy's own way with a purge and a filter is not documented, a row holds the careful one: what a filter keeps
//! out of a pass, the pass does not take away.

mod common;

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use common::Scene;
use filetime::FileTime;
use movebook::values;
use walkdir::WalkDir;

struct Row {
    /// As they are typed behind `robocopy SOURCE TARGET`, with the file patterns in front; `SOURCE` stands for the source.
    /// What follows `, ` is said to the reader.
    switches: &'static str,
    /// Keys of the step, as YAML.
    copy: &'static str,
    /// Keys of its filter, as YAML.
    filter: &'static str,
    source: &'static str,
    target: &'static str,
    expected: &'static str,
}

const NOTHING: &str = "";
/// What `/purge` stands for here; the limits are not what the rows are about.
const PURGE: &str = "purge: {max_files: 100, max_percent: 100, keep: none}";
const PURGE_NON_EMPTY: &str = "directories: non-empty, purge: {max_files: 100, max_percent: 100, keep: none}";
const NON_EMPTY: &str = "directories: non-empty";

#[test]
fn directories_are_made_as_the_switches_say() {
    hold(&[
        Row {
            switches: "",
            copy: "directories: none",
            filter: NOTHING,
            source: "a d/b e/",
            target: "",
            expected: "a=s",
        },
        Row {
            switches: "/s",
            copy: NON_EMPTY,
            filter: NOTHING,
            source: "a d/b d/deep/c e/ f/g/",
            target: "",
            expected: "a=s d/ d/b=s d/deep/ d/deep/c=s",
        },
        Row {
            switches: "/e",
            copy: "directories: all",
            filter: NOTHING,
            source: "a d/b e/ f/g/",
            target: "",
            expected: "a=s d/ d/b=s e/ f/ f/g/",
        },
        Row {
            switches: "*.dat /s",
            copy: NON_EMPTY,
            filter: "include: ['*.dat']",
            source: "a.dat a.txt d/b.txt e/f/c.dat",
            target: "",
            expected: "a.dat=s e/ e/f/ e/f/c.dat=s",
        },
        Row {
            switches: "*.dat /e",
            copy: "directories: all",
            filter: "include: ['*.dat']",
            source: "a.txt d/b.txt e/c.dat",
            target: "",
            expected: "d/ e/ e/c.dat=s",
        },
        Row {
            switches: "/s, the directory is there already",
            copy: NON_EMPTY,
            filter: NOTHING,
            source: "e/",
            target: "e/x",
            expected: "e/ e/x=t",
        },
    ]);
}

#[test]
fn what_differs_is_copied_and_what_does_not_is_left_alone() {
    hold(&[
        Row {
            switches: "/e, the source is newer",
            copy: NOTHING,
            filter: NOTHING,
            source: "a@1d",
            target: "a@2d",
            expected: "a=s",
        },
        Row {
            switches: "/e, without /xo: an older source replaces a newer target",
            copy: NOTHING,
            filter: NOTHING,
            source: "a@10d",
            target: "a@1h",
            expected: "a=s",
        },
        Row {
            switches: "/e, a copy that was cut off, newer and shorter",
            copy: NOTHING,
            filter: NOTHING,
            source: "a=whole@10d",
            target: "a=wh@1s",
            expected: "a=whole",
        },
        Row {
            switches: "/e, the same size and time",
            copy: NOTHING,
            filter: NOTHING,
            source: "a",
            target: "a",
            expected: "a=t",
        },
        Row {
            switches: "/e, the same time and another size",
            copy: NOTHING,
            filter: NOTHING,
            source: "a=longer",
            target: "a",
            expected: "a=longer",
        },
        Row {
            switches: "/e /is, nearly: what is the same is read before it is believed",
            copy: "compare: content",
            filter: NOTHING,
            source: "a b=one",
            target: "a b=one",
            expected: "a=s b=one",
        },
    ]);
}

#[test]
fn stamps_may_lie_apart_as_fft_says() {
    hold(&[
        Row {
            switches: "/e, a second apart",
            copy: NOTHING,
            filter: NOTHING,
            source: "a@10d",
            target: "a@10d1s",
            expected: "a=s",
        },
        Row {
            switches: "/e /fft, a second apart either way",
            copy: "mtime_tolerance: 2s",
            filter: NOTHING,
            source: "a@10d b@10d1s",
            target: "a@10d1s b@10d",
            expected: "a=t b=t",
        },
        Row {
            switches: "/e /fft, two seconds apart",
            copy: "mtime_tolerance: 2s",
            filter: NOTHING,
            source: "a@10d",
            target: "a@10d2s",
            expected: "a=t",
        },
        Row {
            switches: "/e /fft, three seconds apart",
            copy: "mtime_tolerance: 2s",
            filter: NOTHING,
            source: "a@10d",
            target: "a@10d3s",
            expected: "a=s",
        },
        Row {
            switches: "/e /fft, another size",
            copy: "mtime_tolerance: 2s",
            filter: NOTHING,
            source: "a=longer",
            target: "a",
            expected: "a=longer",
        },
    ]);
}

#[test]
fn a_purge_takes_what_only_the_target_has() {
    hold(&[
        Row {
            switches: "/e",
            copy: NOTHING,
            filter: NOTHING,
            source: "a d/b",
            target: "a x d/y gone/z void/",
            expected: "a=t d/ d/b=s d/y=t gone/ gone/z=t void/ x=t",
        },
        Row {
            switches: "/e /purge, which is /mir",
            copy: PURGE,
            filter: NOTHING,
            source: "a d/b e/",
            target: "a x d/y gone/z gone/deep/z void/",
            expected: "a=t d/ d/b=s e/",
        },
        Row {
            switches: "/s /purge",
            copy: PURGE_NON_EMPTY,
            filter: NOTHING,
            source: "a e/",
            target: "x e/y",
            expected: "a=s e/",
        },
        Row {
            switches: "/purge, only the top",
            copy: "directories: none, purge: {max_files: 100, max_percent: 100, keep: none}",
            filter: NOTHING,
            source: "a",
            target: "x d/y",
            expected: "a=s d/ d/y=t",
        },
        Row {
            switches: "/e /purge /xf *.fdb",
            copy: PURGE,
            filter: "exclude: ['*.fdb']",
            source: "a b.fdb",
            target: "x x.fdb d/y d/y.fdb gone/z",
            expected: "a=s d/ d/y.fdb=t x.fdb=t",
        },
        Row {
            switches: "*.dat /e /purge",
            copy: PURGE,
            filter: "include: ['*.dat']",
            source: "a.dat",
            target: "x.dat x.txt",
            expected: "a.dat=s x.txt=t",
        },
        Row {
            switches: "/e /purge /xd temp",
            copy: PURGE,
            filter: "exclude_directories: [temp]",
            source: "a temp/b",
            target: "x temp/y gone/temp/z gone/v",
            expected: "a=s gone/ gone/temp/ gone/temp/z=t temp/ temp/y=t",
        },
        Row {
            switches: "/e /purge /minage:1",
            copy: PURGE,
            filter: "min_age: 1d",
            source: "a",
            target: "old@2d young@1h",
            expected: "a=s young=t",
        },
        Row {
            switches: "/e /purge /max:3",
            copy: PURGE,
            filter: "max_size: 3",
            source: "a",
            target: "small=123 large=1234",
            expected: "a=s large=1234",
        },
        Row {
            switches: "/e /purge /lev:2",
            copy: PURGE,
            filter: "max_depth: 2",
            source: "a d/b",
            target: "x d/y d/e/z gone/v gone/deep/w",
            expected: "a=s d/ d/b=s d/e/ d/e/z=t gone/ gone/deep/ gone/deep/w=t",
        },
    ]);
}

#[test]
fn ages_and_sizes_are_limits_of_what_takes_part() {
    hold(&[
        Row {
            switches: "/s /minage:1",
            copy: NON_EMPTY,
            filter: "min_age: 1d",
            source: "old@2d young@1h d/young@1h",
            target: "",
            expected: "old=s",
        },
        Row {
            switches: "/s /minage:1, a young file that has changed",
            copy: NON_EMPTY,
            filter: "min_age: 1d",
            source: "young=newer@1h",
            target: "young",
            expected: "young=t",
        },
        Row {
            switches: "/s /maxage:1",
            copy: NON_EMPTY,
            filter: "max_age: 1d",
            source: "old@2d young@1h",
            target: "",
            expected: "young=s",
        },
        Row {
            switches: "/s /minage:1 /maxage:7",
            copy: NON_EMPTY,
            filter: "min_age: 1d, max_age: 7d",
            source: "a@1h b@3d c@8d",
            target: "",
            expected: "b=s",
        },
        Row {
            switches: "/s /min:3",
            copy: NON_EMPTY,
            filter: "min_size: 3",
            source: "a=12 b=123 c=1234",
            target: "",
            expected: "b=123 c=1234",
        },
        Row {
            switches: "/s /max:3",
            copy: NON_EMPTY,
            filter: "max_size: 3",
            source: "a=12 b=123 c=1234",
            target: "",
            expected: "a=12 b=123",
        },
        Row {
            switches: "/s /max:3, a file that has grown beyond it",
            copy: NON_EMPTY,
            filter: "max_size: 3",
            source: "a=1234",
            target: "a=12",
            expected: "a=12",
        },
    ]);
}

#[test]
fn names_keep_files_and_directories_out() {
    hold(&[
        Row {
            switches: "/s /xf *.fdb",
            copy: NON_EMPTY,
            filter: "exclude: ['*.fdb']",
            source: "a.dat a.FDB d/b.fdb d/b.fdb.bak",
            target: "",
            expected: "a.dat=s d/ d/b.fdb.bak=s",
        },
        Row {
            switches: "*.dat /s /xf index*",
            copy: NON_EMPTY,
            filter: "include: ['*.dat'], exclude: ['index*']",
            source: "a.dat Index1.dat index/b.dat c.rr",
            target: "",
            expected: "a.dat=s index/ index/b.dat=s",
        },
        Row {
            switches: "/s /xf SOURCE\\d\\a.dat",
            copy: NON_EMPTY,
            filter: "exclude: ['d/a.dat']",
            source: "a.dat d/a.dat x/d/a.dat",
            target: "",
            expected: "a.dat=s x/ x/d/ x/d/a.dat=s",
        },
        Row {
            switches: "a?.dat b* /s",
            copy: NON_EMPTY,
            filter: "include: ['a?.dat', 'b*']",
            source: "a.dat a1.dat a12.dat b c/bb",
            target: "",
            expected: "a1.dat=s b=s c/ c/bb=s",
        },
        Row {
            switches: "/e /xd temp",
            copy: NOTHING,
            filter: "exclude_directories: [temp]",
            source: "temp/a d/TEMP/b temporary/c d/temp.dat",
            target: "",
            expected: "d/ d/temp.dat=s temporary/ temporary/c=s",
        },
        Row {
            switches: "/e /xd SOURCE\\d\\cache ~*",
            copy: NOTHING,
            filter: "exclude_directories: ['d/cache', '~*']",
            source: "cache/a d/cache/b ~old/c d/~old/e",
            target: "",
            expected: "cache/ cache/a=s d/",
        },
        Row {
            switches: "/e /xd temp, where it is a file",
            copy: NOTHING,
            filter: "exclude_directories: [temp]",
            source: "temp",
            target: "",
            expected: "temp=s",
        },
    ]);
}

#[test]
fn a_depth_ends_a_pass_as_lev_does() {
    hold(&[
        Row {
            switches: "/e /lev:1",
            copy: NOTHING,
            filter: "max_depth: 1",
            source: "a d/b e/",
            target: "",
            expected: "a=s",
        },
        Row {
            switches: "/e /lev:2",
            copy: NOTHING,
            filter: "max_depth: 2",
            source: "a d/b d/deep/c e/",
            target: "",
            expected: "a=s d/ d/b=s e/",
        },
        Row {
            switches: "/s /lev:3 /xf b",
            copy: NON_EMPTY,
            filter: "max_depth: 3, exclude: [b]",
            source: "a d/b d/e/c d/e/f/g",
            target: "",
            expected: "a=s d/ d/e/ d/e/c=s",
        },
    ]);
}

#[cfg(unix)]
#[test]
fn links_are_never_followed() {
    hold(&[
        Row {
            switches: "/e /xj",
            copy: NOTHING,
            filter: NOTHING,
            source: "a d/b l->a m->d n->nowhere",
            target: "",
            expected: "a=s d/ d/b=s",
        },
        Row {
            switches: "/e /sl",
            copy: "links: copy",
            filter: NOTHING,
            source: "a d/b l->a m->d n->nowhere",
            target: "",
            expected: "a=s d/ d/b=s l->a m->d n->nowhere",
        },
        Row {
            switches: "/e /sl /xf l",
            copy: "links: copy",
            filter: "exclude: [l]",
            source: "a l->a m->a",
            target: "",
            expected: "a=s m->a",
        },
        Row {
            switches: "/e /purge /xj, a link that only the target has",
            copy: PURGE,
            filter: NOTHING,
            source: "a d/b",
            target: "a l->a m->d d/",
            expected: "a=t d/ d/b=s",
        },
    ]);
}

#[test]
fn the_passes_of_the_published_procedure_hold_together() {
    const LIVE: &str =
        "Main.fdb@1h 1/a.dat@30d 1/b.dat@1h 1/index1.dat@30d 1/rec.rr@30d 2/Sub.FDB@2d 2/c.dat@2d 3/";
    hold(&[
        Row {
            switches: "*.dat /s /xf index* /minage:1",
            copy: NON_EMPTY,
            filter: "include: ['*.dat'], exclude: ['index*'], min_age: 1d",
            source: LIVE,
            target: "",
            expected: "1/ 1/a.dat=s 2/ 2/c.dat=s",
        },
        Row {
            switches: "/s /xf *.fdb",
            copy: NON_EMPTY,
            filter: "exclude: ['*.fdb']",
            source: LIVE,
            target: "1/a.dat@30d 2/c.dat@2d",
            expected: "1/ 1/a.dat=t 1/b.dat=s 1/index1.dat=s 1/rec.rr=s 2/ 2/c.dat=t",
        },
        Row {
            switches: "/mir",
            copy: PURGE,
            filter: NOTHING,
            source: LIVE,
            target: "1/a.dat@30d 1/index0.dat 2/c.dat@2d 4/gone.dat",
            expected: "1/ 1/a.dat=t 1/b.dat=s 1/index1.dat=s 1/rec.rr=s 2/ 2/Sub.FDB=s 2/c.dat=t 3/ Main.fdb=s",
        },
    ]);
}

#[test]
fn a_row_that_does_not_hold_is_told_both_ways() {
    let row =
        Row { switches: "/e", copy: NOTHING, filter: NOTHING, source: "a", target: "", expected: "a=t" };
    assert!(differs_as_step(&row).is_some_and(|told| told.contains("found    a=s")));
    assert!(differs_as_line(&row).is_some_and(|told| told.contains("found    a=s")));
}

/// Runs each row, and tells all that do not hold.
#[track_caller]
fn hold(rows: &[Row]) {
    let wrong: Vec<String> = rows.iter().filter_map(differs).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with a row, if anything is.
fn differs(row: &Row) -> Option<String> {
    differs_as_step(row).or_else(|| differs_as_line(row))
}

/// By `movebook robocopy`, in the place of `robocopy.exe`.
fn differs_as_line(row: &Row) -> Option<String> {
    let Row { switches, source, target, expected, .. } = row;
    let scene = Scene::new().folder("source").folder("target");
    let now = SystemTime::now();
    make(&scene.path("source"), source, "s", now);
    make(&scene.path("target"), target, "t", now);
    let before = shown(&scene.path("source"));
    let [from, to] = ["source", "target"].map(|name| scene.path(name).to_str().unwrap().to_owned());
    let line = switches.split(", ").next().unwrap().replace("SOURCE", &from);
    let mut arguments = vec!["robocopy", &from, &to];
    arguments.extend(line.split_whitespace());
    // The limits are not what the rows are about.
    arguments.extend(["--purge-limit", "100"]);
    let ended = scene.movebook(&arguments);
    if ended.code >= 8 {
        return Some(format!("movebook robocopy {switches}: exit code {}: {}", ended.code, ended.all()));
    }
    assert_eq!(shown(&scene.path("source")), before, "a pass leaves its source alone");
    let (expected, found) = (sorted(expected), shown(&scene.path("target")));
    (found != expected)
        .then(|| format!("movebook robocopy {switches}:\n  expected {expected}\n  found    {found}"))
}

fn sorted(tree: &str) -> String {
    let mut entries: Vec<&str> = tree.split_whitespace().collect();
    entries.sort_unstable();
    entries.join(" ")
}

fn differs_as_step(row: &Row) -> Option<String> {
    let Row { switches, copy, filter, source, target, expected } = row;
    let mut keys = vec!["from: ROOT/source", "to: ROOT/target", "errors: fail"];
    keys.extend([*copy].into_iter().filter(|keys| !keys.is_empty()));
    keys.extend((!filter.is_empty()).then_some("filter: row"));
    let filters = if filter.is_empty() { String::new() } else { format!("filters: {{row: {{{filter}}}}}\n") };
    // The first step makes the target the run's own; what the row says of it is put there afterwards.
    let steps = format!(
        "
- {{id: claim, copy: {{from: ROOT/nothing, to: ROOT/target}}}}
- {{id: gate, checkpoint: {{ask: Is the target as the row says?}}}}
- {{id: pass, copy: {{{}}}}}
",
        keys.join(", ")
    );
    let scene = Scene::new()
        .folder("nothing")
        .folder("source")
        .runbook(&format!("{filters}{}", common::scene::one_phase(&steps)));
    // One moment for both sides: ages that are written alike are the same time.
    let now = SystemTime::now();
    make(&scene.path("source"), source, "s", now);
    let before = shown(&scene.path("source"));
    scene.run(&[]).code(3);
    make(&scene.path("target"), target, "t", now);
    scene.approve("gate", &[]).code(0);
    let ended = scene.resume(&[]);
    if ended.code != 0 {
        return Some(format!("robocopy {switches}: exit code {}: {}", ended.code, ended.all()));
    }
    assert_eq!(shown(&scene.path("source")), before, "a pass leaves its source alone");
    let (expected, found) = (sorted(expected), shown(&scene.path("target")));
    (found != expected).then(|| format!("robocopy {switches}:\n  expected {expected}\n  found    {found}"))
}

/// Makes a tree of a row; see the head of this file.
fn make(root: &Path, tree: &str, content: &str, now: SystemTime) {
    for entry in tree.split_whitespace() {
        if let Some((link, to)) = entry.split_once("->") {
            #[cfg(unix)]
            std::os::unix::fs::symlink(to, root.join(link)).unwrap();
            #[cfg(not(unix))]
            panic!("no row has the link {link} -> {to} here");
            continue;
        }
        if entry.ends_with('/') {
            fs::create_dir_all(root.join(entry)).unwrap();
            continue;
        }
        let (named, age) = entry.split_once('@').unwrap_or((entry, "10d"));
        let (name, content) = named.split_once('=').unwrap_or((named, content));
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        // Whole seconds, so that both sides of a row say the same.
        let stamp = FileTime::from_system_time(now - values::duration(age).unwrap());
        filetime::set_file_mtime(&path, FileTime::from_unix_time(stamp.unix_seconds(), 0)).unwrap();
    }
}

/// A tree as a row writes it, sorted, every content and directory told.
fn shown(root: &Path) -> String {
    let mut entries: Vec<String> = WalkDir::new(root)
        .min_depth(1)
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.path().strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            if entry.path_is_symlink() {
                format!("{name}->{}", fs::read_link(entry.path()).unwrap().display())
            } else if entry.file_type().is_dir() {
                format!("{name}/")
            } else {
                format!("{name}={}", fs::read_to_string(entry.path()).unwrap())
            }
        })
        .collect();
    entries.sort_unstable();
    entries.join(" ")
}
