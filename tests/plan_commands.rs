//! `movebook plan --format commands`: the passes of a runbook as a person would type them.

mod common;

use common::Scene;

/// The commands of a program, without the comments.
fn commands<'t>(text: &'t str, program: &str) -> Vec<&'t str> {
    text.lines().filter(|line| line.split(' ').next() == Some(program)).collect()
}

fn shipped(scene: &Scene) -> String {
    let runbook = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/mailstore-robocopy.yaml");
    let (old, new) = (r"old_archive=\\oldserver\c$\MailArchive", r"new_archive=D:\MailArchive");
    let arguments = ["plan", runbook, "--var", old, "--var", new, "--format", "commands"];
    scene.movebook(&arguments).code(0).stdout
}

/// The published procedure's passes, in the order of robocopy's command line. Beside what it says, links are never followed
/// (`/xj`), directories keep their times (`/dcopy:DAT`), and the threads of the runbook are given (`/mt`), which the procedure
/// lets anybody add.
const PUBLISHED: [&str; 4] = [
    "*.dat /xf index* /s /r:2 /w:2 /minage:1",
    "/xf *.fdb /s /r:2 /w:2 /minage:1",
    "/xf *.fdb /s /r:2 /w:2",
    "/e /purge /r:2 /w:2",
];

#[test]
fn the_mailstore_runbooks_passes_are_the_published_commands_switch_by_switch() {
    let expected: Vec<String> = PUBLISHED
        .iter()
        .map(|switches| {
            format!(r"robocopy \\oldserver\c$\MailArchive D:\MailArchive {switches} /xj /dcopy:DAT /mt:8")
        })
        .collect();
    assert_eq!(commands(&shipped(&Scene::new()), "robocopy"), expected);
}

#[test]
fn the_mailstore_runbooks_passes_are_the_published_ones_of_rclone_too() {
    let text = shipped(&Scene::new());
    let passes = commands(&text, "rclone");
    let roots = r"'\\oldserver\c$\MailArchive' 'D:\MailArchive'";
    for (pass, beginning) in passes.iter().zip([
        "rclone copy ROOTS --filter '- index*' --filter '+ *.dat' --filter '- **' --ignore-case --min-age 1d ",
        "rclone copy ROOTS --filter '- *.fdb' --ignore-case --min-age 1d ",
        "rclone copy ROOTS --filter '- *.fdb' --ignore-case ",
        "rclone sync ROOTS --create-empty-src-dirs --max-delete 1000 --retries ",
    ]) {
        assert!(pass.starts_with(&beginning.replace("ROOTS", roots)), "{pass}");
    }
    assert_eq!(passes.len(), 4);
}

#[test]
fn a_remote_has_commands_of_rclone_alone_and_no_secret_is_in_them() {
    let runbook = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/mailstore-rclone.yaml");
    let customer = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/customers/cordes.yaml");
    let scene = Scene::new().environment("MOVEBOOK_VAR_OLD_PASSWORD", "CANARY-7f3a");
    let arguments = ["plan", runbook, "--vars", customer, "--format", "commands"];
    let ended = scene.movebook(&arguments).code(0).never_says("CANARY");
    assert!(commands(&ended.stdout, "robocopy").is_empty());
    assert!(ended.stdout.contains("robocopy reaches no remote of rclone's"), "{}", ended.stdout);
    let passes = commands(&ended.stdout, "rclone");
    assert_eq!(passes.len(), 8, "four for the archive and four for the store outside it");
    assert!(
        passes[0].starts_with(r"rclone copy 'old:d$/MailArchive' 'D:\MailArchive' --filter"),
        "{}",
        passes[0]
    );
}

#[test]
fn what_a_program_cannot_say_stands_behind_its_command_by_name() {
    let scene = Scene::new().steps("- {id: a, copy: {from: ROOT/old, to: ROOT/new, compare: content}}");
    let text = scene.plan(&["--format", "commands"]).code(0).stdout;
    assert_eq!(text.matches("rem   not said: compare: ").count(), 1, "{text}");
    assert_eq!(text.matches("#   not said: compare: ").count(), 1, "{text}");
    let lines: Vec<&str> = text.lines().collect();
    let command = lines.iter().position(|line| line.starts_with("robocopy ")).unwrap();
    assert!(lines[command + 1].starts_with("rem   not said: compare"), "{text}");
}

