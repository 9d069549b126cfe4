use super::*;
use crate::copy::spelled::Otherwise;
use crate::copy::{Bandwidth, Preserve};
use crate::filter::Filter;
use crate::plan::action::Purge;

fn action(rules: Rules) -> CopyAction {
    CopyAction::plain("/srv/old", "/srv/new", Filter::new(rules).unwrap())
}

/// What stands between the roots and the flags that every pass has.
fn said(action: &CopyAction) -> String {
    let text = arguments(action).arguments.join(" ");
    let (_, rest) = text.split_once(" /srv/new").unwrap();
    rest.split(" --retries").next().unwrap().trim_start().to_owned()
}

fn lacking(action: &CopyAction) -> Vec<&'static str> {
    arguments(action).lacking.iter().map(|lack| lack.field).collect()
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn filters_are_in_order_and_what_is_kept_out_comes_first() {
    let rules = Rules {
        include: list(&["*.dat", "Offers/**"]),
        exclude: list(&["index*", "d/a.dat"]),
        exclude_directories: list(&["temp", "d/cache/"]),
        ..Rules::default()
    };
    assert_eq!(
        said(&action(rules)),
        "--filter - temp/** --filter - /d/cache/** --filter - index* --filter - /d/a.dat --filter + *.dat \
         --filter + /Offers/** --filter - ** --ignore-case"
    );
}

#[test]
fn directories_are_all_seen_where_empty_ones_matter_or_what_is_let_in_may_lie_below_any() {
    let only = |include: &str| Rules { include: list(&[include]), ..Rules::default() };
    let purge = Some(Purge { max_files: 1000, max_percent: 5, keep: Keep::Quarantine });
    for action in [
        CopyAction { directories: Directories::All, ..action(only("Offers/*")) },
        CopyAction { purge, ..action(only("Offers/*")) },
    ] {
        assert!(said(&action).starts_with("--filter + /Offers/* --filter - ?* "), "{}", said(&action));
    }
    assert_eq!(said(&action(only("Offers/*"))), "--filter + /Offers/* --filter - ** --ignore-case");
    assert_eq!(said(&action(only("**/Offers/*"))), "--filter + Offers/* --filter - ?* --ignore-case");
}

#[test]
fn a_pattern_that_rclone_cannot_be_told_is_named_by_its_list() {
    let nested = || list(&["{a,{b,c}}"]);
    for (rules, field) in [
        (Rules { include: nested(), ..Rules::default() }, "include"),
        (Rules { exclude: nested(), ..Rules::default() }, "exclude"),
        (Rules { exclude: list(&["d/**/{*,a}"]), ..Rules::default() }, "exclude"),
        (Rules { exclude_directories: nested(), ..Rules::default() }, "exclude_directories"),
    ] {
        assert_eq!(lacking(&action(rules)), [field]);
    }
}

#[test]
fn a_depth_is_a_rule_by_which_deeper_directories_are_not_there() {
    let deep = |max_depth| Rules { max_depth, exclude: list(&["a"]), ..Rules::default() };
    assert_eq!(said(&action(deep(Some(2)))), "--filter - /*/*/** --filter - a --ignore-case");
    let top = CopyAction { directories: Directories::None, ..action(deep(Some(2))) };
    assert_eq!(said(&top), "--filter - /*/** --filter - a --ignore-case");
}

#[test]
fn without_patterns_there_is_no_filter() {
    assert_eq!(said(&action(Rules::default())), "");
}

#[test]
fn ages_are_whole_days_or_seconds_and_sizes_are_bytes() {
    let rules = Rules {
        min_age: Some(Duration::from_secs(DAY)),
        max_age: Some(Duration::from_secs(DAY + 60)),
        min_size: Some(3),
        max_size: Some(4096),
        ..Rules::default()
    };
    assert_eq!(said(&action(rules)), "--min-age 1d --max-age 86460s --min-size 3B --max-size 4096B");
}

#[test]
fn ages_that_leave_nothing_between_them_are_refused() {
    let between = |least, most| Rules {
        min_age: Some(Duration::from_secs(least * DAY)),
        max_age: Some(Duration::from_secs(most * DAY)),
        ..Rules::default()
    };
    assert_eq!(lacking(&action(between(1, 2))), [""; 0]);
    assert_eq!(lacking(&action(between(2, 2))), ["max_age"]);
    assert_eq!(lacking(&action(between(2, 1))), ["max_age"]);
}

#[test]
fn a_purge_beside_limits_that_hide_files_of_the_source_is_not_left_to_rclone() {
    let purge = Some(Purge { max_files: 1000, max_percent: 5, keep: Keep::None });
    let day = Some(Duration::from_secs(DAY));
    for (rules, field) in [
        (Rules { min_age: day, ..Rules::default() }, "min_age"),
        (Rules { max_age: day, ..Rules::default() }, "max_age"),
        (Rules { min_size: Some(1), ..Rules::default() }, "min_size"),
        (Rules { max_size: Some(1), ..Rules::default() }, "max_size"),
    ] {
        let action = CopyAction { purge, ..action(rules) };
        assert_eq!(lacking(&action), ["purge.max_percent", field, "links"]);
        assert!(arguments(&action).lacking.iter().all(|lack| lack.otherwise == Otherwise::Around));
    }
}

