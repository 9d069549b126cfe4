//! How fast a pass is, and how long it will still take. Pure: time is given.
//!
//! A pass lists and copies at the same time, so that all is known only shortly before its end. Until then its size is
//! what this run counted earlier, and how long it will take is an estimate that says that it is one.

use std::time::Duration;

use super::expectation::{Expectation, Moves};
use crate::copy::Progress;
use crate::event::{Expected, LeftBy};

/// What a file costs besides its bytes, in bytes: opening, creating, closing and renaming take about as long as
/// copying this much. It makes the estimate hold for trees of small and of large files alike.
const FILE_COST: f64 = 64.0 * 1024.0;
/// The rate is that of about the last so many seconds.
const WINDOW: f64 = 5.0;
/// Before a pass is as old as this, nothing is estimated: its first moments are like no others.
const SETTLED: Duration = Duration::from_secs(1);

/// Follows the progress of one pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    /// When it was read last, with the files and bytes that were done.
    last: (Duration, u64, u64),
    bytes_a_second: Average,
    cost_a_second: Average,
}

/// What is said of a pass at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) rate: f64,
    pub(super) expected: Option<Expected>,
    pub(super) left: Option<f64>,
    pub(super) left_by: Option<LeftBy>,
}

impl Meter {
    /// Takes the state of progress `at` a time since the start.
    pub(super) fn read(
        &mut self,
        at: Duration,
        progress: &Progress,
        expectation: Option<Expectation>,
    ) -> Reading {
        if progress.phase.is_some() {
            // Its bytes are not moved, and say nothing of how fast others will be.
            *self = Self { last: (at, progress.files_done, progress.bytes_done), ..Self::default() };
            return Reading { rate: 0.0, expected: None, left: None, left_by: None };
        }
        let (before, files, bytes) = self.last;
        let seconds = at.saturating_sub(before).as_secs_f64();
        if seconds > 0.0 {
            let bytes = progress.bytes_done.saturating_sub(bytes) as f64;
            let files = progress.files_done.saturating_sub(files) as f64;
            self.bytes_a_second.take(bytes / seconds, seconds);
            self.cost_a_second.take((bytes + files * FILE_COST) / seconds, seconds);
            self.last = (at, progress.files_done, progress.bytes_done);
        }
        let (total, by) = match (progress.listed, expectation) {
            (true, _) => (Some(known(progress)), LeftBy::Listing),
            (false, Some(expectation)) => (Some(expected(progress, expectation)), LeftBy::Estimate),
            (false, None) => (None, LeftBy::Estimate),
        };
        let left = match (total, self.cost_a_second.value()) {
            (Some(_), _) if by == LeftBy::Estimate && at < SETTLED => None,
            (Some(total), Some(speed)) if speed > 0.0 => {
                let bytes = total.bytes.saturating_sub(progress.bytes_done) as f64;
                let files = total.files.saturating_sub(progress.files_done) as f64;
                Some((bytes + files * FILE_COST) / speed)
            }
            _ => None,
        };
        Reading {
            rate: self.bytes_a_second.value().unwrap_or(0.0),
            expected: total.filter(|_| by == LeftBy::Estimate),
            left,
            left_by: left.map(|_| by),
        }
    }
}

fn known(progress: &Progress) -> Expected {
    Expected { files: progress.files_known, bytes: progress.bytes_known }
}

/// What there will be to do in all. It is never less than what is known already.
fn expected(progress: &Progress, expectation: Expectation) -> Expected {
    let known = known(progress);
    let files = expectation.total.files.max(known.files);
    let all = expectation.total.bytes.max(known.bytes);
    let bytes = match expectation.moves {
        Moves::All => all,
        Moves::Some if known.files == 0 => known.bytes,
        // What is left is taken to be like what was looked at.
        Moves::Some => {
            let bytes = u128::from(known.bytes) * u128::from(files) / u128::from(known.files);
            u64::try_from(bytes).map_or(all, |bytes| bytes.min(all))
        }
    };
    Expected { files, bytes }
}

/// What a value was like lately. Before a whole window has passed it is the plain average so far: the first moments,
/// in which small files fly by, count for no more than their time.
#[derive(Clone, Copy, Debug, Default)]
struct Average {
    sum: f64,
    /// The weight of all that was taken; near 1 once a window has passed.
    weight: f64,
}

impl Average {
    /// The value held for so many seconds.
    fn take(&mut self, value: f64, seconds: f64) {
        let kept = (-seconds / WINDOW).exp();
        self.sum = self.sum * kept + value * (1.0 - kept);
        self.weight = self.weight * kept + (1.0 - kept);
    }

