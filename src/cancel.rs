//! The wish to stop: set once by Ctrl-C or by a fatal error, looked at by everything that takes time.
//!
//! It never un-sets itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag shared by all who work on one run.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
    above: Option<Arc<Cancel>>,
}

impl Cancel {
    pub fn new() -> Self {
        Self::default()
    }

    /// A wish of its own for a part of the work: this one stops it, and it does not stop the rest.
    pub fn below(&self) -> Self {
        Self { flag: Arc::default(), above: Some(Arc::new(self.clone())) }
    }

    pub fn request(&self) {
        self.flag.store(true, Ordering::SeqCst);
    }

    pub fn is_requested(&self) -> bool {
        self.flag.load(Ordering::Relaxed) || self.above.as_ref().is_some_and(|above| above.is_requested())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_stops_with_the_whole_and_the_whole_not_with_a_part() {
        let whole = Cancel::new();
        let (one, other) = (whole.below(), whole.below());
        one.request();
        assert!(one.is_requested() && !whole.is_requested() && !other.is_requested());
        whole.request();
        assert!(other.is_requested());
    }
}
