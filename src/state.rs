//! The state file: an append-only journal from which alone a run can be resumed, audited and reported.

pub mod record;
