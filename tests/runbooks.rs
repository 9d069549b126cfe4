//! The runbooks that ship: each is valid, each customer's file fits the runbook that it names, and the MailStore move makes
//! the passes of the published procedure in their order.

use std::fs;
use std::path::{Path, PathBuf};

use movebook::report::diagnostics::{Colour, Format, print};
use movebook::runbook::model::{ActionDecl, CopyDecl, Raw, Runbook, VarType};
use movebook::runbook::{self, Problems, schema};
use movebook::vars::{self, Given};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks")
}

fn shown(problems: &Problems) -> String {
    print(std::slice::from_ref(problems), Format::Human, Colour::Never)
}

/// The moves of an archive, which differ in who copies and in nothing else.
const MAILSTORE: [&str; 2] = ["mailstore-robocopy.yaml", "mailstore-rclone.yaml"];

fn load(name: &str) -> Runbook {
    runbook::load(&folder().join(name)).unwrap_or_else(|problems| panic!("{}", shown(&problems)))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|is| is == "yaml")).collect();
    assert!(!files.is_empty(), "no file in {}", folder.display());
    files.sort();
    files
}

fn copies(runbook: &Runbook) -> impl Iterator<Item = (&str, bool, &CopyDecl)> {
    runbook.phases.iter().flat_map(|phase| {
        phase.steps.iter().filter_map(|step| match &step.action.value {
            ActionDecl::Copy(copy) => Some((step.id.value.as_str(), phase.downtime, copy)),
            _ => None,
        })
    })
}

fn position(runbook: &Runbook, id: &str) -> usize {
    let mut steps = runbook.phases.iter().flat_map(|phase| &phase.steps);
    steps.position(|step| step.id.value == id).unwrap_or_else(|| panic!("no step {id}"))
}

#[test]
fn every_runbook_is_valid() {
    for path in files(&folder()) {
        if let Err(problems) = runbook::load(&path) {
            panic!("{}", shown(&problems));
        }
    }
}

/// The runbook is the one in the command line at the top of the customer's file.
#[test]
fn every_customers_file_fits_its_runbook() {
    for path in files(&folder().join("customers")) {
        let text = fs::read_to_string(&path).unwrap();
        let command = text.lines().find(|line| line.contains("movebook run ")).unwrap();
        let words: Vec<_> = command.trim_start_matches('#').split_whitespace().collect();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(root.join(words[4]), path, "the command line names another file");
        let runbook =
            runbook::load(&root.join(words[2])).unwrap_or_else(|problems| panic!("{}", shown(&problems)));
        let mut given = Given::default();
        // What no file of a repository holds.
        given.environment.extend(
            runbook
                .vars
                .values()
                .filter(|variable| variable.kind.value == VarType::Secret)
                .map(|variable| (variable.name.value.clone(), "geheim".into())),
        );
        given.files.push((path.display().to_string(), text));
        if let Err(problems) = vars::resolve(&runbook, &given) {
            panic!("{}", shown(&problems));
        }
    }
}

#[test]
fn every_file_begins_with_the_schema_that_editors_use() {
    for (folder, schema) in [
        (folder(), "../schema/runbook.schema.json"),
        (folder().join("common"), "../../schema/runbook.schema.json"),
    ] {
        for path in files(&folder) {
            let text = fs::read_to_string(&path).unwrap();
            let first = text.lines().next().unwrap();
            assert_eq!(first, format!("# yaml-language-server: $schema={schema}"), "{}", path.display());
        }
    }
}

#[test]
fn the_schemas_of_the_customers_files_are_current() {
    for name in ["mailstore-robocopy", "mailstore-rclone", "file-server"] {
        let path = format!("schema/{name}.vars.schema.json");
        let committed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)).unwrap();
        let current = schema::printed(&schema::of_variables(&load(&format!("{name}.yaml"))));
        assert!(
            committed == current,
            "{path} is stale: run `movebook schema --vars runbooks/{name}.yaml > {path}`"
        );
    }
}

#[test]
fn the_mailstore_move_makes_the_passes_of_the_procedure_in_their_order() {
    for name in MAILSTORE {
        let runbook = load(name);
        let filter = |copy: &CopyDecl| match copy.filter.as_ref().map(|filter| &filter.raw) {
            Some(Raw::Text(name)) => name.clone(),
            _ => "everything".to_owned(),
        };
        let passes: Vec<_> = copies(&runbook)
            .filter(|(id, ..)| !id.starts_with("store-"))
            .map(|(id, downtime, copy)| (id, downtime, filter(copy)))
            .collect();
        let passes: Vec<_> =
            passes.iter().map(|(id, downtime, filter)| (*id, *downtime, filter.as_str())).collect();
        assert_eq!(
            passes,
            [
                ("content", false, "content"),
                ("settled", false, "settled"),
                ("catch-up", false, "no-databases"),
                ("final", true, "everything"),
            ]
        );
    }
}

#[test]
fn only_the_last_passes_purge_and_only_they_tolerate_no_error() {
    let text = |leaf: &Raw| match leaf {
        Raw::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    for name in [MAILSTORE[0], MAILSTORE[1], "file-server.yaml", "demo.yaml"] {
        let runbook = load(name);
        for (id, downtime, copy) in copies(&runbook) {
            assert_eq!(copy.purge.is_some(), downtime, "{name}: {id}");
            let errors = text(&copy.options.errors.as_ref().unwrap().raw);
            assert_eq!(errors, if downtime { "fail" } else { "tolerate" }, "{name}: {id}");
        }
    }
}

#[test]
fn databases_are_copied_only_between_the_stop_and_the_start_of_the_old_server() {
    for name in MAILSTORE {
        let runbook = load(name);
        let (stopped, started) = (position(&runbook, "stop-old"), position(&runbook, "start-old"));
        for (id, downtime, copy) in copies(&runbook) {
            let at = position(&runbook, id);
            assert_eq!(stopped < at && at < started, downtime, "{id}");
            assert_eq!(copy.filter.is_none(), downtime, "{id}");
        }
    }
}

#[test]
fn what_people_do_comes_in_the_order_of_the_procedure() {
    for name in MAILSTORE {
        let runbook = load(name);
        let order = [
            "recovery-key-at-hand",
            "licensing",
            "content",
            "settled",
            "storage-location-status",
            "catch-up",
            "stop-old",
            "final",
            "proof",
            "start-old",
            "encryption",
            "run-new",
            "upgrade-stores",
            "compact",
            "consolidate",
            "re-index",
            "stop-old-for-good",
            "archive-here",
            "profiles-automatic",
            "transfer-licence",
            "switch-users",
            "uninstall-old",
            "old-data-removed",
        ];
        let positions: Vec<_> = order.iter().map(|id| position(&runbook, id)).collect();
        assert!(positions.is_sorted(), "{positions:?}");
    }
}

#[test]
fn the_key_typed_at_the_encryption_must_be_the_one_from_the_beginning() {
    for name in MAILSTORE {
        let runbook = load(name);
        let step = runbook
            .phases
            .iter()
            .flat_map(|phase| &phase.steps)
            .find(|step| step.id.value == "encryption")
            .unwrap();
        let ActionDecl::Checkpoint(checkpoint) = &step.action.value else { panic!("no checkpoint") };
        assert_eq!(checkpoint.same_as.as_ref().unwrap().value, "recovery-key-at-hand");
    }
}
