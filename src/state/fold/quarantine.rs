//! What purges put into the quarantine, and what people did with it.

use jiff::Timestamp;

use super::RunState;
use crate::copy::Tally;
use crate::copy::account::Account;
use crate::state::record::{Deed, PurgeStarted};

/// The quarantine as the journal knows it. What lies in it now only its folders tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quarantine {
    /// In the order of the run.
    pub purges: Vec<Quarantined>,
    pub deeds: Vec<QuarantineDeed>,
    /// The purge of the pass that is under way, as an index: only that one can end with figures.
    under_way: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Quarantined {
    pub purge: PurgeStarted,
    pub at: Timestamp,
    /// What was taken away; `None` for a purge that is under way or was cut off.
    pub taken: Option<Tally>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct QuarantineDeed {
    pub deed: Deed,
    pub by: String,
    pub at: Timestamp,
    pub meant: Tally,
    /// `None` where it was cut off; the same command goes on.
    pub done: Option<Tally>,
    pub left: u64,
}

impl RunState {
    /// A pass is over, and with it its purge.
    pub(super) fn take_account(&mut self, step: &str, account: Option<&Account>) {
        if let Some(account) = account {
            self.quarantine.close(step, account.sums.purged);
        }
        self.with(step, |state| state.account = account.cloned());
    }
}

impl Quarantine {
    /// The number that the next purge has.
    pub fn next_number(&self) -> u32 {
        self.purges.iter().map(|entry| entry.purge.number).max().unwrap_or(0).saturating_add(1)
    }

    /// What was brought back, or deleted, as far as it was written down.
    pub fn sum(&self, deed: Deed) -> Tally {
        let mut sum = Tally::default();
        let done = self.deeds.iter().filter(|entry| entry.deed == deed).filter_map(|entry| entry.done);
        done.for_each(|done| sum.merge(done));
        sum
    }

    /// What purges took away, those that were cut off left out.
    pub fn taken(&self) -> Tally {
        let mut sum = Tally::default();
        self.purges.iter().filter_map(|entry| entry.taken).for_each(|taken| sum.merge(taken));
        sum
    }

    /// The deed that was begun and not ended.
    pub fn unfinished(&self) -> Option<&QuarantineDeed> {
        self.deeds.last().filter(|deed| deed.done.is_none())
    }

    pub(super) fn open(&mut self, purge: &PurgeStarted, at: Timestamp) {
        self.under_way = Some(self.purges.len());
        self.purges.push(Quarantined { purge: purge.clone(), at, taken: None });
    }

    /// A step begins: a purge that has no end by now was cut off, and what a later pass took away is none of its.
    pub(super) fn cut_off(&mut self) {
        self.under_way = None;
    }

    /// A step's pass is over: so is its purge.
    pub(super) fn close(&mut self, step: &str, taken: Tally) {
        let Some(last) = self.under_way.take().and_then(|index| self.purges.get_mut(index)) else { return };
        if last.purge.step == step {
            last.taken.get_or_insert(taken);
        }
    }

    pub(super) fn begin(&mut self, deed: Deed, by: &str, meant: Tally, at: Timestamp) {
        self.deeds.push(QuarantineDeed { deed, by: by.to_owned(), at, meant, done: None, left: 0 });
    }

    pub(super) fn end(&mut self, done: Tally, left: u64) {
        if let Some(deed) = self.deeds.last_mut() {
            deed.done = Some(done);
            deed.left = left;
        }
    }
}
