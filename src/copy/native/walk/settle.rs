//! What becomes of an entry whose handling failed: it is tried again later, given up and told of, or the pass ends.
//!
//! A missing entry is believed to be missing only after the roots were seen to be there.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::{Handler, Job, Lost, Walk, Worker};
use crate::copy::native::failure::Failure;
use crate::copy::native::node::Node;
use crate::copy::{ErrorClass, PassError};
use crate::sys::tree::{self, Directory, Presence};

/// A failed job that may be tried again, and what is said of it if not.
pub(super) struct Again<D> {
    job: Job<D>,
    path: String,
    bytes: u64,
}

impl<D> Again<D> {
    pub(super) fn new(job: Job<D>, path: &Path, ending: &str, bytes: u64) -> Self {
        Self { job, path: format!("{}{ending}", crate::copy::names::shown(path)), bytes }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    TriedAgain,
    Lost,
    Stopped,
}

impl<D: Directory, H: Handler<D>> Walk<'_, D, H> {
    /// Tries again later, or gives up.
    pub(super) fn settle(
        &self,
        worker: &mut Worker<'_, D, H>,
        failure: Failure,
        failed: u32,
        node: &Arc<Node<D>>,
        mut again: Again<D>,
    ) -> Settled {
        let (class, text) = match failure {
            Failure::Entry { class, text } => (class, text),
            failure => {
                self.end_by(failure);
                return Settled::Stopped;
            }
        };
        if matches!(class, ErrorClass::Vanished | ErrorClass::Transient)
            && let Some(why) = self.lost_root(node)
        {
            self.stop(why);
            return Settled::Stopped;
        }
        if class == ErrorClass::Transient && failed < self.orders.retries {
            if let Job::Entry { turn, .. } = &mut again.job {
                turn.waits = true;
                self.meter.retry_begins();
            }
            self.register(&again.job);
            self.queue.push_later(again.job, Instant::now() + self.orders.wait);
            return Settled::TriedAgain;
        }
        self.meter.fail();
        let lost = Lost { path: again.path, class, text, attempts: failed + 1, bytes: again.bytes };
        match again.job {
            Job::Extra { .. } => self.handler.unread(&mut worker.tally, lost),
            _ => self.handler.failed(&mut worker.tally, lost),
        }
        Settled::Lost
    }

    /// A new directory did not get its name, after so many attempts that failed before. It is tried again later; at last
    /// the pass ends, since what was counted as new in it is in no place where anybody looks for it.
    pub(super) fn settle_name(&self, node: &Arc<Node<D>>, failure: Failure, failed: u32) {
        if matches!(failure, Failure::Entry { .. })
            && let Some(why) = self.lost_root(node)
        {
            self.stop(why);
            return;
        }
        match failure {
            Failure::Entry { class: ErrorClass::Transient, .. } if failed < self.orders.retries => {
                let again = Job::Name { node: Arc::clone(node), failed: failed + 1 };
                self.queue.push_later(again, Instant::now() + self.orders.wait);
            }
            Failure::Entry { text, .. } => self.stop(PassError::Fatal {
                what: format!("the new directory cannot get its name: {text}"),
                path: format!("{}/", crate::copy::names::shown(&node.relative)),
                hint: "see to that directory in the target, and go on with the run: it is copied anew".into(),
                source: None,
            }),
            failure => self.end_by(failure),
        }
    }

    pub(super) fn end_by(&self, failure: Failure) {
        match failure {
            Failure::Ends(why) => self.stop(why),
            Failure::Interrupted | Failure::Entry { .. } => self.stop(PassError::Interrupted),
        }
    }

    /// Whether a missing entry is missing because the whole tree is: then nothing that follows can be believed.
    pub(super) fn lost_root(&self, node: &Arc<Node<D>>) -> Option<PassError> {
        let mut root = node;
        while let Some(parent) = &root.parent {
            root = parent;
        }
        let gone = |directory: &D| match directory.own_status() {
            Ok(status) => status.presence == Presence::Removed,
            Err(error) => tree::is_gone(&error),
        };
        let side = if gone(&root.source) {
            "source"
        } else if root.target().is_some_and(|side| gone(&side.directory)) {
            "target"
        } else {
            return None;
        };
        Some(PassError::Fatal {
            what: format!("the {side} was removed during the pass"),
            path: ".".into(),
            hint: format!("bring the {side} back, then go on with the run"),
            source: None,
        })
    }
}