#[test]
fn links_are_copied_only_where_no_filter_would_tell_them_from_files() {
    let links = |rules| CopyAction { links: Links::Copy, ..action(rules) };
    for rules in [
        Rules { include: list(&["a"]), ..Rules::default() },
        Rules { exclude: list(&["a"]), ..Rules::default() },
        Rules { min_age: Some(Duration::from_secs(DAY)), ..Rules::default() },
        Rules { max_size: Some(1), ..Rules::default() },
    ] {
        assert_eq!(lacking(&links(rules)), ["links"]);
    }
    let places = Rules { exclude_directories: list(&["a"]), max_depth: Some(2), ..Rules::default() };
    assert_eq!(lacking(&links(places)), [""; 0]);
}

#[test]
fn times_a_whole_window_apart_are_the_same_to_rclone_too() {
    let action = CopyAction { mtime_tolerance: Some(Duration::from_secs(2)), ..action(Rules::default()) };
    let text = arguments(&action).arguments.join(" ");
    assert!(text.contains("--modify-window 2.000000001s "), "{text}");
}

#[test]
fn forms_of_unicode_are_names_of_their_own() {
    let arguments = arguments(&action(Rules::default())).arguments;
    assert!(arguments.iter().any(|argument| argument == "--no-unicode-normalization"));
}

#[test]
fn a_purge_is_a_sync_with_a_second_line_of_defence() {
    let purge = Some(Purge { max_files: 1000, max_percent: 5, keep: Keep::Quarantine });
    let action = CopyAction { purge, directories: Directories::All, ..action(Rules::default()) };
    let spelled = arguments(&action);
    assert_eq!(spelled.arguments[0], "sync");
    assert_eq!(said(&action), "--create-empty-src-dirs --max-delete 1000");
    assert_eq!(lacking(&action), ["purge.max_percent", "links", "purge.keep"]);
}

#[test]
fn a_limit_of_bandwidth_is_rclones_own_timetable() {
    let limited = |text: &str| CopyAction {
        bandwidth: Some(text.parse::<Bandwidth>().unwrap()),
        ..action(Rules::default())
    };
    let spelled = arguments(&limited("07:00,5MiB 19:00,off"));
    assert_eq!(spelled.arguments.last().unwrap(), "07:00,5M 19:00,off");
    assert_eq!(lacking(&limited("5MB")), ["bandwidth"]);
}

#[test]
fn what_rclone_has_no_flag_for_is_named_by_its_field() {
    let base = action(Rules::default());
    let both = Preserve::NOTHING_MORE.with(Preserved::Acls).with(Preserved::HardLinks);
    for (action, fields) in [
        (CopyAction { compare: Compare::Content, ..base.clone() }, &["compare"][..]),
        (CopyAction { links: Links::Fail, ..base.clone() }, &["links"]),
        (CopyAction { priority: Priority::Gentle, ..base.clone() }, &["gentle"]),
        (CopyAction { access: Access::Backup, ..base.clone() }, &["backup"]),
        (CopyAction { resume_over: 1, ..base.clone() }, &["resume_over"]),
        (CopyAction { preserve: both, ..base.clone() }, &["preserve", "preserve"]),
    ] {
        assert_eq!(lacking(&action), fields);
    }
}

#[test]
fn a_pass_of_a_run_never_deletes_and_counts_ages_from_its_start() {
    let rules = Rules { min_age: Some(Duration::from_secs(DAY)), ..Rules::default() };
    let purge = Some(Purge { max_files: 1000, max_percent: 5, keep: Keep::None });
    let action = CopyAction { purge, ..action(rules) };
    let started: Timestamp = "2026-11-27T09:00:00.25Z".parse().unwrap();
    let text = arguments_of_pass(&action, started).join(" ");
    assert!(text.starts_with("copy /srv/old /srv/new --min-age 2026-11-26T09:00:00.25Z "), "{text}");
    assert!(!text.contains("delete") && text.ends_with("--use-json-log -v --stats 500ms"), "{text}");
}

#[test]
fn further_arguments_come_last_and_those_that_a_field_says_are_lacking() {
    let with = |argument: &str| CopyAction { extra_args: list(&[argument]), ..action(Rules::default()) };
    assert_eq!(arguments(&with("--fast-list")).arguments.last().unwrap(), "--fast-list");
    assert_eq!(lacking(&with("--max-delete=9")), ["extra_args"]);
}

#[test]
fn an_argument_is_quoted_for_a_shell_where_it_must_be() {
    for (argument, expected) in [
        ("/srv/new", "/srv/new"),
        ("- **", "'- **'"),
        (r"\\old\c$\Mail", r"'\\old\c$\Mail'"),
        ("it's", r"'it'\''s'"),
        ("", "''"),
    ] {
        assert_eq!(quoted(argument), expected);
    }
}
