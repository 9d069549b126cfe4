//! The state file: an append-only journal from which alone a run can be resumed, audited and reported.
//!
//! [`lock::Lock`] makes sure of one runner, [`journal::Journal`] writes and reads records, [`fold`] makes a
//! [`fold::RunState`] of them, and [`drift`] says how a new plan differs from what the run rests on. Only the first
//! two touch a file system.

pub mod answer_hash;
pub mod drift;
pub mod fold;
pub mod journal;
pub mod line;
pub mod lock;
pub mod record;
#[cfg(test)]
mod sample;
