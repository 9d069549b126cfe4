//! Each case names the robocopy switches that it stands for.

use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

use super::{Candidate, Case, Filter, Rules};
use crate::copy::Rule;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn started() -> Timestamp {
    "2024-06-01T12:00:00Z".parse().unwrap()
}

fn moment() -> SystemTime {
    SystemTime::try_from(started()).unwrap()
}

fn list(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|pattern| pattern.to_string()).collect()
}

fn filter(rules: Rules) -> Filter {
    Filter::new(rules).unwrap()
}

fn judged(rules: Rules, path: &str, size: u64, modified: SystemTime) -> Result<(), Rule> {
    filter(rules).judge(&Candidate { path: Path::new(path), size, modified }, started())
}

fn by_name(rules: &Rules, path: &str) -> Result<(), Rule> {
    filter(rules.clone()).judge_name(Path::new(path))
}

#[test]
fn names_are_judged_as_robocopy_does() {
    let content = Rules { include: list(&["*.dat"]), exclude: list(&["index*"]), ..Rules::default() };
    let no_databases = Rules { exclude: list(&["*.fdb"]), ..Rules::default() };
    let folder = Rules { exclude: list(&["logs/*.txt"]), ..Rules::default() };
    let deep = Rules { exclude: list(&["**/cache/**"]), ..Rules::default() };
    let rooted = Rules { exclude: list(&["/top.txt"]), ..Rules::default() };
    let any = Rules { include: list(&["m?ller.dat"]), ..Rules::default() };
    let umlaut = Rules { exclude: list(&["übersicht*"]), ..Rules::default() };
    let choice = Rules { include: list(&["*.{jpg,png}"]), ..Rules::default() };
    let cases: &[(&str, &Rules, &str, Result<(), Rule>)] = &[
        ("*.dat /xf index*", &content, "a/b.dat", Ok(())),
        ("*.dat /xf index*", &content, "a/B.DAT", Ok(())),
        ("*.dat /xf index*", &content, "a/Index01.dat", Err(Rule::Exclude)),
        ("*.dat /xf index*", &content, "index/b.dat", Ok(())),
        ("*.dat /xf index*", &content, "a/b.rr", Err(Rule::Include)),
        ("/xf *.fdb", &no_databases, "Main.FDB", Err(Rule::Exclude)),
        ("/xf *.fdb", &no_databases, "Main.fdb.bak", Ok(())),
        ("/xf *.fdb", &no_databases, ".fdb", Err(Rule::Exclude)),
        ("/xf logs\\*.txt", &folder, "logs/a.txt", Err(Rule::Exclude)),
        ("/xf logs\\*.txt", &folder, "x/logs/a.txt", Ok(())),
        ("/xf logs\\*.txt", &folder, "logs/x/a.txt", Ok(())),
        ("(none)", &deep, "a/cache/b/c", Err(Rule::Exclude)),
        ("(none)", &deep, "cache", Ok(())),
        ("(none)", &rooted, "top.txt", Err(Rule::Exclude)),
        ("(none)", &rooted, "a/top.txt", Ok(())),
        ("m?ller.dat", &any, "Müller.dat", Ok(())),
        ("m?ller.dat", &any, "MÜLLER.DAT", Ok(())),
        ("m?ller.dat", &any, "mueller.dat", Err(Rule::Include)),
        ("/xf übersicht*", &umlaut, "ÜBERSICHT 2024.pdf", Err(Rule::Exclude)),
        ("*.jpg *.png", &choice, "a.PNG", Ok(())),
        ("*.jpg *.png", &choice, "a.gif", Err(Rule::Include)),
    ];
    for (switches, rules, path, expected) in cases {
        assert_eq!(by_name(rules, path), *expected, "{switches}: {path}");
    }
}

