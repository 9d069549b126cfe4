//! Writes down, while a copy grows, how much of it is durable.
//!
//! Units are finished out of order; durable is counted from the front. A unit gets into the record only after the copy was
//! synced behind it: the record never promises what a power cut could take away. One worker does that at a time, and the
//! others go on meanwhile.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use blake3::Hash;

use super::record::Record;

/// How many units are brought to the disk at once: 64 MiB are what an interruption costs at most, beside what is under way.
const TOGETHER: usize = 16;

pub(super) struct Ledger {
    file: File,
    state: Mutex<State>,
}

struct State {
    /// `None` while a worker writes it.
    record: Option<Record>,
    /// The unit up to which all are finished.
    front: usize,
    /// Finished ones from the record's end up to the front.
    waiting: Vec<Hash>,
    /// Finished ones behind the front.
    ahead: BTreeMap<usize, Hash>,
}

impl Ledger {
    /// Goes on with a record, which is in this file.
    pub(super) fn new(record: Record, file: File) -> Self {
        let front = record.units.len();
        let state = State { record: Some(record), front, waiting: Vec::new(), ahead: BTreeMap::new() };
        Self { file, state: Mutex::new(state) }
    }

    /// A unit of the copy is written.
    pub(super) fn enter(&self, number: usize, hash: Hash, copy: &File) -> io::Result<()> {
        let mut state = self.lock();
        state.ahead.insert(number, hash);
        loop {
            let front = state.front;
            let Some(hash) = state.ahead.remove(&front) else { break };
            state.waiting.push(hash);
            state.front += 1;
        }
        while state.waiting.len() >= TOGETHER {
            let Some(mut record) = state.record.take() else { return Ok(()) };
            let units = std::mem::take(&mut state.waiting);
            drop(state);
            copy.sync_data()?;
            let text = record.add(&units);
            record.write(&self.file, &text)?;
            state = self.lock();
            state.record = Some(record);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic between two steps leaves fewer units in the record than could be, and none too many.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::native::large::record::Origin;

    #[test]
    fn only_what_is_whole_from_the_front_gets_into_the_record() {
        let folder = tempfile::tempdir().unwrap();
        let mut origin = Origin::new(std::ffi::OsStr::new("a"), &status(folder.path()), 1);
        origin.size = 100;
        let (record, text) = Record::begin(origin).unwrap();
        let path = folder.path().join("record");
        std::fs::write(&path, text).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        let copy = tempfile::tempfile().unwrap();
        let ledger = Ledger::new(record, file);
        let hash = |number: usize| blake3::hash(&number.to_le_bytes());
        // Each round lacks its first unit until the end.
        for round in [0, TOGETHER] {
            for number in (round + 1..round + TOGETHER).rev().chain([round]) {
                ledger.enter(number, hash(number), &copy).unwrap();
                let found = Record::parse(&std::fs::read(&path).unwrap()).unwrap();
                let expected = if number == round { round + TOGETHER } else { round };
                assert_eq!(found.units, (0..expected).map(hash).collect::<Vec<_>>());
            }
        }
    }

    fn status(folder: &std::path::Path) -> crate::sys::tree::Status {
        use crate::sys::tree::{Directory, Here};
        Here::open(folder).unwrap().own_status().unwrap()
    }
}
