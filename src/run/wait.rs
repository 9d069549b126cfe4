//! `wait`: for a duration, or until a time of day.
//!
//! Invariant: a wait for a duration is measured by the clock that nobody can set, a wait until a time of day by the
//! one on the wall, looked at again and again, so that neither a corrected clock nor a sleeping machine misleads it.

use std::time::{Duration, Instant};

use jiff::tz::AmbiguousOffset;
use jiff::{Timestamp, ZonedDateTime};

use super::outcome::{ActionWatch, Failure, Figures};
use crate::plan::WaitAction;

/// How often the clock is looked at.
const SLICE: Duration = Duration::from_millis(100);

/// Waits. A time of day is the first one after the step was `begun`, so that an interrupted wait does not begin anew.
pub fn perform(action: &WaitAction, begun: Timestamp, watch: &ActionWatch<'_>) -> Result<Figures, Failure> {
    perform_by(&ZonedDateTime::now, begun, action, watch)
}

/// Waits by the given clock. Gives `until`, the time it waited for, with its time zone.
pub fn perform_by(
    clock: &dyn Fn() -> ZonedDateTime,
    first_begun: Timestamp,
    action: &WaitAction,
    watch: &ActionWatch<'_>,
) -> Result<Figures, Failure> {
    let begun = Instant::now();
    let now = clock();
    let from = match action {
        WaitAction::For(_) => now,
        WaitAction::Until(_) => first_begun.to_zoned_datetime(now.time_zone().clone()),
    };
    let end = deadline(&from, action)
        .map_err(|error| Failure::failed(format!("this wait has no end on any calendar: {error}")))?;
    loop {
        watch.check()?;
        let left = match action {
            WaitAction::For(duration) => duration.saturating_sub(begun.elapsed()),
            WaitAction::Until(_) => time_between(&clock(), &end),
        };
        if left.is_zero() {
            break;
        }
        (watch.progress)("waiting", Some(left));
        watch.pause(left.min(SLICE))?;
    }
    Ok(Figures::from([("until".to_owned(), end.to_string().into())]))
}

/// When a wait that begins `now` ends.
///
/// A time of day is the next one that the clock will show. In spring a time that the clock leaps over is as much later
/// as the leap is wide; in autumn a time that comes twice is the first of the two that is still ahead.
pub fn deadline(now: &ZonedDateTime, action: &WaitAction) -> Result<ZonedDateTime, jiff::Error> {
    match action {
        WaitAction::For(duration) => now.checked_add(*duration),
        WaitAction::Until(time) => {
            let zone = now.time_zone();
            let today = zone.to_ambiguous_zoned_datetime(now.date().to_datetime(*time));
            let comes_twice = matches!(today.offset(), AmbiguousOffset::Fold { .. });
            let first = today.clone().compatible()?;
            if first > *now {
                return Ok(first);
            }
            if comes_twice {
                let second = today.later()?;
                if second > *now {
                    return Ok(second);
                }
            }
            now.date().tomorrow()?.to_datetime(*time).to_zoned_datetime(zone.clone())
        }
    }
}

/// Zero once `end` has come.
fn time_between(now: &ZonedDateTime, end: &ZonedDateTime) -> Duration {
    Duration::try_from(end.timestamp().duration_since(now.timestamp())).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::time;

    fn at(text: &str) -> ZonedDateTime {
        text.parse().unwrap()
    }

    fn until(hour: i8, minute: i8) -> WaitAction {
        WaitAction::Until(time(hour, minute, 0, 0))
    }

    #[test]
    fn a_time_that_is_still_to_come_is_today() {
        let end = deadline(&at("2026-03-10T21:00[Europe/Berlin]"), &until(22, 30)).unwrap();
        assert_eq!(end, at("2026-03-10T22:30[Europe/Berlin]"));
    }

    #[test]
    fn a_time_that_has_passed_is_tomorrow() {
        let end = deadline(&at("2026-12-31T23:00[Europe/Berlin]"), &until(22, 30)).unwrap();
        assert_eq!(end, at("2027-01-01T22:30[Europe/Berlin]"));
    }

    #[test]
    fn the_very_moment_is_tomorrow_so_that_a_repeated_step_waits_again() {
        let end = deadline(&at("2026-03-10T22:30[Europe/Berlin]"), &until(22, 30)).unwrap();
        assert_eq!(end, at("2026-03-11T22:30[Europe/Berlin]"));
    }

    #[test]
    fn a_time_that_the_clock_leaps_over_comes_after_the_leap() {
        let end = deadline(&at("2026-03-29T01:00[Europe/Berlin]"), &until(2, 30)).unwrap();
        assert_eq!(end, at("2026-03-29T03:30+02:00[Europe/Berlin]"));
    }

    #[test]
    fn of_a_time_that_comes_twice_the_first_is_taken() {
        let end = deadline(&at("2026-10-25T01:00[Europe/Berlin]"), &until(2, 30)).unwrap();
        assert_eq!(end, at("2026-10-25T02:30+02:00[Europe/Berlin]"));
    }

    #[test]
    fn between_the_two_the_second_is_taken() {
        let end = deadline(&at("2026-10-25T02:45+02:00[Europe/Berlin]"), &until(2, 30)).unwrap();
        assert_eq!(end, at("2026-10-25T02:30+01:00[Europe/Berlin]"));
    }

    #[test]
    fn a_duration_counts_hours_that_pass_and_not_those_on_the_wall() {
        let end =
            deadline(&at("2026-03-29T01:00[Europe/Berlin]"), &WaitAction::For(Duration::from_secs(7200)))
                .unwrap();
        assert_eq!(end, at("2026-03-29T04:00[Europe/Berlin]"));
    }

    #[test]
    fn a_duration_beyond_the_calendar_is_an_error_and_no_panic() {
        assert!(deadline(&at("2026-03-29T01:00[UTC]"), &WaitAction::For(Duration::MAX)).is_err());
    }
}
