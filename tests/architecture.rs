//! Who may use whom: the arrows of the architecture, read from the `crate::` paths of the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What anybody may use.
const LEAVES: &[&str] = &["cancel", "error", "secret", "values"];

/// Whom a module may use beside the leaves; a name of two parts allows only that part.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "cli",
        &[
            "copy", "demo", "engine", "event", "filter", "guard", "import", "plan", "rclone", "render",
            "report", "robocopy", "run", "runbook", "state", "sys", "vars",
        ],
    ),
    ("copy", &["filter", "sys"]),
    // What `movebook demo` makes and starts; it carries out nothing itself.
    ("demo", &["sys"]),
    // Who carries out a pass: movebook, or a program with movebook around it.
    ("engine", &["copy", "filter", "plan::CopyAction", "plan::action", "rclone", "robocopy", "sys"]),
    ("event", &["copy", "state::record"]),
    ("filter", &[]),
    ("guard", &["copy", "filter", "plan", "state::record"]),
    // It writes the language and reads those of others; of the language itself it knows what a template has names for.
    (
        "import",
        &[
            "copy",
            "filter",
            "guard",
            "plan::action",
            "rclone::remote",
            "robocopy",
            "runbook::scan",
            "runbook::template",
        ],
    ),
    // What robocopy's and rclone's languages lack for a pass is said when the plan is made.
    ("plan", &["copy", "filter", "rclone", "render", "robocopy", "runbook", "vars"]),
    ("render", &["runbook", "vars"]),
    ("report", &["copy", "event", "plan", "rclone", "robocopy", "runbook", "state"]),
    // A language and no engine: what its lines mean is a pass.
    ("robocopy", &["copy", "filter", "guard", "plan::action"]),
    ("rclone", &["copy", "filter", "guard", "plan::action"]),
    (
        "run",
        &[
            "copy", "engine", "event", "filter", "guard", "plan", "rclone", "render", "robocopy", "runbook",
            "state", "sys", "vars",
        ],
    ),
    ("runbook", &["copy", "filter", "plan::action"]),
    ("state", &["copy", "plan", "runbook", "sys"]),
    ("sys", &["copy"]),
    ("vars", &["runbook"]),
];

/// Modules that never touch a file system, a clock or a process.
const PURE: &[&str] = &[
    "src/runbook",
    "src/render.rs",
    "src/vars.rs",
    "src/values.rs",
    "src/filter.rs",
    "src/guard.rs",
    "src/import",
    "src/plan.rs",
    "src/rclone",
    "src/robocopy",
];

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("tests") || path.ends_with("tests.rs") {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path.display().to_string().replace('\\', "/"), text));
        }
    }
}

/// The code that is shipped: tests may use what they like.
fn shipped(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Paths below `crate::`, braces spelled out: `copy::EngineName`, `plan::action::Evidence`.
fn used(code: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate::` and `my_crate::` are followed the same way; the latter does not occur.
        spell("", &code[at + "crate::".len()..], &mut paths);
    }
    paths
}

fn spell(before: &str, rest: &str, paths: &mut BTreeSet<String>) {
    let end =
        rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':' || c == '$')).unwrap_or(rest.len());
    let path = format!("{before}{}", &rest[..end]);
    if !rest[end..].starts_with('{') || !path.ends_with("::") && !path.is_empty() {
        paths.insert(path);
        return;
    }
    let mut depth = 0;
    let mut start = end + 1;
    for (at, c) in rest[end..].char_indices().map(|(at, c)| (at + end, c)) {
        match c {
            '{' => depth += 1,
            '}' | ',' if depth == 1 => {
                let part = rest[start..at].trim();
                if !part.is_empty() {
                    spell(&path, part, paths);
                }
                start = at + 1;
                if c == '}' {
                    return;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
}

fn module_of(file: &str) -> &str {
    let file = file.strip_prefix("src/").unwrap();
    file.split(['/', '.']).next().unwrap()
}

#[test]
fn no_arrow_runs_against_the_architecture() {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    assert!(files.len() > 20);
    let mut wrong = Vec::new();
    for (file, text) in &files {
        let module = module_of(file);
        if matches!(module, "lib" | "main") {
            continue;
        }
        if LEAVES.contains(&module) {
            // A leaf may lean on another leaf alone.
            for path in used(&shipped(text)) {
                let target = path.split("::").next().unwrap();
                if target != module && !LEAVES.contains(&target) {
                    wrong.push(format!("{file}: the leaf {module} uses crate::{path}"));
                }
            }
            continue;
        }
        let Some(allowed) = arrows.get(module) else {
            wrong.push(format!("{file}: the module {module} is not in the architecture"));
            continue;
        };
        for path in used(&shipped(text)) {
            let target = path.split("::").next().unwrap();
            let within = |arrow: &&&str| path == **arrow || path.starts_with(&format!("{arrow}::"));
            if target != module && !LEAVES.contains(&target) && !allowed.iter().any(|arrow| within(&arrow)) {
                wrong.push(format!("{file}: {module} uses crate::{path}"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows against the architecture:\n{}", wrong.join("\n"));
}

#[test]
fn pure_modules_touch_no_file_system_clock_or_process() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    let mut wrong = Vec::new();
    for (file, text) in &files {
        // Reading the files of a runbook is the one effect of the language, in one place.
        if !PURE.iter().any(|pure| file.starts_with(pure)) || file == "src/runbook/include.rs" {
            continue;
        }
        for effect in
            ["std::fs", "std::process", "SystemTime::now", "Instant::now", "Timestamp::now", "std::env"]
        {
            if shipped(text).contains(effect) {
                wrong.push(format!("{file} uses {effect}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_and_platforms_are_in_sys_alone() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    let mut wrong = Vec::new();
    for (file, text) in files.iter().filter(|(file, _)| module_of(file) != "sys") {
        for word in [
            "unsafe {",
            "unsafe fn",
            "unsafe impl",
            "cfg(windows)",
            "cfg(unix)",
            "std::os::unix",
            "std::os::windows",
        ] {
            if shipped(text).contains(word) {
                wrong.push(format!("{file} has {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_paths_spells_out_braces() {
    let code = "use crate::copy::{EngineName, native::{Native, Other}};\nuse crate::{plan, run::{self}};\ncrate::vars::resolve(x)";
    let paths = used(code);
    for path in [
        "copy::EngineName",
        "copy::native::Native",
        "copy::native::Other",
        "plan",
        "run::self",
        "vars::resolve",
    ] {
        assert!(paths.contains(path), "{path} is not in {paths:?}");
    }
}
