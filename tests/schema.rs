//! The schema for editors is current, and it and the reader take the same files.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use movebook::runbook::model::Raw;
use movebook::runbook::source::{FileId, Spanned};
use movebook::runbook::{entry, scan, schema};
use proptest::prelude::*;
use serde_json::{Value, json};

const COMMITTED: &str = "schema/runbook.schema.json";

static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    jsonschema::draft7::new(&schema::of_runbooks()).expect("the generated schema is a schema")
});

fn reader_takes(tree: &Spanned<Raw>) -> bool {
    let mut problems = Vec::new();
    entry::read(tree, &mut problems).is_some() && problems.is_empty()
}

#[track_caller]
fn assert_agreement(tree: &Spanned<Raw>, what: &str) {
    let json = tree.value.to_json();
    let (by_schema, by_reader) = (VALIDATOR.is_valid(&json), reader_takes(tree));
    assert_eq!(
        by_schema,
        by_reader,
        "the schema says {by_schema}, the reader {by_reader}: {what}\n{}\n{:?}",
        serde_json::to_string_pretty(&json).unwrap(),
        VALIDATOR.iter_errors(&json).map(|error| error.to_string()).collect::<Vec<_>>(),
    );
}

fn fixtures(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fixtures(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
}

#[test]
fn the_committed_schema_is_the_generated_one() {
    let generated = schema::printed(&schema::of_runbooks());
    if std::env::var_os("SNAPSHOTS").is_some_and(|action| action == "overwrite") {
        std::fs::write(COMMITTED, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(committed == generated, "{COMMITTED} is stale: run `movebook schema > {COMMITTED}`");
}

#[test]
fn schema_and_reader_agree_on_every_fixture() {
    let mut files = Vec::new();
    fixtures(Path::new("tests/diagnostics"), &mut files);
    let mut judged = 0;
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Ok(tree) = scan::scan(FileId(0), scan::without_mark(&text)) else { continue };
        assert_agreement(&tree, &path.display().to_string());
        judged += 1;
    }
    assert!(judged > 30, "only {judged} fixtures are YAML");
}

/// A runbook that uses every key of the language.
const EVERYTHING: &str = include_str!("everything.yaml");

#[test]
fn a_runbook_with_every_key_is_taken_by_both() {
    let tree = scan::scan(FileId(0), EVERYTHING).unwrap();
    assert!(VALIDATOR.is_valid(&tree.value.to_json()));
    assert!(reader_takes(&tree));
    movebook::runbook::read("everything.yaml", &|_| Ok(EVERYTHING.to_owned())).unwrap();
}

#[test]
fn every_key_of_the_schema_is_in_the_runbook_with_every_key() {
    fn keys(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(members) => {
                if let Some(Value::Object(properties)) = members.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                members.values().for_each(|member| keys(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    keys(&schema::of_runbooks(), &mut found);
    assert!(found.len() > 60);
    for key in found.into_iter().filter(|key| key != "include" || EVERYTHING.contains("include:")) {
        assert!(EVERYTHING.contains(&format!("{key}:")), "{key} is not used");
    }
}

/// The tree with one thing changed: a value replaced, a key renamed, added or taken out.
fn mutated(tree: &Spanned<Raw>, place: usize, change: usize) -> Spanned<Raw> {
    let mut tree = tree.clone();
    let count = count(&tree);
    let mut left = place % count;
    change_at(&mut tree, &mut left, change);
    tree
}

fn count(tree: &Spanned<Raw>) -> usize {
    1 + match &tree.value {
        Raw::List(items) => items.iter().map(count).sum(),
        Raw::Map(members) => members.iter().map(|(_, member)| count(member)).sum::<usize>(),
        _ => 0,
    }
}

fn change_at(tree: &mut Spanned<Raw>, left: &mut usize, change: usize) -> bool {
    if *left == 0 {
        let text = |text: &str| Raw::Text(text.to_owned());
        let span = tree.span;
        match (&mut tree.value, change % 3) {
            (Raw::Map(members), 1) if !members.is_empty() => {
                let at = change / 3 % members.len();
                let _taken = members.remove(at);
            }
            (Raw::Map(members), 2) => {
                let names =
                    ["copy", "include", "x-mine", "path", "that", "run", "shell", "for", "start", "oddity"];
                let name = names[change / 3 % names.len()];
                if members.iter().all(|(key, _)| key.value != name) {
                    members.push((Spanned::new(name.to_owned(), span), Spanned::new(text("1s"), span)));
                }
            }
            (Raw::List(items), 1) if !items.is_empty() => {
                items.truncate(change / 3 % items.len());
            }
            (value, _) => {
                *value = match change / 3 % 16 {
                    0 => text("{{ old }}"),
                    1 => text("10 minutes"),
                    2 => text("1h 30m"),
                    3 => text("5 GiB"),
                    4 => text(""),
                    5 => Raw::Integer(0),
                    6 => Raw::Integer(-3),
                    7 => Raw::Integer(5_000_000_000),
                    8 => Raw::Boolean(true),
                    9 => Raw::Float(1.5),
                    10 => Raw::Null,
                    11 => Raw::List(Vec::new()),
                    12 => Raw::Map(Vec::new()),
                    13 => text("stopped"),
                    14 => text("Not An Id"),
                    _ => text("{% if old %}x{% endif %}"),
                };
            }
        }
        return true;
    }
    *left -= 1;
    match &mut tree.value {
        Raw::List(items) => items.iter_mut().any(|item| change_at(item, left, change)),
        Raw::Map(members) => members.iter_mut().any(|(_, member)| change_at(member, left, change)),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn schema_and_reader_agree_on_a_runbook_with_something_changed(
        changes in prop::collection::vec((0usize..10_000, 0usize..10_000), 1..3),
    ) {
        let mut tree = scan::scan(FileId(0), EVERYTHING).unwrap();
        for (place, change) in &changes {
            tree = mutated(&tree, *place, *change);
        }
        assert_agreement(&tree, &format!("{changes:?}"));
    }
}

#[test]
fn the_schema_of_variable_files_says_what_the_declarations_say() {
    let path = Path::new("tests/diagnostics/variables/runbook/variables.yaml");
    let runbook = movebook::runbook::load(path).unwrap();
    let schema = schema::of_variables(&runbook);
    assert_eq!(schema["properties"]["engine"]["enum"], json!(["native", "robocopy", "rclone"]));
    assert_eq!(schema["properties"]["threads"]["maximum"], json!(128));
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(schema.get("required"), None);
    let validator = jsonschema::draft7::new(&schema).unwrap();
    assert!(
        validator.is_valid(&json!({"old_archive": "D:\\x", "threads": 8, "pause": "10m", "limit": "2GiB"}))
    );
    for wrong in [
        json!({"old_archiv": "x"}),
        json!({"customer": "ACME"}),
        json!({"customer": "abcdefghij"}),
        json!({"threads": 500}),
        json!({"engine": "robocopi"}),
        json!({"pause": "soon"}),
        json!({"key": "abc"}),
        json!({"stores": [1, 2, 3]}),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}

#[test]
fn a_depth_of_nothing_is_refused_by_both() {
    let runbook = |depth: u32| {
        let text = format!(
            "
movebook: 1
name: depth
filters: {{shallow: {{max_depth: {depth}}}}}
phases:
  - {{id: one, steps: [{{id: copy, copy: {{from: /a, to: /b, filter: shallow}}}}]}}
"
        );
        let tree = scan::scan(FileId(0), &text).unwrap();
        (VALIDATOR.is_valid(&tree.value.to_json()), reader_takes(&tree))
    };
    assert_eq!(runbook(0), (false, false));
    assert_eq!(runbook(1), (true, true));
}
