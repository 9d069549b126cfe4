//! The main job on Windows: the MailStore runbook as it ships, from another machine's share to a drive, with a service of
//! the service manager.
//!
//! The environment says where, since what lies there is taken away again; `tests/windows/run` sets it:
//! `MOVEBOOK_OLD_ARCHIVE` and `MOVEBOOK_NEW_ARCHIVE` are folders that must not exist, `MOVEBOOK_TEST_SERVICE` is the
//! program made of `tests/windows/service.c`. `MOVEBOOK_SEED` draws the same instants again.
#![cfg(windows)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::journal::Journal;
use common::mailstore::{ANSWERS, KEY};
use common::{Ended, Scene, tree};
use movebook::demo::archive::{self, MASTER_DATABASE, Scale};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const KILLS: usize = 20;
const RUNBOOK: &str = "mailstore-robocopy.yaml";
const STATE: &str = "mailstore-robocopy--acme.state.jsonl";
/// As the runbook names it.
const SERVICE: &str = "MailStoreServer";
/// Somebody else has the file open (`winerror.h`).
const ERROR_SHARING_VIOLATION: i32 = 32;

#[test]
fn the_mailstore_runbook_killed_at_20_random_instants_ends_with_equal_trees() {
    let Some(places) = Places::of_environment() else {
        println!("not proven here: the main job on Windows: MOVEBOOK_OLD_ARCHIVE and its like are not set");
        return;
    };
    let seed: u64 =
        std::env::var("MOVEBOOK_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("seed {seed}: MOVEBOOK_SEED={seed} draws the same instants again");

    let begun = Instant::now();
    Moving::new(&places).to_the_end(&mut |command| Some(Ended::of(command, "")));
    let whole = begun.elapsed();

    let mut chance = StdRng::seed_from_u64(seed);
    let (mut kills, mut runs) = (0, 0);
    while kills < KILLS {
        let moving = Moving::new(&places);
        moving.to_the_end(&mut |command| {
            // A quarter of a whole run, so that several kills fall into one, from the first instant of a process on.
            let delay = whole.mul_f64(chance.random_range(0.0..0.25));
            let ended = killed_after(command, delay);
            kills += usize::from(ended.is_none());
            moving.judge_so_far();
            ended
        });
        runs += 1;
    }
    println!("{kills} kills in {runs} runs, each of which took about {whole:?} undisturbed");
}

/// `None`: it was killed.
fn killed_after(mut command: Command, delay: Duration) -> Option<Ended> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + delay;
    while Instant::now() < end {
        if child.try_wait().unwrap().is_some() {
            let output = child.wait_with_output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            return Some(Ended { code: output.status.code().unwrap(), stdout: String::new(), stderr });
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    // Windows gives a code of the killer's choice to what was killed, so the code tells nothing.
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

struct Places {
    old: PathBuf,
    new: PathBuf,
    service: String,
}

impl Places {
    fn of_environment() -> Option<Self> {
        Some(Self {
            old: std::env::var_os("MOVEBOOK_OLD_ARCHIVE")?.into(),
            new: std::env::var_os("MOVEBOOK_NEW_ARCHIVE")?.into(),
            service: std::env::var("MOVEBOOK_TEST_SERVICE").ok()?,
        })
    }

    fn old_side(&self, name: &str) -> PathBuf {
        self.old.parent().unwrap().join(name)
    }

    /// Where the last pass puts what it takes away.
    fn quarantine(&self) -> PathBuf {
        let name = self.new.file_name().unwrap().to_str().unwrap();
        self.new.parent().unwrap().join(format!("{name}.movebook-quarantine"))
    }
}

/// A move of a new archive, on which a service works.
struct Moving<'a> {
    places: &'a Places,
    scene: Scene,
    _service: Service,
}

impl<'a> Moving<'a> {
    fn new(places: &'a Places) -> Self {
        for path in [&places.old, &places.new, &places.old_side("archive-here"), &places.quarantine()] {
            assert!(!path.exists(), "{} must not exist: it would be deleted", path.display());
        }
        archive::make(&places.old, Scale::Small).unwrap();
        fs::write(places.old_side("archive-here"), "").unwrap();
        let scene = Scene::new().file("key", KEY).file(
            "acme.yaml",
            format!("old_archive: '{}'\nnew_archive: '{}'\n", places.old.display(), places.new.display()),
        );
        for file in [
            RUNBOOK,
            "common/mailstore-preflight.yaml",
            "common/mailstore-copy.yaml",
            "common/start-new.yaml",
            "common/mailstore-hand-over.yaml",
            "common/retire-old-data.yaml",
        ] {
            scene.write(file, fs::read(Path::new("runbooks").join(file)).unwrap());
        }
        let service = Service::create(&places.service, &places.old);
        let moving = Self { places, scene, _service: service };
        manager(&["start", SERVICE]);
        moving.wait_for("a running service shares its database with nobody", Self::database_is_held);
        moving
    }

    #[track_caller]
    fn wait_for(&self, fact: &str, holds: fn(&Self) -> bool) {
        let end = Instant::now() + common::PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < end, "{fact}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn database_is_held(&self) -> bool {
        let opened = fs::File::open(self.places.old.join(MASTER_DATABASE));
        opened.is_err_and(|error| error.raw_os_error() == Some(ERROR_SHARING_VIOLATION))
    }

    fn archives(&self) -> bool {
        self.places.old_side("archive-here").exists()
    }

    /// Runs, answers, and goes on until the run is done; `process` gives `None` for one that it killed.
    fn to_the_end(&self, process: &mut dyn FnMut(Command) -> Option<Ended>) {
        for _ in 0..1000 {
            let mut arguments = vec!["run", RUNBOOK, "--vars", "acme.yaml"];
            arguments.extend(ANSWERS);
            // Until the service archives no more, each question is answered by itself.
            arguments.extend((!self.archives()).then_some("--yes"));
            let Some(ended) = process(self.scene.command(&arguments)) else { continue };
            match ended.code {
                0 => return self.judge(),
                3 => {}
                code => panic!("exit code {code}:\n{}", ended.stderr),
            }
            let waiting = self.waiting().expect("exit code 3 has an open question");
            if waiting == "storage-location-status" && self.archives() {
                fs::remove_file(self.places.old_side("archive-here")).unwrap();
            }
            if let Some(ended) = process(self.scene.command(&["approve", &waiting])) {
                ended.code(0);
            }
        }
        panic!("the run does not come to its end");
    }

    fn journal(&self) -> Journal {
        Journal::read(&self.scene.path(STATE))
    }

    fn waiting(&self) -> Option<String> {
        let journal = self.journal();
        let open = |step: &&str| journal.count("asked", step) > journal.count("answered", step);
        journal.of("asked").map(|record| record["step"].as_str().unwrap()).find(open).map(str::to_owned)
    }

    /// What must hold at every instant.
    fn judge_so_far(&self) {
        if !self.scene.path(STATE).exists() {
            return;
        }
        let journal = self.journal();
        let mut done = journal.done();
        let all = done.len();
        done.sort_unstable();
        done.dedup();
        assert_eq!(done.len(), all, "no step is done twice: {:?}", journal.done());
    }

    /// What must hold at the end.
    fn judge(&self) {
        self.judge_so_far();
        let journal = self.journal();
        assert!(journal.is_finished());
        for step in journal.done() {
            assert!(journal.count("asked", step) <= 1, "{step} is asked once");
            assert!(journal.count("answered", step) <= 1, "{step} is answered once");
        }
        for step in ["stop-old", "final", "proof", "start-old", "stop-old-for-good", "old-data-removed"] {
            assert_eq!(journal.count("step_done", step), 1, "{step} is done");
        }
        assert!(!self.scene.text(STATE).contains(KEY), "the recovery key is nowhere");
        assert_eq!(
            fs::read_to_string(self.places.old_side("service.log")).unwrap(),
            "started\nstopped\nstarted\nstopped\n",
            "the run stopped the service, started it again, and stopped it for good"
        );
        assert!(self.places.new.join("live").exists(), "what the service wrote was moved");
        tree::assert_equal(&self.places.old, &self.places.new);
    }
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        // The run has stopped it, unless the test failed.
        let _ = sc(&["stop", SERVICE]).status();
        let end = Instant::now() + Duration::from_secs(5);
        while self.database_is_held() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        let places = self.places;
        // What is not there cannot be taken away; what stays is told by the next run.
        for folder in [&places.old, &places.new, &places.quarantine()] {
            let _ = fs::remove_dir_all(folder);
        }
        for file in ["archive-here", "service.log"] {
            let _ = fs::remove_file(places.old_side(file));
        }
    }
}

/// The service, as the service manager has it; it is forgotten when this goes.
struct Service;

impl Service {
    fn create(program: &str, folder: &Path) -> Self {
        let line = format!("{program} --archives {}", folder.display());
        manager(&["create", SERVICE, "binPath=", &line, "start=", "demand"]);
        Self
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Where it cannot be deleted the next run cannot create it, and says so.
        let _ = sc(&["delete", SERVICE]).status();
    }
}

fn sc(arguments: &[&str]) -> Command {
    let mut command = Command::new("sc.exe");
    command.args(arguments).stdout(Stdio::null());
    command
}

#[track_caller]
fn manager(arguments: &[&str]) {
    let status = sc(arguments).status().unwrap();
    assert!(status.success(), "sc {arguments:?}: {status}");
}