#[test]
fn ages_and_sizes_are_judged_as_robocopy_does() {
    let old = Rules { min_age: Some(DAY), ..Rules::default() };
    let young = Rules { max_age: Some(DAY), ..Rules::default() };
    let large = Rules { min_size: Some(10), ..Rules::default() };
    let small = Rules { max_size: Some(10), ..Rules::default() };
    let ancient = Rules { min_age: Some(Duration::MAX), ..Rules::default() };
    let anything = Rules { max_age: Some(Duration::MAX), ..Rules::default() };
    let moment = moment();
    let tick = Duration::from_micros(1);
    let cases = [
        ("/minage:1, exactly a day old", &old, 0, moment - DAY, Ok(())),
        ("/minage:1, a little younger", &old, 0, moment - DAY + tick, Err(Rule::MinAge)),
        ("/minage:1, from the future", &old, 0, moment + DAY, Err(Rule::MinAge)),
        ("/maxage:1, exactly a day old", &young, 0, moment - DAY, Ok(())),
        ("/maxage:1, a little older", &young, 0, moment - DAY - tick, Err(Rule::MaxAge)),
        ("/min:10, at the limit", &large, 10, moment, Ok(())),
        ("/min:10, below", &large, 9, moment, Err(Rule::MinSize)),
        ("/max:10, at the limit", &small, 10, moment, Ok(())),
        ("/max:10, above", &small, 11, moment, Err(Rule::MaxSize)),
        ("an age before all time", &ancient, 0, SystemTime::UNIX_EPOCH, Err(Rule::MinAge)),
        ("an age before all time", &anything, 0, SystemTime::UNIX_EPOCH, Ok(())),
    ];
    for (case, rules, size, modified, expected) in cases {
        assert_eq!(judged(rules.clone(), "a", size, modified), expected, "{case}");
    }
}

#[test]
fn an_age_counts_from_the_start_and_not_from_now() {
    let rules = Rules { min_age: Some(DAY), ..Rules::default() };
    let modified = moment();
    let file = Candidate { path: Path::new("a"), size: 0, modified };
    let later = started() + SignedDuration::from_hours(24);
    assert_eq!(filter(rules.clone()).judge(&file, started()), Err(Rule::MinAge));
    assert_eq!(filter(rules).judge(&file, later), Ok(()));
}

#[test]
fn a_name_is_asked_for_before_age_and_size() {
    let rules = Rules { exclude: list(&["*"]), min_age: Some(DAY), min_size: Some(1), ..Rules::default() };
    assert_eq!(judged(rules, "a", 0, moment()), Err(Rule::Exclude));
}

#[test]
fn a_depth_counts_levels_as_robocopy_does() {
    let top = filter(Rules { max_depth: Some(1), ..Rules::default() });
    let two = filter(Rules { max_depth: Some(2), ..Rules::default() });
    for (case, filter, file, expected) in [
        ("/lev:1", &top, "a", Ok(())),
        ("/lev:1", &top, "d/a", Err(Rule::MaxDepth)),
        ("/lev:2", &two, "d/a", Ok(())),
        ("/lev:2", &two, "d/e/a", Err(Rule::MaxDepth)),
    ] {
        assert_eq!(filter.judge_name(Path::new(file)), expected, "{case}: {file}");
        assert_eq!(filter.admits_by_name(Path::new(file)), expected.is_ok(), "{case}: {file}");
    }
    for (case, filter, directory, expected) in [
        ("/lev:1", &top, "d", Err(Rule::MaxDepth)),
        ("/lev:2", &two, "d", Ok(())),
        ("/lev:2", &two, "d/e", Err(Rule::MaxDepth)),
    ] {
        assert_eq!(filter.judge_directory(Path::new(directory)), expected, "{case}: {directory}");
    }
}

#[test]
fn an_excluded_directory_is_told_as_such_at_any_depth() {
    let rules = Rules { exclude_directories: list(&["temp"]), max_depth: Some(1), ..Rules::default() };
    assert_eq!(filter(rules).judge_directory(Path::new("temp")), Err(Rule::ExcludeDirectories));
}

#[test]
fn directories_are_pruned_by_name_and_by_path() {
    let rules = Rules { exclude_directories: list(&["Temp/", "a/cache"]), ..Rules::default() };
    let filter = filter(rules);
    for (path, expected) in [
        ("temp", true),
        ("x/TEMP", true),
        ("a/cache", true),
        ("b/cache", false),
        ("a/cache/deep", false),
        ("temperature", false),
    ] {
        assert_eq!(filter.judge_directory(Path::new(path)).is_err(), expected, "/xd: {path}");
    }
}

