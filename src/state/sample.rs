//! A journal with every kind of record, for the tests of this folder.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::line::{self, Chain};
use super::record::*;
use crate::copy::account::{Account, Mark, Names};
use crate::copy::{ErrorClass, FileError, PassSummary, Tally};
use crate::plan::{AnswerKind, Evidence};

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub fn mark(id: &str, phase: &str, digest: &str) -> StepMark {
    StepMark {
        id: id.into(),
        phase: phase.into(),
        title: id.to_uppercase(),
        action: "copy".into(),
        digest: digest.into(),
    }
}

pub fn phase(id: &str, downtime: bool) -> PhaseMark {
    PhaseMark { id: id.into(), title: id.to_uppercase(), downtime }
}

/// Steps `key` and `early` in `prepare`, `stop`, `final` and `proof` in `downtime`, `after` in `end`.
pub fn basis() -> Basis {
    Basis {
        files: vec![RunbookText {
            path: "/srv/move.yaml".into(),
            text: "movebook: 1\nname: \"Umzug – ä\"\n".into(),
        }],
        digest: "d0".into(),
        vars_files: vec!["customers/acme.yaml".into()],
        started: at(0),
        environment: BTreeMap::new(),
        given: BTreeMap::from([("threads".into(), "8".into())]),
        // A variable named `chain` must not be taken for the chain of the line.
        vars: BTreeMap::from([("chain".into(), json!("0".repeat(64))), ("threads".into(), json!(8))]),
        secrets: BTreeMap::from([("password".into(), "$argon2id$x".into())]),
        phases: vec![phase("prepare", false), phase("downtime", true), phase("end", false)],
        steps: vec![
            mark("key", "prepare", "k"),
            mark("early", "prepare", "e"),
            mark("stop", "downtime", "s"),
            mark("final", "downtime", "f"),
            mark("proof", "downtime", "p"),
            mark("after", "end", "a"),
        ],
    }
}

pub fn run_started() -> Body {
    Body::RunStarted {
        format: FORMAT,
        run: "r1".into(),
        movebook: "0.1.0".into(),
        host: "server".into(),
        user: "admin".into(),
        basis: basis(),
    }
}

pub fn session() -> Body {
    Body::SessionStarted { host: "server".into(), user: "admin".into(), pid: 7, movebook: "0.1.0".into() }
}

pub fn started(step: &str) -> Body {
    Body::StepStarted { step: step.into(), attempt: 1, digest: "x".into(), continuity: None }
}

pub fn done(step: &str) -> Body {
    Body::StepDone {
        step: step.into(),
        seconds: 1.5,
        figures: BTreeMap::from([("copied_files".into(), json!(12))]),
        debt: None,
        clears: Vec::new(),
        account: None,
    }
}

pub fn done_clearing(step: &str, cleared: &str) -> Body {
    Body::StepDone {
        step: step.into(),
        seconds: 2.25,
        figures: BTreeMap::new(),
        debt: None,
        clears: vec![cleared.into()],
        account: None,
    }
}

pub fn done_owing(step: &str) -> Body {
    Body::StepDone {
        step: step.into(),
        seconds: 0.5,
        figures: BTreeMap::new(),
        debt: Some(debt(&["a/b.dat"])),
        clears: Vec::new(),
        account: None,
    }
}

pub fn debt(paths: &[&str]) -> Debt {
    Debt {
        from: "/old".into(),
        to: "/new".into(),
        files: paths.len() as u64,
        errors: paths.iter().map(|path| file_error(path)).collect(),
    }
}

pub fn file_error(path: &str) -> FileError {
    FileError { path: path.into(), class: ErrorClass::Transient, attempts: 3, error: "in use".into() }
}

pub fn failed(step: &str) -> Body {
    Body::StepFailed {
        step: step.into(),
        seconds: 1.0,
        error: "1 file failed".into(),
        hints: vec!["run again".into()],
        errors: vec![file_error("x \"y\"\n.dat")],
        code: 1,
        account: None,
    }
}

pub fn interrupted(step: &str) -> Body {
    Body::StepInterrupted { step: step.into(), seconds: 1.0 }
}

pub fn skipped(step: &str) -> Body {
    Body::StepSkipped { step: step.into(), reason: "its condition `false` does not hold".into() }
}

