//! `movebook import`: scripts as people have them, and the runbooks that come of them.
//!
//! One script, one snapshot: `SNAPSHOTS=overwrite cargo test --test import` writes the runbooks anew.

mod common;

use std::path::{Path, PathBuf};

use common::Scene;
use common::running::Ended;
use common::snapshot::compare;
use movebook::import::{File, Imported, import, name_of};
use movebook::plan::{self, Action, CopyAction, Plan};
use movebook::report::diagnostics::{Colour, Format, print};
use movebook::runbook::{self, Runbook};
use movebook::vars::{self, Given};
use proptest::prelude::*;
use serde_json::{Value, json};

fn scripts() -> Vec<PathBuf> {
    let mut scripts: Vec<PathBuf> = std::fs::read_dir("tests/import")
        .unwrap()
        .map(|entry| PathBuf::from(format!("tests/import/{}", entry.unwrap().file_name().to_str().unwrap())))
        .filter(|path| !path.extension().is_some_and(|extension| extension == "yaml" || extension == "txt"))
        .collect();
    scripts.sort();
    scripts
}

fn file(path: &Path) -> File {
    File { name: path.file_name().unwrap().to_str().unwrap().to_owned(), bytes: std::fs::read(path).unwrap() }
}

fn imported(file: File) -> Imported {
    let name = name_of(&file.name);
    import(&[file], &name).unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

fn of_text(name: &str, text: &str) -> Imported {
    imported(File { name: name.to_owned(), bytes: text.as_bytes().to_vec() })
}

#[track_caller]
fn valid(text: &str) -> Runbook {
    runbook::read("imported.yaml", &|_| Ok(text.to_owned()))
        .unwrap_or_else(|problems| panic!("{}\n{text}", print(&[problems], Format::Human, Colour::Never)))
}

/// The plan with these variables, and a path for each that has to be given and is not.
#[track_caller]
fn planned(runbook: Runbook, variables: &[(&str, &str)], to_give: &[String]) -> Plan {
    let given = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let arguments = given.chain(to_give.iter().map(|name| (name.clone(), "/given".to_owned()))).collect();
    let values = vars::resolve(&runbook, &Given { arguments, ..Given::default() })
        .unwrap_or_else(|problems| panic!("{}", print(&[problems], Format::Human, Colour::Never)));
    plan::make(runbook, values, json!({}), Default::default())
        .unwrap_or_else(|problems| panic!("{}", print(&[problems], Format::Human, Colour::Never)))
}

#[test]
fn every_script_gives_the_runbook_that_lies_beside_it() {
    let scripts = scripts();
    assert!(scripts.len() >= 5, "only {} scripts", scripts.len());
    let mut differing = Vec::new();
    for path in scripts {
        let ended = Scene::new().movebook(&["import", std::path::absolute(&path).unwrap().to_str().unwrap()]);
        let beside = |end: &str| PathBuf::from(format!("{}.{end}", path.display()));
        compare(&beside("yaml"), ended.stdout, &mut differing);
        compare(&beside("txt"), ended.stderr, &mut differing);
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn every_runbook_that_comes_of_a_script_can_be_planned() {
    for path in scripts() {
        let imported = imported(file(&path));
        let plan = planned(valid(&imported.text), &[], &imported.to_give);
        assert_eq!(plan.steps().count(), imported.steps, "{}", path.display());
    }
}

/// The passes of a plan, but for what the runbook alone can say: what its filter is called, and what a source must hold.
fn passes(plan: &Plan) -> Vec<Value> {
    let copy = |action: &CopyAction| {
        let mut pass = serde_json::to_value(action).unwrap();
        let fields = pass.as_object_mut().unwrap();
        assert!(fields.len() > 15, "{fields:?}");
        fields.remove("filter_name").unwrap();
        fields.remove("expect").unwrap();
        pass
    };
    plan.steps()
        .filter_map(|step| match step.ready() {
            Some(Action::Copy(action)) => Some(copy(action)),
            _ => None,
        })
        .collect()
}

fn shipped() -> Plan {
    let runbook = runbook::load(Path::new("runbooks/mailstore-robocopy.yaml"))
        .unwrap_or_else(|problems| panic!("{:?}", problems.diagnostics));
    planned(
        runbook,
        &[("old_archive", r"\\oldserver\c$\MailArchive"), ("new_archive", r"D:\MailArchive")],
        &[],
    )
}

/// The published procedure leaves `/mt` to whoever follows it: then the number of threads is the language's own.
#[test]
fn the_articles_commands_plan_the_passes_of_the_shipped_runbook() {
    let article = std::fs::read_to_string("tests/import/article.cmd").unwrap();
    let with_threads = article.replace(" /r:2", " /mt:8 /r:2");
    let plan = |text: &str| planned(valid(&of_text("article.cmd", text).text), &[], &[]);
    let expected = passes(&shipped());
    assert_eq!(expected.len(), 4);
    assert_eq!(passes(&plan(&with_threads)), expected);
    let without_threads = |plan: &Plan| {
        let mut passes = passes(plan);
        passes.iter_mut().for_each(|pass| drop(pass.as_object_mut().unwrap().remove("threads").unwrap()));
        passes
    };
    assert_eq!(without_threads(&plan(&article)), without_threads(&shipped()));
}

#[test]
fn the_articles_last_command_is_one_step_that_is_tried_again() {
    let plan = planned(valid(&imported(file(Path::new("tests/import/article.cmd"))).text), &[], &[]);
    let step = plan.step("final").unwrap();
    assert_eq!(step.retry.attempts, 2);
    let downtime = plan.phases.iter().find(|phase| phase.downtime).unwrap();
    assert!(downtime.steps.iter().any(|step| step.id == "final"));
}

#[test]
fn the_articles_passes_by_rclone_are_the_same_but_for_what_it_counts_otherwise() {
    let lines = r#"
rclone copy \\oldserver\c$\MailArchive D:\MailArchive --filter "- index*" --filter "+ *.dat" --filter "- **" --ignore-case --min-age 1d
rclone copy \\oldserver\c$\MailArchive D:\MailArchive --filter "- *.fdb" --ignore-case --min-age 1d
rclone copy \\oldserver\c$\MailArchive D:\MailArchive --filter "- *.fdb" --ignore-case
rclone sync \\oldserver\c$\MailArchive D:\MailArchive --create-empty-src-dirs
"#;
    let script = lines.lines().map(|line| format!("{line} --retries 3 --retries-sleep 2s --transfers 8\n"));
    let script: String = script.filter(|line| line.starts_with("rclone")).collect();
    let plan = planned(valid(&of_text("article.cmd", &script).text), &[], &[]);
    assert_eq!(passes(&plan), passes(&shipped()));
}

fn run(scene: &Scene, arguments: &[&str]) -> Ended {
    scene.movebook(&[&["import"], arguments].concat())
}

/// A tree with names that the lines below let in and keep out, and an empty folder.
#[cfg(unix)]
fn archive(scene: &Scene) {
    for name in [
        "one.dat",
        "index1.dat",
        "a.lock",
        "sub/two.dat",
        "sub/b.fdb",
        "sub/tmp/three.dat",
        "tmp/four",
        "Ü/INDEX.dat",
    ] {
        scene.write(&format!("old/{name}"), name);
    }
    std::fs::create_dir_all(scene.path("old/empty")).unwrap();
}

/// Runs a script by the shell, and what is imported of it by movebook; each has targets of its own.
#[cfg(unix)]
fn both_ways(scene: &Scene, script: &str, targets: &[&str]) {
    use std::process::Command;

    archive(scene);
    for way in ["script", "run"] {
        std::fs::create_dir_all(scene.path(way)).unwrap();
        scene.write(&format!("{way}.sh"), scene.placed(&script.replace("NEW", &format!("ROOT/{way}"))));
    }
    let program = Path::new(common::scene::PROGRAM).parent().unwrap().to_str().unwrap();
    let path = format!("{program}:{}", std::env::var("PATH").unwrap());
    let by_script = Command::new("sh").arg(scene.path("script.sh")).env("PATH", path).output().unwrap();
    assert!(by_script.status.code().is_some_and(|code| code < 8), "{by_script:?}");
    run(scene, &["run.sh", "--output", "scene.yaml"]).code(0);
    scene.run(&[]).code(0);
    for target in targets {
        common::tree::assert_equal(
            &scene.path(&format!("script/{target}")),
            &scene.path(&format!("run/{target}")),
        );
    }
}

#[cfg(unix)]
fn is_installed(program: &str) -> bool {
    std::process::Command::new(program).arg("--version").output().is_ok()
}

#[cfg(unix)]
#[test]
fn what_comes_of_a_script_for_rsync_leaves_the_target_that_rsync_leaves() {
    if !is_installed("rsync") {
        println!("not proven here: rsync is not installed");
        return;
    }
    let script = "set -e\nOLD=ROOT/old\n\
        rsync -a --exclude=tmp/ --exclude='*.lock' \"$OLD/\" NEW/one/\n\
        rsync -am --include='*/' --include='*.dat' --exclude='*' $OLD/ NEW/two\n\
        rsync -a --exclude=/sub/tmp $OLD/ NEW/three && rsync -a $OLD NEW\n\
        rsync -rt --max-size=8 $OLD/ NEW/four\n\
        rsync -t $OLD/* NEW/ignored 2>/dev/null || true\n";
    // The last line is left, and does nothing that is compared.
    both_ways(&Scene::new(), script, &["one", "two", "three", "old", "four"]);
}

#[cfg(unix)]
#[test]
fn what_comes_of_a_script_for_rclone_leaves_the_target_that_rclone_leaves() {
    if !is_installed("rclone") {
        println!("not proven here: rclone is not installed");
        return;
    }
    let script = "rclone copy ROOT/old NEW/one --filter '- index*' --filter '+ *.dat' --filter '- **'\n\
        rclone copy ROOT/old NEW/two --filter '- index*' --filter '+ *.dat' --filter '- **' --ignore-case\n\
        rclone sync ROOT/old NEW/three --create-empty-src-dirs --exclude 'tmp/**' --max-depth 2\n\
        rclone copy ROOT/old NEW/four --exclude '/sub/tmp/**' --exclude '*.{lock,fdb}' --max-size 9B\n\
        rclone copy ROOT/old NEW/five --include 'sub/*.dat' --include '/tmp/**'\n";
    both_ways(&Scene::new(), script, &["one", "two", "three", "four", "five"]);
}

/// `movebook robocopy` stands in for `robocopy.exe`, which is on Windows alone.
#[cfg(unix)]
#[test]
fn what_comes_of_a_script_for_robocopy_leaves_the_target_that_its_stand_in_leaves() {
    let script = "movebook robocopy ROOT/old NEW/one '*.dat' /xf 'index*' /s /r:1 /w:1\n\
        movebook robocopy ROOT/old NEW/two /xd tmp /e /purge\n\
        movebook robocopy ROOT/old NEW/three /xd ROOT/old/sub/tmp /xf '*.lock' /s /lev:2\n\
        movebook robocopy ROOT/old NEW/four /min:6 /max:8 /e\n\
        movebook robocopy ROOT/old NEW/five\n";
    both_ways(&Scene::new(), script, &["one", "two", "three", "four", "five"]);
}

#[test]
fn a_file_that_is_there_is_replaced_only_when_told() {
    let scene = Scene::new().file("a.cmd", "robocopy C:\\a D:\\b /e\n").file("a.yaml", "mine\n");
    let script = scene.path("a.cmd");
    let (script, output) = (script.to_str().unwrap(), scene.path("a.yaml"));
    let output = output.to_str().unwrap();
    let refused = run(&scene, &[script, "--output", output]).code(2);
    assert!(refused.stderr.contains("there already"), "{}", refused.stderr);
    assert_eq!(scene.text("a.yaml"), "mine\n");
    let written = run(&scene, &[script, "--output", output, "--force", "--name", "moved"]).code(0);
    assert_eq!(written.stdout, "");
    assert!(scene.text("a.yaml").contains("name: moved\n"));
    scene.movebook(&["validate", output]).code(0);
    let names: Vec<_> =
        std::fs::read_dir(scene.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().ends_with(".part")), "{names:?}");
}

#[test]
fn no_runbook_is_written_over_the_script_that_it_is_made_of() {
    let scene = Scene::new().file("a.cmd", "robocopy C:\\a D:\\b /e\n");
    let script = scene.path("a.cmd");
    let other = scene.path("./").join("a.cmd");
    let (script, other) = (script.to_str().unwrap(), other.to_str().unwrap());
    let ended = run(&scene, &[script, "--output", other, "--force"]).code(2);
    assert!(ended.stderr.contains("is the script itself"), "{}", ended.stderr);
    assert_eq!(scene.text("a.cmd"), "robocopy C:\\a D:\\b /e\n");
}

#[test]
fn where_nothing_is_to_be_imported_there_is_no_runbook() {
    let scene = Scene::new().file("a.cmd", "xcopy a b\n").file("empty.sh", "");
    for name in ["a.cmd", "empty.sh", "missing.cmd", "."] {
        let path = scene.path(name);
        let ended = run(&scene, &[path.to_str().unwrap()]).code(2);
        assert_eq!(ended.stdout, "", "{name}");
        assert!(ended.stderr.contains("help: "), "{name}: {}", ended.stderr);
    }
    run(&scene, &[]).code(2);
    let script = scene.path("a.cmd");
    let ended = run(&scene, &[script.to_str().unwrap(), "--name", "Not A Name"]).code(2);
    assert!(ended.stderr.contains("no name of a runbook"), "{}", ended.stderr);
}

#[test]
fn nothing_that_a_script_holds_moves_the_cursor() {
    let text = "robocopy C:\\a D:\\b /e\nxcopy \u{1b}[2J\u{202e}x y\necho \u{7}\u{1b}[31m\npause\nrem \u{9b}x\nnet stop \u{1b}x\n";
    let scene = Scene::new().file("a.cmd", text);
    let script = scene.path("a.cmd");
    let ended = run(&scene, &[script.to_str().unwrap()]).code(0);
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "{text:?}");
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
}

#[test]
fn files_that_are_too_large_and_scripts_without_end_are_refused() {
    let line = "robocopy C:\\a D:\\b /e\npause\n";
    for (text, why) in [(line.repeat(600), "steps"), ("x".repeat(600 * 1024), "together")] {
        let scene = Scene::new().file("a.cmd", text);
        let script = scene.path("a.cmd");
        let ended = run(&scene, &[script.to_str().unwrap()]).code(2);
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
    }
}

#[test]
fn variables_that_are_made_of_themselves_do_not_fill_the_memory() {
    let doubled = "set A=%A%%A%\n".repeat(1000);
    let text = format!("set A=x\n{doubled}{}net stop x\n", "robocopy %A%%A%%A% D:\\b /e\n".repeat(200));
    let imported = of_text("a.cmd", &text);
    assert!(imported.text.len() < 4 << 20);
    valid(&imported.text);
}

/// What scripts are made of.
const PIECES: &[&str] = &[
    "robocopy ",
    "rsync -a ",
    "rclone sync ",
    "rclone copy ",
    "net stop ",
    "net start ",
    "sc \\\\h stop ",
    "pause",
    "timeout /t 5",
    "C:\\a ",
    "D:\\b ",
    "/srv/a/ ",
    "/srv/b/ ",
    "\\\\s\\c$\\x ",
    "/e ",
    "/mir ",
    "/purge ",
    "/xf ",
    "*.dat ",
    "index* ",
    "/minage:1 ",
    "/max:99 ",
    "/lev:2 ",
    "/mt:8 ",
    "--delete ",
    "--exclude=x ",
    "--filter \"- a\" ",
    "--filter \"+ b\" ",
    "--min-age 1d ",
    "-n ",
    "%OLD%",
    "%1",
    "%%i",
    "!X!",
    "$old",
    "${A[@]}",
    "$(x)",
    "`x`",
    "set OLD=",
    "OLD=",
    "$old = ",
    "@('a','b')",
    "'",
    "\"",
    "^",
    "`",
    "\\",
    "\n",
    "\r\n",
    " \n",
    "&&",
    "||",
    "|",
    "&",
    ";",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "if ",
    "then ",
    "fi",
    "for ",
    "do ",
    "done",
    "try {",
    "} catch {",
    "function f {",
    "goto x",
    ":x",
    "exit",
    "rem ",
    ":: ",
    "# ",
    "<#",
    "#>",
    "<<EOF\n",
    "EOF\n",
    "{{",
    "}}",
    "{%",
    "{#",
    "{{ old }}",
    "ü",
    "\u{1b}",
    "\u{0}",
    "\u{202e}",
    "\u{feff}",
    "\u{f0000}",
    "\u{fffe}",
    "\t",
    "Stop-Service ",
    "Get-Service x | Stop-Service",
    "Start-Sleep 1",
    "Read-Host 'x'",
    "read -p x Y",
    "systemctl stop x",
    "sleep 1m",
    "echo {{x}}",
    "echo it's: \"#\" ",
    "net use z: pass ",
    "--password x ",
    "/job:j ",
    "/SD:C:\\a",
    "/DD:D:\\b",
    "null ",
    "true ",
    "md D:\\b",
    "start /wait ",
    "sudo ",
    "? ",
    "- ",
    ": ",
    "true\\",
    "D:\\null ",
];

const NAMES: &[&str] = &["a.cmd", "b.ps1", "c.sh", "j.rcj", "d.txt", "{{x}}.cmd", "null.cmd", "1e3.sh"];

/// Whatever is read is refused, or is a runbook that validates and can be planned.
fn survive(files: &[File]) {
    let name = name_of(&files[0].name);
    let Ok(imported) = import(files, &name) else { return };
    let runbook = valid(&imported.text);
    let plan = planned(runbook, &[], &imported.to_give);
    assert_eq!(plan.steps().count(), imported.steps);
}

fn mangled() -> impl Strategy<Value = File> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..60);
    (prop::sample::select(NAMES), pieces)
        .prop_map(|(name, pieces)| File { name: name.to_owned(), bytes: pieces.concat().into_bytes() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_scripts_are_made_of_a_runbook_of_them_is_valid(files in prop::collection::vec(mangled(), 1..4)) {
        survive(&files);
    }

    /// Each line is good, but for one piece.
    #[test]
    fn lines_that_are_nearly_right_give_valid_runbooks(
        name in prop::sample::select(NAMES),
        lines in prop::collection::vec((0usize..12, prop::sample::select(PIECES), 0usize..80), 1..8),
    ) {
        const LINES: [&str; 12] = [
            "robocopy C:\\a D:\\b *.dat /xf index* /s /r:2 /w:2 /minage:1",
            "robocopy C:\\a D:\\b /e /purge /r:2 /w:2",
            "robocopy \"%OLD%\" \"%NEW%\\x\" /mir /mt:4",
            "robocopy $old $new /e /copy:DATSO /b",
            "rsync -aH --delete --exclude=tmp/ /srv/a/ /srv/b/",
            "rsync -a \"$OLD/\" \"${NEW}/\"",
            "rclone sync /srv/a /srv/b --filter \"- x\" --min-age 1d --bwlimit 10M",
            "net stop \"MailStore Server\"",
            "Start-Service -Name x",
            "echo Is it done?",
            "pause",
            "set OLD=C:\\a",
        ];
        let mut text = String::new();
        for (line, piece, at) in lines {
            let line = LINES[line];
            let (front, back) = line.split_at(at % (line.len() + 1));
            text.push_str(&format!("{front}{piece}{back}\n"));
        }
        survive(&[File { name: name.to_owned(), bytes: text.into_bytes() }]);
    }

    #[test]
    fn any_bytes_are_survived(name in prop::sample::select(NAMES), bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survive(&[File { name: name.to_owned(), bytes }]);
    }
}

#[test]
fn a_line_that_goes_on_and_on_is_survived() {
    for piece in [
        "&", "|", "(", "{", "$(", "@(", "'", "\"", "%", "%a%", "$a", "`", "^\n", "a;", "if ", "a&", "a|",
        "{a,", "<<a\n", "try {", ":", "[", "-a ",
    ] {
        for name in ["a.cmd", "a.ps1", "a.sh", "a.rcj"] {
            survive(&[File { name: name.to_owned(), bytes: piece.repeat(10_000).into_bytes() }]);
        }
    }
}
