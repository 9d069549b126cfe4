//! `check`: looks whether the world is as the runbook needs it.
//!
//! Invariants: all checks of a step are made and everything found wrong is told together; nothing is left behind; a
//! check that hangs (a dead share, a silent host) never keeps the run from stopping.

mod paths;
mod remote;
pub(super) use paths::unmatched;
pub(super) use remote::unmatched_of;
mod tcp;

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use serde_json::{Value, json};

use super::outcome::{self, ActionWatch, Failure, Figures};
use crate::cancel::Cancel;
use crate::plan::{CheckAction, FreeSpace};
use crate::rclone::remote::Remote;

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The path, the host and port, or the expression.
    pub subject: String,
    pub reason: String,
    pub next: String,
}

/// What one check came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub findings: Vec<Finding>,
    /// Directories that could not be read while the size of a source was summed up.
    pub unread: u64,
    /// What a source was found to take.
    pub measured: Option<Measured>,
}

/// Files below a path, and their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    pub path: String,
    pub files: u64,
    pub bytes: u64,
}

impl From<Measured> for Value {
    fn from(Measured { path, files, bytes }: Measured) -> Self {
        json!({"path": path, "files": files, "bytes": bytes})
    }
}

/// Makes all checks. Figures: `checks`, how many; `unread_directories`, how many directories could not be read while
/// sizes were summed up, so that the sums are too small; `measured`, those sums, by path.
pub fn perform(checks: &[CheckAction], watch: &ActionWatch<'_>) -> Result<Figures, Failure> {
    let mut findings = Vec::new();
    let mut failed = 0;
    let mut unread = 0;
    let mut measured = Vec::new();
    for check in checks {
        watch.check()?;
        let verdict = make(check, watch)?;
        failed += usize::from(!verdict.findings.is_empty());
        unread += verdict.unread;
        measured.extend(verdict.measured.map(Value::from));
        findings.extend(verdict.findings);
    }
    match failed {
        0 => {
            let mut figures = Figures::from([
                ("checks".to_owned(), checks.len().into()),
                ("unread_directories".to_owned(), unread.into()),
            ]);
            if !measured.is_empty() {
                figures.insert("measured".to_owned(), measured.into());
            }
            Ok(figures)
        }
        _ => Err(outcome::redacted(told(&findings, failed, checks.len()), watch.redact)),
    }
}

fn make(check: &CheckAction, watch: &ActionWatch<'_>) -> Result<Verdict, Failure> {
    match check {
        CheckAction::Path { path, exists, contains, free_space, writable, environment } => {
            let wishes = paths::Wishes {
                path: path.clone(),
                exists: *exists,
                contains: contains.clone(),
                free_space: free_space.clone(),
                writable: *writable,
            };
            let measured = match &wishes.free_space {
                Some(FreeSpace::Source(source)) => Some(source.as_path()),
                _ => None,
            };
            if [Some(path.as_path()), measured].into_iter().flatten().any(|path| Remote::at(path).is_some()) {
                let environment = environment.clone();
                return aside(watch, "looking", move |cancel| remote::look(wishes, &environment, &cancel));
            }
            aside(watch, "looking", move |cancel| paths::look(&wishes, &cancel))
        }
        CheckAction::Apart(list) => {
            let list: Vec<PathBuf> = list.clone();
            aside(watch, "looking", move |_| paths::apart(&list))
        }
        CheckAction::Tcp { host, port, timeout } => {
            let (host, port, timeout) = (host.clone(), *port, *timeout);
            aside(watch, "connecting", move |_| tcp::connect(&host, port, timeout))
        }
        CheckAction::That { that, holds, message } => Ok(expression(that, *holds, message)),
    }
}

fn expression(that: &str, holds: bool, message: &str) -> Verdict {
    let reason = if message.is_empty() { "does not hold" } else { message };
    let finding = Finding {
        subject: format!("`{that}`"),
        reason: reason.to_owned(),
        next: "correct the variables it speaks of, or what they stand for".to_owned(),
    };
    Verdict { findings: if holds { Vec::new() } else { vec![finding] }, ..Verdict::default() }
}

/// Does the work on a thread of its own and waits for it, but not past the wish to stop: a call into a dead network
/// file system or name server cannot be ended, only left behind.
fn aside(
    watch: &ActionWatch<'_>,
    doing: &'static str,
    work: impl FnOnce(Cancel) -> Verdict + Send + 'static,
) -> Result<Verdict, Failure> {
    let (done, result) = mpsc::channel();
    let cancel = watch.cancel.clone();
    std::thread::Builder::new()
        .spawn(move || {
            // Nobody waits any more once the run was asked to stop.
            let _ = done.send(work(cancel));
        })
        .map_err(|error| Failure::failed(format!("cannot start a thread for a check: {error}")))?;
    loop {
        match result.recv_timeout(Duration::from_millis(50)) {
            Ok(verdict) => {
                watch.check()?;
                return Ok(verdict);
            }
            Err(RecvTimeoutError::Timeout) => {
                watch.check()?;
                (watch.progress)(doing, None);
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::failed("a check broke off by itself; please report this"));
            }
        }
    }
}

/// One finding is a sentence; several are a list. What to do next is told once, even where it is the same for several.
fn told(findings: &[Finding], failed: usize, of: usize) -> Failure {
    let error = match findings {
        [one] => format!("{}: {}", one.subject, one.reason),
        several => {
            let lines: String = several
                .iter()
                .map(|finding| format!("\n  {}: {}", finding.subject, finding.reason))
                .collect();
            format!("{failed} of {of} checks failed:{lines}")
        }
    };
    let mut hints: Vec<String> = Vec::new();
    for finding in findings {
        if !hints.contains(&finding.next) {
            hints.push(finding.next.clone());
        }
    }
    Failure::Failed { error, hints }
}