#[test]
fn a_file_below_a_pruned_directory_is_not_admitted_by_name() {
    let rules = Rules { exclude_directories: list(&["temp"]), ..Rules::default() };
    let filter = filter(rules);
    assert!(!filter.admits_by_name(Path::new("a/Temp/b/c.dat")));
    assert!(filter.admits_by_name(Path::new("a/b/temp")));
}

#[test]
fn admission_by_name_does_not_ask_for_age() {
    let rules = Rules { include: list(&["*.dat"]), min_age: Some(DAY), ..Rules::default() };
    assert!(filter(rules.clone()).admits_by_name(Path::new("a/b.dat")));
    assert!(!filter(rules).admits_by_name(Path::new("a/b.fdb")));
}

#[test]
fn case_counts_where_it_is_asked_for() {
    let rules = Rules { exclude: list(&["*.FDB"]), case: Case::Sensitive, ..Rules::default() };
    assert_eq!(by_name(&rules, "a.FDB"), Err(Rule::Exclude));
    assert_eq!(by_name(&rules, "a.fdb"), Ok(()));
}

#[test]
fn a_letter_is_the_same_in_either_case_whatever_stands_beside_it() {
    for (pattern, names) in [
        ("ΑΣ*", ["ας.dat", "ασα.dat"]),
        ("*ς", ["ΟΔΟΣ", "οδοσ"]),
        ("?.dat", ["İ.dat", "ß.dat"]),
        ("STRAßE", ["straße", "STRAẞE"]),
    ] {
        let rules = Rules { include: list(&[pattern]), ..Rules::default() };
        for name in names {
            assert_eq!(by_name(&rules, name), Ok(()), "{pattern}: {name}");
        }
    }
    let rules = Rules { include: list(&["i.dat"]), ..Rules::default() };
    for other in ["ı.dat", "İ.dat"] {
        assert_eq!(by_name(&rules, other), Err(Rule::Include), "{other}");
    }
}

#[test]
fn a_class_that_shuts_letters_out_is_one_character_and_never_a_slash() {
    for (pattern, name, expected) in [
        ("[!a].dat", "ä.dat", Ok(())),
        ("[^a].dat", "日.dat", Ok(())),
        ("[!a].dat", "A.dat", Err(Rule::Include)),
        ("[!]a[].dat", "].dat", Err(Rule::Include)),
        ("[!]a[].dat", "b.dat", Ok(())),
        ("d/[!a-c]x", "d/äx", Ok(())),
        ("d[!a]x", "d/x", Err(Rule::Include)),
        ("d?[!b]x/*", "d/cx/e", Err(Rule::Include)),
    ] {
        let rules = Rules { include: list(&[pattern]), ..Rules::default() };
        assert_eq!(by_name(&rules, name), expected, "{pattern}: {name}");
    }
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_unicode_is_judged_like_any_other() {
    use std::os::unix::ffi::OsStrExt;
    let name = Path::new(std::ffi::OsStr::from_bytes(b"caf\xe9.dat"));
    let include = filter(Rules { include: list(&["caf?.dat"]), ..Rules::default() });
    let exclude = filter(Rules { exclude: list(&["*.dat"]), ..Rules::default() });
    assert_eq!(include.judge_name(name), Ok(()));
    assert_eq!(exclude.judge_name(name), Err(Rule::Exclude));
    assert_eq!(Filter::everything().judge_name(name), Ok(()));
}

#[test]
fn a_bad_pattern_is_named() {
    for (pattern, part) in [
        ("a[", "no pattern"),
        ("{a", "no pattern"),
        ("logs\\*.txt", "write / between folders"),
        ("", "is empty"),
        ("logs/", "exclude_directories"),
        ("[äö].txt", "only ASCII"),
    ] {
        let error = Filter::new(Rules { exclude: list(&["fine", pattern]), ..Rules::default() }).unwrap_err();
        assert_eq!((error.list, error.pattern.as_str()), ("exclude", pattern));
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn everything_lets_everything_in() {
    assert!(Filter::everything().is_everything());
    assert!(Filter::new(Rules::default()).unwrap().is_everything());
    assert!(!filter(Rules { max_size: Some(1), ..Rules::default() }).is_everything());
    assert_eq!(Filter::everything().judge_name(Path::new("a/b")), Ok(()));
}
