//! A folder with a runbook, and movebook's commands in it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::journal::Journal;
use super::running::{Ended, Running};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_movebook");

/// In texts that are given to a scene `ROOT` stands for its folder, and what a shell is asked for is said for each
/// system's own: `command: {LOG(word)}` writes a line into the file `log`, with `$NAME` for a variable of the
/// environment, and `command: {REMOVE(name)}` deletes a folder of the scene.
pub struct Scene {
    folder: TempDir,
    environment: Vec<(OsString, OsString)>,
}

impl Scene {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    /// Writes the runbook; its version and name are put in front.
    pub fn runbook(self, text: &str) -> Self {
        self.now_reads(text);
        self
    }

    /// A runbook of one phase with these steps.
    pub fn steps(self, steps: &str) -> Self {
        self.runbook(&one_phase(steps))
    }

    /// Writes the customer's file, which `run`, `plan` and `validate` are then given.
    pub fn vars(self, text: &str) -> Self {
        self.file("vars.yaml", text)
    }

    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(name, content);
        self
    }

    pub fn folder(self, name: &str) -> Self {
        fs::create_dir_all(self.path(name)).unwrap();
        self
    }

    /// A tree of so many small files, in folders of twenty.
    pub fn tree(self, name: &str, files: usize) -> Self {
        for number in 0..files {
            let content = format!("{name} {number} ").repeat(number % 40 * 20);
            self.write(&format!("{name}/{:02}/file-{number}.dat", number / 20), content);
        }
        self
    }

    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The runbook now reads so.
    pub fn now_reads(&self, text: &str) {
        self.write("scene.yaml", format!("movebook: 1\nname: scene\n{}", self.placed(text)));
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The text with the folder in the place of `ROOT`, and with a shell's line in the place of what it is asked for.
    pub fn placed(&self, text: &str) -> String {
        let text = replace_calls(text, "LOG", log_line);
        let text = replace_calls(&text, "REMOVE", removal);
        text.replace("ROOT", self.folder.path().to_str().unwrap())
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a file says, its lines ended as Unix does; nothing where there is none.
    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default().replace("\r\n", "\n")
    }

    /// The only state file.
    pub fn state_file(&self) -> PathBuf {
        let mut found = self.names().into_iter().filter(|name| name.ends_with(".state.jsonl"));
        let state_file = found.next().expect("there is a state file");
        assert_eq!(found.next(), None, "there is one state file");
        self.path(&state_file)
    }

    pub fn journal(&self) -> Journal {
        Journal::read(&self.state_file())
    }

    /// What lies in the scene's folder itself.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Movebook with these arguments, in the scene's folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.root());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().contains("MOVEBOOK")) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Movebook with a subcommand, the runbook, the customer's file if there is one, and more arguments.
    pub fn on_runbook(&self, subcommand: &str, arguments: &[&str]) -> Command {
        let mut all = vec![subcommand, "scene.yaml"];
        if self.path("vars.yaml").exists() {
            all.extend(["--vars", "vars.yaml"]);
        }
        all.extend(arguments);
        self.command(&all)
    }

    pub fn movebook(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments), "")
    }

    pub fn validate(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.on_runbook("validate", arguments), "")
    }

    pub fn plan(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.on_runbook("plan", arguments), "")
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.on_runbook("run", arguments), "")
    }

    pub fn resume(&self, arguments: &[&str]) -> Ended {
        self.movebook(&[&["resume"], arguments].concat())
    }

    pub fn status(&self, arguments: &[&str]) -> Ended {
        self.movebook(&[&["status"], arguments].concat())
    }

    pub fn approve(&self, step: &str, arguments: &[&str]) -> Ended {
        self.movebook(&[&["approve", step], arguments].concat())
    }

    /// Answers with what comes on standard input.
    pub fn approve_with(&self, step: &str, input: &str) -> Ended {
        Ended::of(self.command(&["approve", step, "--answer-file", "-"]), input)
    }

    /// Begins a run that is watched and stopped while it is at work.
    pub fn begin(&self, arguments: &[&str]) -> Running {
        Running::start(self.on_runbook("run", &[&["--format", "json"], arguments].concat()))
    }
}

/// A runbook of one phase with these steps, a list as YAML has it.
pub fn one_phase(steps: &str) -> String {
    let steps: String = steps.trim_matches('\n').lines().map(|line| format!("      {line}\n")).collect();
    format!("phases:\n  - id: only\n    steps:\n{steps}")
}

#[cfg(not(windows))]
fn log_line(words: &str) -> String {
    format!("shell: 'echo {words} >> \"ROOT/log\"'")
}

#[cfg(windows)]
fn log_line(words: &str) -> String {
    let of_cmd = |word: &str| word.strip_prefix('$').map_or(word.to_owned(), |name| format!("%{name}%"));
    let words: Vec<String> = words.split(' ').map(of_cmd).collect();
    // A blank before the arrows would be part of the line.
    format!("shell: 'echo {}>>\"ROOT\\log\"'", words.join(" "))
}

#[cfg(not(windows))]
fn removal(name: &str) -> String {
    format!("run: [rm, -r, 'ROOT/{name}']")
}

#[cfg(windows)]
fn removal(name: &str) -> String {
    format!("shell: 'rd /s /q \"ROOT\\{}\"'", name.replace('/', "\\"))
}

/// `NAME(argument)` with what is made of the argument in its place.
fn replace_calls(text: &str, name: &str, made_of: fn(&str) -> String) -> String {
    let call = format!("{{{name}(");
    let mut pieces = text.split(&call);
    let mut replaced = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (argument, rest) = piece.split_once(')').expect("a call has an end");
        replaced.push('{');
        replaced.push_str(&made_of(argument));
        replaced.push_str(rest);
    }
    replaced
}
