use super::*;
use crate::copy::{Bandwidth, Preserve};
use crate::filter::Filter;
use crate::plan::action::Purge;

fn action(rules: Rules) -> CopyAction {
    CopyAction::plain(r"\\old\c$\Mail", r"D:\Mail", Filter::new(rules).unwrap())
}

fn said(action: &CopyAction) -> String {
    arguments(action).arguments.join(" ")
}

fn lacking(action: &CopyAction) -> Vec<&'static str> {
    arguments(action).lacking.iter().map(|lack| lack.field).collect()
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_pass_with_a_filter_is_said_as_the_procedure_says_it() {
    let rules = Rules {
        include: list(&["*.dat"]),
        exclude: list(&["index*"]),
        min_age: Some(Duration::from_secs(DAY)),
        ..Rules::default()
    };
    let action = action(rules);
    assert_eq!(
        said(&action),
        r"\\old\c$\Mail D:\Mail *.dat /xf index* /s /r:2 /w:2 /minage:1 /xj /dcopy:DAT /mt:8"
    );
    assert!(lacking(&action).is_empty());
}

#[test]
fn retries_and_waits_are_always_said() {
    let never = CopyAction { retries: 0, wait: Duration::from_millis(200), ..action(Rules::default()) };
    assert!(said(&never).contains("/r:0 /w:1"));
}

#[test]
fn paths_that_are_kept_out_are_whole_paths() {
    let rules = Rules {
        exclude: list(&["a/b.dat"]),
        exclude_directories: list(&["temp", "/cache"]),
        ..Rules::default()
    };
    assert!(said(&action(rules)).contains(r"/xf \\old\c$\Mail\a\b.dat /xd temp \\old\c$\Mail\cache"));
}

#[test]
fn what_is_kept_out_of_a_purge_is_named_on_both_sides() {
    let rules = Rules { exclude_directories: list(&["temp", "/cache"]), ..Rules::default() };
    let purge = Some(Purge { max_files: 1000, max_percent: 5, keep: Keep::None });
    let action = CopyAction { purge, ..action(rules) };
    assert!(said(&action).contains(r"/xd temp \\old\c$\Mail\cache D:\Mail\cache"), "{}", said(&action));
}

#[test]
fn a_name_that_robocopy_would_read_otherwise_is_not_said() {
    let odd = || list(&["-x", "*.*"]);
    let rules = Rules { include: odd(), exclude: odd(), exclude_directories: odd(), ..Rules::default() };
    let action = action(rules);
    assert_eq!(said(&action), r"\\old\c$\Mail D:\Mail /s /r:2 /w:2 /xj /dcopy:DAT /mt:8");
    assert_eq!(lacking(&action).len(), 6);
}

#[test]
fn what_cmd_would_read_otherwise_is_not_plain() {
    for text in ["50%", "%PATH%", "x\" & calc & \"y", "a\nb"] {
        assert!(!is_plain(text), "{text}");
    }
    assert!(is_plain(r"\\old\c$\Größe & Co (1)"));
}

#[test]
fn what_robocopy_has_no_switch_for_is_named_by_its_field() {
    let odd = Rules {
        include: list(&["a/*.dat", "[ab]"]),
        exclude: list(&["a/**"]),
        exclude_directories: list(&["{a,b}"]),
        min_age: Some(Duration::from_secs(3600)),
        max_age: Some(Duration::from_secs(1900 * DAY)),
        case: Case::Sensitive,
        ..Rules::default()
    };
    assert_eq!(
        lacking(&action(odd)),
        ["include", "include", "exclude", "exclude_directories", "case", "min_age", "max_age"]
    );
    let base = action(Rules::default());
    let purge = Some(Purge { max_files: 1000, max_percent: 5, keep: Keep::Quarantine });
    for (action, fields) in [
        (
            CopyAction { purge, expect: list(&["*.fdb"]), adopt: Adopt::Ask, ..base.clone() },
            &["purge.max_files", "purge.keep", "expect", "adopt"][..],
        ),
        (CopyAction { compare: Compare::Content, ..base.clone() }, &["compare"]),
        (CopyAction { links: Links::Fail, ..base.clone() }, &["links"]),
        (CopyAction { mtime_tolerance: Some(Duration::from_secs(1)), ..base.clone() }, &["mtime_tolerance"]),
        (
            CopyAction { bandwidth: Some("5MiB".parse::<Bandwidth>().unwrap()), ..base.clone() },
            &["bandwidth"],
        ),
        (CopyAction { priority: Priority::Gentle, ..base.clone() }, &["gentle"]),
        (CopyAction { resume_over: 1, ..base.clone() }, &["resume_over"]),
        (CopyAction { threads: 200, ..base.clone() }, &["threads"]),
        (
            CopyAction {
                preserve: Preserve::NOTHING_MORE.with(Preserved::Xattrs).with(Preserved::HardLinks),
                ..base.clone()
            },
            &["preserve", "preserve"],
        ),
    ] {
        assert_eq!(lacking(&action), fields);
    }
}

