//! One broken runbook, one snapshot of what its author sees.
//!
//! `SNAPSHOTS=overwrite cargo test --test diagnostics` writes the snapshots anew.

#[path = "common/snapshot.rs"]
mod snapshot;

use std::path::{Path, PathBuf};

use movebook::report::diagnostics::{Colour, Format, print};
use movebook::runbook;
use movebook::vars::{self, Given};
use snapshot::compare;

/// Named as the snapshots name them on every system.
fn fixtures(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| PathBuf::from(format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap())))
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

/// Fixtures are named from the crate's root, which is where tests run.
fn seen(path: &Path) -> String {
    match runbook::load(path) {
        Ok(_) => "no problems\n".to_owned(),
        Err(problems) => print(&[problems], Format::Human, Colour::Never),
    }
}

#[test]
fn every_broken_runbook_is_explained_as_its_snapshot_says() {
    let fixtures = fixtures("tests/diagnostics");
    assert!(fixtures.len() >= 40, "only {} broken runbooks", fixtures.len());
    let mut differing = Vec::new();
    for path in fixtures {
        compare(&path.with_extension("txt"), seen(&path), &mut differing);
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn five_errors_of_one_file_come_in_one_go() {
    let problems = runbook::load(Path::new("tests/diagnostics/five-errors.yaml")).unwrap_err();
    assert_eq!(problems.diagnostics.len(), 5);
    let problems = runbook::load(Path::new("tests/diagnostics/five-references.yaml")).unwrap_err();
    assert_eq!(problems.diagnostics.len(), 5);
}

#[test]
fn scripts_get_the_same_problems_as_json_and_as_annotations() {
    let mut differing = Vec::new();
    for name in ["five-references", "include-with-mistakes", "control-characters"] {
        let path = PathBuf::from(format!("tests/diagnostics/{name}.yaml"));
        let problems = [runbook::load(&path).unwrap_err()];
        let json = print(&problems, Format::Json, Colour::Never);
        for line in json.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
        compare(&path.with_extension("jsonl"), json, &mut differing);
        let github = print(&problems, Format::Github, Colour::Never);
        compare(&path.with_extension("github"), github, &mut differing);
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn columns_count_characters_and_not_bytes() {
    let text = "movebook: 1\nname: x\ntitle: Müller\nphases:\n  - {id: ü, steps: [{id: a, wait: {for: 1s}}], äö: 1}\n";
    let problems = runbook::read("x.yaml", &|_| Ok(text.to_owned())).unwrap_err();
    let json = print(&[problems], Format::Json, Colour::Never);
    let columns: Vec<u64> = json
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["column"].as_u64().unwrap())
        .collect();
    assert_eq!(columns, [10, 48]);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_mistakes() {
    let text = "movebook: 1\nname: fine\nphases:\n  - id: a\n    steps:\n      - {id: b, wait: {for: 1s}}\n";
    for variant in [format!("\u{feff}{text}"), text.replace('\n', "\r\n")] {
        let runbook = runbook::read("fine.yaml", &|_| Ok(variant.clone())).unwrap();
        assert_eq!(runbook.name.value, "fine");
        assert_eq!(runbook.phases[0].steps[0].id.value, "b");
    }
}

#[test]
fn colour_is_written_only_when_told() {
    let load = || runbook::load(Path::new("tests/diagnostics/unknown-key.yaml")).unwrap_err();
    assert!(!print(&[load()], Format::Human, Colour::Never).contains('\u{1b}'));
    assert!(print(&[load()], Format::Human, Colour::Always).contains('\u{1b}'));
}

#[test]
fn no_control_character_of_a_file_reaches_the_output() {
    let problems = [runbook::load(Path::new("tests/diagnostics/control-characters.yaml")).unwrap_err()];
    for format in [Format::Human, Format::Json, Format::Github] {
        let text = print(&problems, format, Colour::Never);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
}

#[test]
fn no_value_of_a_variable_file_beside_a_secret_is_told() {
    let runbook = runbook::load(Path::new("tests/diagnostics/variables/runbook/variables.yaml")).unwrap();
    let mut files = 0;
    for path in fixtures("tests/diagnostics/variables") {
        let text = std::fs::read_to_string(&path).unwrap();
        if !path.file_stem().unwrap().to_str().unwrap().starts_with("secret-") {
            continue;
        }
        assert!(text.contains("CANARY"), "{}", path.display());
        let given = Given { files: vec![(path.display().to_string(), text)], ..Given::default() };
        let problems = [vars::resolve(&runbook, &given).unwrap_err()];
        for format in [Format::Human, Format::Json, Format::Github] {
            let told = print(&problems, format, Colour::Never);
            assert!(!told.contains("CANARY"), "{}: {told}", path.display());
        }
        files += 1;
    }
    assert_eq!(files, 9);
}

/// The variables of `tests/diagnostics/variables/runbook.yaml`, given in many wrong ways.
#[test]
fn every_wrong_variable_file_is_explained_as_its_snapshot_says() {
    let runbook = runbook::load(Path::new("tests/diagnostics/variables/runbook/variables.yaml")).unwrap();
    let mut differing = Vec::new();
    for path in fixtures("tests/diagnostics/variables") {
        let text = std::fs::read_to_string(&path).unwrap();
        let given = Given { files: vec![(path.display().to_string(), text)], ..Given::default() };
        let actual = match vars::resolve(&runbook, &given) {
            Ok(_) => "no problems\n".to_owned(),
            Err(problems) => print(&[problems], Format::Human, Colour::Never),
        };
        compare(&path.with_extension("txt"), actual, &mut differing);
    }
    let given = Given {
        arguments: vec![
            ("old_archive".into(), "/old".into()),
            ("threads".into(), "0".into()),
            ("key".into(), "canary-value".into()),
            ("archive".into(), "x".into()),
        ],
        environment: [("ENGINE".to_owned(), "robocpy".to_owned()), ("pause".to_owned(), "soon".to_owned())]
            .into(),
        files: Vec::new(),
    };
    let problems = vars::resolve(&runbook, &given).unwrap_err();
    let actual = print(&[problems], Format::Human, Colour::Never);
    assert!(!actual.contains("canary-value"));
    compare(Path::new("tests/diagnostics/variables/arguments.txt"), actual, &mut differing);
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
