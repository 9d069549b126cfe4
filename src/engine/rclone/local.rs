//! rclone within the frame: two folders of this machine.

use std::path::Path;

use super::call::{self, Rclone};
use crate::cancel::Cancel;
use crate::copy::{CopyPass, ErrorClass, FileError, PassError, PassSummary, Survey, Tally, names};
use crate::engine::external::{Coverage, Program, Report};
use crate::plan::CopyAction;
use crate::rclone;
use crate::rclone::log::{Errors, Failed, Line, meaning_of};
use crate::sys::process::Stream;

pub(super) struct LocalPair {
    action: CopyAction,
}

impl LocalPair {
    pub(super) fn new(action: &CopyAction) -> Self {
        Self { action: action.clone() }
    }
}

impl Program for LocalPair {
    const NAME: &'static str = "rclone";

    fn prepare(&self, _: &CopyPass, _: &Survey, cancel: &Cancel) -> Result<(), PassError> {
        Rclone::ready(&self.action.environment, &[], cancel).map(drop)
    }

    fn copy(
        &self,
        pass: &CopyPass,
        survey: &Survey,
        moved: &mut dyn FnMut(Tally),
        cancel: &Cancel,
    ) -> Result<Report, PassError> {
        let rclone = Rclone::ready(&self.action.environment, &[], cancel)?;
        let (mut errors, mut copied) = (Errors::default(), 0);
        let arguments = rclone::arguments_of_pass(&self.action, pass.started);
        let code = rclone.run(&arguments, &mut |stream, line| {
            if stream == Stream::Stderr {
                let line = Line::read(line);
                match &line {
                    Line::Progress(stats) => moved(Tally { files: stats.transfers, bytes: stats.bytes }),
                    Line::Copied(_) => copied += 1,
                    _ => {}
                }
                errors.hear(&line);
            }
        })?;
        let named: Vec<FileError> = match code {
            0 => Vec::new(),
            _ => {
                let failed = errors.of_last_attempt().into_iter();
                let errors = failed.map(|failed| file_error(failed, pass.retries));
                errors.map(|error| named_as_the_account_does(error, pass)).collect()
            }
        };
        if code != 0 && named.is_empty() {
            let place = names::shown(&pass.from);
            return Err(call::failed("copy", &place, code, &call::words(&errors, code)));
        }
        if let Some(ends) = named.iter().find(|error| error.class == ErrorClass::Fatal) {
            return Err(ended_by(ends));
        }
        Ok(Report {
            errors: named,
            failed: 0,
            coverage: coverage(code, copied, &survey.outcome.summary),
            ended: format!("rclone ended with {code} ({})", meaning_of(code)),
            warnings: Vec::new(),
        })
    }
}

/// What rclone left untried it does not name: where it was ended, or copied fewer than there were, all is looked at again.
fn coverage(code: i32, copied: u64, survey: &PassSummary) -> Coverage {
    match code == 0 && copied >= survey.new.files + survey.changed.files {
        true => Coverage::Whole,
        false => Coverage::Short,
    }
}

/// A folder that could not be read ends with `/`; rclone names both alike.
fn named_as_the_account_does(mut error: FileError, pass: &CopyPass) -> FileError {
    if pass.from.join(names::path_of(&error.path)).is_dir() {
        error.path.push('/');
    }
    error
}

/// A file that rclone named, as the account has it.
pub(super) fn file_error(failed: &Failed, retries: u32) -> FileError {
    FileError {
        path: names::shown(Path::new(&failed.path)),
        class: failed.class,
        attempts: retries + 1,
        error: call::presentable(&failed.error),
    }
}

/// An error that ends the pass: no file behind it would fare better.
pub(super) fn ended_by(error: &FileError) -> PassError {
    PassError::Fatal {
        what: error.error.clone(),
        path: error.path.clone(),
        hint: "make room on the target, or see that it can be written to, and go on".to_owned(),
        source: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_good_end_with_every_file_named_as_copied_spares_a_second_look() {
        let tally = |files| Tally { files, bytes: 0 };
        let survey = PassSummary { new: tally(2), changed: tally(1), ..PassSummary::default() };
        assert_eq!(coverage(0, 3, &survey), Coverage::Whole);
        for (code, copied) in [(0, 2), (1, 3), (143, 0)] {
            assert_eq!(coverage(code, copied, &survey), Coverage::Short, "{code} {copied}");
        }
    }
}