#[test]
fn what_is_said_is_read_back_as_the_same_pass() {
    use crate::guard::PathStyle;
    use crate::robocopy::command_line::Surroundings;
    use crate::robocopy::{Misuse, parse, pass_of};

    let rules = Rules {
        include: list(&["*.dat", "a b"]),
        exclude: list(&["index*", "d/x.dat"]),
        exclude_directories: list(&["temp", "d/cache"]),
        min_age: Some(Duration::from_secs(2 * DAY)),
        max_age: Some(Duration::from_secs(9 * DAY)),
        min_size: Some(3),
        max_size: Some(4_000_000_000),
        max_depth: Some(7),
        case: Case::Insensitive,
    };
    let action = CopyAction {
        directories: Directories::All,
        mtime_tolerance: Some(Duration::from_secs(2)),
        links: Links::Copy,
        preserve: Preserve::NOTHING_MORE.with(Preserved::Acls),
        access: Access::Backup,
        ..action(rules)
    };
    let spelled = arguments(&action);
    assert!(spelled.lacking.is_empty(), "{spelled:?}");
    let around = Surroundings {
        style: PathStyle::Windows,
        leads_somewhere: &|_| false,
        read_job: &|_| Err(Misuse::new("", "")),
    };
    let job = parse(&spelled.arguments, &around).unwrap();
    assert_eq!(job.rights(), crate::robocopy::command_line::Rights::Backup);
    let pass = pass_of(
        &job,
        &action.from,
        &action.to,
        &jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC),
    )
    .unwrap();
    let anchored = Rules {
        exclude: list(&["index*", "/d/x.dat"]),
        exclude_directories: list(&["temp", "/d/cache"]),
        ..action.filter.rules().clone()
    };
    assert_eq!(*pass.filter.rules(), anchored, "a leading slash changes nothing in a path");
    assert_eq!(
        (
            pass.directories,
            pass.retries,
            pass.wait,
            pass.threads,
            pass.mtime_tolerance,
            pass.links,
            pass.preserve
        ),
        (
            action.directories,
            action.retries,
            action.wait,
            action.threads,
            action.mtime_tolerance,
            action.links,
            action.preserve
        )
    );
}

#[test]
fn an_argument_is_quoted_for_cmd_where_it_must_be() {
    for (argument, expected) in [
        (r"D:\Mail", r"D:\Mail"),
        ("*.dat", "*.dat"),
        ("Mail Archive", "\"Mail Archive\""),
        (r"D:\Mail Archive\", r#""D:\Mail Archive\\""#),
        ("a&b", "\"a&b\""),
        ("a(1)", "\"a(1)\""),
        ("", "\"\""),
        ("Größe", "Größe"),
    ] {
        assert_eq!(quoted(argument), expected);
    }
}

#[test]
fn a_limit_that_lets_in_empty_files_alone_is_none_of_robocopys() {
    let action = action(Rules { max_size: Some(0), ..Rules::default() });
    assert_eq!(lacking(&action), ["max_size"]);
    assert!(!said(&action).contains("/max"), "{}", said(&action));
}

#[test]
fn what_movebook_calls_robocopy_with_never_deletes_and_tells_all() {
    let purge = Some(Purge { max_files: 1, max_percent: 1, keep: Keep::Quarantine });
    let preserve = Preserve::NOTHING_MORE.with(Preserved::Acls);
    let action = CopyAction {
        purge,
        preserve,
        engine: EngineName::Robocopy,
        extra_args: list(&["/z", "/mir", "/purge"]),
        ..action(Rules::default())
    };
    let copying = for_copying(&action, Duration::ZERO).join(" ");
    assert_eq!(
        copying,
        r"\\old\c$\Mail D:\Mail /s /r:2 /w:2 /xj /copy:DATS /dcopy:DAT /mt:8 /z /secfix /fp /bytes /np /unicode"
    );
    let listing = for_listing(&action).join(" ");
    assert!(
        listing.ends_with("/z /l /x /fp /bytes /np /unicode") && !listing.contains("/purge"),
        "{listing}"
    );
}

#[test]
fn stamps_that_the_targets_volume_cuts_are_equal_to_robocopy_too() {
    let two = Duration::from_secs(2);
    for (told, of_volume, is_said) in [
        (None, two, true),
        (None, Duration::ZERO, false),
        (None, Duration::from_micros(1), false),
        (Some(Duration::ZERO), two, false),
        (Some(two), Duration::ZERO, true),
    ] {
        let action = CopyAction { mtime_tolerance: told, ..action(Rules::default()) };
        let said = for_copying(&action, of_volume);
        assert_eq!(said.contains(&"/fft".to_owned()), is_said, "{told:?} on {of_volume:?}");
    }
}

#[test]
fn a_pattern_that_is_more_names_by_the_rules_of_dos_is_refused() {
    let wide = ["*.*", "x.*", "*.", "x.?at", "a?", "a??", "?", "a?*", "a?.dat", "a?*.dat", "*.da?"];
    for pattern in wide {
        let rules = Rules {
            include: list(&[pattern]),
            exclude: list(&[pattern]),
            exclude_directories: list(&[pattern]),
            ..Rules::default()
        };
        assert_eq!(lacking(&action(rules)), ["include", "exclude", "exclude_directories"], "{pattern}");
    }
    for pattern in ["*", "*.dat", "x*", "*.dat*", "a?b", "?x.dat", "*~", "?*x", "a.b.dat"] {
        let rules = Rules { include: list(&[pattern]), ..Rules::default() };
        assert!(lacking(&action(rules)).is_empty(), "{pattern}");
    }
}
