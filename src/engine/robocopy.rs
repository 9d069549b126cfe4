//! robocopy as the program of a pass.
//!
//! It copies, and never deletes. Before a pass that purges it is asked for its own list of what is extra: where it does not
//! call extra what the purge would take away, nothing is done at all. Its output is read as it comes; an error that the whole
//! target shares (no room, write protection) ends it at once, with all that it started.

mod top;

use std::sync::{Mutex, PoisonError};

use super::external::{Coverage, Program, Report};
use crate::cancel::Cancel;
use crate::copy::{
    CopyPass, Directories, ErrorClass, Extras, FileError, PassError, PassOutcome, Priority, Survey, Tally,
    names,
};
use crate::plan::CopyAction;
use crate::robocopy::arguments;
use crate::robocopy::output::{Place, Reading, Roots, Side, Told, Trouble};
use crate::robocopy::second_opinion::{self, Deep};
use crate::robocopy::verdict::{self, Found, Marked, Sum, Verdict};
use crate::sys::hold;
use crate::sys::process::{self, End, Launch, Request, Stream};
use crate::sys::volume;
use crate::sys::windows_errors::{self, Class};
use top::Top;

/// So many names stand in a sentence.
const NAMED: usize = 5;
/// So many marked entries are looked for in both trees.
const LOOKED_FOR: usize = 1000;
const NATIVE: &str = "`engine: native` gives the same target tree without it";

pub struct Robocopy {
    copying: Vec<String>,
    listing: Vec<String>,
    priority: Priority,
    roots: Roots,
    /// What the list before the pass said and did not stop it.
    remarks: Mutex<Vec<String>>,
}

impl Robocopy {
    pub fn of(action: &CopyAction) -> Self {
        // As the native engine: what cannot be asked is taken to be exact.
        let stamps = volume::stamp_tolerance(&action.to).unwrap_or_default();
        Self {
            copying: arguments::for_copying(action, stamps),
            listing: arguments::for_listing(action),
            priority: action.priority,
            roots: Roots::new(&action.from.display().to_string(), &action.to.display().to_string()),
            remarks: Mutex::default(),
        }
    }

    /// Runs it to its end. `heard` is called as output comes, and may ask it to end.
    fn call(
        &self,
        arguments: &[String],
        cancel: &Cancel,
        heard: &mut dyn FnMut(&Reading, &Cancel),
    ) -> Result<(i32, Told), PassError> {
        let program = process::of_system("robocopy");
        let environment = [(hold::LETS_IN.to_owned(), self.roots.to.clone())].into();
        let request = Request {
            launch: match self.priority {
                Priority::Normal => Launch::Program(&program, arguments),
                Priority::Gentle => Launch::GentleProgram(&program, arguments),
            },
            environment: &environment,
            directory: None,
            input: None,
            timeout: None,
        };
        let stop = cancel.below();
        let mut reading = Reading::new(self.roots.clone());
        let mut beside = Reading::new(self.roots.clone());
        let ended = process::run_heard(&request, &stop, &mut |stream, bytes| {
            match stream {
                Stream::Stdout => reading.feed(bytes),
                Stream::Stderr => beside.feed(bytes),
            }
            heard(&reading, &stop);
        });
        let ended = ended.map_err(|error| PassError::Fatal {
            what: "cannot start robocopy".to_owned(),
            path: program.clone(),
            hint: format!("robocopy is a part of Windows, and is found by PATH elsewhere; {NATIVE}"),
            source: Some(error),
        })?;
        if let Some(error) = self.ending(&reading).filter(|_| !cancel.is_requested()) {
            return Err(error);
        }
        let mut told = reading.finish();
        told.last_words.extend(beside.finish().last_words);
        let code = match ended.end {
            End::Exited(code) => code,
            End::Interrupted if cancel.is_requested() => return Err(PassError::Interrupted),
            End::Interrupted | End::TimedOut => {
                return Err(self.fatal(
                    "robocopy was ended before its end".to_owned(),
                    "go on with the run: the pass is done again, and copies what is missing".to_owned(),
                ));
            }
            End::Killed(signal) => {
                return Err(self.fatal(
                    format!("robocopy was ended by another program (signal {signal})"),
                    "see who ended it, and go on: the pass is done again, and copies what is missing"
                        .to_owned(),
                ));
            }
        };
        Ok((code, told))
    }

