//! What robocopy cannot do for a pass, and what may not be added to its line, is said when the plan is made.

use super::pass;
use crate::common::Scene;

/// What a plan with these fields of a step by robocopy says.
fn planned(fields: &str) -> crate::common::Ended {
    pass(fields, "exit 16\n").plan(&[])
}

#[test]
fn what_robocopy_cannot_say_is_refused_by_its_field() {
    for (field, name) in [
        ("compare: content", "compare"),
        ("bandwidth: 5MiB", "bandwidth"),
        ("mtime_tolerance: 1s", "mtime_tolerance"),
        ("resume_over: 1MiB", "resume_over"),
        ("preserve: [xattrs]", "preserve"),
    ] {
        let ended = planned(&format!(", {field}")).code(2);
        assert!(
            ended.stderr.contains(&format!("`robocopy` cannot do what `{name}` asks for")),
            "{}",
            ended.stderr
        );
        assert!(
            ended.stderr.contains("movebook::engine_lacks") && ended.stderr.contains("engine: native"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn what_robocopy_cannot_say_of_a_filter_is_refused_by_its_field() {
    for (rule, name) in [
        ("case: sensitive, include: ['*.dat']", "case"),
        ("exclude: ['a/*.dat']", "exclude"),
        ("exclude_directories: ['a/**']", "exclude_directories"),
        ("min_age: 1h", "min_age"),
        ("max_size: 0", "max_size"),
        ("include: ['x.*']", "include"),
        ("exclude: ['index?']", "exclude"),
    ] {
        let step = "phases:\n  - id: only\n    steps:\n      - id: a\n        copy:\n          from: ROOT/old\n          to: ROOT/new\n          filter: f\n          engine: robocopy";
        let ended =
            Scene::new().runbook(&format!("filters:\n  f: {{{rule}}}\n{step}")).plan(&["--no-scan"]).code(2);
        assert!(
            ended.stderr.contains(&format!("cannot do what `{name}` asks for")),
            "{rule}: {}",
            ended.stderr
        );
        assert!(ended.stderr.contains("scene.yaml:12:"), "{rule} at the filter: {}", ended.stderr);
    }
}

#[test]
fn what_is_done_around_robocopy_is_not_refused() {
    for fields in [
        ", links: fail",
        ", gentle: true",
        ", purge: {max_files: 3}, expect: ['*.dat']",
        ", adopt: true",
        ", threads: 1",
    ] {
        pass(fields, "exit 16\n").plan(&["--no-scan"]).code(0);
    }
}

#[test]
fn each_argument_that_is_not_passed_on_is_told_at_its_place_with_what_to_use_instead() {
    let ended = planned(", extra_args: [/z, /mir, '/r:5', /compres, '*.dat']").code(2);
    for text in [
        "`/mir` is not passed on: robocopy deletes nothing",
        "use `purge:` on the step",
        "`/r:5` is not passed on",
        "use `retries:`",
        "`/compres` is no switch of robocopy",
        "did you mean /COMPRESS?",
        "`*.dat` is no switch of robocopy",
    ] {
        assert!(ended.stderr.contains(text), "{text}: {}", ended.stderr);
    }
    assert_eq!(ended.stderr.matches("movebook::extra_argument").count(), 4, "{}", ended.stderr);
    assert!(!ended.stderr.contains("`/z`"), "{}", ended.stderr);
}

#[test]
fn a_control_character_in_an_argument_is_written_out() {
    let ended = planned(r#", extra_args: ["/z\e[2J"]"#).code(2);
    assert!(!ended.stderr.contains('\u{1b}'), "{:?}", ended.stderr);
}

#[test]
fn arguments_for_no_program_are_refused() {
    let ended = Scene::new()
        .steps("- {id: a, copy: {from: ROOT/old, to: ROOT/new, extra_args: [/z]}}")
        .plan(&[])
        .code(2);
    assert!(ended.stderr.contains("movebook::no_program_for_arguments"), "{}", ended.stderr);
}

#[test]
fn the_printed_command_has_what_the_step_adds() {
    let text = pass(", extra_args: [/z]", "exit 16\n").plan(&["--format", "commands"]).code(0).stdout;
    let line = text.lines().find(|line| line.starts_with("robocopy ")).unwrap();
    assert!(line.ends_with("/mt:16 /z"), "{line}");
}
