//! Runs that are killed, interrupted, and gone on with.
// Signals and a shell are Unix'.
#![cfg(unix)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::journal::Journal;
use common::running::Ended;
use common::screen::{CTRL_C, Screen};
use common::{Running, Scene, tree};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// How long an interrupted process may take at most; nothing is measured by it.
const SOON: Duration = Duration::from_secs(5);

/// A whole move: early passes of a tree that is written to, a person's answers, a service of given commands, a purge.
const MOVE: &str = "
filters:
  content: {include: ['*.dat'], exclude: ['index*'], min_age: 1h}
  no-databases: {exclude: ['*.fdb']}
defaults:
  copy: {threads: 4, retries: 2, wait: 10ms}
phases:
  - id: preflight
    steps:
      - id: paths
        check:
          - {path: 'ROOT/old', contains: ['*.fdb', '*.dat']}
          - {apart: ['ROOT/old', 'ROOT/new']}
      - {id: key, checkpoint: {ask: The key?, answer: secret}}
      - {id: licence, checkpoint: {ask: Which?, answer: {choice: {one: the first, two: the second}}, evidence: note}}
      - {id: first-note, command: {shell: echo first >> 'ROOT/first.log'}, on_interrupt: retry}
  - id: prestage
    steps:
      - {id: content, copy: {from: 'ROOT/old', to: 'ROOT/new', filter: content, directories: non-empty, errors: tolerate}}
      - {id: catch-up, copy: {from: 'ROOT/old', to: 'ROOT/new', filter: no-databases, directories: non-empty, errors: tolerate}}
      - {id: tidy, command: {shell: rm -f 'ROOT/old/doomed-1.dat' 'ROOT/old/doomed-2.dat'}, on_interrupt: retry}
      - {id: ready, checkpoint: {ask: Ready?}}
  - id: downtime
    downtime: true
    steps:
      - id: stop
        service:
          name: the writer
          state: stopped
          wait: 20s
          status: [sh, -c, 'test -e ROOT/running && exit 0; exit 3']
          start: [touch, 'ROOT/running']
          stop: [sh, -c, 'rm -f ROOT/running; while test -e ROOT/writing; do sleep 0.01; done']
      - {id: breath, wait: {for: 100ms}}
      - {id: final, copy: {from: 'ROOT/old', to: 'ROOT/new', directories: all, purge: {max_files: 10, max_percent: 5}, expect: ['*.fdb']}}
      - {id: proof, verify: {from: 'ROOT/old', to: 'ROOT/new', method: blake3, manifest: 'ROOT/hashes.b3'}}
  - id: finish
    steps:
      - {id: last-note, command: {shell: echo last >> 'ROOT/last.log'}, on_interrupt: retry}
      - {id: handed-over, checkpoint: {ask: Over?}}
";

const ORDER: [&str; 14] = [
    "paths",
    "key",
    "licence",
    "first-note",
    "content",
    "catch-up",
    "tidy",
    "ready",
    "stop",
    "breath",
    "final",
    "proof",
    "last-note",
    "handed-over",
];
const CHECKPOINTS: [&str; 4] = ["key", "licence", "ready", "handed-over"];

