//! The built-in engine.

use super::verify::{Verification, VerifyPass};
use super::{CopyPass, Disposal, Engine, ExtraEntry, PassError, PassOutcome, Purged, Survey, Watch};

/// The engine that a run uses unless told otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native;

fn unfinished() -> PassError {
    PassError::Fatal {
        what: "the engine is not finished".into(),
        path: String::new(),
        hint: String::new(),
        source: None,
    }
}

impl Engine for Native {
    fn survey(&self, _pass: &CopyPass, _watch: &Watch<'_>) -> Result<Survey, PassError> {
        Err(unfinished())
    }

    fn copy(&self, _pass: &CopyPass, _watch: &Watch<'_>) -> Result<PassOutcome, PassError> {
        Err(unfinished())
    }

    fn purge(
        &self,
        _pass: &CopyPass,
        _extras: &[ExtraEntry],
        _disposal: &Disposal,
        _watch: &Watch<'_>,
    ) -> Result<Purged, PassError> {
        Err(unfinished())
    }
}

pub(super) fn verify(_pass: &VerifyPass, _watch: &Watch<'_>) -> Result<Verification, PassError> {
    Err(unfinished())
}