#[test]
fn a_pass_that_is_known_only_later_is_named_and_one_that_never_takes_place_is_not() {
    let scene = Scene::new().steps(
        "
- {id: which, checkpoint: {ask: Which?, answer: text}}
- {id: late, copy: {from: 'ROOT/{{ answers.which }}', to: ROOT/new}}
- {id: never, when: 'false', copy: {from: ROOT/old, to: ROOT/new}}
",
    );
    let text = scene.plan(&["--format", "commands"]).code(0).stdout;
    assert!(text.contains("rem what it copies is known after which"), "{text}");
    assert!(!text.contains("never") && commands(&text, "robocopy").is_empty(), "{text}");
}

#[test]
fn no_tree_is_looked_at() {
    let scene = Scene::new().steps("- {id: a, copy: {from: ROOT/nowhere, to: ROOT/new}}");
    let text = scene.plan(&["--format", "commands"]).code(0).stdout;
    assert_eq!((commands(&text, "robocopy").len(), commands(&text, "rclone").len()), (1, 1));
}

#[test]
fn a_pass_that_a_run_would_refuse_has_no_command() {
    for (from, to, said) in [
        ("ROOT/old", "ROOT/old/in", "lies inside"),
        ("ROOT/old", "ROOT/old", "are the same folder"),
        ("ROOT/old", "/", "is the root"),
        (r"D:\old", r"d:\OLD\in", "lies inside"),
        (r"D:\old", r"E:\", "is the root"),
        ("old", "ROOT/new", "absolute"),
    ] {
        let scene = Scene::new().steps(&format!("- {{id: a, copy: {{from: '{from}', to: '{to}'}}}}"));
        let text = scene.plan(&["--format", "commands"]).code(7).stdout;
        assert_eq!(text.matches("  refused: ").count(), 2, "{text}");
        assert!(text.contains(said), "{text}");
        assert!(commands(&text, "robocopy").is_empty() && commands(&text, "rclone").is_empty(), "{text}");
    }
}

/// On Windows no name has a quote in it, and the guard says so.
#[cfg(unix)]
#[test]
fn what_cmd_would_take_apart_is_no_command_there() {
    let scene = Scene::new().steps(r#"- {id: a, copy: {from: 'ROOT/x" & calc & "y', to: 'ROOT/50%PATH%'}}"#);
    let text = scene.plan(&["--format", "commands"]).code(0).stdout;
    assert!(commands(&text, "robocopy").is_empty(), "{text}");
    assert!(text.contains("rem   no command: from: "), "{text}");
    let [rclone] = commands(&text, "rclone")[..] else { panic!("{text}") };
    assert!(rclone.contains(r#"/x" & calc & "y' "#) && rclone.contains("/50%PATH%"), "{rclone}");
}

#[test]
fn a_letter_that_a_line_cannot_hold_is_in_no_command() {
    let scene = Scene::new().steps("- {id: a, copy: {from: \"ROOT/a\\tb\", to: ROOT/new}}");
    let text = scene.plan(&["--format", "commands"]).stdout;
    assert!(commands(&text, "robocopy").is_empty() && commands(&text, "rclone").is_empty(), "{text}");
}

#[test]
fn what_is_no_pass_stands_in_its_place() {
    let scene = Scene::new().steps(
        "
- {id: first, copy: {from: ROOT/old, to: ROOT/new}, retry: {attempts: 3, wait: 5s}}
- {id: sure, checkpoint: {ask: Is everybody out?}}
- {id: stop, service: {name: Mail, state: stopped}}
- {id: last, copy: {from: ROOT/old, to: ROOT/new}}
",
    );
    let text = scene.plan(&["--format", "commands"]).code(0).stdout;
    let at = |said: &str| text.find(said).unwrap_or_else(|| panic!("{said} is not in {text}"));
    let places = [
        "rem   not said: retry: up to 3 attempts",
        "rem   by hand: Is everybody out?",
        "rem   by hand: stop the service Mail",
    ]
    .map(at);
    assert!(places.is_sorted() && text.rfind("\nrobocopy ") < text.find("# With"), "{text}");
    assert!(text[places[2]..].contains("\nrobocopy "), "{text}");
    assert!(text.contains("#   by hand: stop the service Mail"), "{text}");
}
