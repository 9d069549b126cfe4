//! A verify step: both trees are read and compared, and every difference is named.

use std::time::Instant;

use jiff::Timestamp;
use serde_json::Value;

use super::expectation;
use super::outcome::{Failure, Figures};
use super::pass::ended_early;
use super::session::Session;
use super::step::Performed;
use crate::copy::verify::{self, Difference, DifferenceKind, Verification, VerifyPass};
use crate::copy::{ErrorClass, FileError};
use crate::engine::rclone;
use crate::plan::{PlannedStep, VerifyAction};
use crate::rclone::remote::Remote;

impl Session<'_> {
    pub(super) fn verify(&self, step: &PlannedStep, action: &VerifyAction) -> Performed {
        let _rights = match super::rights::of_verify(action) {
            Ok(rights) => rights,
            Err(failure) => return failure.into(),
        };
        if let Err(refusal) = super::facts::judge_verify(action) {
            return Failure::from(refusal).into();
        }
        let begun = Instant::now();
        let pass = VerifyPass {
            from: action.from.clone(),
            to: action.to.clone(),
            filter: action.filter.clone(),
            started: Timestamp::now(),
            method: action.method,
            mtime_tolerance: action.mtime_tolerance,
            threads: action.threads,
            manifest: action.manifest.clone(),
            extra: action.extra,
        };
        let expectation = expectation::of_verify(self.plan, &self.state, action);
        let verified = self.watched(step, "verifying", expectation, None, |watch| {
            match [&pass.from, &pass.to].into_iter().any(|path| Remote::at(path).is_some()) {
                true => rclone::verify::verify(&pass, &action.environment, watch),
                false => verify::verify(&pass, watch),
            }
        });
        match verified {
            Ok(verification) if verification.is_clean() => {
                Performed::Done(figures(&verification, begun).into())
            }
            Ok(verification) => differs(&verification),
            Err(error) => ended_early(error),
        }
    }
}

fn differs(verification: &Verification) -> Performed {
    let counts: Vec<String> = verification
        .counts
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(kind, count)| format!("{count} {}", word(*kind)))
        .collect();
    let failure = Failure::failed(format!("the trees differ: {}", counts.join(", "))).hint(
        "run the last pass again if the source changed since; if not, look at the files that are listed",
    );
    Performed::Failed { failure, errors: verification.differences.iter().map(file_error).collect() }
}

fn file_error(difference: &Difference) -> FileError {
    FileError {
        path: difference.path.clone(),
        class: ErrorClass::Permanent,
        attempts: 1,
        error: format!("{}: {}", word(difference.kind), difference.detail),
    }
}

fn word(kind: DifferenceKind) -> &'static str {
    match kind {
        DifferenceKind::Missing => "missing",
        DifferenceKind::Extra => "extra",
        DifferenceKind::Kind => "of another kind",
        DifferenceKind::Size => "of another size",
        DifferenceKind::Mtime => "of another time",
        DifferenceKind::Content => "of other content",
        DifferenceKind::Unreadable => "unreadable",
    }
}

fn figures(verification: &Verification, begun: Instant) -> Figures {
    let mut figures: Figures = [
        ("equal_files", verification.equal),
        ("equal_bytes", verification.bytes),
        ("directories", verification.directories),
        ("filtered_files", verification.filtered),
        ("skipped", verification.skipped),
        ("extra_ignored", verification.extra_ignored),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), Value::from(value)))
    .collect();
    let seconds = begun.elapsed().as_secs_f64();
    if seconds > 0.0 {
        figures.insert("bytes_a_second".to_owned(), (verification.bytes as f64 / seconds).into());
    }
    figures
}
