//! `wait` by a real clock and by one that is set.

use std::sync::Mutex;
use std::time::Duration;

use jiff::{Timestamp, ZonedDateTime};
use movebook::cancel::Cancel;
use movebook::plan::WaitAction;
use movebook::run::outcome::{ActionWatch, Failure};
use movebook::run::wait;

#[test]
fn a_wait_tells_how_long_it_still_takes() {
    let cancel = Cancel::new();
    let told = Mutex::new(Vec::new());
    let progress =
        |doing: &'static str, left: Option<Duration>| told.lock().unwrap().push((doing, left.unwrap()));
    let watch = ActionWatch { cancel: &cancel, progress: &progress, redact: &str::to_owned };
    wait::perform(&WaitAction::For(Duration::from_millis(350)), Timestamp::now(), &watch).unwrap();
    let told = told.into_inner().unwrap();
    assert!(told.len() > 1 && told.iter().all(|(doing, _)| *doing == "waiting"));
    assert!(told.windows(2).all(|pair| pair[0].1 > pair[1].1));
}

#[test]
fn a_wait_can_be_interrupted() {
    let cancel = Cancel::new();
    let asked = cancel.clone();
    let progress = move |_: &'static str, _: Option<Duration>| asked.request();
    let watch = ActionWatch { cancel: &cancel, progress: &progress, redact: &str::to_owned };
    let result = wait::perform(&WaitAction::For(Duration::from_secs(3600)), Timestamp::now(), &watch);
    assert_eq!(result, Err(Failure::Interrupted));
}

#[test]
fn a_machine_that_slept_past_the_time_goes_on_at_once() {
    let start: ZonedDateTime = "2026-03-10T21:00[Europe/Berlin]".parse().unwrap();
    let woken: ZonedDateTime = "2026-03-11T07:00[Europe/Berlin]".parse().unwrap();
    let looks = Mutex::new(0);
    let clock = || {
        let mut looks = looks.lock().unwrap();
        *looks += 1;
        if *looks < 3 { start.clone() } else { woken.clone() }
    };
    let cancel = Cancel::new();
    let watch = ActionWatch { cancel: &cancel, progress: &|_, _| {}, redact: &str::to_owned };
    let until = WaitAction::Until(jiff::civil::time(22, 30, 0, 0));
    let figures = wait::perform_by(&clock, start.timestamp(), &until, &watch).unwrap();
    assert_eq!(figures["until"], "2026-03-10T22:30:00+01:00[Europe/Berlin]");
}

#[test]
fn a_time_of_day_that_came_while_no_process_waited_is_over() {
    let begun: ZonedDateTime = "2026-03-10T21:00[Europe/Berlin]".parse().unwrap();
    let taken_up: ZonedDateTime = "2026-03-10T22:31[Europe/Berlin]".parse().unwrap();
    let clock = || taken_up.clone();
    let cancel = Cancel::new();
    let watch = ActionWatch { cancel: &cancel, progress: &|_, _| {}, redact: &str::to_owned };
    let until = WaitAction::Until(jiff::civil::time(22, 30, 0, 0));
    let figures = wait::perform_by(&clock, begun.timestamp(), &until, &watch).unwrap();
    assert_eq!(figures["until"], "2026-03-10T22:30:00+01:00[Europe/Berlin]");
}
