//! How fast a pass is, and how long it will still take. Pure: time is given.

use std::time::Duration;

use crate::copy::Progress;

/// What a file costs besides its bytes, in bytes: opening, creating, closing and renaming take about as long as
/// copying this much. It makes the estimate hold for trees of small and of large files alike.
const FILE_COST: f64 = 64.0 * 1024.0;
/// The rate is that of about the last so many seconds.
const WINDOW: f64 = 5.0;

/// Follows the progress of one pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    last: Option<(Duration, Progress)>,
    bytes_a_second: Option<f64>,
    cost_a_second: Option<f64>,
}

/// What is said of a pass at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) rate: f64,
    pub(super) left: Option<f64>,
}

impl Meter {
    /// Takes the state of progress `at` a time since the start.
    pub(super) fn read(&mut self, at: Duration, progress: Progress) -> Reading {
        let (before, last) = self.last.unwrap_or_default();
        let seconds = at.saturating_sub(before).as_secs_f64();
        if seconds > 0.0 {
            let bytes = progress.bytes_done.saturating_sub(last.bytes_done) as f64;
            let files = progress.files_done.saturating_sub(last.files_done) as f64;
            let weight = 1.0 - (-seconds / WINDOW).exp();
            blend(&mut self.bytes_a_second, bytes / seconds, weight);
            blend(&mut self.cost_a_second, (bytes + files * FILE_COST) / seconds, weight);
            self.last = Some((at, progress));
        }
        let left_to_do = progress.bytes_known.saturating_sub(progress.bytes_done) as f64
            + progress.files_known.saturating_sub(progress.files_done) as f64 * FILE_COST;
        let left = match self.cost_a_second {
            Some(speed) if progress.listed && speed > 0.0 => Some(left_to_do / speed),
            _ => None,
        };
        Reading { rate: self.bytes_a_second.unwrap_or(0.0), left }
    }
}

/// The first value stands for itself; a later one counts by its weight.
fn blend(average: &mut Option<f64>, value: f64, weight: f64) {
    *average = Some(average.map_or(value, |average| average + (value - average) * weight));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(done: u64, known: u64) -> Progress {
        Progress { bytes_done: done, bytes_known: known, listed: true, ..Progress::default() }
    }

    #[test]
    fn a_steady_pass_is_estimated_exactly() {
        let mut meter = Meter::default();
        for second in 1..=20 {
            let reading = meter.read(Duration::from_secs(second), progress(second * 1000, 100_000));
            assert!((reading.rate - 1000.0).abs() < 1e-6, "{reading:?}");
            let left = reading.left.expect("all is listed");
            assert!((left - (100.0 - second as f64)).abs() < 1e-6, "{reading:?}");
        }
    }

    #[test]
    fn nothing_is_promised_before_all_is_listed() {
        let unlisted = Progress { listed: false, ..progress(10, 1000) };
        assert_eq!(Meter::default().read(Duration::from_secs(1), unlisted).left, None);
    }

    #[test]
    fn a_stalled_pass_has_no_end_in_sight_but_no_division_by_zero() {
        let mut meter = Meter::default();
        let reading = meter.read(Duration::from_secs(1), progress(0, 1000));
        assert_eq!(reading, Reading { rate: 0.0, left: None });
        assert_eq!(meter.read(Duration::from_secs(1), progress(0, 1000)).left, None);
    }
}