pub fn asked(step: &str, question: Question) -> Body {
    let prompt = Prompt {
        ask: "Is it so?".into(),
        instructions: Some("Look.".into()),
        answer: AnswerKind::Confirm,
        evidence: Evidence::None,
        same_as: None,
    };
    Body::Asked { step: step.into(), question, prompt, list: vec!["a/b".into()] }
}

pub fn answered(step: &str, question: Question, answer: Answer) -> Body {
    Body::Answered {
        step: step.into(),
        question,
        answer,
        by: "admin".into(),
        host: "server".into(),
        how: How::Terminal,
        note: Some("seen".into()),
        evidence: Some(EvidenceFile { name: "shot.png".into(), bytes: 3, blake3: "00".into() }),
    }
}

pub fn purge() -> Question {
    Question::Purge { files: 2000, bytes: 9, target_files: 3000, list: "l1".into() }
}

pub fn adopt() -> Question {
    Question::Adopt { path: "/new".into(), identity: "1:2".into(), files: 4 }
}

pub fn claimed() -> Body {
    Body::TargetClaimed { path: "/new".into(), identity: "1:2".into(), found: Found::Adopted }
}

pub fn waived(step: &str) -> Body {
    Body::DebtWaived { step: step.into(), by: "admin".into(), host: "server".into(), note: "a log".into() }
}

pub fn accepted(basis: Basis) -> Body {
    Body::ChangesAccepted { by: "admin".into(), host: "server".into(), changes: vec!["x".into()], basis }
}

pub fn purging(step: &str, number: u32) -> Body {
    Body::PurgeStarted(PurgeStarted {
        step: step.into(),
        number,
        target: "/new".into(),
        identity: "1:2".into(),
        folder: format!("/new.movebook-quarantine/r1/{number}"),
        files: 3,
        bytes: 30,
    })
}

pub fn changing(deed: Deed) -> Body {
    Body::QuarantineChanging {
        deed,
        by: "admin".into(),
        host: "server".into(),
        purges: vec![1],
        files: 2,
        bytes: 20,
        names: vec!["a/b".into()],
    }
}

pub fn changed(deed: Deed) -> Body {
    Body::QuarantineChanged { deed, files: 1, bytes: 10, left: 1 }
}

/// A step that is done with the account of its pass.
pub fn done_purging(step: &str) -> Body {
    let sums = PassSummary { purged: Tally { files: 2, bytes: 20 }, ..PassSummary::default() };
    let names = Names::Kept(Mark { lines: 4, digest: "d".into() });
    Body::StepDone {
        step: step.into(),
        seconds: 1.5,
        figures: BTreeMap::new(),
        debt: None,
        clears: Vec::new(),
        account: Some(Account { sums, names }),
    }
}

/// A whole run with every kind of record and of question.
pub fn every_kind() -> Vec<Body> {
    vec![
        run_started(),
        session(),
        started("key"),
        asked("key", Question::Checkpoint),
        answered("key", Question::Checkpoint, Answer::Secret("$argon2id$y".into())),
        done("key"),
        started("early"),
        asked("early", adopt()),
        answered("early", adopt(), Answer::Confirmed),
        claimed(),
        interrupted("early"),
        session(),
        started("early"),
        done_owing("early"),
        accepted(basis()),
        started("stop"),
        asked("stop", Question::Unknown),
        answered("stop", Question::Unknown, Answer::Choice("done".into())),
        done("stop"),
        started("final"),
        failed("final"),
        started("final"),
        asked("final", purge()),
        answered("final", purge(), Answer::Confirmed),
        purging("final", 1),
        done_purging("final"),
        changing(Deed::Restore),
        changed(Deed::Restore),
        skipped("proof"),
        started("after"),
        done("after"),
        asked("early", Question::Debt { files: 1 }),
        answered("early", Question::Debt { files: 1 }, Answer::Text("waive".into())),
        waived("early"),
        Body::RunFinished { seconds: 29.0 },
        changing(Deed::Discard),
        changed(Deed::Discard),
    ]
}

/// Numbered, a second apart.
pub fn records(bodies: Vec<Body>) -> Vec<Record> {
    let number = |(seq, body)| Record { seq, at: at(seq.cast_signed()), body };
    (0_u64..).zip(bodies).map(number).collect()
}

/// The bytes of a whole file.
pub fn bytes(records: &[Record]) -> Vec<u8> {
    let mut chain = Chain::start();
    let mut bytes = Vec::new();
    for record in records {
        let (line, _, next) = line::encode(record, chain).unwrap();
        bytes.extend(line);
        chain = next;
    }
    bytes
}