    /// The error that ended a pass for all of its files: it may name none of them, or one that had another error since.
    fn ending(&self, reading: &Reading) -> Option<PassError> {
        let ends = |trouble: &Trouble| ends_all(trouble.code);
        let at_place = reading.troubles().iter().find(|(_, trouble)| ends(trouble));
        let elsewhere = || reading.elsewhere().iter().find(|trouble| ends(trouble)).map(words);
        let code =
            || reading.codes().find(|code| ends_all(*code)).map(|code| format!("robocopy: error {code}"));
        let (what, path) = match at_place {
            Some((place, trouble)) => (words(trouble), place.path.clone()),
            None => (elsewhere().or_else(code)?, self.roots.to.clone()),
        };
        Some(PassError::Fatal {
            what,
            path,
            hint:
                "make room on the target's volume, or see that it can be written to, and go on with the run"
                    .to_owned(),
            source: None,
        })
    }

    fn fatal(&self, what: String, hint: String) -> PassError {
        PassError::Fatal { what, path: self.roots.to.clone(), hint, source: None }
    }

    fn remark(&self, words: String) {
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner).push(words);
    }
}

impl Program for Robocopy {
    const NAME: &'static str = "robocopy";

    fn prepare(&self, pass: &CopyPass, survey: &Survey, cancel: &Cancel) -> Result<(), PassError> {
        let extras = &survey.outcome.extras;
        if pass.extras == Extras::Keep || extras.is_empty() {
            return Ok(());
        }
        let (code, told) = self.call(&self.listing, cancel, &mut |_, _| {})?;
        let why = match verdict::judge(code, &told, &Found::default(), &Marked::default()) {
            Verdict::Fatal(why) => Some(why),
            Verdict::Done { sum: Sum::Short, .. } => Some(format!(
                "robocopy ended with {code} and left no summary, so that its list may be cut off"
            )),
            Verdict::Done { sum: Sum::Whole, .. } => None,
        };
        if let Some(why) = why {
            return Err(self.fatal(
                format!("{why}, when it was asked for its list of what only the target has"),
                format!("see to that and go on; {NATIVE}"),
            ));
        }
        let deep = if pass.directories == Directories::None { Deep::Top } else { Deep::All };
        let opinion = second_opinion::compare(&told, extras, &pass.filter, deep);
        if !opinion.disputed.is_empty() {
            return Err(self.fatal(
                format!(
                    "robocopy does not call extra what the purge would take away: {} of {}: {}; nothing was changed",
                    opinion.disputed.len(),
                    extras.len(),
                    listed(&opinion.disputed)
                ),
                "look at these in both trees, and go on when it is clear what they are; or leave `purge:` out of this step, or \
                 use `engine: native`"
                    .to_owned(),
            ));
        }
        if !opinion.staying.is_empty() {
            self.remark(format!(
                "robocopy calls extra what stays in the target: {}: {}",
                opinion.staying.len(),
                listed(&opinion.staying)
            ));
        }
        if opinion.unread > 0 {
            self.remark(format!(
                "{} of the entries that robocopy calls extra could not be told",
                opinion.unread
            ));
        }
        Ok(())
    }

    fn copy(
        &self,
        pass: &CopyPass,
        survey: &Survey,
        moved: &mut dyn FnMut(Tally),
        cancel: &Cancel,
    ) -> Result<Report, PassError> {
        let summary = &survey.outcome.summary;
        let more = (summary.attributes_mended > 0).then(|| arguments::ATTRIBUTES_TOO.to_owned());
        let copying: Vec<String> = self.copying.iter().cloned().chain(more).collect();
        let top = Top::of(&pass.to);
        let ended = self.call(&copying, cancel, &mut |reading, stop| {
            moved(reading.copied());
            if reading.codes().any(ends_all) {
                stop.request();
            }
        });
        if let Err(error) = top.and_then(Top::keep) {
            self.remark(format!("the target's top may be as hidden as the source's: {error}"));
        }
        let (code, told) = ended?;
        let found = found(&survey.outcome);
        let (failed, sum, warnings) = match verdict::judge(code, &told, &found, &marked(pass, &told)) {
            Verdict::Done { failed, sum, warnings } => (failed, sum, warnings),
            Verdict::Fatal(why) => {
                let hint = format!(
                    "see to that and go on: the pass is done again, and copies what is missing; {NATIVE}"
                );
                return Err(self.fatal(why, hint));
            }
        };
        let mut remarks = std::mem::take(&mut *self.remarks.lock().unwrap_or_else(PoisonError::into_inner));
        remarks.extend(warnings);
        Ok(Report {
            errors: told.troubles.iter().map(|(place, trouble)| error(place, trouble)).collect(),
            failed,
            coverage: match sum {
                Sum::Whole => Coverage::Whole,
                Sum::Short => Coverage::Short,
            },
            ended: format!("robocopy ended with {code}"),
            warnings: remarks,
        })
    }
}