#[test]
fn a_run_killed_at_200_random_instants_ends_with_equal_trees() {
    let wanted: usize = std::env::var("MOVEBOOK_KILLS").map_or(200, |kills| kills.parse().unwrap());
    let seed: u64 =
        std::env::var("MOVEBOOK_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("seed {seed}: MOVEBOOK_SEED={seed} draws the same instants again");
    let (kills, runs) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let whole = duration_of_a_whole_run();
    std::thread::scope(|scope| {
        for lane in 0..3 {
            let (kills, runs) = (&kills, &runs);
            scope.spawn(move || {
                let mut chance = StdRng::seed_from_u64(seed + lane);
                while kills.load(Ordering::Relaxed) < wanted {
                    killed_again_and_again(&mut chance, whole, kills);
                    runs.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let (kills, runs) = (kills.into_inner(), runs.into_inner());
    println!("{kills} kills in {runs} runs, each of which took about {whole:?} undisturbed");
    assert!(kills >= wanted);
}

fn duration_of_a_whole_run() -> Duration {
    let moving = Moving::new();
    let begun = Instant::now();
    moving.to_the_end(&mut |command, input| Some(Ended::of(command, input)));
    moving.judge();
    begun.elapsed()
}

/// One run; its processes are killed until it is done.
fn killed_again_and_again(chance: &mut StdRng, whole: Duration, kills: &AtomicUsize) {
    let moving = Moving::new();
    let whole = whole.as_secs_f64();
    moving.to_the_end(&mut |command, input| {
        // Mostly short, so that many kills fall into one run, from the first instant of a process on; a long one now and
        // then lets long steps end.
        let limit = whole * if chance.random_bool(0.5) { 1.0 } else { 0.3 };
        let delay = Duration::from_secs_f64(chance.random_range(0.0..limit));
        let ended = killed_after(command, input, delay);
        if ended.is_none() {
            kills.fetch_add(1, Ordering::Relaxed);
            wait_for_orphans(&moving.scene);
        }
        moving.judge_so_far();
        ended
    });
    moving.judge();
}

/// `None`: it was killed.
fn killed_after(mut command: std::process::Command, input: &str, delay: Duration) -> Option<Ended> {
    use std::io::Write;
    use std::process::Stdio;

    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // A process that was killed before it read is no mistake.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let end = Instant::now() + delay;
    while Instant::now() < end {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let code = output.status.code()?;
    Some(Ended { code, stdout: String::new(), stderr: String::from_utf8(output.stderr).unwrap() })
}

/// What a killed process had started ends by itself, and must not get in the way of what is looked at.
fn wait_for_orphans(scene: &Scene) {
    let root = scene.root().to_str().unwrap();
    let works = || {
        fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(root)
        })
    };
    let end = Instant::now() + common::PATIENCE;
    while works() {
        assert!(Instant::now() < end, "a process goes on in {root}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A move with somebody who writes into the source while the service runs.
struct Moving {
    scene: Scene,
    over: std::sync::Arc<AtomicBool>,
    writer: Option<std::thread::JoinHandle<()>>,
    /// What the commands had written when they were seen to be done.
    logs: Mutex<[Option<String>; 2]>,
}

impl Moving {
    fn new() -> Self {
        let scene = Scene::new().runbook(MOVE).tree("old", 120).folder("old/empty").file("running", "");
        scene.write("old/main.fdb", vec![7; 2_000_000]);
        scene.write("old/doomed-1.dat", "one");
        scene.write("old/doomed-2.dat", "two");
        scene.write("old/index-1.dat", "an index");
        for entry in walkdir::WalkDir::new(scene.path("old")) {
            let old = filetime::FileTime::from_unix_time(1_700_000_000, 123_456_789);
            filetime::set_file_mtime(entry.unwrap().path(), old).unwrap();
        }
        let over = std::sync::Arc::new(AtomicBool::new(false));
        let writer = std::thread::spawn({
            let (over, root) = (over.clone(), scene.root().to_owned());
            move || {
                for number in 0.. {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    // The service's `stop` waits for whoever has begun to write.
                    fs::write(root.join("writing"), "").unwrap();
                    if root.join("running").exists() {
                        let content = format!("written live, {number}");
                        fs::write(root.join(format!("old/live-{}.dat", number % 7)), content).unwrap();
                    }
                    fs::remove_file(root.join("writing")).unwrap();
                    std::thread::sleep(Duration::from_millis(30));
                }
            }
        });
        Self { scene, over, writer: Some(writer), logs: Mutex::default() }
    }

    /// Runs, answers, and goes on until the run is done; `process` gives `None` for one that it killed.
    fn to_the_end(&self, process: &mut dyn FnMut(std::process::Command, &str) -> Option<Ended>) {
        for _ in 0..1000 {
            let Some(ended) = process(self.scene.on_runbook("run", &[]), "") else { continue };
            match ended.code {
                0 => return,
                3 => {}
                code => panic!("exit code {code}:\n{}", ended.stderr),
            }
            let journal = self.scene.journal();
            let waiting = CHECKPOINTS
                .into_iter()
                .find(|step| journal.count("asked", step) == 1 && journal.count("answered", step) == 0);
            let (arguments, input) = match waiting.expect("exit code 3 has an open question") {
                "key" => (vec!["approve", "key", "--answer-file", "-"], "the-recovery-key"),
                "licence" => (vec!["approve", "licence", "--answer", "two", "--note", "bought"], ""),
                step => (vec!["approve", step], ""),
            };
            if let Some(ended) = process(self.scene.command(&arguments), input) {
                assert_eq!(ended.code, 0, "{}", ended.stderr);
            }
        }
        panic!("the run does not come to its end");
    }

    /// What must hold at every instant.
    fn judge_so_far(&self) {
        let Some(journal) = self.journal() else { return };
        for (log, (file, step)) in
            self.logs.lock().unwrap().iter_mut().zip([("first.log", "first-note"), ("last.log", "last-note")])
        {
            let written = self.scene.text(file);
            let starts = journal.count("step_started", step);
            assert!(written.lines().count() <= starts, "{step} ran more often than the state file says");
            if journal.count("step_done", step) > 0 {
                assert_eq!(
                    *log.get_or_insert_with(|| written.clone()),
                    written,
                    "{step} ran after it was done"
                );
            }
        }
        let done = journal.done();
        assert_eq!(done, ORDER[..done.len()], "no step is done twice, skipped, or out of order");
    }

    fn journal(&self) -> Option<Journal> {
        let begun = self.scene.names().iter().any(|name| name.ends_with(".state.jsonl"));
        begun.then(|| self.scene.journal())
    }

    /// What must hold at the end.
    fn judge(&self) {
        self.judge_so_far();
        let journal = self.scene.journal();
        assert!(journal.is_finished());
        assert_eq!(journal.done(), ORDER);
        for step in CHECKPOINTS {
            assert_eq!(journal.count("asked", step), 1, "{step} is asked once");
            assert_eq!(journal.count("answered", step), 1, "{step} is answered once");
        }
        for step in ORDER {
            let at = |kind: &str| {
                journal.0.iter().rposition(|record| record["kind"] == kind && record["step"] == step).unwrap()
            };
            assert!(at("step_started") < at("step_done"), "{step} is not begun again after it was done");
        }
        tree::assert_equal(&self.scene.path("old"), &self.scene.path("new"));
        assert!(!self.scene.text("first.log").is_empty() && !self.scene.text("last.log").is_empty());
        self.judge_names();
        self.scene.run(&[]).code(0).says("nothing is left to do");
    }

    /// Nothing lies about that nobody is told of.
    fn judge_names(&self) {
        let names: BTreeSet<String> = self.scene.names().into_iter().collect();
        let expected = [
            "first.log",
            "hashes.b3",
            "last.log",
            "new",
            "new.movebook-quarantine",
            "old",
            "scene.state.jsonl",
            "scene.state.jsonl.account",
            "scene.state.jsonl.lock",
            "scene.yaml",
        ];
        let unexpected: Vec<&String> = names
            .iter()
            .filter(|name| !expected.contains(&name.as_str()))
            .filter(|name| !name.starts_with("scene.state.jsonl.torn-") && *name != "writing")
            .collect();
        assert!(unexpected.is_empty(), "left over: {unexpected:?}");
        // The two that the source lost are kept, under the run's name and the purge's number, and nothing else is.
        let kept: BTreeSet<String> = tree::contents(&self.scene.path("new.movebook-quarantine"))
            .into_iter()
            .filter(|(_, said)| said != "a directory")
            .map(|(name, _)| name.splitn(3, '/').nth(2).unwrap().to_owned())
            .collect();
        assert_eq!(kept, ["doomed-1.dat", "doomed-2.dat"].map(str::to_owned).into());
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(writer) = self.writer.take() {
            let ended = writer.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the writer failed");
        }
    }
}

/// A command that is killed with movebook in the middle of it, and that does its work only then.
fn killed_in_a_command() -> Scene {
    let scene = Scene::new().steps(
        "
- {id: once, command: {shell: \"echo ran >> 'ROOT/log'; test -e 'ROOT/quick' || sleep 2\"}}
- {id: after, command: {shell: echo after >> 'ROOT/log'}}
",
    );
    let mut running = scene.begin(&[]);
    running.until("step_started", "once");
    while scene.text("log").is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    running.kill();
    scene.write("quick", "");
    scene.run(&[]).code(3).says("was under way when the program ended").says("--answer again");
    scene
}

#[test]
fn an_interrupted_command_waits_for_a_person() {
    let scene = killed_in_a_command();
    scene.run(&["--yes"]).code(3);
    scene.resume(&["--yes"]).code(3);
    assert_eq!(scene.text("log"), "ran\n");
    scene.approve("once", &["--answer", "perhaps"]).code(2).says("again, done");
}

#[test]
fn an_interrupted_command_is_run_again_where_a_person_says_so() {
    let scene = killed_in_a_command();
    scene.approve("once", &["--answer", "again"]).code(0);
    scene.run(&[]).code(0);
    assert_eq!(scene.text("log"), "ran\nran\nafter\n");
}

#[test]
fn an_interrupted_command_is_taken_as_done_where_a_person_says_so() {
    let scene = killed_in_a_command();
    scene.approve("once", &["--answer", "done"]).code(0);
    scene.run(&[]).code(0);
    assert_eq!(scene.text("log"), "ran\nafter\n");
    assert_eq!(scene.journal().only("step_done", "once")["figures"]["taken_as_done"], true);
}

/// Interrupts a step at work and expects what every interruption must come to.
fn interrupted(mut running: Running, step: &str) {
    running.until("step_progress", step);
    running.interrupt();
    let ended = running.ended_within(SOON).code(130);
    let last = ended.events().pop().unwrap();
    assert_eq!((&last["event"], &last["outcome"]), (&"run_ended".into(), &"interrupted".into()));
    assert!(last["next"][0].as_str().unwrap().starts_with("movebook resume"), "{last}");
}

#[test]
fn ctrl_c_ends_a_big_copy_and_the_run_goes_on_from_there() {
    let scene = Scene::new()
        .steps("- {id: big, copy: {from: 'ROOT/old', to: 'ROOT/new', threads: 1}}\n- {id: proof, verify: {from: 'ROOT/old', to: 'ROOT/new', method: size}}");
    tree::many_names(&scene.path("old"), 30_000, 20_000);
    interrupted(scene.begin(&[]), "big");
    let journal = scene.journal();
    assert_eq!((journal.count("step_interrupted", "big"), journal.count("step_done", "big")), (1, 0));
    let copied = fs::read_dir(scene.path("new")).unwrap().count();
    assert!(copied < 30_000, "it was interrupted before its end");
    for entry in fs::read_dir(scene.path("new")).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().len(), 20_000, "no file is there in part");
    }
    scene.run(&[]).code(0);
    let journal = scene.journal();
    let figures = &journal.only("step_done", "big")["figures"];
    assert_eq!(figures["same_files"], copied, "what was copied is not copied again: {figures}");
}

#[test]
fn ctrl_c_ends_a_verification_and_the_run_goes_on_from_there() {
    let scene = Scene::new().steps("- {id: proof, verify: {from: 'ROOT/old', to: 'ROOT/new', method: blake3, threads: 1, manifest: 'ROOT/hashes.b3'}}");
    for side in ["old", "new"] {
        tree::many_names(&scene.path(side), 4_000, 2_000_000);
        let stamp = filetime::FileTime::from_unix_time(1_700_000_000, 0);
        filetime::set_file_mtime(scene.path(side).join("file-0.dat"), stamp).unwrap();
    }
    interrupted(scene.begin(&[]), "proof");
    assert!(!scene.path("hashes.b3").exists(), "there is no manifest of half a tree");
    for number in 300..4_000 {
        for side in ["old", "new"] {
            fs::remove_file(scene.path(side).join(format!("file-{number}.dat"))).unwrap();
        }
    }
    scene.run(&[]).code(0);
    assert_eq!(scene.text("hashes.b3").lines().count(), 300);
}

#[test]
fn ctrl_c_ends_a_wait_and_the_run_goes_on_from_there() {
    let scene = Scene::new().steps("- {id: pause, wait: {for: 4s}}");
    interrupted(scene.begin(&[]), "pause");
    scene.run(&[]).code(0);
}

#[test]
fn ctrl_c_ends_a_command_with_all_that_it_started() {
    let scene = Scene::new().steps(
        "- {id: long, command: {shell: \"echo $$ >> 'ROOT/pids'; test -e 'ROOT/quick' || { sleep 300 & echo $! >> 'ROOT/pids'; wait; }\"}}",
    );
    let running = scene.begin(&[]);
    while scene.text("pids").lines().count() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    interrupted(running, "long");
    let end = Instant::now() + SOON;
    for pid in scene.text("pids").lines() {
        let works = || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ")
        };
        while works() {
            assert!(Instant::now() < end, "process {pid} goes on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    scene.write("quick", "");
    scene.run(&[]).code(3).says("--answer again");
    assert_eq!(
        scene.text("pids").lines().count(),
        2,
        "nobody knows how far it was: it is not run again unasked"
    );
    scene.approve("long", &["--answer", "again"]).code(0);
    scene.run(&[]).code(0);
    assert_eq!(scene.text("pids").lines().count(), 3);
}

#[test]
fn a_command_that_ctrl_c_ended_is_taken_as_done_where_a_person_says_so() {
    let scene = Scene::new().steps("- {id: long, command: {run: [sleep, '300']}}");
    interrupted(scene.begin(&[]), "long");
    scene.run(&[]).code(3);
    scene.approve("long", &["--answer", "done"]).code(0);
    scene.run(&[]).code(0);
    assert_eq!(scene.journal().count("step_started", "long"), 1);
}

#[test]
fn a_command_that_ctrl_c_ended_is_run_again_where_the_runbook_says_so() {
    let scene = Scene::new().steps(
        "- {id: long, on_interrupt: retry, command: {shell: \"echo ran >> 'ROOT/log'; test -e 'ROOT/quick' || sleep 300\"}}",
    );
    interrupted(scene.begin(&[]), "long");
    scene.write("quick", "");
    scene.run(&[]).code(0);
}

#[test]
fn ctrl_c_at_a_prompt_ends_the_program_and_the_question_stays_open() {
    let scene = Scene::new().steps("- {id: ready, checkpoint: {ask: Are you ready?}}");
    let mut screen = Screen::of(scene.on_runbook("run", &[]));
    screen.sees("Are you ready?").types(CTRL_C);
    assert_eq!(screen.code(), 130);
    assert_eq!(scene.journal().count("answered", "ready"), 0);
    scene.approve("ready", &[]).code(0);
    scene.run(&[]).code(0);
}

#[test]
fn a_signal_at_a_prompt_ends_the_program_and_the_question_stays_open() {
    let scene = Scene::new().steps("- {id: ready, checkpoint: {ask: Are you ready?}}");
    let mut screen = Screen::of(scene.on_runbook("run", &[]));
    screen.set_echo();
    screen.sees("Are you ready?");
    let pid = rustix::process::Pid::from_raw(screen.pid()).unwrap();
    assert!(!screen.has_echo(), "a prompt echoes by itself");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(screen.code(), 130);
    assert!(screen.has_echo(), "the terminal is given back as it was");
    assert_eq!(scene.journal().count("answered", "ready"), 0);
    scene.approve("ready", &[]).code(0);
    scene.run(&[]).code(0);
}
