use super::*;
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
        max_depth: Some(2),
        ..Rules::default()
    };
    assert_eq!(
        said(&action(rules)),
        "--min-age 1d --max-age 86460s --min-size 3B --max-size 4096B --max-depth 2"
    );
}

#[test]
fn a_purge_is_a_sync_with_a_second_line_of_defence() {
    let purge = Some(Purge { max_files: 1000, max_percent: 5, keep: Keep::Quarantine });
    let action = CopyAction { purge, directories: Directories::All, ..action(Rules::default()) };
    let spelled = arguments(&action);
    assert_eq!(spelled.arguments[0], "sync");
    assert_eq!(said(&action), "--create-empty-src-dirs --max-delete 1000");
    assert_eq!(lacking(&action), ["purge.max_percent", "purge.keep"]);
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
    for rules in [
        Rules { include: list(&["*.dat"]), ..Rules::default() },
        Rules { max_depth: Some(2), ..Rules::default() },
    ] {
        assert_eq!(lacking(&CopyAction { directories: Directories::All, ..action(rules) }), ["directories"]);
    }
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
