//! rclone within the frame: two folders of this machine.
//!
//! rclone writes through a link that lies in the target. So a pass is refused where the target has one in the way of anything
//! that the source has.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::call::{self, Rclone};
use crate::cancel::Cancel;
use crate::copy::{CopyPass, ErrorClass, FileError, PassError, Survey, Tally, names};
use crate::engine::external::{Program, Told};
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

    fn prepare(&self, pass: &CopyPass, _: &Survey, cancel: &Cancel) -> Result<(), PassError> {
        Rclone::ready(&self.action.environment, &[], cancel)?;
        match link_in_the_way(pass, cancel) {
            None => Ok(()),
            Some(link) => Err(PassError::Fatal {
                what: "the target has a link where the source has something else, and rclone would write through it".to_owned(),
                path: names::shown(&link),
                hint: "move the link out of the way, or use `engine: native`, which replaces it; then go on".to_owned(),
                source: None,
            }),
        }
    }

    fn copy(
        &self,
        pass: &CopyPass,
        _: &Survey,
        moved: &mut dyn FnMut(Tally),
        cancel: &Cancel,
    ) -> Result<Told, PassError> {
        let rclone = Rclone::ready(&self.action.environment, &[], cancel)?;
        let mut errors = Errors::default();
        let arguments = rclone::arguments_of_pass(&self.action, pass.started);
        let code = rclone.run(&arguments, &mut |stream, line| {
            if stream == Stream::Stderr {
                let line = Line::read(line);
                if let Line::Progress(stats) = &line {
                    moved(Tally { files: stats.transfers, bytes: stats.bytes });
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
        Ok(Told {
            errors: named,
            failed: 0,
            ended: format!("rclone ended with {code} ({})", meaning_of(code)),
            warnings: Vec::new(),
        })
    }
}

/// The first link of the target at the place of a file or folder that takes part. Nothing below a link is looked at.
fn link_in_the_way(pass: &CopyPass, cancel: &Cancel) -> Option<PathBuf> {
    WalkDir::new(&pass.to)
        .min_depth(1)
        .into_iter()
        .take_while(|_| !cancel.is_requested())
        .flatten()
        .filter(|entry| entry.path_is_symlink())
        .filter_map(|entry| entry.path().strip_prefix(&pass.to).ok().map(Path::to_owned))
        .find(|below| match pass.from.join(below).symlink_metadata() {
            Ok(source) if source.is_dir() => pass.filter.judge_directory(below).is_ok(),
            Ok(source) => source.is_file() && pass.filter.judge_name(below).is_ok(),
            Err(_) => false,
        })
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
