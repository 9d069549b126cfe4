//! The MailStore runbook as it ships, from the first check to the last checkpoint, on an archive with a live server.
//!
//! A stand-in: MailStore Server itself and the Windows service manager cannot be had here. The demo's server writes into the
//! archive until the runbook stops it, and a script answers for the services; the runbook's service steps get its
//! commands, everything else of the runbook is carried out as it stands.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::mailstore::{ANSWERS, KEY};
use movebook::demo::archive::{self, Scale};
use movebook::demo::server;

const PROGRAM: &str = env!("CARGO_BIN_EXE_movebook");

#[test]
fn the_mailstore_runbook_ends_with_equal_trees() {
    move_archive(Scale::Small, Engine::Native);
}

/// A script that calls `movebook robocopy` stands in for robocopy.
#[test]
fn the_mailstore_runbook_ends_with_equal_trees_by_robocopy() {
    move_archive(Scale::Small, Engine::Robocopy);
}

#[test]
fn the_mailstore_runbook_ends_with_equal_trees_on_20_000_files_and_2_gb() {
    move_archive(Scale::Large, Engine::Native);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Engine {
    Native,
    Robocopy,
}

fn move_archive(scale: Scale, engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let (old, new, control) =
        (root.join("old server/MailArchive"), root.join("new/MailArchive"), root.join("control"));
    let made = archive::make(&old, scale).unwrap();
    if scale == Scale::Large {
        assert!(made.files >= 20_000 && made.bytes >= 2_000_000_000, "{made:?}");
    }
    let _server = LiveServer::start(&old, &control);
    let runbook = with_services(root, &control);
    fs::write(
        root.join("acme.yaml"),
        format!(
            "old_archive: {}\nnew_archive: {}\nengine: {}\n",
            old.display(),
            new.display(),
            if engine == Engine::Robocopy { "robocopy" } else { "native" }
        ),
    )
    .unwrap();
    script(
        &root.join("bin/robocopy"),
        &format!("#!/bin/sh\necho >> '{}'\nexec '{PROGRAM}' robocopy \"$@\"\n", root.join("calls").display()),
    );
    fs::write(root.join("key"), KEY).unwrap();

    let output = movebook(root, &runbook, &["--yes"]);
    assert_eq!(output.status.code(), Some(2), "what needs a person is refused before anything begins");
    assert!(!root.join("mailstore-robocopy--acme.state.jsonl").exists());

    let output = movebook(root, &runbook, &[&["--yes"], ANSWERS.as_slice()].concat());
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let journal = fs::read_to_string(root.join("mailstore-robocopy--acme.state.jsonl")).unwrap();
    assert!(!journal.contains(KEY) && !told.contains(KEY), "the recovery key is nowhere");
    assert!(journal.lines().last().unwrap().contains("\"run_finished\""));
    assert!(told.contains("enter-licence: skipped"), "what is for other licences is skipped: {told}");
    let (before, after) = (hashes(&old), hashes(&new));
    assert!(before.len() > 300);
    assert!(before == after, "the trees differ");
    let calls = fs::read_to_string(root.join("calls")).unwrap_or_default().lines().count();
    // Three passes ahead, and the last one with or without a list before it.
    assert!(if engine == Engine::Robocopy { calls >= 4 } else { calls == 0 }, "{calls} calls");
}

/// A server that writes into the archive, and ends with the test.
struct LiveServer {
    control: PathBuf,
}

impl LiveServer {
    fn start(archive: &Path, control: &Path) -> Self {
        server::start(Path::new(PROGRAM), archive, control).unwrap();
        Self { control: control.to_path_buf() }
    }
}

impl Drop for LiveServer {
    fn drop(&mut self) {
        // After a test that passed it is stopped already.
        let _ = server::stop(&self.control);
    }
}

/// The shipped runbooks in a folder of their own, whose service steps ask a script instead of a service manager.
fn with_services(root: &Path, control: &Path) -> PathBuf {
    let script = root.join("service.sh");
    let text = format!(
        "#!/bin/sh\nmarker='{}'/$1.running\ncase $2 in\n  status) [ -e \"$marker\" ] && exit 0; exit 3;;\n  start) touch \"$marker\";;\n  stop) [ $1 = old ] && '{PROGRAM}' demo-server stop --control '{}'; rm -f \"$marker\";;\nesac\n",
        root.display(),
        control.display()
    );
    self::script(&script, &text);
    fs::write(root.join("old.running"), "").unwrap();
    let mut steps = 0;
    for file in [
        "mailstore-robocopy.yaml",
        "common/mailstore-preflight.yaml",
        "common/mailstore-copy.yaml",
        "common/start-new.yaml",
        "common/mailstore-hand-over.yaml",
        "common/retire-old-data.yaml",
    ] {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks").join(file);
        let text = fs::read_to_string(shipped).unwrap();
        let rewritten: Vec<String> = text
            .lines()
            .map(|line| {
                let Some(body) = line.strip_suffix("}}").filter(|line| line.contains(", service: {")) else {
                    return line.to_owned();
                };
                steps += 1;
                let which = if line.contains("old_host") { "old" } else { "new" };
                let command = |action: &str| format!("{action}: ['{}', {which}, {action}]", script.display());
                format!("{body}, {}, {}, {}}}}}", command("status"), command("start"), command("stop"))
            })
            .collect();
        let target = root.join("runbooks").join(file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, rewritten.join("\n") + "\n").unwrap();
    }
    assert_eq!(steps, 5, "each service step of the runbook was given its commands");
    root.join("runbooks/mailstore-robocopy.yaml")
}

fn script(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    // By a child: a file that this process had open for writing may not be executed while another test forks.
    let written = Command::new("sh")
        .args(["-c", "printf %s \"$1\" > \"$0\" && chmod +x \"$0\""])
        .arg(file)
        .arg(text)
        .status()
        .unwrap();
    assert!(written.success());
}

fn movebook(root: &Path, runbook: &Path, arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .current_dir(root)
        .env("PATH", format!("{}:{}", root.join("bin").display(), std::env::var("PATH").unwrap()))
        .arg("run")
        .arg(runbook)
        .args(["--vars", "acme.yaml"])
        .args(arguments)
        .output()
        .unwrap()
}

/// BLAKE3 of every file and the names of all folders, by a walk of the test's own.
fn hashes(root: &Path) -> BTreeMap<PathBuf, Option<blake3::Hash>> {
    walkdir::WalkDir::new(root)
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let path = entry.path().strip_prefix(root).unwrap().to_path_buf();
            let hash = entry.file_type().is_file().then(|| {
                let mut hasher = blake3::Hasher::new();
                hasher.update_reader(fs::File::open(entry.path()).unwrap()).unwrap();
                hasher.finalize()
            });
            (path, hash)
        })
        .collect()
}