/// What the trees looked like before.
fn found(PassOutcome { summary, extras, links_same, .. }: &PassOutcome) -> Found {
    Found {
        to_copy: summary.new.files + summary.changed.files + summary.links_copied - links_same,
        extra: extras.len() as u64 + summary.kept.files + summary.extra_filtered.files + summary.extra_unread,
    }
}

/// Entries with a star, by where they are. Of a path that came with letters lost nothing can be said.
fn marked(pass: &CopyPass, told: &Told) -> Marked {
    let is_in = |root: &std::path::Path, place: &Place| {
        root.join(names::path_of(&place.path)).symlink_metadata().is_ok()
    };
    let mut marked = Marked::default();
    for place in told.marked.iter().filter(|place| !place.path.is_empty()).take(LOOKED_FOR) {
        match (is_in(&pass.from, place), is_in(&pass.to, place)) {
            (true, true) => marked.in_both.push(place.clone()),
            (false, true) => marked.in_target.push(place.clone()),
            (_, false) => {}
        }
    }
    marked
}

fn error(place: &Place, trouble: &Trouble) -> FileError {
    FileError {
        path: if place.path.is_empty() { "/".to_owned() } else { place.path.clone() },
        class: class_of(trouble.code, place.side),
        attempts: trouble.attempts,
        error: words(trouble),
    }
}

fn words(trouble: &Trouble) -> String {
    format!("robocopy: error {}: {}", trouble.code, trouble.message)
}

/// As the native engine classifies the same codes.
fn class_of(code: u32, side: Side) -> ErrorClass {
    match class(code) {
        Some(Class::Passing | Class::OutOfHandles | Class::Network) => ErrorClass::Transient,
        Some(Class::Absent) if side == Side::Source => ErrorClass::Vanished,
        Some(Class::Absent) => ErrorClass::Transient,
        Some(Class::Denied) => ErrorClass::Denied,
        Some(Class::NoRoom | Class::WriteProtected | Class::VolumeGone) => ErrorClass::Fatal,
        Some(Class::NoWay | Class::Unsupported) | None => ErrorClass::Permanent,
    }
}

/// Whether an error is every file's: robocopy names the file in the source, and means the target's volume.
fn ends_all(code: u32) -> bool {
    matches!(class(code), Some(Class::NoRoom | Class::WriteProtected | Class::VolumeGone))
}

fn class(code: u32) -> Option<Class> {
    windows_errors::class(i32::try_from(code).ok()?)
}

fn listed(names: &[String]) -> String {
    let more = if names.len() > NAMED { " …" } else { "" };
    format!("{}{more}", names[..names.len().min(NAMED)].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_codes_fall_into_the_classes_of_the_native_engine() {
        use ErrorClass::{Denied, Fatal, Permanent, Transient, Vanished};
        for (code, side, class) in [
            (32, Side::Source, Transient),
            (64, Side::Source, Transient),
            (2, Side::Source, Vanished),
            (3, Side::Target, Transient),
            (5, Side::Source, Denied),
            (112, Side::Source, Fatal),
            (19, Side::Target, Fatal),
            (206, Side::Source, Permanent),
            (u32::MAX, Side::Source, Permanent),
        ] {
            assert_eq!(class_of(code, side), class, "{code}");
        }
    }

    #[test]
    fn only_what_the_whole_target_shares_ends_a_pass() {
        assert!([112, 39, 19, 1167].into_iter().all(ends_all));
        assert!(![5, 32, 53, 64, 2, 206].into_iter().any(ends_all));
    }
}
