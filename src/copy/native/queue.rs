//! The jobs of one pass: a stack of those that can be done now, and those that wait for their time.
//!
//! A job that waits holds no worker. A job is outstanding from its push until its [`Taken`] is dropped, so the pass
//! is over exactly when none is.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a worker sleeps at most before it looks whether the pass was stopped.
const LOOK: Duration = Duration::from_millis(50);

pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    wake: Condvar,
}

struct State<J> {
    /// Last in, first out: a directory's children come before its siblings, so few directories are open at once.
    ready: Vec<J>,
    /// For those who find nothing else to do.
    spare: Vec<J>,
    waiting: BinaryHeap<Waiting<J>>,
    outstanding: usize,
}

struct Waiting<J> {
    due: Instant,
    job: J,
}

/// A job that a worker has; dropping it says that the job is done.
pub(super) struct Taken<'q, J> {
    queue: &'q Queue<J>,
}

impl<J> Queue<J> {
    pub(super) fn new() -> Self {
        let state =
            State { ready: Vec::new(), spare: Vec::new(), waiting: BinaryHeap::new(), outstanding: 0 };
        Self { state: Mutex::new(state), wake: Condvar::new() }
    }

    pub(super) fn push(&self, job: J) {
        let mut state = self.lock();
        state.outstanding += 1;
        state.ready.push(job);
        drop(state);
        self.wake.notify_one();
    }

    /// Adds a job that is taken only where no other is ready.
    pub(super) fn push_spare(&self, job: J) {
        let mut state = self.lock();
        state.outstanding += 1;
        state.spare.push(job);
        drop(state);
        self.wake.notify_one();
    }

    /// Adds a job that nobody takes before its time.
    pub(super) fn push_later(&self, job: J, due: Instant) {
        let mut state = self.lock();
        state.outstanding += 1;
        state.waiting.push(Waiting { due, job });
    }

    /// Whether a job waits that is no spare one, and could be done now.
    pub(super) fn has_ready(&self) -> bool {
        let state = self.lock();
        !state.ready.is_empty() || state.waiting.peek().is_some_and(|first| first.due <= Instant::now())
    }

    /// Waits for a job. `None` once all are done, or `stopped` says so.
    pub(super) fn take(&self, stopped: impl Fn() -> bool) -> Option<(J, Taken<'_, J>)> {
        let mut state = self.lock();
        loop {
            if stopped() || state.outstanding == 0 {
                return None;
            }
            let now = Instant::now();
            let job = match state.waiting.peek() {
                Some(first) if first.due <= now => state.waiting.pop().map(|waiting| waiting.job),
                _ => state.ready.pop().or_else(|| state.spare.pop()),
            };
            if let Some(job) = job {
                return Some((job, Taken { queue: self }));
            }
            let pause = state.waiting.peek().map_or(LOOK, |first| LOOK.min(first.due - now));
            state = self.wake.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What nobody took, once the workers have ended.
    pub(super) fn drain(&self) -> Vec<J> {
        std::mem::take(&mut self.lock().ready)
    }

    /// Waits until all is done, at most for `pause`.
    pub(super) fn wait(&self, pause: Duration) -> Waited {
        let end = Instant::now() + pause;
        let mut state = self.lock();
        loop {
            if state.outstanding == 0 {
                return Waited::Over;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Waited::StillAtWork;
            }
            state = self.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            // The signal may have been meant for a worker: it is passed on.
            if !state.ready.is_empty() || !state.spare.is_empty() {
                self.wake.notify_one();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        // The state is whole after every step, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    Over,
    StillAtWork,
}

impl<J> Drop for Taken<'_, J> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.outstanding -= 1;
        if state.outstanding == 0 {
            self.queue.wake.notify_all();
        }
    }
}

impl<J> Ord for Waiting<J> {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the greatest first; the earliest is wanted.
        other.due.cmp(&self.due)
    }
}

impl<J> PartialOrd for Waiting<J> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<J> PartialEq for Waiting<J> {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl<J> Eq for Waiting<J> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn never() -> bool {
        false
    }

    #[test]
    fn a_waiting_job_does_not_hold_back_one_that_is_ready() {
        let queue = Queue::new();
        queue.push_later("later", Instant::now() + Duration::from_millis(30));
        queue.push("now");
        assert_eq!(queue.take(never).map(|(job, _taken)| job), Some("now"));
        assert_eq!(queue.take(never).map(|(job, _taken)| job), Some("later"));
        assert!(queue.take(never).is_none());
    }

    #[test]
    fn a_spare_job_is_taken_only_where_no_other_is_ready() {
        let queue = Queue::new();
        queue.push("first");
        queue.push_spare("spare");
        queue.push("second");
        let order: Vec<_> = std::iter::from_fn(|| queue.take(never).map(|(job, _taken)| job)).collect();
        assert_eq!(order, ["second", "first", "spare"]);
    }

    #[test]
    fn the_queue_is_over_only_when_the_last_job_is_done() {
        let queue = Queue::new();
        queue.push(());
        let taken = queue.take(never);
        assert_eq!(queue.wait(Duration::from_millis(1)), Waited::StillAtWork);
        drop(taken);
        assert_eq!(queue.wait(Duration::from_millis(1)), Waited::Over);
    }

    #[test]
    fn a_stopped_queue_gives_no_job() {
        let queue = Queue::new();
        queue.push(());
        assert!(queue.take(|| true).is_none());
    }
}
