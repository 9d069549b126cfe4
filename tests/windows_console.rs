//! What a console of Windows does to a run, and what a run shows in it.
//!
//! The console is one of the tests' own, so that no event of it reaches whoever started them. Nobody is logged off by a
//! test: it tells the program's window what Windows would.
#![cfg(windows)]

mod common;
#[path = "windows_console/console.rs"]
mod console;
#[path = "windows_console/session.rs"]
mod session;

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::windows::can_show;
use common::{Ended, Running, Scene};
use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT};

use self::console::{CodePage, Console};

/// Windows ends a program so long after it told it that its console closes.
const WINDOWS_PATIENCE: Duration = Duration::from_secs(5);

fn waits(how_long: &str) -> Scene {
    Scene::new().steps(&format!(
        "- {{id: long, wait: {{for: {how_long}}}}}\n- {{id: behind, command: {{LOG(behind)}}}}"
    ))
}

fn at_work(scene: &Scene) -> Running {
    let mut running = scene.begin(&[]);
    running.until("step_started", "long");
    running
}

/// The journal has the end, nothing holds the state file, and the run goes on to its end.
fn goes_on(scene: &Scene) {
    assert_eq!(scene.journal().count("step_interrupted", "long"), 1);
    scene.status(&[]).code(0).says("stopped at long").says("go on with: movebook resume");
    scene.resume(&[]).code(0);
    assert_eq!(scene.text("log"), "behind\n");
    assert!(scene.journal().is_finished());
}

fn is_ended_by(event: u32) {
    let scene = waits("3s");
    let Some(console) = Console::empty() else { return };
    let running = at_work(&scene);
    console.send(event);
    running.ended_within(WINDOWS_PATIENCE).code(130);
    goes_on(&scene);
}

#[test]
fn ctrl_c_ends_the_run_so_that_it_can_go_on() {
    is_ended_by(CTRL_C_EVENT);
}

#[test]
fn ctrl_break_ends_the_run_so_that_it_can_go_on() {
    if can_show("Ctrl-Break ends a run so that it can go on") {
        is_ended_by(CTRL_BREAK_EVENT);
    }
}

#[test]
fn a_console_that_closes_ends_the_run_so_that_it_can_go_on() {
    if !can_show("a console whose window is closed ends the run so that it can go on") {
        return;
    }
    let scene = waits("3s");
    let running = console::in_a_window_of_its_own(scene.on_runbook("run", &["--format", "json"]));
    let mut running = Running::of(running);
    running.until("step_started", "long");
    console::close_the_window_of(running.pid());
    // Windows itself gives the code.
    running.ended_within(WINDOWS_PATIENCE + Duration::from_secs(1));
    goes_on(&scene);
}

#[test]
fn a_session_that_ends_ends_the_run_so_that_it_can_go_on() {
    let scene = waits("3s");
    let running = at_work(&scene);
    match session::end(running.pid()) {
        Some(allowed) => {
            assert!(allowed, "it keeps nobody from logging off");
            running.ended_within(WINDOWS_PATIENCE).code(130);
            goes_on(&scene);
        }
        None => assert!(!can_show("a session that ends ends the run so that it can go on"), "no window"),
    }
}

#[test]
fn an_old_console_is_shown_a_bar_marks_and_letters_whatever_its_code_page_is() {
    for code_page in [CodePage::Dos, CodePage::Utf8] {
        let scene = waits("2s").file("scene-title", "");
        scene.now_reads(
            "title: Umzug nach Zürich\nphases: [{id: only, steps: [{id: long, wait: {for: 2s}}]}]",
        );
        let Some(console) = Console::empty() else { return };
        console.speak(code_page);
        let mut command = scene.on_runbook("run", &[]);
        // What other terminals say of themselves.
        command.env_remove("WT_SESSION").env_remove("TERM_PROGRAM").env_remove("NO_COLOR").env_remove("TERM");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(console.screen());
        let mut child = command.spawn().unwrap();
        let mut spinners = std::collections::BTreeSet::new();
        let begun = Instant::now();
        let code = loop {
            let shown = console.shown();
            spinners.extend(shown.lines().filter_map(spinner));
            if let Some(status) = child.try_wait().unwrap() {
                break status.code();
            }
            assert!(begun.elapsed() < common::PATIENCE, "the run does not end:\n{shown}");
            std::thread::sleep(Duration::from_millis(30));
        };
        let shown = console.shown();
        assert_eq!(code, Some(0), "{shown}");
        assert!(shown.contains("Umzug nach Zürich"), "{shown}");
        assert!(without_sequences(&shown).lines().any(|line| line.starts_with("  √ long")), "{shown}");
        if can_show("a console obeys escape sequences") {
            assert_eq!(without_sequences(&shown), shown);
        }
        assert!(spinners.len() > 1, "the bar moves: {spinners:?}\n{shown}");
        assert!(spinners.iter().all(|sign| "|/-\\".contains(*sign)), "{spinners:?}");
    }
}

/// The sign before the bar, in a line of the screen that has one.
fn spinner(line: &str) -> Option<char> {
    let line = without_sequences(line);
    let (sign, _) = line.strip_prefix("  ")?.split_once(" long  waiting")?;
    sign.chars().next()
}

/// The text without what a console obeys; none of it is on the screen of one that does.
fn without_sequences(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |so_far, piece| {
        so_far
            + piece.trim_start_matches(|sign: char| !sign.is_ascii_alphabetic()).get(1..).unwrap_or_default()
    })
}

#[test]
fn a_click_into_the_window_does_not_hold_up_a_run() {
    let scene = waits("3s");
    let Some(console) = Console::empty() else { return };
    console.let_clicks_select();
    let running = at_work(&scene);
    assert!(!console.selects_by_clicks(), "what is written does not wait for the end of a selection");
    running.ended_within(WINDOWS_PATIENCE).code(0);
    assert!(console.selects_by_clicks(), "the console is left as it was");
}

#[test]
fn a_pipe_gets_utf8_whatever_the_code_page_is() {
    let scene = Scene::new().runbook(
        "title: Umzug nach Zürich\nphases: [{id: only, steps: [{id: gate, checkpoint: {ask: Löschen?}}]}]",
    );
    let Some(console) = Console::empty() else { return };
    console.speak(CodePage::Dos);
    let Ended { stderr, .. } = scene.run(&[]).code(3);
    assert!(stderr.contains("Umzug nach Zürich") && stderr.contains("Löschen?"), "{stderr}");
    scene.status(&[]).code(0).says("Löschen?");
}
