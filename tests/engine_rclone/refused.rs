//! What is refused when the plan is made, or before anything is touched.

use crate::common::{Scene, scene};

fn planned(text: &str) -> crate::common::Ended {
    Scene::new().runbook(text).plan(&["--no-scan"])
}

fn copy(more: &str) -> String {
    scene::one_phase(&format!("- {{id: a, copy: {{engine: rclone, {more}}}}}"))
}

#[test]
fn a_remote_is_reached_by_rclone_alone() {
    let pass = "from: 'old:c$/x', to: ROOT/new";
    for engine in ["native", "robocopy"] {
        let text = scene::one_phase(&format!("- {{id: a, copy: {{engine: {engine}, {pass}}}}}"));
        planned(&text).code(2).says("movebook::remote_needs_rclone");
    }
    planned(&copy(pass)).code(0);
}

#[test]
fn what_nobody_does_for_a_remote_is_refused_by_its_field() {
    for (more, field) in [
        ("from: 'dav:old', to: ROOT/new, links: copy", "`links`"),
        ("from: 'dav:old', to: ROOT/new, compare: content", "`compare`"),
        ("from: 'dav:old', to: ROOT/new, preserve: [owner]", "`preserve`"),
        ("from: 'dav:old', to: ROOT/new, bandwidth: 5MB", "`bandwidth`"),
        ("from: 'dav:old', to: ROOT/new, extra_args: [--delete-excluded]", "`extra_args`"),
        ("from: ROOT/old, to: ROOT/new, extra_args: [--max-delete=9]", "`extra_args`"),
        ("from: ROOT/old, to: ROOT/new, extra_args: [--dry-run]", "`extra_args`"),
    ] {
        planned(&copy(more)).code(2).says("movebook::engine_lacks").says(field);
    }
    let verify = "- {id: a, verify: {from: 'dav:old', to: ROOT/new, manifest: ROOT/list}}";
    planned(&scene::one_phase(verify)).code(2).says("movebook::no_remote_here").says("`manifest`");
}

#[test]
fn a_secret_has_no_way_into_an_argument_or_the_runbook() {
    let connection = copy("from: ':smb,host=old,pass=CANARY:c$/x', to: ROOT/new");
    planned(&connection).code(2).says("movebook::refused_remote").says("`pass`");
    let plain = copy("from: 'old:x', to: ROOT/new, environment: {RCLONE_CONFIG_OLD_PASS: CANARY}");
    planned(&plain).code(2).says("movebook::plain_secret").says("type: secret");
    for given in [
        "RCLONE_CONFIG_OLD_URL: 'http://me:CANARY@old/'",
        "RCLONE_CONFIG_OLD_HEADERS: 'Authorization,Bearer CANARY'",
    ] {
        let plain = copy(&format!("from: 'old:x', to: ROOT/new, environment: {{{given}}}"));
        planned(&plain).code(2).says("movebook::plain_secret");
    }
    let argument = copy("from: 'old:x', to: ROOT/new, extra_args: ['--smb-pass={{ key }}']");
    let scene = Scene::new().runbook(&format!("vars: {{key: {{type: secret}}}}\n{argument}"));
    scene.environment("MOVEBOOK_VAR_KEY", "CANARY-7f3a").plan(&["--no-scan"]).code(2).never_says("CANARY");
}

#[test]
fn a_flag_of_rclones_is_no_environment() {
    let given = copy("from: 'old:x', to: ROOT/new, environment: {RCLONE_DRY_RUN: 'true'}");
    planned(&given).code(2).says("movebook::flag_in_environment");
    let scene = Scene::new()
        .file("old/a", "x")
        .runbook(&copy("from: ROOT/old, to: ROOT/new"))
        .environment("RCLONE_DRY_RUN", "true");
    scene.run(&[]).code(1).says("unset RCLONE_DRY_RUN");
    assert!(!scene.path("new/a").exists());
}

#[test]
fn remotes_are_judged_by_their_words() {
    for (from, to, said) in [
        ("old:c$/ Mail", "ROOT/new", "blank"),
        (r"old:c$\Mail", "ROOT/new", r"write / between"),
        ("old:x/../y", "ROOT/new", "component"),
    ] {
        planned(&copy(&format!("from: '{from}', to: '{to}'"))).code(2).says(said);
    }
    for (from, to, said) in [
        ("ROOT/old", "dav:", "is the root of a remote"),
        ("dav:x", "dav:x/y", "lies inside"),
        ("dav:x", "DAV:X", "same folder"),
        ("dav:x", "/", "is the root"),
        ("ROOT/old", "old:c$", "is the root of a share"),
        (":local:ROOT/x", "ROOT/x/sub", "lies inside"),
        ("ROOT/x", ":local:ROOT/x", "same"),
        ("dav:x", ":local:/etc", "system directory"),
    ] {
        planned(&copy(&format!("from: '{from}', to: '{to}'"))).code(7).says(said);
    }
}

#[test]
fn a_remote_that_the_environment_makes_this_machine_is_a_folder() {
    let step = "from: 'here:ROOT/x', to: ROOT/x/sub, environment: {RCLONE_CONFIG_HERE_TYPE: local}";
    planned(&copy(step)).code(7).says("lies inside");
}
