//! The pass that a command line means.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::ZonedDateTime;

use super::Misuse;
use super::command_line::{Age, Job};
use super::names;
use super::switches::Setting;
use crate::copy::{Compare, CopyPass, Extras, Links, OnErrors, Priority};
use crate::filter::{Case, Filter, Rules};

/// Without `/mt`, and with it where no number is given.
const THREADS: u32 = 8;
/// The values of the published procedure. robocopy's own are a million and 30 seconds: one locked file would hold up the
/// pass for a year.
const RETRIES: u32 = 2;
const WAIT: Duration = Duration::from_secs(2);
/// `/fft`
const COARSE: Duration = Duration::from_secs(2);

/// Makes the pass of a job from one folder to another, as it begins at this moment.
///
/// # Errors
/// Names that cannot be meant, all in one go.
pub fn pass_of(job: &Job, from: &Path, to: &Path, started: &ZonedDateTime) -> Result<CopyPass, Vec<Misuse>> {
    let roots: Vec<String> =
        spellings(job.source.as_ref(), from).chain(spellings(job.target.as_ref(), to)).collect();
    let mut wrong = Vec::new();
    let mut taken = |patterns: Result<Vec<String>, Misuse>| {
        patterns.unwrap_or_else(|misuse| {
            wrong.push(misuse);
            Vec::new()
        })
    };
    let rules = Rules {
        include: taken(names::included(&job.patterns)),
        exclude: taken(names::excluded(&job.exclude_files, "/XF", &roots)),
        exclude_directories: taken(names::excluded(&job.exclude_directories, "/XD", &roots)),
        min_age: job.min_age.map(|age| age.before(started)),
        max_age: job.max_age.map(|age| age.before(started)),
        min_size: job.min_size,
        max_size: job.max_size,
        max_depth: job.levels,
        case: Case::Insensitive,
    };
    let filter = match (Filter::new(rules), wrong.is_empty()) {
        (Ok(filter), true) => filter,
        (Ok(_), false) => return Err(wrong),
        (Err(error), _) => {
            wrong.push(Misuse::new(error.to_string(), "write a name, with * and ? alone"));
            return Err(wrong);
        }
    };
    Ok(CopyPass {
        from: from.to_owned(),
        to: to.to_owned(),
        filter,
        started: started.timestamp(),
        directories: job.directories(),
        errors: OnErrors::Tolerate,
        retries: job.retries.unwrap_or(RETRIES),
        wait: job.wait.unwrap_or(WAIT),
        threads: job.threads.unwrap_or(THREADS),
        compare: if job.has(Setting::IncludeSame) { Compare::Content } else { Compare::Metadata },
        mtime_tolerance: job.has(Setting::CoarseStamps).then_some(COARSE),
        links: if job.has(Setting::CopyLinks) { Links::Copy } else { Links::Skip },
        preserve: job.preserve,
        bandwidth: None,
        priority: Priority::Normal,
        resume_over: CopyPass::RESUME_OVER,
        distrust: None,
        extras: if job.has(Setting::ExcludeExtra) { Extras::Keep } else { Extras::List },
    })
}

/// Paths that are kept out below the target alone, as they lie in it: what a source has there would be kept out, too.
pub fn kept_out_of_target(job: &Job, from: &Path, to: &Path) -> Vec<PathBuf> {
    let sources: Vec<String> = spellings(job.source.as_ref(), from).collect();
    let targets: Vec<String> = spellings(job.target.as_ref(), to).collect();
    let mut paths = Vec::new();
    for list in [&job.exclude_files, &job.exclude_directories] {
        let of_source = names::named_below(list, &sources);
        let of_target = names::named_below(list, &targets);
        paths.extend(
            of_target.iter().filter(|path| !of_source.contains(path)).map(|path| path.iter().collect()),
        );
    }
    paths
}

/// As a line has it, and whole.
fn spellings(written: Option<&String>, path: &Path) -> impl Iterator<Item = String> {
    written.cloned().into_iter().chain([path.display().to_string()])
}

impl Age {
    /// How long before a moment it lies: `/minage:1` is 24 hours, exactly. A day that is still to come is no time ago.
    fn before(self, started: &ZonedDateTime) -> Duration {
        match self {
            Self::Days(days) => Duration::from_secs(u64::from(days) * 24 * 60 * 60),
            Self::Since(date) => date
                .to_zoned_datetime(started.time_zone().clone())
                .ok()
                .and_then(|midnight| started.duration_since(&midnight).try_into().ok())
                .unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::Directories;
    use jiff::civil::date;

    fn started() -> ZonedDateTime {
        date(2026, 11, 27).at(7, 30, 0, 0).in_tz("Europe/Berlin").unwrap()
    }

    fn pass(job: &Job) -> CopyPass {
        pass_of(job, "/old".as_ref(), "/new".as_ref(), &started()).unwrap()
    }

    #[test]
    fn a_day_is_24_hours_before_the_start() {
        let job = Job { min_age: Some(Age::Days(1)), ..Job::default() };
        assert_eq!(pass(&job).filter.rules().min_age, Some(Duration::from_secs(86_400)));
    }

    #[test]
    fn a_date_is_the_beginning_of_its_day_by_this_clock() {
        let since = |day| Age::Since(day).before(&started());
        assert_eq!(since(date(2026, 11, 26)), Duration::from_secs((24 + 7) * 3600 + 1800));
        // The hour that the end of summer time gave back has passed too.
        assert_eq!(since(date(2026, 10, 25)), Duration::from_secs(33 * 86_400 + 8 * 3600 + 1800));
        assert_eq!(since(date(2026, 11, 28)), Duration::ZERO);
    }

    #[test]
    fn without_switches_the_top_is_copied_and_tried_again_in_reason() {
        let pass = pass(&Job::default());
        assert_eq!((pass.directories, pass.retries, pass.threads), (Directories::None, 2, 8));
        assert!(pass.filter.is_everything());
    }

    #[test]
    fn all_names_that_cannot_be_meant_are_told() {
        let odd = || vec!["/elsewhere/x".to_owned()];
        let job = Job { patterns: odd(), exclude_files: odd(), exclude_directories: odd(), ..Job::default() };
        let wrong = pass_of(&job, "/old".as_ref(), "/new".as_ref(), &started()).unwrap_err();
        assert_eq!(wrong.len(), 3);
    }
}
