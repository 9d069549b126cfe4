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
#[cfg(unix)]
use common::samba::{PASSWORD, Samba};
use movebook::demo::archive::{self, Scale};
use movebook::demo::server;

const PROGRAM: &str = env!("CARGO_BIN_EXE_movebook");

#[test]
fn the_mailstore_runbook_ends_with_equal_trees() {
    move_between_folders(Scale::Small, Engine::Native);
}

/// A script that calls `movebook robocopy` stands in for robocopy.
#[test]
fn the_mailstore_runbook_ends_with_equal_trees_by_robocopy() {
    move_between_folders(Scale::Small, Engine::Robocopy);
}

/// The real rclone, within movebook's frame.
#[test]
fn the_mailstore_runbook_ends_with_equal_trees_by_rclone() {
    if let Some(why) = common::rclone::missing() {
        println!("not proven here: {why}");
        return;
    }
    move_between_folders(Scale::Small, Engine::Rclone);
}

/// The real rclone, from a share of a real Samba; only the port is none of the runbook's.
#[cfg(unix)]
#[test]
fn the_mailstore_runbook_by_rclone_ends_with_equal_trees_from_a_share() {
    if let Some(why) = common::rclone::missing() {
        println!("not proven here: {why}");
        return;
    }
    let samba = match Samba::start() {
        Ok(samba) => samba,
        Err(why) => {
            println!("not proven here: {why}");
            return;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("new/MailArchive");
    let told = move_archive(
        folder.path(),
        &Move {
            runbook: "mailstore-rclone",
            scale: Scale::Small,
            old: samba.path("MailArchive"),
            vars: format!("new_archive: {}\nold_host: 127.0.0.1\nold_user: root\n", new.display()),
            new,
            environment: vec![
                ("MOVEBOOK_VAR_OLD_PASSWORD", PASSWORD.to_owned()),
                ("RCLONE_CONFIG_OLD_PORT", samba.port().to_string()),
            ],
        },
    );
    assert!(!told.contains(PASSWORD));
}

#[test]
fn the_mailstore_runbook_ends_with_equal_trees_on_20_000_files_and_2_gb() {
    move_between_folders(Scale::Large, Engine::Native);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Engine {
    Native,
    Robocopy,
    Rclone,
}

fn move_between_folders(scale: Scale, engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    script(
        &root.join("bin/robocopy"),
        &format!("#!/bin/sh\necho >> '{}'\nexec '{PROGRAM}' robocopy \"$@\"\n", root.join("calls").display()),
    );
    let (old, new) = (root.join("old server/MailArchive"), root.join("new/MailArchive"));
    let name = match engine {
        Engine::Native => "native",
        Engine::Robocopy => "robocopy",
        Engine::Rclone => "rclone",
    };
    let vars = format!("old_archive: {}\nnew_archive: {}\nengine: {name}\n", old.display(), new.display());
    move_archive(
        root,
        &Move { runbook: "mailstore-robocopy", scale, old, new, vars, environment: Vec::new() },
    );
    let calls = fs::read_to_string(root.join("calls")).unwrap_or_default().lines().count();
    // Three passes ahead, and the last one with or without a list before it.
    assert!(if engine == Engine::Robocopy { calls >= 4 } else { calls == 0 }, "{calls} calls");
}

struct Move {
    runbook: &'static str,
    scale: Scale,
    /// As this machine sees it.
    old: PathBuf,
    new: PathBuf,
    /// The customer's file.
    vars: String,
    environment: Vec<(&'static str, String)>,
}

/// Carries a move out to its end; what it said.
fn move_archive(root: &Path, moving: &Move) -> String {
    let Move { runbook: name, scale, old, new, vars, environment } = moving;
    let control = root.join("control");
    let made = archive::make(old, *scale).unwrap();
    if *scale == Scale::Large {
        assert!(made.files >= 20_000 && made.bytes >= 2_000_000_000, "{made:?}");
    }
    let _server = LiveServer::start(old, &control);
    let runbook = with_services(root, &control, name);
    fs::write(root.join("acme.yaml"), vars).unwrap();
    fs::write(root.join("key"), KEY).unwrap();
    let state_file = root.join(format!("{name}--acme.state.jsonl"));

    let output = movebook(root, &runbook, environment, &["--yes"]);
    assert_eq!(output.status.code(), Some(2), "what needs a person is refused before anything begins");
    assert!(!state_file.exists());

    let output = movebook(root, &runbook, environment, &[&["--yes"], ANSWERS.as_slice()].concat());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    let journal = fs::read_to_string(state_file).unwrap();
    assert!(!journal.contains(KEY) && !told.contains(KEY), "the recovery key is nowhere");
    assert!(journal.lines().last().unwrap().contains("\"run_finished\""));
    assert!(told.contains("enter-licence: skipped"), "what is for other licences is skipped: {told}");
    let (before, after) = (hashes(old), hashes(new));
    assert!(before.len() > 300);
    assert!(before == after, "the trees differ");
    told
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
fn with_services(root: &Path, control: &Path, runbook: &str) -> PathBuf {
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
        format!("{runbook}.yaml").as_str(),
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
    root.join(format!("runbooks/{runbook}.yaml"))
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

fn movebook(root: &Path, runbook: &Path, environment: &[(&str, String)], arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .current_dir(root)
        .env("PATH", format!("{}:{}", root.join("bin").display(), std::env::var("PATH").unwrap()))
        .arg("run")
        .arg(runbook)
        .args(["--vars", "acme.yaml"])
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
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
