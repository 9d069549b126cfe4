//! Processes of movebook: those that have ended, and those that are at work.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::PATIENCE;

/// How a process ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Runs a command to its end.
    #[track_caller]
    pub fn of(command: Command, input: &str) -> Self {
        let shown = format!("{command:?}");
        let output =
            assert_cmd::Command::from_std(command).timeout(PATIENCE).write_stdin(input).output().unwrap();
        Self {
            code: output.status.code().unwrap_or_else(|| panic!("{shown} was killed: {output:?}")),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(self.code, expected, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// On either stream.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let said = self.all();
        assert!(said.contains(text), "`{text}` is not in:\n{said}");
        self
    }

    #[track_caller]
    pub fn never_says(self, text: &str) -> Self {
        let said = self.all();
        assert!(!said.contains(text), "`{text}` is in:\n{said}");
        self
    }

    pub fn all(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    /// What is on stdout, as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// What is on stdout, as events.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// A process that is at work and tells its events as JSON; it is killed when this goes.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        Self::of(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Of a child whose output goes to this process.
    pub fn of(mut child: Child) -> Self {
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            // Whoever no longer listens has ended the process.
            BufReader::new(stdout).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
        });
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        Self { child, lines, seen: Vec::new(), stderr: Some(stderr) }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until an event of this kind tells of this step.
    #[track_caller]
    pub fn until(&mut self, kind: &str, step: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let event: Value = serde_json::from_str(&line).unwrap();
                    self.seen.push(line);
                    if event["event"] == kind && event["step"] == step {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no {kind} of {step} came: {:#?}", self.seen),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the run ended before {kind} of {step}: {:#?}", self.seen)
                }
            }
        }
    }

    /// What it has told so far.
    pub fn events(&self) -> Vec<Value> {
        self.seen.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Ctrl-C.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }

    /// SIGKILL: nothing of the process runs after it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end; a process that has not ended in time is killed, which fails the test.
    #[track_caller]
    pub fn ended_within(mut self, patience: Duration) -> Ended {
        let end = Instant::now() + patience;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "the process has not ended after {patience:?}: {:#?}", self.seen);
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut lines = std::mem::take(&mut self.seen);
        lines.extend(self.lines.iter());
        Ended {
            code: status.code().expect("it ended by itself"),
            stdout: lines.iter().map(|line| format!("{line}\n")).collect(),
            stderr: self.stderr.take().unwrap().join().unwrap(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
