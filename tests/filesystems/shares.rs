//! Shares: what goes wrong with one file there is that file's affair, and two runs never meet in one target.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fuser::Errno;

use crate::common::{Scene, tree};
use crate::passthrough::{Breaks, Call, Passthrough, Ways};
use crate::volumes::or_not_proven;

/// A source on a share with such ways; the folder behind it is `behind`.
fn on_a_share(retries: usize, ways: Ways) -> Option<(Scene, Passthrough)> {
    let scene = Scene::new()
        .steps(&format!(
            "- {{id: pass, copy: {{from: 'ROOT/old', to: 'ROOT/new', threads: 2, retries: {retries}, wait: 10ms}}}}"
        ))
        .tree("behind", 60)
        .folder("old");
    let mounted = or_not_proven(Passthrough::mount(&scene.path("behind"), &scene.path("old"), ways))?;
    Some((scene, mounted))
}

fn breaking(breaks: Breaks) -> Ways {
    Ways { breaks, ..Ways::default() }
}

#[test]
fn a_file_with_a_stale_handle_is_tried_again_and_ends_no_pass() {
    // The system itself tries once more where it is told of a stale handle.
    let left = AtomicUsize::new(3);
    let breaks = move |call, path: &Path| {
        let stale = call == Call::Open
            && path.ends_with("file-30.dat")
            && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        stale.then_some(Errno::ESTALE)
    };
    let Some((scene, _mounted)) = on_a_share(3, breaking(Box::new(breaks))) else { return };
    scene.run(&[]).code(0);
    tree::assert_equal(&scene.path("behind"), &scene.path("new"));
    assert!(scene.journal().only("step_done", "pass")["figures"]["retried"].as_u64() > Some(0));
}

#[test]
fn a_file_that_stays_stale_fails_alone() {
    let breaks =
        |call, path: &Path| (call == Call::Open && path.ends_with("file-30.dat")).then_some(Errno::ESTALE);
    let Some((scene, _mounted)) = on_a_share(1, breaking(Box::new(breaks))) else { return };
    scene.run(&[]).code(1).says("01/file-30.dat").says("1 file could not be copied");
    let journal = scene.journal();
    let errors = journal.only("step_failed", "pass")["errors"].as_array().unwrap();
    assert_eq!((errors.len(), &errors[0]["class"]), (1, &"transient".into()));
    assert!(scene.path("new/02/file-59.dat").exists(), "the others are there");
}

#[test]
fn a_share_that_goes_away_ends_the_pass_and_when_it_is_back_the_run_is_finished() {
    let calls = std::sync::Arc::new(AtomicUsize::new(0));
    let seen = calls.clone();
    let breaks = move |_: Call, _: &Path| {
        let call = seen.fetch_add(1, Ordering::Relaxed);
        (40..1_000_000).contains(&call).then_some(Errno::ENOTCONN)
    };
    let Some((scene, _mounted)) = on_a_share(1, breaking(Box::new(breaks))) else { return };
    scene.run(&[]).code(1).says("bring the volume back");
    let journal = scene.journal();
    assert_eq!(journal.only("step_failed", "pass")["errors"][0]["class"], "fatal");
    calls.store(1_000_000, Ordering::Relaxed);
    scene.run(&[]).code(0);
    tree::assert_equal(&scene.path("behind"), &scene.path("new"));
}

#[test]
fn a_second_run_into_the_same_target_is_turned_away_while_a_pass_is_at_work() {
    let slow = Ways { delay: Duration::from_millis(20), ..Ways::default() };
    let Some((scene, _mounted)) = on_a_share(0, slow) else { return };
    let first = scene.begin(&["--state", "first.jsonl"]);
    // Whatever lies there first, under whichever name.
    while !std::fs::read_dir(scene.path("new")).is_ok_and(|mut names| names.next().is_some()) {
        std::thread::sleep(Duration::from_millis(1));
    }
    scene
        .run(&["--state", "second.jsonl"])
        .code(1)
        .says("another pass is at work in the target")
        .says("help: ");
    let ended = first.ended_within(Duration::from_secs(60));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    tree::assert_equal(&scene.path("behind"), &scene.path("new"));
    scene.run(&["--state", "second.jsonl"]).code(0);
}