    fn value(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::Phase;

    fn progress(done: u64, known: u64) -> Progress {
        Progress { bytes_done: done, bytes_known: known, listed: true, ..Progress::default() }
    }

    fn expecting(files: u64, bytes: u64, moves: Moves) -> Option<Expectation> {
        Some(Expectation { total: Expected { files, bytes }, moves })
    }

    #[test]
    fn a_steady_pass_is_estimated_exactly() {
        let mut meter = Meter::default();
        for second in 1..=20 {
            let reading = meter.read(Duration::from_secs(second), &progress(second * 1000, 100_000), None);
            assert!((reading.rate - 1000.0).abs() < 1e-6, "{reading:?}");
            let left = reading.left.expect("all is listed");
            assert!((left - (100.0 - second as f64)).abs() < 1e-6, "{reading:?}");
            assert_eq!((reading.left_by, reading.expected), (Some(LeftBy::Listing), None));
        }
    }

    #[test]
    fn a_first_moment_counts_for_no_more_than_its_time() {
        let mut average = Average::default();
        assert_eq!(average.value(), None);
        average.take(1000.0, 0.1);
        (0..9).for_each(|_| average.take(0.0, 0.1));
        let value = average.value().unwrap();
        assert!((80.0..110.0).contains(&value), "{value}");
    }

    #[test]
    fn nothing_is_promised_before_all_is_listed_and_nothing_was_counted() {
        let unlisted = Progress { listed: false, ..progress(10, 1000) };
        let reading = Meter::default().read(Duration::from_secs(1), &unlisted, None);
        assert_eq!((reading.left, reading.left_by, reading.expected), (None, None, None));
    }

    #[test]
    fn what_was_counted_earlier_gives_an_estimate_that_is_marked_as_one() {
        let unlisted = Progress { listed: false, ..progress(2_000, 4_000) };
        let mut meter = Meter::default();
        let expectation = expecting(0, 20_000, Moves::All);
        let reading = meter.read(Duration::from_secs(2), &unlisted, expectation);
        assert_eq!(reading.left_by, Some(LeftBy::Estimate));
        assert_eq!(reading.expected, Some(Expected { files: 0, bytes: 20_000 }));
        assert!((reading.left.unwrap() - 18.0).abs() < 1e-6, "{reading:?}");
        // Once all is listed, what is known counts, and not what was expected.
        let listed = progress(3_000, 5_000);
        let reading = meter.read(Duration::from_secs(3), &listed, expectation);
        assert_eq!((reading.left_by, reading.expected), (Some(LeftBy::Listing), None));
        assert!((reading.left.unwrap() - 2.0).abs() < 1e-6, "{reading:?}");
    }

    #[test]
    fn the_first_moments_of_a_pass_promise_nothing() {
        let unlisted = Progress { listed: false, ..progress(2_000, 4_000) };
        let reading =
            Meter::default().read(Duration::from_millis(900), &unlisted, expecting(0, 20_000, Moves::All));
        assert_eq!(reading.left, None);
        assert!(reading.expected.is_some());
    }

    #[test]
    fn what_a_later_pass_has_to_move_is_taken_from_what_it_found_so_far() {
        let so_far = Progress { files_known: 100, bytes_known: 500, ..Progress::default() };
        let total = |files, bytes, moves| expected(&so_far, expecting(files, bytes, moves).unwrap());
        assert_eq!(total(1_000, 80_000, Moves::Some), Expected { files: 1_000, bytes: 5_000 });
        // Never more than there is, never less than is known.
        assert_eq!(total(1_000, 3_000, Moves::Some), Expected { files: 1_000, bytes: 3_000 });
        assert_eq!(total(10, 20, Moves::Some), Expected { files: 100, bytes: 500 });
        assert_eq!(total(10, 20, Moves::All), Expected { files: 100, bytes: 500 });
    }

    #[test]
    fn a_stalled_pass_has_no_end_in_sight_but_no_division_by_zero() {
        let mut meter = Meter::default();
        let reading = meter.read(Duration::from_secs(1), &progress(0, 1000), None);
        assert_eq!((reading.rate, reading.left, reading.left_by), (0.0, None, None));
        assert_eq!(meter.read(Duration::from_secs(1), &progress(0, 1000), None).left, None);
    }

    #[test]
    fn a_phase_that_moves_nothing_has_no_speed_and_leaves_none_behind() {
        let mut meter = Meter::default();
        let comparing = Progress { phase: Some(Phase::Comparing), ..progress(1_000_000, 1_000_000) };
        let reading = meter.read(Duration::from_secs(9), &comparing, expecting(0, 20_000, Moves::All));
        assert_eq!((reading.rate, reading.left, reading.expected), (0.0, None, None));
        assert_eq!(meter.read(Duration::from_secs(10), &progress(0, 1_000_000), None).rate, 0.0);
    }
}
