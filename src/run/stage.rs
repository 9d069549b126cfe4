//! Where events are shown from: one after the other, without secrets, whichever thread they come from.

use std::sync::{Mutex, PoisonError};

use crate::event::{Event, Sink};

/// The way from the runner to the sink.
pub(super) struct Stage<'a>(Mutex<&'a mut dyn Sink>);

impl<'a> Stage<'a> {
    pub(super) fn new(sink: &'a mut dyn Sink) -> Self {
        Self(Mutex::new(sink))
    }

    pub(super) fn show(&self, event: &Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).event(event);
    }
}
