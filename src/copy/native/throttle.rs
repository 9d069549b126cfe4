//! How many bytes a second all workers of a pass may move together, by the time of day.
//!
//! A bucket of bytes that fills at the rate of the hour. Who finds it filled takes a whole block and may leave a debt of
//! less than that block, so that a rate far below one block a second is kept as exactly as a high one; who finds it empty
//! waits. What was not used is kept for a tenth of a second and no longer: a pass never makes up for an idle minute.
//!
//! Nobody who waits is bound to what the rate was when he began to: the wait is cut into looks of [`LOOK`], so that the
//! wish to stop, and another rate by the clock, take effect at once.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::ZonedDateTime;
use jiff::civil::Time;

use super::failure::Failure;
use crate::copy::Bandwidth;

/// How long a worker waits at most before it looks at everything anew.
const LOOK: Duration = Duration::from_millis(50);
/// How often the time of day is asked for: it needs the time zone, and a change may take a second to be noticed.
const HOUR: Duration = Duration::from_millis(500);
/// How long what was not used is kept: it makes up for sleeps that are longer than asked for.
const KEPT: Duration = Duration::from_millis(100);

/// What a throttle knows of time.
pub(super) trait Clock: Sync {
    /// Time that only grows.
    fn elapsed(&self) -> Duration;
    fn time_of_day(&self) -> Time;
    fn sleep(&self, pause: Duration);
}

/// This machine's clock.
pub(super) struct SystemClock(Instant);

impl Clock for SystemClock {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn time_of_day(&self) -> Time {
        ZonedDateTime::now().time()
    }

    fn sleep(&self, pause: Duration) {
        std::thread::sleep(pause);
    }
}

/// Shared by all workers of one pass.
pub(super) struct Throttle<C = SystemClock>(Option<Limited<C>>);

struct Limited<C> {
    bandwidth: Bandwidth,
    clock: C,
    bucket: Mutex<Bucket>,
}

/// Pure: told what time it is.
#[derive(Debug, Default)]
struct Bucket {
    /// Bytes that may be moved now; below 0 where more was moved already.
    level: f64,
    /// When `level` was what it is.
    filled: Duration,
    /// Bytes a second by the time of day, as it was at `asked`; `None` where there is no limit.
    rate: Option<u64>,
    asked: Option<Duration>,
}

/// What a worker that wants to move a block is told.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    Go,
    /// Nothing may be moved for this long.
    Wait(Duration),
}

impl Throttle {
    /// No limit, at no cost.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// The limit of a pass.
    pub(super) fn new(bandwidth: Option<&Bandwidth>) -> Self {
        let limit = bandwidth.filter(|bandwidth| !bandwidth.is_unlimited());
        limit.map_or(Self::none(), |bandwidth| {
            Self::with_clock(bandwidth.clone(), SystemClock(Instant::now()))
        })
    }
}

impl<C: Clock> Throttle<C> {
    fn with_clock(bandwidth: Bandwidth, clock: C) -> Self {
        Self(Some(Limited { bandwidth, clock, bucket: Mutex::default() }))
    }

    /// Comes back when so many bytes may be moved, or with [`Failure::Interrupted`] once `stopped` says so.
    #[inline]
    pub(super) fn pass(&self, bytes: u64, stopped: impl Fn() -> bool) -> Result<(), Failure> {
        match &self.0 {
            None => Ok(()),
            Some(limited) => limited.pass(bytes, stopped),
        }
    }
}

impl<C: Clock> Limited<C> {
    fn pass(&self, bytes: u64, stopped: impl Fn() -> bool) -> Result<(), Failure> {
        loop {
            if stopped() {
                return Err(Failure::Interrupted);
            }
            let turn = {
                // The bucket is whole after every step, so a panic elsewhere does not spoil it.
                let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
                // Within the lock: a reading that another worker overtook would be one from the past.
                let now = self.clock.elapsed();
                if bucket.asked.is_none_or(|asked| now.saturating_sub(asked) >= HOUR) {
                    bucket.change(now, self.bandwidth.limit_at(self.clock.time_of_day()));
                }
                bucket.take(now, bytes)
            };
            match turn {
                Turn::Go => return Ok(()),
                Turn::Wait(pause) => self.clock.sleep(pause.min(LOOK)),
            }
        }
    }
}

impl Bucket {
    /// The rate is this from now on; what was owed or saved by the old one is settled by it.
    fn change(&mut self, now: Duration, rate: Option<u64>) {
        self.fill(now);
        self.rate = rate;
        self.asked = Some(now);
    }

    fn take(&mut self, now: Duration, bytes: u64) -> Turn {
        self.fill(now);
        let Some(rate) = self.rate else { return Turn::Go };
        if self.level < 0.0 {
            // Never 0, which would be asked for again and again: the last part of a byte takes its time too.
            let pause = Duration::try_from_secs_f64(-self.level / rate as f64).unwrap_or(LOOK);
            return Turn::Wait(pause.max(Duration::from_micros(1)));
        }
        self.level -= bytes as f64;
        Turn::Go
    }

    fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.filled).as_secs_f64();
        self.filled = now;
        match self.rate {
            // Without a limit nothing is owed and nothing is saved.
            None => self.level = 0.0,
            Some(rate) => {
                let rate = rate as f64;
                self.level = (self.level + passed * rate).min(rate * KEPT.as_secs_f64());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use super::*;

    const BLOCK: u64 = 256 * 1024;
    const MIB: u64 = 1024 * 1024;

    /// A clock that only a sleep moves on. The day begins at a time of its own.
    struct TestClock {
        nanoseconds: AtomicU64,
        begins: Time,
    }

    impl TestClock {
        fn at(begins: &str) -> Self {
            Self { nanoseconds: AtomicU64::new(0), begins: begins.parse().unwrap() }
        }
    }

    impl<C: Clock> Clock for &C {
        fn elapsed(&self) -> Duration {
            C::elapsed(self)
        }

        fn time_of_day(&self) -> Time {
            C::time_of_day(self)
        }

        fn sleep(&self, pause: Duration) {
            C::sleep(self, pause);
        }
    }

    impl Clock for TestClock {
        fn elapsed(&self) -> Duration {
            Duration::from_nanos(self.nanoseconds.load(Ordering::SeqCst))
        }

        fn time_of_day(&self) -> Time {
            self.begins.wrapping_add(self.elapsed())
        }

        fn sleep(&self, pause: Duration) {
            assert!(pause > Duration::ZERO, "a wait that moves no clock never ends");
            self.nanoseconds.fetch_add(pause.as_nanos() as u64, Ordering::SeqCst);
        }
    }

    fn never() -> bool {
        false
    }

    fn throttle<'c>(bandwidth: &str, clock: &'c TestClock) -> Throttle<&'c TestClock> {
        Throttle::with_clock(bandwidth.parse().unwrap(), clock)
    }

    /// The seconds that so many blocks take.
    fn seconds(throttle: &Throttle<&TestClock>, clock: &TestClock, blocks: u64) -> f64 {
        let begun = clock.elapsed();
        for _ in 0..blocks {
            throttle.pass(BLOCK, never).unwrap();
        }
        (clock.elapsed() - begun).as_secs_f64()
    }

    #[test]
    fn bytes_take_the_time_that_the_limit_gives_them() {
        for (limit, rate) in [("100B", 100), ("10KiB", 10 * 1024), ("5MiB", 5 * MIB), ("1GiB", 1024 * MIB)] {
            let clock = TestClock::at("12:00");
            let blocks = (20 * rate).div_ceil(BLOCK).max(2);
            let took = seconds(&throttle(limit, &clock), &clock, blocks);
            // The last block is only owed, and a tenth of a second may be saved.
            let (least, most) = ((blocks - 1) * BLOCK, blocks * BLOCK);
            assert!(took >= least as f64 / rate as f64 - 0.1, "{limit}: {took}");
            assert!(took <= most as f64 / rate as f64 + 0.1, "{limit}: {took}");
        }
    }

    #[test]
    fn without_a_limit_nobody_waits_and_no_clock_is_looked_at() {
        struct NoClock;
        impl Clock for NoClock {
            fn elapsed(&self) -> Duration {
                panic!("nobody asks")
            }
            fn time_of_day(&self) -> Time {
                panic!("nobody asks")
            }
            fn sleep(&self, _: Duration) {
                panic!("nobody waits")
            }
        }
        Throttle::<NoClock>(None).pass(u64::MAX, || panic!("nobody asks")).unwrap();
        assert!(Throttle::new(None).0.is_none());
        assert!(Throttle::new(Some(&"off".parse().unwrap())).0.is_none());
    }

    #[test]
    fn an_idle_minute_is_not_made_up_for() {
        let clock = TestClock::at("12:00");
        let throttle = throttle("1MiB", &clock);
        seconds(&throttle, &clock, 8);
        clock.sleep(Duration::from_secs(60));
        let took = seconds(&throttle, &clock, 8);
        assert!(took > 1.5, "{took}");
    }

    #[test]
    fn another_rate_by_the_clock_takes_effect_within_a_second() {
        // 256 KiB at 1 KiB/s are 256 seconds: who waits for them must not miss the end of the limit.
        let clock = TestClock::at("18:59:50");
        let slow = throttle("07:00,1KiB 19:00,off", &clock);
        slow.pass(BLOCK, never).unwrap();
        slow.pass(BLOCK, never).unwrap();
        let waited = clock.elapsed().as_secs_f64();
        assert!((10.0..11.0).contains(&waited), "{waited}");
        // From then on nothing is limited.
        assert_eq!(seconds(&slow, &clock, 1000), 0.0);
        // The other way round: what was moved without a limit is not owed, what follows is limited.
        let clock = TestClock::at("06:59:59");
        let early = throttle("07:00,1MiB 19:00,off", &clock);
        assert_eq!(seconds(&early, &clock, 1000), 0.0);
        clock.sleep(Duration::from_millis(1500));
        let took = seconds(&early, &clock, 9);
        assert!((1.9..2.3).contains(&took), "{took}");
    }

    #[test]
    fn a_wait_ends_with_the_wish_to_stop() {
        let clock = TestClock::at("12:00");
        let slow = throttle("1B", &clock);
        slow.pass(BLOCK, never).unwrap();
        let stopped = || clock.elapsed() > Duration::from_secs(3);
        assert!(matches!(slow.pass(BLOCK, stopped), Err(Failure::Interrupted)));
        let waited = clock.elapsed();
        assert!(waited < Duration::from_secs(3) + 2 * LOOK, "{waited:?}");
    }

    #[test]
    fn all_workers_share_one_limit() {
        // Each worker's sleep moves the one clock on, so that the time that passes is at most the sum of the waits: a
        // throttle of which each worker had its own would let all of them go at once.
        let clock = TestClock::at("12:00");
        let shared = throttle("1MiB", &clock);
        let panicked = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        if shared.pass(BLOCK, never).is_err() {
                            panicked.store(true, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        assert!(!panicked.load(Ordering::SeqCst));
        // 40 blocks are 10 MiB, of which the last is owed.
        let took = clock.elapsed().as_secs_f64();
        assert!(took >= 9.6, "{took}");
    }
}
